"""A million points at 15 minutes: making them, a scan, memory, the start, replay of the log.

    python -m bench.million [--points 1000000] [--hours 48] [--days 30] [--replay-scans 20] [--lane arrow]

Samples go the ordinary way, over HTTP, in requests of 100,000 points by two clients; `--hours` is how much comes
into memory. Only the `--days` before it, which the start has to cope with, are written by the store's own seal
without a server: 30 days of a million points are 2.9 billion samples. A trial takes less of everything.
"""

import argparse
import re
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import bodies, fleet_server, history, measure, text_kernels, workload
from bench.workload import QUARTER_US

POINTS_A_REQUEST: Final = 100_000
NEVER_SEALING: Final = (
    "[store]\nseal_interval_s = 86400\nseal_samples_max = 100000000\nunsealed_samples_max = 1000000000\n"
)
SEALING: Final = "[store]\nseal_interval_s = 5\n"
WANTED: Final = {"scan_s": 1.0, "memory_gib": 5.0, "start_s": 5.0, "replay_points_a_second": 10_000_000}
STEPS: Final = ("kernels_loading", "kernels_ready", "store_opened", "opened", "ready")  # opened: the figures
LANES: Final = {
    "arrow": ("/api/v1/ingest", bodies.ARROW_KIND),
    "line": ("/api/v2/write?precision=us", "text/plain"),
}


def main() -> None:
    options = _options()
    figures: dict[str, Any] = {
        "workload": {
            "points": options.points,
            "lane": options.lane,
            "hours": options.hours,
            "days": options.days,
        },
        "wanted": WANTED,
    }
    now_us = time.time_ns() // 1000 // QUARTER_US * QUARTER_US
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with measure.server(data, NEVER_SEALING) as server:
            figures["create"] = _create(server, options.points)
            figures["scans"] = _scans(server, options, now_us - options.replay_scans * QUARTER_US)
            server.process.send_signal(
                signal.SIGKILL
            )  # what is in the log only is replayed by the next start
        figures["replay"] = _start(data, SEALING)
        with measure.server(data, SEALING) as server:
            figures["memory"] = _fill(server, options, now_us)
        figures["start_after_hours"] = _start(data, SEALING)
        if options.days:
            end_us = (now_us - options.hours * 3_600_000_000) // history.DAY_US * history.DAY_US
            figures["history"] = history.build(
                data, options.points, end_us, options.days, options.days_a_segment
            )
            figures["start_after_days"] = _start(data, SEALING)
    measure.write_result("million", figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--hours", type=int, default=48)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--days-a-segment", type=int, default=5)
    parser.add_argument("--replay-scans", type=int, default=20)
    parser.add_argument("--lane", choices=LANES, default="arrow")
    return parser.parse_args()


def _create(server: measure.Server, count: int) -> dict[str, Any]:
    before_s, start_s = server.cpu_s(), time.perf_counter()
    fleet_server.create_points(server, count)
    wall_s = time.perf_counter() - start_s
    return {
        "points_a_second": round(count / wall_s),
        "cpu_us_per_point": round((server.cpu_s() - before_s) / count * 1e6, 2),
        "memory_gib": _gib(server.memory_bytes()),
    }


def _scans(server: measure.Server, options: argparse.Namespace, first_us: int) -> dict[str, Any]:
    """The first scan warms up; of the others the median counts, each from its first byte to its last answer."""
    walls, cpus = [], []
    for slot in range(options.replay_scans):
        sent = _scan_bodies(options, first_us + slot * QUARTER_US, slot)
        before_s, start_s = server.cpu_s(), time.perf_counter()
        fleet_server.send_all(server, *LANES[options.lane], sent)
        walls.append(time.perf_counter() - start_s)
        cpus.append(server.cpu_s() - before_s)
    return {
        "requests_a_scan": len(sent),
        "scan_s": round(float(np.median(walls[1:])), 3),
        "scan_s_longest": round(max(walls[1:]), 3),
        "cpu_s_per_million_points": round(float(np.median(cpus[1:])) / options.points * 1e6, 4),
        "memory_gib": _gib(server.memory_bytes()),
    }


