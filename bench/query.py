"""Queries over HTTP on the fleet: p50 and p99 in ms, on one connection, after a restart from segments.

    python -m bench.query [--meters 2000] [--days 7] [--full] [--repeats 100] [--auth] [--peers]

Q1 one point, one day · Q2 one point, all days · Q3 sum of 1,000 points, one day, 96 slots · Q4 daily energy
of all points and days · Q5 newest of all points · Q6 the month's maximum of all points and its time.
Q3 has its own 1,000 meters; "all" are the others, so that --full asks for 10,000.
``--peers`` lets other stores answer the same in the same run; those in process have no HTTP to pay for.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench import baseline, bodies, fleet_server, measure, workload
from bench.client import Client
from bench.peers import report

WANTED_MS: Final = {
    "Q1": 0.25,
    "Q2": 0.5,
    "Q3": 1.0,
    "Q4 Arrow": 20.0,
    "Q4 raw Arrow": 150.0,
    "Q5": 3.0,
    "Q5 Arrow": 0.5,
    "Q6 Arrow": 6.0,
}
SETTINGS: Final = "[store]\nseal_interval_s = 2\n"


def main() -> None:
    options = _options()
    meters, days = (11_000, 30) if options.full else (options.meters, options.days)
    fleet = workload.make_fleet(meters, days)
    figures: dict[str, Any] = {
        "workload": {"meters": meters, "days": days, "points": fleet.present_count},
        "method": f"one keep-alive connection, {options.repeats} repeats (Q4, Q6: a tenth), loopback",
    }
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with measure.server(data, SETTINGS, has_auth=options.auth) as server:
            fleet_server.create_points(server, meters)
            sent = list(bodies.line_protocol_bodies(fleet, 10_000))
            fleet_server.send_all(server, "/api/v2/write?precision=us", "text/plain", sent)
            del sent
            while measure.metric(server, "historian_store_unsealed_samples"):
                time.sleep(0.5)
            measure.wait_until_quiet(server.cpu_s)
        with measure.server(data, has_auth=options.auth) as server:
            measure.wait_until_quiet(server.cpu_s)
            figures["queries"] = _queries(server.connect(), days, options.repeats)
        figures["baseline_sqlite"] = {}
        if not options.full:  # minutes and gigabytes for 31 million rows; --peers tells more there
            store = baseline.SqliteStore(Path(folder) / "baseline.sqlite")
            store.ingest(fleet, 1_000_000)
            figures["baseline_sqlite"] = _baseline_queries(store, options.repeats)
    if options.peers:
        with tempfile.TemporaryDirectory() as folder:
            figures["peers"] = report.figures_of_all(Path(folder), report.Work(meters, days, options.repeats))
    figures["table"] = _table(figures)
    measure.write_result("query", figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--meters", type=int, default=2000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--full", action="store_true", help="11,000 meters × 30 days")
    parser.add_argument("--auth", action="store_true", help="access control on, every request with a token")
    parser.add_argument("--peers", action="store_true", help="other stores beside us, where installed")
    return parser.parse_args()


def _queries(connection: Client, days: int, repeats: int) -> dict[str, dict[str, float]]:
    first = datetime.fromtimestamp(workload.START_US / 1e6, UTC).date()
    day, last = first + timedelta(days=days // 2), first + timedelta(days=days)
    point = workload.meter_name(42)
    span = f"start={first}T00:00:00Z&end={last}T00:00:00Z"
    one_day = f"start={day}T00:00:00Z&end={day + timedelta(days=1)}T00:00:00Z"
    bounds = f"from={first}&to={last}"
    paths = {
        "Q1": f"/api/v1/points/{point}/recorded?{one_day}&time=epoch_ms",
        "Q1 curve": f"/api/v1/points/{point}/load-curve?date={day}",
        "Q2": f"/api/v1/points/{point}/recorded?{span}&time=epoch_ms",
        "Q3": f"/api/v1/load-curve?station=block&date={day}",
        "Q4": f"/api/v1/rollups?period=day&station=rest&{bounds}&fields=energy",
        # Days of a zone that is not the points' own are not kept: made from the samples each time.
        "Q4 raw": f"/api/v1/rollups?period=day&station=rest&{bounds}&fields=energy&tz=Etc/UTC",
        "Q5": "/api/v1/latest?station=rest",
        "Q6": f"/api/v1/rollups?period=month&station=rest&{bounds}&fields=max_demand,max_time",
    }
    arrow = {
        f"{name} Arrow": f"{path}{'&' if '?' in path else '?'}format=arrow" for name, path in paths.items()
    }
    found: dict[str, dict[str, float]] = {}
    for name, path in (paths | arrow).items():
        try:
            found[name] = measure.get_timings_ms(connection, path, measure.repeats_of(name[:2], repeats))
        except RuntimeError as error:  # one that fails does not hide the others
            found[name] = {"failed": str(error)}  # type: ignore[dict-item]
    return found


def _table(figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """For each query what is wanted and what was measured: p50 in ms."""
    sources = {"ours": figures["queries"], "sqlite": figures["baseline_sqlite"]}
    sources |= {name: peer.get("queries", {}) for name, peer in figures.get("peers", {}).items()}
    return {
        query: {"wanted": WANTED_MS.get(query)}
        | {
            name: answers[query]["p50_ms"]
            for name, answers in sources.items()
            if "p50_ms" in answers.get(query, {})
        }
        for query in figures["queries"]
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
