"""What the fast way does, and what it leaves to the general one."""

import numpy as np
import pytest

from historian.energy import fleet, fleet_kernels, load_curve
from historian.energy.fleet import Ask
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun, empty_run

QUARTER_US = 15 * MINUTE_US
EDGES = np.arange(5, dtype=np.int64) * QUARTER_US


def run_of(values: dict[int, float], qualities: int = 0) -> SampleRun:
    """Samples by minute."""
    times = np.array(sorted(values), np.int64) * MINUTE_US
    column = np.array([values[minute] for minute in sorted(values)])
    return SampleRun(1, times, column, np.full(len(times), qualities, np.uint16))


@pytest.mark.parametrize(
    ("kind", "interval_us", "factor", "values", "is_done"),
    [
        pytest.param(PointKind.MEAN_POWER, QUARTER_US, 1.0, {0: 0.1, 15: 7.25}, True, id="means"),
        pytest.param(PointKind.INTERVAL, QUARTER_US, 120.0, {0: 0.1, 15: 7.25}, True, id="amounts"),
        pytest.param(PointKind.INTERVAL, QUARTER_US, 1.0, {5: 0.1}, False, id="an amount across an edge"),
        pytest.param(PointKind.INSTANTANEOUS, MINUTE_US, 1.0, {3: 0.1, 4: 5.0}, True, id="instants"),
        pytest.param(PointKind.RATIO, 5 * MINUTE_US, 1.0, {3: 0.9, 8: 1.0}, True, id="across an edge"),
        pytest.param(PointKind.REGISTER, QUARTER_US, 1.0, {0: 1.0, 15: 2.0}, False, id="a register"),
        pytest.param(PointKind.MEAN_POWER, DAY_US, 1.0, {0: 1.0}, False, id="days by the calendar"),
        pytest.param(PointKind.MEAN_POWER, QUARTER_US, 1.0, {0: float(np.float32(3.17))}, True, id="single"),
        pytest.param(PointKind.MEAN_POWER, QUARTER_US, 1.0, {0: 1 / 3}, False, id="no decimal"),
        pytest.param(PointKind.MEAN_POWER, QUARTER_US, 1.0, {0: 2.0**52}, False, id="too large"),
        pytest.param(PointKind.MEAN_POWER, QUARTER_US, 1e15, {0: 1.0}, False, id="a factor too large"),
        pytest.param(PointKind.MEAN_POWER, QUARTER_US, 1.0, {}, True, id="nothing"),
    ],
)
def test_what_is_done(
    kind: PointKind, interval_us: int, factor: float, values: dict[int, float], is_done: bool
) -> None:
    [curve] = fleet.build([run_of(values)], [Ask(kind, interval_us, factor)], EDGES)
    assert (curve is not None) == is_done
    if curve is not None:
        expected = load_curve.build(run_of(values), kind, interval_us, EDGES, factor)
        assert curve.total == expected.total
        assert curve.value.tolist() == pytest.approx(expected.value.tolist(), rel=0, abs=0, nan_ok=True)


def test_one_run_not_done_does_not_keep_others_from_it() -> None:
    some = [run_of({0: 1 / 3}), run_of({0: 0.25}), empty_run(3)]
    asks = [Ask(PointKind.INTERVAL, QUARTER_US, 1.0)] * 3
    curves = fleet.build(some, asks, EDGES)
    assert [None if curve is None else float(curve.total) for curve in curves] == [None, 0.25, 0.0]
    sums = fleet.day_sums(some, asks, [EDGES, EDGES[:1]])
    assert sums.is_done.tolist() == [[False, False], [True, True], [True, True]]


def test_no_runs() -> None:
    assert fleet.build([], [], EDGES) == []
    assert fleet.day_sums([], [], [EDGES]).is_done.shape == (0, 1)


def test_sums_of_two_days() -> None:
    run = run_of({0: 1.0, 15: 3.0, 60: 5.0, 65: 6.0}, quality.MANUAL)
    sums = fleet.day_sums([run], [Ask(PointKind.MEAN_POWER, QUARTER_US, 0.5)], [EDGES, EDGES + HOUR_US])
    first, second = sums.whole[0].tolist()
    names = fleet_kernels
    assert first[names.TOTAL_NUMERATOR : names.KNOWN_US + 1] == [1, 2, 2 * QUARTER_US]
    assert (first[names.MAX_SLOT], first[names.MIN_SLOT], sums.extreme[0, 0].tolist()) == (1, 0, [1.5, 0.5])
    assert first[names.RECEIVED : names.MANUAL + 1] == [2, 2, 0, 0, 2]
    assert (second[names.COMPLETE_COUNT], second[names.RECEIVED]) == (1, 2)
    assert second[names.RANKED_US] == QUARTER_US  # the second block is covered by a third
