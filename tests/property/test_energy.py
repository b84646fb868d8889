"""Laws of energy: parts make the whole, in every zone; order, repetition and splitting change nothing."""

import asyncio
import dataclasses
import datetime
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from historian.clock import ManualClock
from historian.energy import calendar, load_curve
from historian.energy.calendar import DateRange
from historian.energy.load_curve import SlotState
from historian.energy.metering import Metering
from historian.model import decimal_kernels, quality
from historian.model.point import HOUR_US, MINUTE_US, SECOND_US, Point, PointKind
from historian.model.sample import SampleRun
from historian.model.timestamp import load_zone
from historian.rollup.row import RollupRow
from historian.rollup.service import RollupService
from tests.support.memory_store import MemoryDirectory, MemoryStore

# Days on which these zones change their clocks, skip a date, or do nothing.
CASES = [
    ("Asia/Shanghai", "1986-05-03"),
    ("Asia/Shanghai", "1986-09-13"),
    ("Asia/Seoul", "2018-01-01"),
    ("Europe/Berlin", "2026-03-28"),
    ("Europe/Berlin", "2026-10-24"),
    ("Australia/Lord_Howe", "2026-04-04"),
    ("Australia/Lord_Howe", "2026-10-03"),
    ("Asia/Kathmandu", "1985-12-31"),
    ("Pacific/Apia", "2011-12-29"),
]
DAY_COUNT = 3

cases = st.sampled_from(CASES)
kinds = st.sampled_from(PointKind)
intervals = st.sampled_from([5 * MINUTE_US, 15 * MINUTE_US, 20 * MINUTE_US, HOUR_US, 7 * HOUR_US])
decimals = st.integers(-(10**7), 10**7).map(lambda number: number / 100)
floats = st.floats(-1e6, 1e6, width=32)
usable = st.sampled_from([quality.GOOD, quality.SUSPECT | quality.LATE, quality.ESTIMATED])
qualities = st.one_of(usable, st.sampled_from([quality.BAD, quality.DELETED]))
Sample = tuple[int, float, int]  # time after the first day's start, value, quality


