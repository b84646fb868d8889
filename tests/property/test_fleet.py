"""Fast path = general path: the curves and sums of many runs at once, for any input."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.energy import coverage, fleet, load_curve
from historian.energy import fleet_kernels as names
from historian.energy.fleet import Ask
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, SECOND_US, PointKind
from historian.model.sample import SampleRun

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
    asks = draw(st.lists(st.builds(Ask, KINDS, INTERVALS_US, FACTORS), min_size=1, max_size=4))
    block_us = draw(st.sampled_from([MINUTE_US, 5 * MINUTE_US, 15 * MINUTE_US, HOUR_US, 25 * HOUR_US]))
    count, rest = draw(st.integers(1, 12)), draw(st.sampled_from([block_us, block_us // 2]))
    edges = START_US + np.append(np.arange(count) * block_us, (count - 1) * block_us + rest)
    return [draw(runs(ask.interval_us)) for ask in asks], asks, edges.astype(np.int64)


def general(run: SampleRun, ask: Ask, edges_us: np.ndarray) -> load_curve.LoadCurve:
    return load_curve.build(run, ask.kind, ask.interval_us, edges_us, ask.factor)


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
    sums = fleet.day_sums(some_runs, asks, days)
    for row, (run, ask) in enumerate(zip(some_runs, asks, strict=True)):
        for day, edges in enumerate(days):
            if sums.is_done[row, day]:
                same_as_general(
                    run, ask, edges, sums.whole[row, day].tolist(), sums.extreme[row, day].tolist()
                )


def same_as_general(
    run: SampleRun, ask: Ask, edges: np.ndarray, whole: list[int], extreme: list[float]
) -> None:
    curve = general(run, ask, edges)
    summary = load_curve.summarise(curve, edges)
    assert whole[names.TOTAL_NUMERATOR : names.KNOWN_US + 1] == [
        *curve.total.as_integer_ratio(),
        curve.known_us,
    ]
    assert whole[names.RANKED_NUMERATOR : names.RANKED_US + 1] == [
        *curve.ranked_total.as_integer_ratio(),
        curve.ranked_us,
    ]
    for slot, value, start_us, found in (
        (whole[names.MAX_SLOT], extreme[0], summary.max_start_us, summary.max_value),
        (whole[names.MIN_SLOT], extreme[1], summary.min_start_us, summary.min_value),
    ):
        assert (start_us, found) == ((int(edges[slot]), value) if slot >= 0 else (None, None))
    counts = coverage.count(run, int(edges[0]), int(edges[-1]), ask.interval_us)
    assert whole[names.RECEIVED : names.MANUAL + 1] == [
        counts.received, counts.good, counts.measured, counts.estimated, counts.manual,
    ]  # fmt: skip
    assert whole[names.COMPLETE_COUNT] == summary.complete_count


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
