"""What the fast way does, and what it leaves to the general one."""

import numpy as np
import pytest

from historian.energy import fleet, load_curve
from historian.energy.fleet import Ask, Asked
from historian.energy.metering import Metering
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun, block_of, empty_run

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
        expected = load_curve.build(run_of(values), Metering.plain(kind, interval_us, factor), EDGES)
        assert curve.total == expected.total
        assert curve.value.tolist() == pytest.approx(expected.value.tolist(), rel=0, abs=0, nan_ok=True)


def test_one_run_not_done_does_not_keep_others_from_it() -> None:
    some = [run_of({0: 1 / 3}), run_of({0: 0.25}), empty_run(3)]
    asks = [Ask(PointKind.INTERVAL, QUARTER_US, 1.0)] * 3
    curves = fleet.build(some, asks, EDGES)
    assert [None if curve is None else float(curve.total) for curve in curves] == [None, 0.25, 0.0]
    made = fleet.day_figures(block_of(some), Asked.of(asks), [EDGES, EDGES[-1:]])
    assert made.is_done.tolist() == [[False, True], [True, True], [True, True]]


def test_no_runs() -> None:
    assert fleet.build([], [], EDGES) == []
    assert fleet.day_figures(block_of([]), Asked.of([]), [EDGES]).is_done.shape == (0, 1)


def test_figures_of_two_days() -> None:
    run = run_of({0: 1.0, 15: 3.0, 60: 5.0, 65: 6.0}, quality.MANUAL)
    ask = Ask(PointKind.MEAN_POWER, QUARTER_US, 0.5)
    figures, is_done = fleet.day_figures(block_of([run]), Asked.of([ask]), [EDGES, EDGES + HOUR_US])
    assert is_done.all()
    assert (figures.total_numerator[0, 0], figures.denominator[0, 0], figures.known_us[0, 0]) == (
        1,
        2,
        2 * QUARTER_US,
    )
    assert (figures.max_slot[0, 0], figures.min_slot[0, 0]) == (1, 0)
    assert (figures.max_value[0, 0], figures.min_value[0, 0]) == (1.5, 0.5)
    assert (figures.received[0].tolist(), figures.measured[0].tolist(), figures.manual[0].tolist()) == (
        [2, 2],
        [0, 0],
        [2, 2],
    )
    assert not figures.is_complete.any()
    assert figures.ranked_us[0, 1] == QUARTER_US  # the second block is covered by a third


def test_days_on_their_grid_and_others_are_made_in_one_call() -> None:
    steady, odd = run_of({0: 1.5, 15: 2.5}), run_of({0: 1.5, 16: 2.5})
    asked = Asked.of([Ask(PointKind.INSTANTANEOUS, QUARTER_US, 1.0)] * 2)
    figures, is_done = fleet.day_figures(block_of([steady, odd]), asked, [EDGES])
    assert is_done.tolist() == [[True], [True]]
    assert figures.known_us[:, 0].tolist() == [30 * MINUTE_US, 31 * MINUTE_US]
