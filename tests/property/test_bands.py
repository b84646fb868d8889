"""Bands by kernels are the bands of the plain way, bit for bit; and the plain way is the sum over every instant."""

import datetime
import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.energy import bands, calendar, fixed_point, fleet, load_curve, sample_period
from historian.energy.band_kernels import BandFigures
from historian.energy.calendar import DateRange
from historian.energy.fleet import Ask, Asked
from historian.energy.metering import Metering
from historian.energy.sample_period import SamplePeriods
from historian.energy.tariff import DaySchedule
from historian.model import quality
from historian.model.point import HOUR_US, MINUTE_US, SECOND_US, PointKind
from historian.model.sample import SampleRun, block_of
from historian.model.timestamp import load_zone

CASES = [
    ("Asia/Shanghai", "2026-03-09"),
    ("Europe/Berlin", "2026-10-24"),
    ("Australia/Lord_Howe", "2026-10-03"),
]
QUARTER_US = 15 * MINUTE_US

kinds = st.sampled_from(PointKind)
intervals = st.sampled_from([5 * MINUTE_US, QUARTER_US, HOUR_US])
factors = st.sampled_from([1.0, 80.0, 0.5, 6000.0])
decimals = st.integers(-(10**7), 10**7).map(lambda number: number / 1000)
qualities = st.sampled_from(
    [quality.GOOD] * 6 + [quality.ESTIMATED, quality.SUSPECT, quality.BAD, quality.DELETED]
)
codes = st.sampled_from([0, 1, 2, 3, 4, 255])


