"""Durable ingest over HTTP: points a second, server CPU seconds per million points, bytes a point on disk.

    python -m bench.ingest [--meters 1000] [--days 7] [--full]

``--full`` is the fleet of 10,000 meters × 30 days. Each way in gets an empty data folder. The figure that
holds on a shared machine is the CPU time, and its ratio to the baseline of the same run.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import baseline, bodies, fleet_server, measure, workload
from bench.workload import Fleet

SAMPLES_A_REQUEST = 10_000
LANES = {
    "line_protocol_scan_order": (
        "/api/v2/write?precision=us",
        "text/plain",
        bodies.line_protocol_bodies,
    ),
    "json_series_order": ("/api/v1/ingest", "application/json", bodies.json_bodies),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meters", type=int, default=1000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--full", action="store_true", help="10,000 meters × 30 days")
    options = parser.parse_args()
    meters, days = (10_000, 30) if options.full else (options.meters, options.days)
    fleet = workload.make_fleet(meters, days)
    figures: dict[str, Any] = {
        "workload": {"meters": meters, "days": days, "points": fleet.present_count},
        "method": f"{SAMPLES_A_REQUEST} points a request, {fleet_server.CLIENT_COUNT} clients, ack = fdatasync",
    }
    with tempfile.TemporaryDirectory() as folder:
        figures["baseline_sqlite"] = base = _baseline(Path(folder), fleet)
    for lane in LANES:
        with tempfile.TemporaryDirectory() as folder:
            figures[lane] = _lane(Path(folder), fleet, lane)
        ratio = base["cpu_s_per_million_points"] / figures[lane]["server_cpu_s_per_million_points"]
        figures[lane]["cpu_ratio_to_baseline"] = round(ratio, 1)
    measure.write_result("ingest", figures)


def _lane(folder: Path, fleet: Fleet, lane: str) -> dict[str, Any]:
    path, kind, make_bodies = LANES[lane]
    sent = list(make_bodies(fleet, SAMPLES_A_REQUEST))
    with measure.server(folder / "data") as server:
        fleet_server.create_points(server, fleet.power_kw.shape[1])
        measure.request(server.connect(), "POST", path, sent[0], kind)
        cpu_s, start_s = server.cpu_s(), time.perf_counter()
        fleet_server.send_all(server, path, kind, sent[1:])
        wall_s, cpu_s = time.perf_counter() - start_s, server.cpu_s() - cpu_s
        memory = server.memory_bytes()
    count = fleet.present_count * (len(sent) - 1) / len(sent)
    return {
        "points_a_second": round(count / wall_s),
        "server_cpu_s_per_million_points": round(cpu_s / count * 1e6, 4),
        "memory_bytes": memory,
        "segment_bytes_per_point": _sealed_bytes_per_point(folder, fleet),
    }


def _sealed_bytes_per_point(folder: Path, fleet: Fleet) -> float:
    """Start once more with a seal at once, so that all points are in segments."""
    with measure.server(folder / "data", "[store]\nseal_interval_s = 1\n"):
        deadline = time.monotonic() + 120
        while list((folder / "data" / "wal").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.2)
    size = sum(path.stat().st_size for path in (folder / "data" / "segments").iterdir())
    return round(size / fleet.present_count, 3)


def _baseline(folder: Path, fleet: Fleet) -> dict[str, Any]:
    part = Fleet(fleet.time_us[:96], fleet.power_kw[:96])
    return baseline.SqliteStore(folder / "baseline.sqlite").ingest(part, SAMPLES_A_REQUEST)


if __name__ == "__main__":
    main()
