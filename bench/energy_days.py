"""What figures of days cost in bulk, in CPU seconds against their targets: days, months, registers, tariffs, one late sample.

`bench.energy` runs this. Blocks of samples lie in memory as the store hands them out; kernels run in one thread. A
million points are made in pieces, as the service does.
"""

import datetime
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bench import workload
from historian import resources
from historian.catalogue import tariff_files
from historian.catalogue.term_table import TermTable
from historian.clock import ManualClock
from historian.energy import calendar, fleet
from historian.energy.calendar import DateRange
from historian.energy.fleet import Asked
from historian.energy.holiday import NO_HOLIDAYS
from historian.model.point import Point, PointKind
from historian.model.ports import SampleReader
from historian.model.sample import RunBlock
from historian.model.term import NO_TERMS, DemandTerm, PointTerms, Span, TariffTerm
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US, load_zone
from historian.rollup import day_figure
from historian.rollup.bill_maker import BillMaker, Metered
from historian.rollup.service import RollupService
from historian.rollup.tariff_book import TariffBook

PIECE_POINTS: Final = 20_000  # about what the service makes of a day at once
TARGETS_MS: Final = {"day": 50.0, "month": 1_500.0, "day_of_a_million": 6_000.0}
TARIFF: Final = "CN-32-2025"

Figures = dict[str, Any]


class Sizes(NamedTuple):
    """How much is made: points, days of a month, points of the large day, rounds."""

    points: int = 10_000
    days: int = 30
    large: int = 1_000_000
    rounds: int = 5


class Source(NamedTuple):
    """A fleet behind the doors of the service."""

    reader: SampleReader
    directory: Any  # of points that never change
    points: Sequence[Point]


def block_of_fleet(made: workload.Fleet, *, is_register: bool = False) -> RunBlock:
    """Every meter's samples as the store hands them out."""
    value = np.ascontiguousarray(made.power_kw.T)
    is_there = np.isfinite(value)
    if is_register:
        value = np.round(np.cumsum(np.where(is_there, np.round(np.abs(value), 2), 0.0), axis=1), 2)
    times = np.broadcast_to(made.time_us, value.shape)
    count = is_there.sum(axis=1)
    return RunBlock(
        np.arange(1, len(value) + 1, dtype=np.uint32), np.append(0, np.cumsum(count)).astype(np.int64),
        times[is_there], value[is_there], np.zeros(int(count.sum()), np.uint16),
    )  # fmt: skip


