"""What stretch of time each sample speaks for."""

import numpy as np
import pytest

from historian.energy import sample_period
from historian.energy.metering import Metering
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, PointKind
from historian.model.sample import SampleRun

INTERVAL = 10
START_END_CASES = [
    pytest.param(PointKind.INSTANTANEOUS, [0, 10, 20], [10, 20, 30], id="instants follow each other"),
    pytest.param(PointKind.INSTANTANEOUS, [0, 15, 25], [15, 25, 35], id="a late instant is no gap"),
    pytest.param(PointKind.INSTANTANEOUS, [0, 16], [10, 26], id="a missing instant is a gap"),
    pytest.param(PointKind.INSTANTANEOUS, [0, 3, 9], [3, 9, 19], id="instants more often than promised"),
    pytest.param(PointKind.RATIO, [0, 16], [10, 26], id="a ratio is held like an instant"),
    pytest.param(PointKind.MEAN_POWER, [0, 10, 25], [10, 20, 35], id="a mean covers its interval"),
    pytest.param(PointKind.MEAN_POWER, [0, 7], [7, 17], id="a mean is cut by the next"),
    pytest.param(PointKind.INTERVAL, [0, 10, 35], [10, 20, 45], id="an amount covers its interval"),
    pytest.param(PointKind.INTERVAL, [0, 7], [7, 17], id="an amount is pressed into less time"),
]


def run_of(
    times: list[int], values: list[float] | None = None, qualities: list[int] | None = None
) -> SampleRun:
    count = len(times)
    return SampleRun(
        1,
        np.array(times, np.int64),
        np.array(values or [1.0] * count, np.float64),
        np.array(qualities or [0] * count, np.uint16),
    )


@pytest.mark.parametrize(("kind", "times", "ends"), START_END_CASES)
def test_period_of_a_sample(kind: PointKind, times: list[int], ends: list[int]) -> None:
    periods = sample_period.periods_of(run_of(times), Metering.plain(kind, INTERVAL))
    assert (periods.start_us.tolist(), periods.end_us.tolist()) == (times, ends)


@pytest.mark.parametrize("kind", PointKind)
def test_no_samples_have_no_periods(kind: PointKind) -> None:
    assert len(sample_period.periods_of(run_of([]), Metering.plain(kind, INTERVAL)).start_us) == 0


def test_a_bad_sample_ends_the_one_before_and_is_not_used() -> None:
    run = run_of([0, 4, 8], qualities=[quality.GOOD, quality.BAD, quality.SUSPECT])
    periods = sample_period.periods_of(run, Metering.plain(PointKind.INSTANTANEOUS, INTERVAL))
    assert periods.end_us.tolist() == [4, 8, 18]
    assert periods.is_usable.tolist() == [True, False, True]


def test_a_deleted_sample_never_came() -> None:
    run = run_of([0, 4], qualities=[quality.GOOD, quality.DELETED])
    assert sample_period.periods_of(
        run, Metering.plain(PointKind.INSTANTANEOUS, INTERVAL)
    ).end_us.tolist() == [10]


def test_calendar_ends_follow_their_samples() -> None:
    run = run_of([0, 5, 24], qualities=[quality.GOOD, quality.DELETED, quality.GOOD])
    periods = sample_period.periods_of(run, Metering.plain(PointKind.INTERVAL, 24), np.array([23, 28, 49]))
    assert periods.end_us.tolist() == [23, 49]


def test_a_register_gives_the_difference_of_neighbours() -> None:
    periods = sample_period.periods_of(
        run_of([0, 10, 20], [5.0, 7.0, 7.0]), Metering.plain(PointKind.REGISTER, INTERVAL)
    )
    assert (periods.start_us.tolist(), periods.end_us.tolist()) == ([0, 10], [10, 20])
    assert (periods.value - periods.base).tolist() == [2.0, 0.0]
    assert periods.is_usable.tolist() == [True, True]


def test_a_register_that_falls_is_suspect() -> None:
    periods = sample_period.periods_of(
        run_of([0, 10, 20], [5.0, 3.0, 4.0]), Metering.plain(PointKind.REGISTER, INTERVAL)
    )
    assert periods.is_usable.tolist() == [False, True]
    assert periods.quality.tolist() == [quality.SUSPECT, quality.GOOD]


def test_a_register_difference_across_a_gap_is_known_as_a_whole_only() -> None:
    periods = sample_period.periods_of(
        run_of([0, 15, 31], [1.0, 2.0, 3.0]), Metering.plain(PointKind.REGISTER, INTERVAL)
    )
    assert periods.is_whole_only.tolist() == [False, True]


def test_a_bad_reading_is_passed_over() -> None:
    run = run_of([0, 10, 20], [1.0, 99.0, 3.0], [quality.GOOD, quality.BAD, quality.ESTIMATED])
    periods = sample_period.periods_of(run, Metering.plain(PointKind.REGISTER, INTERVAL))
    assert (periods.start_us.tolist(), periods.end_us.tolist()) == ([0], [20])
    assert (periods.value - periods.base).tolist() == [2.0]
    assert periods.quality.tolist() == [quality.ESTIMATED]


def test_select_keeps_columns_together() -> None:
    periods = sample_period.periods_of(
        run_of([0, 10], [1.0, 2.0]), Metering.plain(PointKind.INTERVAL, INTERVAL)
    )
    chosen = periods.select(np.array([False, True]))
    assert (chosen.start_us.tolist(), chosen.end_us.tolist(), chosen.value.tolist()) == ([10], [20], [2.0])


@pytest.mark.parametrize(
    ("start_us", "end_us", "expected"),
    [(0, 30, [0, 10, 20]), (10, 20, [10]), (9, 21, [0, 10, 20]), (30, 40, []), (-5, 0, []), (10, 10, [])],
    ids=str,
)
def test_periods_between(start_us: int, end_us: int, expected: list[int]) -> None:
    periods = sample_period.periods_of(run_of([0, 10, 20]), Metering.plain(PointKind.INTERVAL, INTERVAL))
    assert periods.between(start_us, end_us).start_us.tolist() == expected


def test_worse_of_agrees_with_worst_of() -> None:
    ones = np.array([quality.GOOD, quality.BAD | quality.LATE, quality.ESTIMATED], np.uint16)
    others = np.array([quality.SUSPECT, quality.MANUAL, quality.DERIVED | quality.INVALID], np.uint16)
    pairs = zip(ones, others, strict=True)
    expected = [quality.worst_of(np.array(pair, np.uint16)) for pair in pairs]
    assert sample_period.worse_of(ones, others).tolist() == expected


@pytest.mark.parametrize(
    ("kind", "interval_us", "expected"),
    [
        pytest.param(PointKind.MEAN_POWER, HOUR_US, (0, HOUR_US), id="a mean speaks for its period"),
        pytest.param(PointKind.INTERVAL, HOUR_US, (HOUR_US, HOUR_US), id="an amount presses the one before"),
        pytest.param(
            PointKind.INSTANTANEOUS, HOUR_US, (HOUR_US // 2 + 1, HOUR_US * 3 // 2), id="an instant is held"
        ),
        pytest.param(PointKind.INTERVAL, DAY_US, (2 * DAY_US, 2 * DAY_US), id="days may be longer"),
        pytest.param(PointKind.REGISTER, HOUR_US, (0, 0), id="a reading reaches to its neighbours"),
    ],
)
def test_reach_of_a_sample(kind: PointKind, interval_us: int, expected: tuple[int, int]) -> None:
    assert sample_period.reach_us(kind, interval_us) == expected
