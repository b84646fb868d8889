"""Fast path = general path: the curves and sums of many runs at once, for any input."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.energy import coverage, fleet, load_curve, steady_sum
from historian.energy.fleet import Ask, Asked
from historian.energy.steady_kernels import NO_SLOT, Figures
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, SECOND_US, PointKind
from historian.model.sample import SampleRun, block_of

START_US = 1_790_812_800_000_000
KINDS = st.sampled_from(list(PointKind))
INTERVALS_US = st.sampled_from(
    [SECOND_US, 10 * SECOND_US, MINUTE_US, 7 * MINUTE_US, 15 * MINUTE_US, HOUR_US, DAY_US]
)
DECIMALS = st.builds(
    lambda whole, digits: whole / 10**digits, st.integers(-(10**7), 10**7), st.integers(0, 6)
)
SINGLES = st.floats(width=32, min_value=-1e6, max_value=1e6)
ANY = st.floats(allow_nan=False, allow_infinity=False)
QUALITIES = st.one_of(st.just(0), st.just(0), st.sampled_from([1, 2, 3, 4, 12, 8, 128, 130, 1024, 2048 + 1]))
FACTORS = st.one_of(st.sampled_from([1.0, 2.0, 0.1, 3000.0, -1.0, 0.0]), st.floats(-1e6, 1e6))


@st.composite
def runs(draw: st.DrawFn, interval_us: int) -> SampleRun:
    """Samples on a grid with holes, or jittered, or anywhere."""
    slots = draw(st.lists(st.integers(-3, 40), unique=True, max_size=30).map(sorted))
    jitter = draw(st.sampled_from([0, 0, 1, 1000, SECOND_US, MINUTE_US]))
    shifts = [draw(st.integers(0, 5)) * jitter for _ in slots]
    times = np.unique([START_US + n * interval_us + shift for n, shift in zip(slots, shifts, strict=True)])
    values = draw(st.sampled_from([DECIMALS, DECIMALS, SINGLES, ANY]))
    count = len(times)
    return SampleRun(
        1,
        times.astype(np.int64),
        np.array([draw(values) for _ in range(count)], np.float64),
        np.array([draw(QUALITIES) for _ in range(count)], np.uint16),
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[SampleRun], list[Ask], np.ndarray]:
    asks = draw(st.lists(st.builds(Ask, KINDS, INTERVALS_US, FACTORS, st.none()), min_size=1, max_size=4))
    block_us = draw(st.sampled_from([MINUTE_US, 5 * MINUTE_US, 15 * MINUTE_US, HOUR_US, 25 * HOUR_US]))
    count, rest = draw(st.integers(1, 12)), draw(st.sampled_from([block_us, block_us // 2]))
    edges = START_US + np.append(np.arange(count) * block_us, (count - 1) * block_us + rest)
    return [draw(runs(ask.interval_us)) for ask in asks], asks, edges.astype(np.int64)


def general(run: SampleRun, ask: Ask, edges_us: np.ndarray) -> load_curve.LoadCurve:
    return load_curve.build(run, ask.facts, edges_us)


@given(questions())
@settings(deadline=None, max_examples=300)
def test_curves_are_those_of_the_general_path(
    question: tuple[list[SampleRun], list[Ask], np.ndarray],
) -> None:
    some_runs, asks, edges_us = question
    for run, ask, curve in zip(some_runs, asks, fleet.build(some_runs, asks, edges_us), strict=True):
        if curve is None:
            continue
        expected = general(run, ask, edges_us)
        for one, other in zip(curve, expected, strict=True):
            np.testing.assert_array_equal(one, other)
            assert np.asarray(one).dtype == np.asarray(other).dtype


@given(questions(), st.integers(1, 11))
@settings(deadline=None, max_examples=300)
def test_sums_of_days_are_those_of_the_general_path(
    question: tuple[list[SampleRun], list[Ask], np.ndarray], cut: int
) -> None:
    some_runs, asks, edges_us = question
    days = [part for part in (edges_us[: cut + 1], edges_us[cut:]) if len(part) > 1]
    figures, is_done = fleet.day_figures(block_of(some_runs), Asked.of(asks), days)
    for row, (run, ask) in enumerate(zip(some_runs, asks, strict=True)):
        for day, edges in enumerate(days):
            if is_done[row, day]:
                same_as_general(run, ask, edges, Figures(*(column[row, day].item() for column in figures)))


def same_as_general(run: SampleRun, ask: Ask, edges: np.ndarray, made: Figures) -> None:
    curve = general(run, ask, edges)
    summary = load_curve.summarise(curve, edges)
    assert math.gcd(made.total_numerator, made.ranked_numerator, made.denominator) == 1
    assert (Fraction(made.total_numerator, made.denominator), made.known_us) == (curve.total, curve.known_us)
    ranked = Fraction(made.ranked_numerator, made.denominator)
    assert (ranked, made.ranked_us) == (curve.ranked_total, curve.ranked_us)
    for slot, value, start_us, found in (
        (made.max_slot, made.max_value, summary.max_start_us, summary.max_value),
        (made.min_slot, made.min_value, summary.min_start_us, summary.min_value),
    ):
        assert (start_us, found) == ((int(edges[slot]), value) if slot != NO_SLOT else (None, None))
    counts = coverage.count(run, int(edges[0]), int(edges[-1]), ask.interval_us)
    assert (made.received, made.good, made.measured, made.estimated, made.manual) == (
        counts.received, counts.good, counts.measured, counts.estimated, counts.manual,
    )  # fmt: skip
    assert made.is_complete == (summary.complete_count == summary.slot_count)


@given(questions())
@settings(deadline=None, max_examples=200)
def test_no_load_factor_exceeds_one(question: tuple[list[SampleRun], list[Ask], np.ndarray]) -> None:
    some_runs, asks, edges_us = question
    curves = [general(run, ask, edges_us) for run, ask in zip(some_runs, asks, strict=True)]
    for curve in (*curves, load_curve.add(curves, edges_us)):
        summary = load_curve.summarise(curve, edges_us)
        for factor in (summary.load_factor, summary.load_factor_min):
            assert factor is None or not factor > 1.0


@given(st.lists(st.integers(0, 10**6), min_size=96, max_size=96), st.sampled_from(list(PointKind)))
@settings(deadline=None, max_examples=50)
def test_an_everyday_day_is_done_fast(values: list[int], kind: PointKind) -> None:
    times = START_US + np.arange(96, dtype=np.int64) * 15 * MINUTE_US
    column = np.array(values) / 1000
    run = SampleRun(1, times, column, np.full(96, quality.ESTIMATED, np.uint16))
    edges = START_US + np.arange(97, dtype=np.int64) * 15 * MINUTE_US
    [curve] = fleet.build([run], [Ask(kind, 15 * MINUTE_US, 120.0)], edges)
    assert (curve is None) == (kind is PointKind.REGISTER)


@st.composite
def steady_days(draw: st.DrawFn) -> tuple[SampleRun, Ask, list[np.ndarray]]:
    """Days of good decimals on a grid, some samples missing, with whatever number of digits."""
    interval_us = draw(st.sampled_from([MINUTE_US, 5 * MINUTE_US, 15 * MINUTE_US, HOUR_US]))
    block_us = max(15 * MINUTE_US, interval_us)
    day_us = draw(st.sampled_from([3, 4])) * HOUR_US
    slots = range(-2, 2 * day_us // interval_us + 2)
    is_there = draw(
        st.lists(st.sampled_from([True, True, True, False]), min_size=len(slots), max_size=len(slots))
    )
    times = np.array([START_US + n * interval_us for n, there in zip(slots, is_there, strict=True) if there])
    digits, size = draw(st.integers(0, 9)), draw(st.sampled_from([3, 10**4, 10**9, 10**14]))
    numbers = draw(st.lists(st.integers(-size, size), min_size=len(times), max_size=len(times)))
    values = np.array(numbers, np.float64) / 10**digits
    kind = draw(st.sampled_from([PointKind.MEAN_POWER, PointKind.INTERVAL, PointKind.INSTANTANEOUS]))
    ask = Ask(kind, interval_us, draw(st.sampled_from([1.0, 0.1, 80.0, 1 / 3])))
    days = [START_US + n * day_us + np.append(np.arange(0, day_us, block_us), day_us) for n in (0, 1)]
    return SampleRun(1, times.astype(np.int64), values, np.zeros(len(times), np.uint16)), ask, days


@given(steady_days())
@settings(deadline=None, max_examples=300)
def test_steady_days_are_those_of_the_general_path(question: tuple[SampleRun, Ask, list[np.ndarray]]) -> None:
    run, ask, days = question
    figures, is_done = fleet.day_figures(block_of([run]), Asked.of([ask]), days)
    for day, edges in enumerate(days):
        if is_done[0, day]:
            same_as_general(run, ask, edges, Figures(*(column[0, day].item() for column in figures)))


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_a_steady_sum_is_that_of_the_curves(data: st.DataObject) -> None:
    slot_us = data.draw(st.sampled_from([MINUTE_US, 15 * MINUTE_US, HOUR_US]))
    count = data.draw(st.integers(1, 8))
    edges = START_US + np.arange(count + 1, dtype=np.int64) * slot_us
    kinds = st.sampled_from([PointKind.MEAN_POWER, PointKind.INTERVAL, PointKind.INSTANTANEOUS])
    asks = data.draw(
        st.lists(
            st.builds(Ask, kinds, st.just(slot_us), st.sampled_from([1.0, 1.0, 0.1, 80.0]), st.none()),
            min_size=2,
            max_size=5,
        )
    )
    everyday = st.sampled_from([0, 0, 0, quality.LATE, 1 << 9])
    some = []
    for number in range(len(asks)):
        slots = data.draw(
            st.lists(st.sampled_from([True, True, True, False]), min_size=count + 4, max_size=count + 4)
        )
        times = [START_US + (n - 2) * slot_us for n, there in enumerate(slots) if there]
        times = [time + data.draw(st.sampled_from([0] * 60 + [1])) for time in times]
        digits = data.draw(st.sampled_from([0, 1, 3, 4, 9]))
        values = [data.draw(st.integers(-(10**6), 10**6)) / 10**digits for _ in times]
        bits = [data.draw(everyday) for _ in times]
        some.append(
            SampleRun(
                number, np.array(times, np.int64), np.array(values, np.float64), np.array(bits, np.uint16)
            )
        )
    made = steady_sum.add_up(block_of(some), Asked.of(asks), edges)
    if made is None:
        return
    curves = [general(run, ask, edges) for run, ask in zip(some, asks, strict=True)]
    for one, other in zip(made.total, load_curve.add(curves, edges), strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype
    assert made.missing_count.tolist() == sum(np.isnan(curve.value).astype(int) for curve in curves).tolist()
