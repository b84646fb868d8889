"""Queries over HTTP on the fleet: p50 and p99 in ms, on one connection, after a restart from segments.

    python -m bench.query [--meters 1000] [--days 7] [--full] [--repeats 100]

Q1 one point, one day · Q2 one point, all days · Q3 sum of 1,000 points, one day, 96 slots ·
Q4 daily energy of all points and days · Q5 newest of all points · Q6 the month's maximum of all points.
Q3 has its own 1,000 meters; "all" are the others, so that --full asks for 10,000.
"""

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import baseline, bodies, fleet_server, measure, workload


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meters", type=int, default=2000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--full", action="store_true", help="11,000 meters × 30 days")
    options = parser.parse_args()
    meters, days = (11_000, 30) if options.full else (options.meters, options.days)
    fleet = workload.make_fleet(meters, days)
    figures: dict[str, Any] = {
        "workload": {"meters": meters, "days": days, "points": fleet.present_count},
        "method": f"one keep-alive connection, {options.repeats} repeats (Q4, Q6: a tenth), loopback",
    }
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with measure.server(data) as server:
            fleet_server.create_points(server, meters)
            sent = list(bodies.line_protocol_bodies(fleet, 10_000))
            fleet_server.send_all(server, "/api/v2/write?precision=us", "text/plain", sent)
        with measure.server(data) as server:
            figures["queries"] = _queries(server, days, options.repeats)
        store = baseline.SqliteStore(Path(folder) / "baseline.sqlite")
        store.ingest(fleet, 1_000_000)
        figures["baseline_sqlite"] = _baseline_queries(store, options.repeats)
    for name, base in figures["baseline_sqlite"].items():
        ratio = base["p50_ms"] / figures["queries"][name]["p50_ms"]
        figures["queries"][name]["p50_ratio_to_baseline"] = round(ratio, 2)
    measure.write_result("query", figures)


def _queries(server: measure.Server, days: int, repeats: int) -> dict[str, dict[str, float]]:
    first = datetime.fromtimestamp(workload.START_US / 1e6, UTC).date()
    day, last = first + timedelta(days=days // 2), first + timedelta(days=days)
    point = workload.meter_name(42)
    span = f"start={first}T00:00:00Z&end={last}T00:00:00Z"
    bounds = f"from={first}&to={last}"
    paths = {
        "Q1": f"/api/v1/points/{point}/load-curve?date={day}",
        "Q2": f"/api/v1/points/{point}/recorded?{span}",
        "Q3": f"/api/v1/load-curve?station=block&date={day}",
        "Q4": f"/api/v1/rollups?period=day&station=rest&{bounds}",
        "Q5": "/api/v1/latest?station=rest",
        "Q6": f"/api/v1/rollups?period=month&station=rest&{bounds}",
    }
    connection = server.connect()
    return {
        name: measure.get_timings_ms(
            connection, path, max(3, repeats // 10) if name in ("Q4", "Q6") else repeats
        )
        for name, path in paths.items()
    }


def _baseline_queries(store: baseline.SqliteStore, repeats: int) -> dict[str, dict[str, float]]:
    start, day_us = workload.START_US, workload.SLOTS_A_DAY * workload.QUARTER_US
    statements = {
        "Q1": (
            "SELECT time, value FROM sample WHERE point=42 AND time>=? AND time<?",
            (start, start + day_us),
        ),
        "Q2": ("SELECT time, value FROM sample WHERE point=42", ()),
        "Q3": (
            "SELECT time, sum(value) FROM sample WHERE point<1000 AND time>=? AND time<? GROUP BY time",
            (start, start + day_us),
        ),
    }
    return {
        name: measure.timings_ms(
            lambda sql=sql, values=values: store.connection.execute(sql, values).fetchall(),  # type: ignore[misc]
            max(3, repeats // 10) if name == "Q3" else repeats,
        )
        for name, (sql, values) in statements.items()
    }


if __name__ == "__main__":
    main()
