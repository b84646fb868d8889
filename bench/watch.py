"""What it costs to hold what came against what was promised: completeness of many points over a month, stations, silence.

    python -m bench.watch [--points 10000] [--days 31] [--stations 200] [--rounds 15]

Prints JSON and keeps it under bench/results: wall milliseconds (median and worst of the rounds; median of the processor's) of the parts behind `/completeness`,
`/completeness/calendar`, `/overdue` and `/stations`, figures of days kept beforehand, and the cost of making them once;
`stations_while_ingest`: every point has a new sample at each question, so that today's figures are made anew for it. Samples are
one an hour, in memory; counts of days cost the same whatever the interval.
"""

import argparse
import asyncio
import datetime
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import measure
from historian.catalogue.journal import Journal
from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import ManualClock
from historian.energy import completeness
from historian.energy.calendar import DateRange
from historian.model.point import HOUR_US, PointDraft, PointKind
from historian.model.sample import LastBlock, PointIdColumn, RunBlock
from historian.model.timestamp import parse_time_us
from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from historian.rollup import rule_check
from historian.rollup.service import RollupService
from historian.rollup.watch import Watch, open_watch

START_US: Final = parse_time_us("2026-10-01T00:00:00Z")
FIRST: Final = datetime.date(2026, 10, 1)
TARGETS_MS: Final = {"stations": 50.0, "stations_while_ingest": 50.0}


class HourlyReader:
    """Every point has a sample each hour up to now, but every seventh of every tenth point."""

    def __init__(self, end_us: int) -> None:
        self._end_us = end_us

    async def read_block(
        self, point_ids: Sequence[int] | PointIdColumn, start_us: int, end_us: int
    ) -> RunBlock:
        ids = np.asarray(point_ids, np.uint32)
        first = max(0, -(-(start_us - START_US) // HOUR_US))
        last = max(first, -(-(min(end_us, self._end_us) - START_US) // HOUR_US))
        hours = np.arange(first, last)
        is_there = np.ones((len(ids), len(hours)), np.bool_)
        is_there[(ids % 10 == 0)[:, np.newaxis] & (hours % 7 == 0)] = False
        count = is_there.sum(axis=1)
        times = np.broadcast_to(START_US + hours * HOUR_US, is_there.shape)[is_there]
        offset = np.append(0, np.cumsum(count)).astype(np.int64)
        return RunBlock(ids, offset, times, np.full(len(times), 1.5), np.zeros(len(times), np.uint16))

    async def last_block(self, point_ids: Sequence[int] | PointIdColumn) -> LastBlock:
        count = len(point_ids)
        newest_us = START_US + (self._end_us - START_US - 1) // HOUR_US * HOUR_US
        return LastBlock(
            np.ones(count, np.bool_),
            np.full(count, newest_us),
            np.full(count, 1.5),
            np.zeros(count, np.uint16),
        )


async def _measure(points: int, days: int, stations: int, rounds: int) -> dict[str, Any]:
    now_us = START_US + (days * 24 - 8) * HOUR_US  # the last day runs
    with tempfile.TemporaryDirectory() as folder:
        path, clock = Path(folder), ManualClock(now_us)
        reader: Any = HourlyReader(now_us)
        registry = Registry(path / "points.db", clock, "UTC")
        registry.create_many(_draft(number, points // stations) for number in range(points))
        terms = TermBook(path / "points.db", registry, clock, rule_check.check)
        journal = Journal(path / "journal.db", clock)
        rollup = RollupService(reader, registry, path / "figures.db", clock, terms=terms)
        await rollup.open()
        query = QueryEngine(reader, journal, clock, QueryLimits(), retirements=terms)
        watch = open_watch(rollup, reader, registry, terms, query, journal, clock, 2_000_000)
        ids = np.arange(1, points + 1, dtype=np.int64)
        month = DateRange(FIRST, FIRST + datetime.timedelta(days=days))
        begun_s = time.perf_counter()
        await watch.completeness.grid(ids, month)
        found: dict[str, Any] = {"figures_made_once_ms": round((time.perf_counter() - begun_s) * 1e3)}
        for by in ("point", "station", "item", "day"):
            found[f"completeness_by_{by}"] = await _timed(
                rounds, lambda by=by: _completeness(watch, ids, month, by)
            )
        names = registry.stations()
        found["stations"] = await _timed(rounds, lambda: watch.stations.lines(names, points))
        newest_us = np.full(points, now_us - HOUR_US)

        def come() -> None:
            rollup.mark(ids.astype(np.uint32), newest_us)

        found["stations_while_ingest"] = await _timed(
            rounds, lambda: watch.stations.lines(names, points), come
        )
        found["overdue"] = await _timed(rounds, lambda: watch.overdue.silence(ids.astype(np.uint32)))
        found["targets"] = {
            name: {"median_ms_max": most, "is_met": found[name]["median_ms"] <= most}
            for name, most in TARGETS_MS.items()
        }
        await rollup.close()
        for part in (journal, terms, registry):
            part.close()
    return found


def _draft(number: int, points_a_station: int) -> PointDraft:
    place = number % points_a_station
    return PointDraft(
        name=f"s{number // points_a_station:03d}.p{place:03d}",
        unit="kW",
        kind=PointKind.INSTANTANEOUS,
        interval_us=HOUR_US,
        station=f"s{number // points_a_station:03d}",
        item="T2.06" if place == 0 else "",
    )


async def _completeness(watch: Watch, ids: completeness.I64, days: DateRange, by: str) -> completeness.Counts:
    grid = await watch.completeness.grid(ids, days)
    grouping = watch.completeness.grouping(ids, by)
    return completeness.add(grid.counts, *grouping.groups(days.day_count))


async def _timed(
    rounds: int, work: Callable[[], Awaitable[object]], before: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Wall and processor time of the work; `before` each is not counted."""
    spent_ms, busy_ms = [], []
    for _ in range(rounds):
        before()
        begun_s, busy_s = time.perf_counter(), time.process_time()
        await work()
        spent_ms.append((time.perf_counter() - begun_s) * 1e3)
        busy_ms.append((time.process_time() - busy_s) * 1e3)
    return {
        "median_ms": round(statistics.median(spent_ms), 2),
        "max_ms": round(max(spent_ms), 2),
        "cpu_median_ms": round(statistics.median(busy_ms), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("points", 10_000), ("days", 31), ("stations", 200), ("rounds", 15)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    found = asyncio.run(_measure(chosen.points, chosen.days, chosen.stations, chosen.rounds))
    about = {"points": chosen.points, "days": chosen.days, "stations": chosen.stations}
    measure.write_result("watch", {**about, **found})


if __name__ == "__main__":
    main()