@st.composite
def schedules(draw: st.DrawFn, start_us: int, end_us: int) -> DaySchedule:
    """Any bands: on quarters mostly, some on odd minutes."""
    step_us = draw(st.sampled_from([30 * MINUTE_US, 30 * MINUTE_US, 7 * MINUTE_US]))
    places = st.integers(1, (end_us - start_us - 1) // step_us)
    inside = sorted(draw(st.sets(places, max_size=8)))
    edges = [start_us, *(start_us + step_us * place for place in inside), end_us]
    band: list[int] = []
    for _ in range(len(edges) - 1):
        band.append(draw(codes.filter(lambda code: not band or code != band[-1])))
    return DaySchedule(np.array(edges, np.int64), np.array(band, np.uint8))


@st.composite
def runs(draw: st.DrawFn, origin_us: int, interval_us: int) -> SampleRun:
    """Three days of samples on their grid, with holes; some whole days, some off the grid."""
    count = 3 * 25 * HOUR_US // interval_us
    shape = draw(st.sampled_from(["full", "holes", "few", "odd"]))
    if shape == "full":
        places = np.arange(-2, count)
    else:
        seed = draw(st.integers(0, 2**20))
        random = np.random.default_rng(seed)
        places = np.flatnonzero(random.random(count) < (0.05 if shape == "few" else 0.9))
    times = origin_us + places * interval_us
    if shape == "odd":
        times = times + (draw(st.integers(1, 9)) * SECOND_US)
    values = draw(st.lists(decimals, min_size=1, max_size=8))
    bits = draw(st.lists(qualities, min_size=1, max_size=3))
    return SampleRun(
        1,
        times.astype(np.int64),
        np.resize(np.array(values), len(times)),
        np.resize(np.array(bits, np.uint16), len(times)),
    )


def by_instants(periods: SamplePeriods, kind: PointKind, schedule: DaySchedule) -> list[Fraction]:
    """One fraction a period, without any trick."""
    sums = [Fraction()] * 5
    edges = schedule.edges_us.tolist()
    windows = list(zip(edges, edges[1:], schedule.band.tolist(), strict=False))
    for i in np.flatnonzero(periods.is_usable & ~periods.is_whole_only).tolist():
        start, end = int(periods.start_us[i]), int(periods.end_us[i])
        parts = (periods.value[i], periods.base[i], periods.carry[i], periods.factor[i])
        value, base, carry, factor = (fixed_point.exact(float(part)) for part in parts)
        amount = (value - base + carry) * factor
        for first, last, code in windows:
            overlap = min(end, last) - max(start, first)
            is_cut = overlap < end - start
            if code == 255 or overlap <= 0 or (is_cut and kind not in bands.HELD_KINDS):
                continue
            is_amount = kind in sample_period.AMOUNT_KINDS
            sums[code] += amount if is_amount else amount * overlap / HOUR_US
    return sums


@given(st.data(), st.sampled_from(CASES), kinds, intervals, factors)
@settings(max_examples=200, deadline=None)
def test_the_split_is_the_sum_over_instants(
    data: st.DataObject, case: tuple[str, str], kind: PointKind, interval_us: int, factor: float
) -> None:
    date = datetime.date.fromisoformat(case[1])
    start_us, end_us = calendar.day_edges_us(date, load_zone(case[0]))
    run = data.draw(runs(start_us, interval_us))
    schedule = data.draw(schedules(start_us, end_us))
    periods = sample_period.periods_of(run, Metering.plain(kind, interval_us, factor))
    found = bands.split(periods, kind, schedule)
    assert list(found) == by_instants(periods, kind, schedule)


@given(st.data(), st.sampled_from(CASES))
@settings(max_examples=300, deadline=None)
def test_many_runs_at_once_have_the_bands_of_the_split(data: st.DataObject, case: tuple[str, str]) -> None:
    zone, first = load_zone(case[0]), datetime.date.fromisoformat(case[1])
    dates = list(calendar.iter_days(DateRange(first, first + datetime.timedelta(days=2))))
    day_edges = [calendar.slot_edges_us(date, zone, QUARTER_US) for date in dates]
    starts = [(int(edges[0]), int(edges[-1])) for edges in day_edges]
    some = [[data.draw(schedules(*ends)) for ends in starts] for _ in range(2)]
    asks = [
        Ask(data.draw(kinds), data.draw(intervals), data.draw(factors))
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    block = block_of([data.draw(runs(starts[0][0], ask.interval_us)) for ask in asks])
    which = np.array([data.draw(st.integers(-1, 1)) for _ in asks], np.int64)
    asked = Asked.of(asks)
    figures, is_done = fleet.day_figures(block, asked, day_edges)
    was_done = is_done.copy()
    out = BandFigures(
        *(np.zeros(is_done.shape, np.int64) for _ in range(5)),
        figures.total_numerator,
        figures.ranked_numerator,
        figures.denominator,
    )
    bands.add_bands(block, asked, some, which, day_edges, out, is_done)
    assert not np.any(is_done & ~was_done)
    for run, day in np.argwhere(is_done).tolist():
        ask = asks[run]
        of = Metering.plain(ask.kind, ask.interval_us, ask.factor)
        curve = load_curve.build(block.run(run), of, day_edges[day])
        numbers = [int(column[run, day]) for column in out]
        expected: list[Fraction] = [Fraction()] * 5
        if which[run] >= 0:
            periods = sample_period.periods_of(block.run(run), of)
            expected = list(bands.split(periods, ask.kind, some[which[run]][day]))
        assert [Fraction(number, numbers[7]) for number in numbers[:5]] == expected
        assert Fraction(numbers[5], numbers[7]) == curve.total
        assert Fraction(numbers[6], numbers[7]) == curve.ranked_total
        assert math.gcd(*numbers) == 1


@given(st.data(), kinds)
@settings(max_examples=30, deadline=None)
def test_everyday_runs_are_done(data: st.DataObject, kind: PointKind) -> None:
    start_us, end_us = calendar.day_edges_us(datetime.date(2026, 3, 9), load_zone("Asia/Shanghai"))
    edges = np.arange(start_us, end_us + 1, QUARTER_US, dtype=np.int64)
    values = np.resize(np.array(data.draw(st.lists(decimals, min_size=1, max_size=8))), 96)
    block = block_of([SampleRun(1, edges[:-1], values, np.zeros(96, np.uint16))])
    asked = Asked.of([Ask(kind, QUARTER_US, 80.0)])
    figures, is_done = fleet.day_figures(block, asked, [edges])
    out = BandFigures(
        *(np.zeros((1, 1), np.int64) for _ in range(5)),
        figures.total_numerator,
        figures.ranked_numerator,
        figures.denominator,
    )
    schedule = data.draw(schedules(start_us, end_us))
    bands.add_bands(block, asked, [[schedule]], np.zeros(1, np.int64), [edges], out, is_done)
    assert bool(is_done[0, 0]) is (kind is not PointKind.REGISTER)
