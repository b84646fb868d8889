"""More than the server can do: ingest without pause and a storm of wide queries, and what a control room sees of it.

    python -m bench.overload [--meters 2000] [--seconds 60] [--curve-seconds 10] [--auth] [--full]

1. `curves_first` and `curves`: load curves as fast as wrk asks on 16 connections (wrk is a Debian package); first of points and
   days that nobody asked for before, then of 1,000 again and again. ``--auth`` asks with a token, access control being on.
2. `calm`: a control room asks a load curve twenty times a second.
3. `storm`: the same, while two clients send bodies of 10,000 samples without pause and wrk asks wide queries on 32
   connections. Memory is read ten times a second; 429 and 503 are answers, anything else above 299 is a failure.
4. `recovery`: seconds after the storm until the control room's median is at most twice that of the calm.
"""

import argparse
import contextlib
import multiprocessing
import os
import re
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench import bodies, fleet_server, measure, workload
from bench.client import TOKEN_VARIABLE, head_bytes, request_bytes

DAYS: Final = 7
ASKS_A_SECOND: Final = 20
CURVE_CONNECTIONS: Final = 16
STORM_CONNECTIONS: Final = 32
SENDERS: Final = 2
FIRST_SECONDS: Final = 2
SAMPLES_A_BODY: Final = 10_000
RECOVERY_S_MAX: Final = 60.0
WANTED: Final = {"curves_a_second": 2000, "storm_p99_ms": 50, "recovery_s": 60}
SETTINGS: Final = "[store]\nseal_interval_s = 5\n"
SHED: Final = (429, 503)
FIRST_DAY: Final = datetime.fromtimestamp(workload.START_US / 1e6, UTC).date()

_LUA: Final = """
local paths = {{ {paths} }}
local number = 0
request = function()
  number = number % #paths + 1
  return wrk.format("GET", paths[{choice}])
end
local threads = {{}}
setup = function(thread) table.insert(threads, thread) end
init = function() counts = {{}} end
response = function(status) counts[status] = (counts[status] or 0) + 1 end
done = function(summary, latency)
  io.write(string.format("p50_us=%d p99_us=%d\\n", latency:percentile(50), latency:percentile(99)))
  for _, thread in ipairs(threads) do
    local counts = thread:get("counts")
    for status, count in pairs(counts) do io.write(string.format("status=%d count=%d\\n", status, count)) end
  end
end
"""


