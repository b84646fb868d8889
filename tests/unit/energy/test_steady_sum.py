"""Sums of steady curves, and what is left to single curves."""

import numpy as np
import pytest

from historian.energy import steady_sum
from historian.energy.fleet import Ask, Asked
from historian.energy.load_curve import SlotState
from historian.model import quality
from historian.model.point import MINUTE_US, PointKind
from historian.model.sample import SampleRun, block_of

QUARTER_US = 15 * MINUTE_US
EDGES = np.arange(4, dtype=np.int64) * QUARTER_US
MEAN = Ask(PointKind.MEAN_POWER, QUARTER_US, 1.0)


def run_of(values: dict[int, float], bits: int = 0) -> SampleRun:
    times = np.array(sorted(values), np.int64) * MINUTE_US
    return SampleRun(
        1, times, np.array([values[time] for time in sorted(values)]), np.full(len(times), bits, np.uint16)
    )


def test_what_is_there_is_added_and_what_is_missing_counted() -> None:
    runs = [run_of({0: 0.1, 15: 0.5}), run_of({-15: 9.0, 0: 0.2, 45: 9.0}, quality.LATE)]
    found = steady_sum.add_up(block_of(runs), Asked.of([MEAN, MEAN]), EDGES)
    assert found is not None
    np.testing.assert_array_equal(found.total.value, [0.3, 0.5, np.nan])
    assert found.total.state.tolist() == [SlotState.COMPLETE, SlotState.PARTIAL, SlotState.MISSING]
    assert found.total.quality.tolist() == [quality.LATE, quality.MISSING, quality.MISSING]
    assert (found.missing_count.tolist(), float(found.total.total)) == ([0, 1, 2], 0.2)


def test_amounts_and_multipliers_become_rates() -> None:
    asks = [Ask(PointKind.INTERVAL, QUARTER_US, 80.0), Ask(PointKind.MEAN_POWER, QUARTER_US, 0.5)]
    found = steady_sum.add_up(block_of([run_of({0: 0.25}), run_of({0: 1.0})]), Asked.of(asks), EDGES)
    assert found is not None
    assert (found.total.value[0], float(found.total.total)) == (80.5, 20.125)


@pytest.mark.parametrize(
    ("run", "ask"),
    [
        pytest.param(run_of({1: 0.1}), MEAN, id="off the grid"),
        pytest.param(run_of({0: 1 / 3}), MEAN, id="no decimal"),
        pytest.param(run_of({0: 0.1}, quality.SUSPECT), MEAN, id="suspect"),
        pytest.param(run_of({0: 0.1}), MEAN._replace(kind=PointKind.REGISTER), id="a register"),
        pytest.param(run_of({0: 0.1}), MEAN._replace(interval_us=MINUTE_US), id="several a slot"),
        pytest.param(run_of({0: 0.1}), MEAN._replace(factor=1 / 3), id="a factor that is no decimal"),
        pytest.param(run_of({0: 0.1}), MEAN._replace(factor=-1.0), id="a negative factor"),
    ],
)
def test_what_is_not_steady_is_left(run: SampleRun, ask: Ask) -> None:
    assert steady_sum.add_up(block_of([run_of({0: 0.1}), run]), Asked.of([MEAN, ask]), EDGES) is None


def test_uneven_slots_are_left() -> None:
    runs = block_of([run_of({0: 0.1})] * 2)
    assert steady_sum.add_up(runs, Asked.of([MEAN] * 2), EDGES[[0, 1, 3]]) is None
    assert steady_sum.add_up(runs, Asked.of([MEAN] * 2), EDGES[:1]) is None