def measure_kernels(sizes: Sizes, point_of: Callable[[PointKind], Point]) -> Figures:
    """CPU milliseconds of the kernels alone, and which share of the cells they did."""
    power, counter = point_of(PointKind.MEAN_POWER), point_of(PointKind.REGISTER)
    month = workload.make_fleet(sizes.points, sizes.days)
    day = workload.Fleet(month.time_us[: workload.SLOTS_A_DAY], month.power_kw[: workload.SLOTS_A_DAY])
    piece = min(PIECE_POINTS, sizes.large)
    large = workload.make_fleet(piece, 1)
    pieces = sizes.large // piece
    return {
        "day": _kernels(day, power, sizes.rounds),
        "month": _kernels(month, power, sizes.rounds),
        "day_of_a_million": _kernels(large, power, max(1, sizes.rounds // 2), pieces),
        "day_of_registers": _kernels(day, counter, sizes.rounds),
        "month_of_registers": _kernels(month, counter, sizes.rounds),
    }


def _kernels(made: workload.Fleet, point: Point, rounds: int, pieces: int = 1) -> Figures:
    block = block_of_fleet(made, is_register=point.kind is PointKind.REGISTER)
    zone, days = load_zone("UTC"), len(made.time_us) // workload.SLOTS_A_DAY
    edges_us = [
        day_figure.slot_edges_us(_first_day() + number, zone, point.interval_us) for number in range(days)
    ]
    asked = Asked([day_figure.ask_of(point, NO_TERMS)], np.zeros(block.run_count, np.int64))
    spent_ms, done = [], 0.0
    for _ in range(rounds):
        start_s = time.process_time()
        for _ in range(pieces):
            done = float(fleet.day_figures(block, asked, edges_us).is_done.mean())
        spent_ms.append((time.process_time() - start_s) * 1e3)
    return {
        "points": block.run_count * pieces, "days": days, "samples": block.sample_count * pieces,
        "cpu_ms": round(statistics.median(spent_ms), 2), "done_by_kernels": round(done, 4),
    }  # fmt: skip


def _first_day() -> int:
    return datetime.datetime.fromtimestamp(workload.START_US / 1e6, UTC).toordinal()


async def measure_bills(sizes: Sizes, source: Source) -> Figures:
    """Energy by band and demand of a day and of a month, everything but reading from disk."""
    terms = PointTerms(
        spans={
            "demand": (Span(TIME_MIN_US, TIME_MAX_US, DemandTerm(900, 900)),),
            "tariff": (Span(TIME_MIN_US, TIME_MAX_US, TariffTerm(TARIFF)),),
        }
    )
    first = date.fromordinal(_first_day())
    asked = [Metered(point, terms, load_zone("UTC")) for point in source.points]
    found: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        table = TermTable(Path(folder) / "terms.db")
        shipped = [one.calendar for one in tariff_files.load_calendars(resources.config_dir() / "tariffs")]
        clock = ManualClock(workload.START_US)
        maker = BillMaker(TariffBook(table.database, clock, shipped, NO_HOLIDAYS))
        for name, days in (("day", 1), ("month", sizes.days)):
            parts = [DateRange(first, first + timedelta(days=days))]
            spent_ms = await _median_ms(
                sizes.rounds, lambda parts=parts: maker.make(source.reader, asked, parts)
            )
            found[name] = {"points": len(asked), "days": days, "cpu_ms": spent_ms}
        table.close()
    return found


async def measure_late_sample(sizes: Sizes, source: Source) -> Figures:
    """One late sample among everything: how many days are made anew, and how soon the answer is right."""
    first = date.fromordinal(_first_day())
    last = first + timedelta(days=sizes.days)
    ids = np.array([point.id for point in source.points], np.int64)
    with tempfile.TemporaryDirectory() as folder:
        end_us = calendar.day_start_us(last, load_zone("UTC"))
        clock = ManualClock(end_us + 1)
        service = RollupService(source.reader, source.directory, Path(folder) / "figures.db", clock)
        await service.open()
        start_s = time.process_time()
        await service.columns(ids, "day", first, last)
        everything_ms = (time.process_time() - start_s) * 1e3
        remade, spent_ms = [], []
        for turn in range(sizes.rounds):
            middle_us = workload.START_US + (sizes.days // 2 * 96 + turn) * workload.QUARTER_US
            service.mark(np.array([ids[len(ids) // 2]], np.uint32), np.array([middle_us], np.int64))
            remade.append(service.pending_count)
            start_s = time.perf_counter()
            await service.columns(ids[len(ids) // 2 : len(ids) // 2 + 1], "month", first, last)
            spent_ms.append((time.perf_counter() - start_s) * 1e3)
        await service.close()
    return {
        "point_days": len(ids) * sizes.days, "all_made_and_kept_cpu_ms": round(everything_ms),
        "days_made_anew": max(remade), "month_right_again_ms": round(statistics.median(spent_ms), 2),
    }  # fmt: skip


async def _median_ms(rounds: int, work: Callable[[], Awaitable[object]]) -> float:
    spent_ms = []
    for _ in range(rounds):
        start_s = time.process_time()
        await work()
        spent_ms.append((time.process_time() - start_s) * 1e3)
    return round(statistics.median(spent_ms), 1)


def against_targets(kernels: Figures) -> Figures:
    """For each target whether it is met."""
    return {
        name: {"cpu_ms_max": target_ms, "is_met": kernels[name]["cpu_ms"] <= target_ms}
        for name, target_ms in TARGETS_MS.items()
    }