def main() -> None:
    options = _options()
    meters = 10_000 if options.full else options.meters
    fleet = workload.make_fleet(meters, DAYS)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with measure.server(data, SETTINGS, has_auth=options.auth) as server:
            fleet_server.create_points(server, meters)
            sent = list(bodies.line_protocol_bodies(fleet, SAMPLES_A_BODY))
            fleet_server.send_all(server, "/api/v2/write?precision=us", "text/plain", sent)
            measure.wait_until_quiet(server.cpu_s)
            figures = {
                "workload": {"meters": meters, "days": DAYS, "points": fleet.present_count},
                "wanted": WANTED,
                "curves_first": _first_curves(server, Path(folder), meters),
                "curves": _curves(server, Path(folder), meters, options.curve_seconds),
                "calm": _latencies(_ask(server, 5.0)),
                "storm": _storm(server, Path(folder), sent, options.seconds),
            }
            figures["recovery_s"] = _recovery_s(server, figures["calm"]["p50_ms"])
            figures["memory_after_bytes"] = server.memory_bytes()
    measure.write_result("overload", figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--meters", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=60, help="of the storm")
    parser.add_argument("--curve-seconds", type=int, default=10)
    parser.add_argument("--auth", action="store_true", help="access control on, every request with a token")
    parser.add_argument("--full", action="store_true", help="10,000 meters")
    return parser.parse_args()


def _curves(server: measure.Server, folder: Path, meters: int, seconds: int) -> dict[str, Any]:
    paths = [_curve_path(index * 7 % meters, index % DAYS) for index in range(1000)]
    before_s = server.cpu_s()
    found = _wrk(server, folder, paths, CURVE_CONNECTIONS, seconds)
    asked = sum(found["statuses"].values())
    cpu_us = (server.cpu_s() - before_s) / max(1, asked) * 1e6
    return {**found, "a_second": round(asked / seconds), "server_cpu_us_each": round(cpu_us, 1)}


def _first_curves(server: measure.Server, folder: Path, meters: int) -> dict[str, Any]:
    """Each once: wrk's one thread goes through the list and stops before it begins again."""
    paths = [_curve_path(index, day) for day in range(DAYS) for index in range(meters)]
    seconds, before_s = FIRST_SECONDS, server.cpu_s()
    found = _wrk(server, folder, paths, CURVE_CONNECTIONS, seconds, is_random=False)
    asked = sum(found["statuses"].values())
    assert asked <= len(paths), "faster than expected: some were asked twice"
    return {
        **found,
        "a_second": round(asked / seconds),
        "server_cpu_us_each": round((server.cpu_s() - before_s) / max(1, asked) * 1e6, 1),
    }


def _storm(server: measure.Server, folder: Path, sent: list[bytes], seconds: int) -> dict[str, Any]:
    stop = multiprocessing.Event()
    counts: multiprocessing.Queue[Counter[int]] = multiprocessing.Queue()
    senders = [
        multiprocessing.Process(
            target=_send, args=(server.host, server.port, sent[number::SENDERS], stop, counts)
        )
        for number in range(SENDERS)
    ]
    memory: list[int] = []
    with _watching(server, memory):
        for sender in senders:
            sender.start()
        wide: list[dict[str, Any]] = []
        asking = threading.Thread(
            target=lambda: wide.append(_wrk(server, folder, _wide_paths(), STORM_CONNECTIONS, seconds))
        )
        asking.start()
        latencies = _ask(server, seconds)
        asking.join()
        stop.set()
        answers = sum((counts.get() for _ in senders), Counter[int]())
        for sender in senders:
            sender.join()
    _refuse_failures(answers)
    _refuse_failures(Counter(wide[0]["statuses"]))
    return {
        "control_room": _latencies(latencies),
        "ingest_bodies": dict(answers),
        "samples_a_second": round(answers[204] * SAMPLES_A_BODY / seconds),
        "wide_queries": wide[0],
        "memory_max_bytes": max(memory),
        "memory_before_bytes": memory[0],
    }


def _refuse_failures(statuses: Counter[int]) -> None:
    failed = {status: count for status, count in statuses.items() if status > 299 and status not in SHED}
    assert not failed, f"answers that are neither success nor a word to come back: {failed}"


def _send(host: str, port: int, sent: list[bytes], stop: Any, counts: Any) -> None:
    """The same bodies again and again: what is there already costs as much to look up as to store."""
    connection = measure.Server(None, host, port, Path(), Path()).connect()  # type: ignore[arg-type]
    found: Counter[int] = Counter()
    number = 0
    while not stop.is_set():
        body = sent[number % len(sent)]
        head = head_bytes("POST", "/api/v2/write?precision=us", host, len(body), "text/plain")
        found[connection.exchange_with(head, body).status] += 1
        number += 1
    counts.put(found)


def _ask(server: measure.Server, seconds: float) -> list[float]:
    """Milliseconds of each load curve; the next is asked at its time, whenever the one before was answered."""
    connection = server.connect()
    found: list[float] = []
    began_s = time.perf_counter()
    for number in range(int(seconds * ASKS_A_SECOND)):
        due_s = began_s + number / ASKS_A_SECOND
        time.sleep(max(0.0, due_s - time.perf_counter()))
        path = _curve_path(number % 40, number % DAYS)
        answer = connection.exchange(request_bytes("GET", path, server.host))
        found.append((time.perf_counter() - due_s) * 1000)
        assert answer.status == 200, f"the control room got {answer.status}"
    connection.close()
    return found


def _recovery_s(server: measure.Server, calm_p50_ms: float) -> float:
    began_s = time.perf_counter()
    while time.perf_counter() - began_s < RECOVERY_S_MAX:
        if statistics.median(_ask(server, 1.0)) <= 2 * calm_p50_ms:
            return round(time.perf_counter() - began_s, 1)
    return RECOVERY_S_MAX


def _curve_path(index: int, day: int) -> str:
    return f"/api/v1/points/{workload.meter_name(index)}/load-curve?date={FIRST_DAY + timedelta(days=day)}"


def _wide_paths() -> list[str]:
    last = FIRST_DAY + timedelta(days=DAYS)
    bounds = f"from={FIRST_DAY}&to={last}"
    return [
        f"/api/v1/rollups?period=day&station=rest&{bounds}&fields=energy",
        f"/api/v1/rollups?period=day&station=rest&{bounds}&fields=energy&tz=Etc/UTC&format=arrow",
        f"/api/v1/load-curve?station=block&date={FIRST_DAY}",
        "/api/v1/latest?station=rest",
        f"/api/v1/rollups?period=month&station=rest&{bounds}",
        f"/api/v1/points/{workload.meter_name(1)}/recorded?start={FIRST_DAY}T00:00:00Z&end={last}T00:00:00Z",
    ]


def _wrk(
    server: measure.Server,
    folder: Path,
    paths: list[str],
    connections: int,
    seconds: int,
    is_random: bool = True,
) -> dict[str, Any]:
    script = folder / f"paths{connections}.lua"
    choice = "math.random(#paths)" if is_random else "number"
    script.write_text(_LUA.format(paths=", ".join(f'"{path}"' for path in paths), choice=choice))
    run = subprocess.run(
        ["wrk", *_token_header(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(script),
         f"http://{server.host}:{server.port}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    p50, p99 = (int(text) / 1000 for text in re.findall(r"p\d\d_us=(\d+)", run.stdout))
    statuses = {
        int(status): int(count) for status, count in re.findall(r"status=(\d+) count=(\d+)", run.stdout)
    }
    return {"p50_ms": p50, "p99_ms": p99, "statuses": statuses}


def _token_header() -> list[str]:
    token = os.environ.get(TOKEN_VARIABLE)
    return ["-H", f"Authorization: Bearer {token}"] if token else []


def _latencies(found: list[float]) -> dict[str, float]:
    ordered = sorted(found)
    return {
        "p50_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)], 2),
        "max_ms": round(ordered[-1], 2),
        "count": len(ordered),
    }


@contextlib.contextmanager
def _watching(server: measure.Server, memory: list[int]) -> Iterator[None]:
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.1):
            memory.append(server.memory_bytes())

    memory.append(server.memory_bytes())
    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


if __name__ == "__main__":
    main()
