"""What reading bodies and answering small requests costs by itself: CPU ns a point, CPU µs a request.

    python -m bench.api_micro [--repeats 15] [--requests 1500]

Bodies are read in this process, beside no server: from bytes to columns with their point ids, no store behind.
Requests go to a real server on one connection; what counts is the server's own CPU time.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from api import ingest_series, json_series, warm
from api.intake import Intake
from api.line_intake import LinePoints
from api.stored_offset import StoredOffsets
from bench import bodies, fleet_server, measure, workload
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import PointDraft, PointKind
from historian.settings import IngestSettings

METERS: Final = 1000
DAYS: Final = 2
SAMPLES_A_REQUEST: Final = 10_000
_DAY: Final = "2026-10-01"
_POINT: Final = workload.meter_name(42)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--requests", type=int, default=1500)
    options = parser.parse_args()
    warm.warm_kernels()
    fleet = workload.make_fleet(METERS, DAYS)
    lines = list(bodies.line_protocol_bodies(fleet, SAMPLES_A_REQUEST))
    columns = list(bodies.json_bodies(fleet, SAMPLES_A_REQUEST))
    figures: dict[str, Any] = {"method": f"median of {options.repeats}; {SAMPLES_A_REQUEST} points a body"}
    with tempfile.TemporaryDirectory() as folder:
        registry = Registry(Path(folder) / "points.db", ManualClock(), "UTC")
        _create_points(registry)
        figures["cpu_ns_a_point"] = {
            "line_protocol": _line_ns(registry, lines, options.repeats),
            "json_series": _json_ns(registry, columns, options.repeats),
        }
        registry.close()
    with tempfile.TemporaryDirectory() as folder, measure.server(Path(folder) / "data") as server:
        figures["server_cpu_us_a_request"] = _requests_us(server, fleet, lines, options.requests)
    measure.write_result("api_micro", figures)


def _create_points(registry: Registry) -> None:
    registry.create_many(
        PointDraft(name=workload.meter_name(index), unit="kW", kind=PointKind.INSTANTANEOUS)
        for index in range(METERS)
    )


def _line_ns(registry: Registry, texts: list[bytes], repeats: int) -> float:
    points = LinePoints(registry, IngestSettings())

    def read(body: bytes) -> int:
        intake = Intake("line")
        asyncio.run(points.take_lines(intake, body, "us", 0))
        return intake.sample_count

    return _read_ns(read, texts, repeats)


def _json_ns(registry: Registry, texts: list[bytes], repeats: int) -> float:
    offsets = StoredOffsets(registry)

    def read(body: bytes) -> int:
        intake = Intake("index")
        columns = json_series.read_columns(body)
        assert columns is not None, "the workload is everyday"
        ingest_series.take_columns(intake, columns, registry, offsets)
        return intake.sample_count

    return _read_ns(read, texts, repeats)


def _read_ns(read: Callable[[bytes], int], texts: list[bytes], repeats: int) -> float:
    found = []
    for _ in range(repeats + 1):
        cpu_ns = time.process_time_ns()
        count = sum(read(body) for body in texts)
        found.append((time.process_time_ns() - cpu_ns) / count)
    return round(statistics.median(found[1:]), 1)


def _requests_us(
    server: measure.Server, fleet: workload.Fleet, lines: list[bytes], count: int
) -> dict[str, float]:
    fleet_server.create_points(server, METERS)
    fleet_server.send_all(server, "/api/v2/write?precision=us", "text/plain", lines)
    time.sleep(3)  # the background's work on what was sent
    latest = ",".join(workload.meter_name(index) for index in range(100))
    asked: dict[str, tuple[str, str, bytes]] = {
        "GET_healthz": ("GET", "/healthz", b""),
        "GET_load_curve_day": ("GET", f"/api/v1/points/{_POINT}/load-curve?date={_DAY}", b""),
        "GET_recorded_day": (
            "GET", f"/api/v1/points/{_POINT}/recorded?start={_DAY}T00:00:00Z&end={_DAY}T23:59:59Z", b"",
        ),
        "GET_latest_100": ("GET", f"/api/v1/latest?points={latest}", b""),
        "POST_one_line": ("POST", "/api/v2/write?precision=us", lines[0].partition(b"\n")[0]),
    }  # fmt: skip
    return {name: _request_us(server, *request, count) for name, request in asked.items()}


def _request_us(server: measure.Server, method: str, path: str, body: bytes, count: int) -> float:
    connection = server.connect()
    found = []
    for _ in range(5):
        cpu_ns = server.cpu_ns()
        for _ in range(count // 5):
            measure.request(connection, method, path, body, "text/plain")
        found.append((server.cpu_ns() - cpu_ns) / (count // 5) / 1e3)
    return round(statistics.median(found), 1)


if __name__ == "__main__":
    main()