def _fill(server: measure.Server, options: argparse.Namespace, now_us: int) -> dict[str, Any]:
    """As many hours as memory shall hold, up to now."""
    count = options.hours * 4
    cost = _send_slots(server, options, now_us - count * QUARTER_US, count)
    return {**cost, "memory_gib": _gib(server.memory_bytes()), "memory_gib_most": _gib(_peak_bytes(server))}


def _send_slots(
    server: measure.Server, options: argparse.Namespace, first_us: int, count: int
) -> dict[str, Any]:
    before_s, start_s, sending_s = server.cpu_s(), time.perf_counter(), 0.0
    for slot in range(count):
        sent = _scan_bodies(options, first_us + slot * QUARTER_US, slot)
        began_s = time.perf_counter()
        fleet_server.send_all(server, *LANES[options.lane], sent)
        sending_s += time.perf_counter() - began_s
    while measure.metric(server, "historian_store_unsealed_samples"):
        time.sleep(0.5)
    measure.wait_until_quiet(server.cpu_s)
    samples = options.points * count
    return {
        "samples": samples,
        "points_a_second": round(samples / sending_s),
        "cpu_s_per_million_points_settled": round((server.cpu_s() - before_s) / samples * 1e6, 4),
        "wall_s_settled": round(time.perf_counter() - start_s, 1),
    }


def _start(data: Path, settings: str) -> dict[str, Any]:
    """How long until it is ready, and what its own log says about opening the store."""
    launched_s, start_s = time.time(), time.perf_counter()
    with measure.server(data, settings) as server:
        ready_s = time.perf_counter() - start_s
        memory = server.memory_bytes()
    figures: dict[str, Any] = {"start_s": round(ready_s, 2), "memory_gib": _gib(memory), "after_s": {}}
    for line in server.log.read_text().splitlines():
        event = re.match(r"(\S+Z) +\w+ +\w+\.(\w+)", line)
        if event and event[2] in STEPS:
            since_s = datetime.fromisoformat(event[1]).timestamp() - launched_s
            figures["after_s"][event[2]] = round(since_s, 2)
        if event and event[2] == "store_opened":
            figures["store_opened"] = dict(re.findall(r"(\w+)=([\d.]+)", line))
    opened = figures.get("store_opened", {})
    if float(opened.get("replayed_samples", 0)):
        seconds = float(opened["took_ms"]) / 1e3
        figures["replay_points_a_second"] = round(float(opened["replayed_samples"]) / seconds)
    return figures


def _scan_bodies(options: argparse.Namespace, time_us: int, seed: int) -> Sequence[bytes]:
    """One value of every point at one time."""
    random = np.random.default_rng(seed)
    value = np.round(random.gamma(2.0, 0.4, options.points), 3)
    return list(_bodies_of(options.lane, time_us, value))


def _bodies_of(lane: str, time_us: int, value: workload.F64) -> Iterator[bytes]:
    for first in range(0, len(value), POINTS_A_REQUEST):
        part = value[first : first + POINTS_A_REQUEST]
        if lane == "arrow":
            ids = np.arange(first + 1, first + 1 + len(part), dtype=np.uint32)
            yield bodies.arrow_body(ids, np.full(len(part), time_us), part)
            continue
        keys = [f"fleet,meter={workload.meter_tag(first + i)} kw=".encode() for i in range(len(part))]
        offset = np.concatenate([[0], np.cumsum([len(key) for key in keys])])
        out = np.empty(int(offset[-1]) + 2 * text_kernels.NUMBER_BYTES_MAX * len(part), np.uint8)
        stamp = np.frombuffer(str(time_us).encode(), np.uint8)
        key = np.frombuffer(b"".join(keys), np.uint8)
        length = text_kernels.write_lines(out, key, offset, np.arange(len(part)), part, stamp)
        yield out[:length].tobytes()


def _peak_bytes(server: measure.Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def _gib(count: int) -> float:
    return round(count / 2**30, 2)


if __name__ == "__main__":
    main()
