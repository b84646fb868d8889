"""VictoriaMetrics as Debian packages it: line protocol in, its query language out, over HTTP."""

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from bench import bodies, fleet_server, measure, workload
from bench.client import Client

PROGRAM: Final = "victoria-metrics"
SAMPLES_A_REQUEST: Final = 10_000
_RATIO_TO_HOURS: Final = 0.25  # a value of 15 minutes in kW is so many kWh


def why_missing() -> str | None:
    """None where the program is installed."""
    return None if shutil.which(PROGRAM) else f"{PROGRAM} is not installed (Debian package {PROGRAM})"


def run(folder: Path, meters: int, days: int, repeats: int) -> dict[str, Any]:
    """Figures of ingest, size and queries."""
    fleet = workload.make_fleet(meters, days)
    sent = list(bodies.line_protocol_bodies(fleet, SAMPLES_A_REQUEST))
    with _started(folder / "store") as server:
        ingest = measure.ingest_figures(
            server.cpu_s,
            lambda: fleet_server.send_to(
                (server.host, server.port), "/write?precision=us", "text/plain", sent
            ),
            fleet.present_count,
        )
        client = server.connect()
        client.request("GET", "/internal/force_flush")
        figures = {
            "version": _version(),
            "line_protocol_10k": ingest,
            "memory_bytes": server.memory_bytes(),
        }
        if repeats:
            figures["queries"] = _queries(client, days, repeats)
        client.request("GET", "/internal/force_merge")
        measure.wait_until_quiet(server.cpu_s)
    figures["bytes_per_point"] = round(_size(folder / "store") / fleet.present_count, 3)
    return figures


def _queries(client: Client, days: int, repeats: int) -> dict[str, dict[str, float]]:
    start_s, day_s = workload.START_US // 1_000_000, 86_400
    end_s, middle_s = start_s + days * day_s, start_s + days // 2 * day_s
    one, block, rest = ('{meter="m00042"}', '{meter=~"m00[0-9]{3}"}', '{meter!~"m00[0-9]{3}"}')
    asked = {
        "Q1": _range(f"fleet_kw{one}", middle_s, middle_s + day_s - 900, 900),
        "Q2": "/api/v1/export?" + urlencode({"match[]": f"fleet_kw{one}", "start": start_s, "end": end_s}),
        "Q3": _range(f"sum(fleet_kw{block})", middle_s, middle_s + day_s - 900, 900),
        "Q4": _range(
            f"sum_over_time(fleet_kw{rest}[1d])*{_RATIO_TO_HOURS}", start_s + day_s - 1, end_s - 1, day_s
        ),
        "Q5": _instant(f"last_over_time(fleet_kw{rest}[1d])", end_s),
        "Q6": _instant(
            f"(max_over_time(fleet_kw{rest}[{days}d]), tmax_over_time(fleet_kw{rest}[{days}d]))", end_s - 1
        ),
    }
    return {
        name: measure.get_timings_ms(client, path, measure.repeats_of(name, repeats))
        for name, path in asked.items()
    }


def _size(folder: Path) -> int:
    """Samples and the index of series; its caches and marks are not counted."""
    return sum(measure.folder_bytes(folder / part) for part in ("data", "indexdb"))


def _range(query: str, start_s: int, end_s: int, step_s: int) -> str:
    asked = {"query": query, "start": start_s, "end": end_s, "step": step_s, "nocache": 1}
    return "/api/v1/query_range?" + urlencode(asked)


def _instant(query: str, time_s: int) -> str:
    return "/api/v1/query?" + urlencode({"query": query, "time": time_s, "nocache": 1})


@contextlib.contextmanager
def _started(folder: Path) -> Iterator[measure.Server]:
    port = measure.free_port()
    command = [
        PROGRAM,
        f"-storageDataPath={folder}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
        "-search.latencyOffset=0s",
        "-search.maxUniqueTimeseries=2000000",
    ]
    log = folder.parent / "peer.log"
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
    server = measure.Server(process, "127.0.0.1", port, folder, log)
    try:
        measure.wait_ready(server, "/health")
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(measure.STOP_TIMEOUT_S)


def _version() -> str:
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", PROGRAM], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() or "unknown"
