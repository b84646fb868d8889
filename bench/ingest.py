"""Durable ingest over HTTP: points a second, server CPU seconds per million points, bytes a point on disk.

    python -m bench.ingest [--meters 1000] [--days 7] [--full] [--peers] [--lanes line_protocol_10k,arrow_100k]

``--full`` is the fleet of 10,000 meters × 30 days, ``--peers`` lets other stores do the same in the same run.
Each way in gets an empty data folder. What holds on a shared machine is the CPU time, and its ratio to a peer's
of the same run. CPU is told twice: until the last acknowledgement, and *settled*: until everything is sealed
and the figures of all days are made.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench import baseline, bodies, fleet_server, measure, workload
from bench.peers import report
from bench.workload import Fleet

SETTINGS: Final = "[store]\nseal_interval_s = 5\n"  # so that a run sees the sealing, too


class Lane(NamedTuple):
    """A way in: where to, of what kind, and how bodies of so many samples are made."""

    path: str
    kind: str
    make_bodies: Callable[[Fleet, int], Iterable[bytes]]
    samples_a_request: int


LANES: Final = {
    "line_protocol_10k": Lane(
        "/api/v2/write?precision=us", "text/plain", bodies.line_protocol_bodies, 10_000
    ),
    "json_columns_10k": Lane("/api/v1/ingest", "application/json", bodies.json_bodies, 10_000),
    "arrow_10k": Lane("/api/v1/ingest", bodies.ARROW_KIND, bodies.arrow_bodies, 10_000),
    "arrow_100k": Lane("/api/v1/ingest", bodies.ARROW_KIND, bodies.arrow_bodies, 100_000),
}
SUBSTATION: Final = "substation_set"  # goes in by the last lane; what counts is its size

# What must be reached: our lane, the peer and its lane, how many times less CPU.
TARGETS: Final = (
    ("line_protocol_10k", "victoriametrics", "line_protocol_10k", 12.0),
    ("arrow_100k", "clickhouse", "native_100k", 7.0),
)
CPU: Final = "cpu_s_per_million_points"


def main() -> None:
    options = _options()
    meters, days = (10_000, 30) if options.full else (options.meters, options.days)
    fleet = workload.make_fleet(meters, days)
    figures: dict[str, Any] = {
        "workload": {"meters": meters, "days": days, "points": fleet.present_count},
        "method": f"{fleet_server.CLIENT_COUNT} clients on the same machine, scan order (JSON: series order); ack = fdatasync",
    }
    with tempfile.TemporaryDirectory() as folder:
        figures["baseline_sqlite"] = _baseline(Path(folder), fleet)
    for lane in options.lanes.split(","):
        figures[lane] = _lane_figures(lane, fleet, days)
    if options.peers:
        with tempfile.TemporaryDirectory() as folder:
            figures["peers"] = report.figures_of_all(Path(folder), report.Work(meters, days, 0))
        figures["ratios"] = _ratios(figures)
    measure.write_result("ingest", figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--meters", type=int, default=1000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--full", action="store_true", help="10,000 meters × 30 days")
    parser.add_argument("--peers", action="store_true", help="other stores beside us, where installed")
    parser.add_argument("--lanes", default=",".join([*LANES, SUBSTATION]))
    return parser.parse_args()


def _lane_figures(name: str, fleet: Fleet, days: int) -> dict[str, Any]:
    """Figures of one way in, or why there are none: one that fails does not hide the others."""
    kind, interval = "mean_power", "15m"
    if name == SUBSTATION:
        measured = workload.make_substation(days)
        fleet, kind, interval = Fleet(measured.time_us, measured.value), "instantaneous", "5m"
    lane = LANES["arrow_10k" if name == SUBSTATION else name]
    sent = list(lane.make_bodies(fleet, lane.samples_a_request))
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            measure.server(Path(folder) / "data", SETTINGS) as server,
        ):
            fleet_server.create_points(server, fleet.power_kw.shape[1], kind=kind, interval=interval)
            return _run(server, lane, sent, fleet.present_count)
    except RuntimeError as error:
        return {"failed": str(error)}


def _run(server: measure.Server, lane: Lane, sent: list[bytes], point_count: int) -> dict[str, Any]:
    measure.request(
        server.connect(), "POST", lane.path, sent[0], lane.kind
    )  # what is loaded once is loaded now
    measure.wait_until_quiet(server.cpu_s)
    point_count = round(point_count * (len(sent) - 1) / len(sent))
    figures = measure.ingest_figures(
        server.cpu_s,
        lambda: fleet_server.send_all(server, lane.path, lane.kind, sent[1:]),
        point_count,
        lambda: bool(measure.metric(server, "historian_store_unsealed_samples")),
    )
    sealed = measure.metric(server, "historian_store_segment_bytes") or 0.0
    return {
        **figures,
        "body_bytes_per_point": round(sum(map(len, sent[1:])) / point_count, 1),
        "memory_bytes": server.memory_bytes(),
        "sealed_bytes_per_point": round(sealed / point_count * (len(sent) - 1) / len(sent), 3),
        "unsealed_points": measure.metric(server, "historian_store_unsealed_samples"),
    }


def _ratios(figures: dict[str, Any]) -> dict[str, Any]:
    """How many times less CPU than a peer; said so where one of the two is not there."""
    found: dict[str, Any] = {}
    for lane, peer, peer_lane, wanted in TARGETS:
        ours, theirs = figures.get(lane, {}), figures["peers"][peer].get(peer_lane, {})
        name = f"{lane} against {peer} {peer_lane}"
        if CPU not in ours or CPU not in theirs:
            found[name] = "one of the two has no figures"
            continue
        ratio, settled = (round(theirs[key] / ours[key], 1) for key in (CPU, f"{CPU}_settled"))
        found[name] = {
            "times_less_cpu": ratio,
            "settled": settled,
            "wanted": wanted,
            "is_reached": ratio >= wanted,
        }
    return found


def _baseline(folder: Path, fleet: Fleet) -> dict[str, Any]:
    part = Fleet(fleet.time_us[:96], fleet.power_kw[:96])
    return baseline.SqliteStore(folder / "baseline.sqlite").ingest(part, 10_000)


if __name__ == "__main__":
    main()