def samples_on(step_us: int, values: st.SearchStrategy[float], size: int) -> st.SearchStrategy[list[Sample]]:
    last = 80 * HOUR_US // step_us
    times = st.integers(-12 * HOUR_US // step_us, last).map(lambda number: number * step_us)
    return st.lists(st.tuples(times, values, qualities), max_size=size)


samples = st.one_of(
    samples_on(15 * MINUTE_US, decimals, 60),
    samples_on(SECOND_US, decimals, 40),
    samples_on(1, decimals, 20),
    samples_on(SECOND_US, floats, 40),
)


@dataclasses.dataclass
class Days:
    """Three days of a zone that hold a special one."""

    zone: str
    first: str

    @property
    def dates(self) -> list[datetime.date]:
        first = datetime.date.fromisoformat(self.first)
        return list(calendar.iter_days(DateRange(first, first + datetime.timedelta(days=DAY_COUNT))))

    @property
    def start_us(self) -> int:
        return calendar.day_start_us(self.dates[0], load_zone(self.zone))

    def edges_us(self, interval_us: int) -> list[calendar.I64]:
        return [calendar.slot_edges_us(date, load_zone(self.zone), interval_us) for date in self.dates]


def run_of(found: list[Sample], start_us: int) -> SampleRun:
    newest = {time_us: (value, bits) for time_us, value, bits in found}
    times = sorted(newest)
    return SampleRun(
        1,
        np.array(times, np.int64) + start_us,
        np.array([newest[time][0] for time in times], np.float64),
        np.array([newest[time][1] for time in times], np.uint16),
    )


@given(cases, kinds, intervals, samples)
@settings(max_examples=300)
def test_days_and_slots_add_up_to_the_whole_exactly(
    case: tuple[str, str], kind: PointKind, interval_us: int, found: list[Sample]
) -> None:
    days = Days(*case)
    run = run_of(found, days.start_us)
    totals = [
        load_curve.build(run, Metering.plain(kind, interval_us), edges_us).total
        for slot_us in (15 * MINUTE_US, HOUR_US, 26 * HOUR_US)
        for edges_us in days.edges_us(slot_us)
    ]
    by_quarter, by_hour, by_day = totals[:3], totals[3:6], totals[6:]
    whole_edges_us = np.unique(np.concatenate(days.edges_us(15 * MINUTE_US)))
    whole = load_curve.build(run, Metering.plain(kind, interval_us), whole_edges_us).total
    if decimal_kernels.decimal_exponent(run.value + 0.0) >= 0:
        assert by_quarter == by_hour == by_day
        assert sum(by_quarter) == whole
    else:
        # Other floats keep 51 bits of the largest value of the day.
        error = Fraction(float(np.max(np.abs(run.value), initial=0.0))) * len(run.value) * 24 / 2**49
        assert abs(sum(by_quarter) - whole) <= error


@given(cases, kinds, intervals, samples)
@settings(max_examples=300)
def test_every_slot_is_honest(
    case: tuple[str, str], kind: PointKind, interval_us: int, found: list[Sample]
) -> None:
    days = Days(*case)
    edges_us = np.unique(np.concatenate(days.edges_us(15 * MINUTE_US)))
    curve = load_curve.build(run_of(found, days.start_us), Metering.plain(kind, interval_us), edges_us)
    has_value = ~np.isnan(curve.value)
    told = np.isin(curve.state, [SlotState.COMPLETE, SlotState.PARTIAL, SlotState.SPREAD])
    assert np.array_equal(has_value, told)
    assert np.array_equal(has_value, curve.covered_us > 0)
    assert np.all(curve.covered_us <= np.diff(edges_us))
    assert np.all((curve.quality[has_value] & quality.VALIDITY_MASK) <= quality.SUSPECT)
    if kind is PointKind.REGISTER:
        assert not np.any(curve.value < 0)
        assert curve.total >= 0
    else:
        assert curve.known_us == int(np.sum(curve.covered_us))


@given(cases, kinds, intervals, samples, st.randoms(use_true_random=False))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_order_repetition_and_pieces_change_nothing(
    case: tuple[str, str], kind: PointKind, interval_us: int, found: list[Sample], random: object
) -> None:
    days = Days(*case)
    newest = {time_us: (value, bits) for time_us, value, bits in found}
    in_order = [(time_us, *newest[time_us]) for time_us in sorted(newest)]
    mixed = in_order + in_order[::3]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    whole = asyncio.run(rows_after(days, kind, interval_us, [in_order]))
    pieces = [mixed[first : first + 7] for first in range(0, len(mixed), 7)]
    assert asyncio.run(rows_after(days, kind, interval_us, pieces)) == whole


async def rows_after(
    days: Days, kind: PointKind, interval_us: int, pieces: list[list[Sample]]
) -> list[dict[str, object]]:
    """Day, month and year rows when pieces come one by one, each followed by a question."""
    point = Point(
        id=1, name="p", unit="kWh" if kind in (PointKind.INTERVAL, PointKind.REGISTER) else "kW", kind=kind,
        interval_us=interval_us, time_zone=days.zone,
    )  # fmt: skip
    store = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        service = RollupService(
            store, MemoryDirectory(point), Path(folder) / "figures.db", ManualClock(2**51)
        )
        store.markers = [service]
        last = days.dates[-1] + datetime.timedelta(days=1)
        for piece in pieces:
            for time_us, value, bits in piece:
                store.put(1, {days.start_us + time_us: value}, bits)
            await service.rows([point], "day", days.dates[0], last)
        rows: list[RollupRow] = []
        for period in ("day", "month", "year"):
            rows += await service.rows([point], period, days.dates[0], last)
        await service.close()
    return [
        {name: getattr(row, name) for name in row.__struct_fields__ if name != "revision"} for row in rows
    ]
