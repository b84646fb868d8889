"""Maximum demand over blocks and sliding windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.energy import demand, sample_period
from historian.energy.demand import Demand
from historian.energy.metering import Metering, Step
from historian.energy.sample_period import SamplePeriods
from historian.model.point import HOUR_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun
from historian.model.timestamp import TIME_MIN_US

QUARTER_US = 15 * MINUTE_US


def periods(
    values: list[float], interval_us: int = MINUTE_US, kind: PointKind = PointKind.MEAN_POWER
) -> SamplePeriods:
    times = np.arange(len(values), dtype=np.int64) * interval_us
    run = SampleRun(1, times, np.array(values), np.zeros(len(values), np.uint16))
    return sample_period.periods_of(run, Metering.plain(kind, interval_us))


def highest(made: SamplePeriods, end_us: int, slide_us: int, interval_us: int = MINUTE_US) -> Demand:
    return demand.maximum(made, PointKind.MEAN_POWER, interval_us, (0, end_us), QUARTER_US, slide_us)


def test_a_burst_across_two_blocks_is_seen_by_sliding_windows_alone() -> None:
    """A base of 100 kW, 300 kW for 15 minutes of which 8 lie in one block: 206.7 by block, 300 sliding."""
    values = [100.0] * 7 + [300.0] * 15 + [100.0] * 38
    made = periods(values)
    block = highest(made, HOUR_US, QUARTER_US)
    assert block.value == pytest.approx((7 * 100 + 8 * 300) / 15)
    assert round(block.value or 0, 1) == 206.7
    assert (block.start_us, block.window_count) == (0, 4)
    slid = highest(made, HOUR_US, MINUTE_US)
    assert (slid.value, slid.start_us, slid.end_us) == (300.0, 7 * MINUTE_US, 22 * MINUTE_US)
    assert (slid.known_count, slid.window_count) == (46, 46)


def test_windows_slide_no_finer_than_the_samples_come() -> None:
    made = periods([10.0, 30.0, 20.0, 5.0], QUARTER_US)
    found = highest(made, HOUR_US, MINUTE_US, QUARTER_US)
    assert (found.value, found.start_us, found.slide_us) == (30.0, QUARTER_US, QUARTER_US)
    hourly = periods([10.0], HOUR_US)
    assert highest(hourly, HOUR_US, MINUTE_US, HOUR_US).value is None


def test_a_window_with_a_hole_is_not_known() -> None:
    values = [100.0] * 60
    made = periods(values)
    holed = made.select(np.arange(60) != 20)
    holed = holed._replace(end_us=np.minimum(holed.end_us, holed.start_us + MINUTE_US))
    found = highest(holed, HOUR_US, MINUTE_US)
    assert found.known_count == 46 - 15
    assert found.value == 100.0
    assert highest(made.select(np.zeros(60, np.bool_)), HOUR_US, MINUTE_US) == Demand(
        None, None, None, MINUTE_US, 0, 46
    )


def test_what_a_register_counted_across_a_gap_is_no_demand() -> None:
    times = np.array([0, 15, 75, 90, 105], np.int64) * MINUTE_US
    run = SampleRun(1, times, np.array([0.0, 10.0, 1000.0, 1005.0, 1020.0]), np.zeros(5, np.uint16))
    made = sample_period.periods_of(run, Metering.plain(PointKind.REGISTER, QUARTER_US))
    found = demand.maximum(made, PointKind.REGISTER, QUARTER_US, (0, 105 * MINUTE_US), QUARTER_US, QUARTER_US)
    assert (found.value, found.start_us, found.known_count) == (60.0, 90 * MINUTE_US, 3)


def test_windows_stay_within_the_period() -> None:
    made = periods([900.0] * 15 + [100.0] * 45)
    found = demand.maximum(
        made, PointKind.MEAN_POWER, MINUTE_US, (15 * MINUTE_US, HOUR_US), QUARTER_US, MINUTE_US
    )
    assert found.value == 100.0
    short = demand.maximum(made, PointKind.MEAN_POWER, MINUTE_US, (0, 14 * MINUTE_US), QUARTER_US, MINUTE_US)
    assert (short.value, short.window_count) == (None, 0)


def test_each_sample_has_the_factor_of_its_time() -> None:
    times = np.arange(60, dtype=np.int64) * MINUTE_US
    run = SampleRun(1, times, np.full(60, 1.5), np.zeros(60, np.uint16))
    steps = (Step(TIME_MIN_US, 2.0), Step(30 * MINUTE_US, 0.1))
    made = sample_period.periods_of(run, Metering(PointKind.MEAN_POWER, MINUTE_US, steps))
    found = highest(made, HOUR_US, MINUTE_US)
    assert (found.value, found.start_us) == (3.0, 0)
    late = demand.maximum(
        made, PointKind.MEAN_POWER, MINUTE_US, (20 * MINUTE_US, HOUR_US), QUARTER_US, MINUTE_US
    )
    assert late.value == pytest.approx((10 * 3.0 + 5 * 0.15) / 15)


@given(st.lists(st.integers(-(10**6), 10**6), min_size=15, max_size=60), st.sampled_from([1, 3, 5, 15]))
def test_the_maximum_is_that_of_all_windows_and_never_below_the_blocks(values: list[int], slide: int) -> None:
    made = periods([value / 100 for value in values])
    end_us = len(values) * MINUTE_US
    found = highest(made, end_us, slide * MINUTE_US)
    means = [sum(values[i : i + 15]) / 1500 for i in range(0, len(values) - 14, slide)]
    assert found.value == pytest.approx(max(means), rel=1e-12, abs=1e-12)
    assert found.known_count == found.window_count == len(means)
    block = highest(made, end_us, QUARTER_US).value
    assert block is None or found.value is None or found.value >= block
