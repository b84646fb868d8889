from fractions import Fraction

import numpy as np
import pytest

from historian.tools import day_sum
from historian.tools.day_sum import DaySum, PointRule
from tests.support.hand_made import DAY_US, QUARTER_US

HOUR_US = 4 * QUARTER_US


def summed(
    kind: str, samples: list[tuple[float, float]], quality: list[int] | None = None, **rule: float
) -> DaySum:
    """Figures of a day from 0 on; samples are (quarters, value)."""
    times = np.array([round(quarter * QUARTER_US) for quarter, _ in samples], np.int64)
    values = np.array([value for _, value in samples], np.float64)
    bits = np.array(quality or [0] * len(samples), np.uint16)
    chosen = PointRule(kind, int(rule.get("interval_us", QUARTER_US)), rule.get("multiplier", 1.0))
    return day_sum.sum_day(chosen, 0, DAY_US, times, values, bits)


def test_a_day_without_samples_knows_nothing() -> None:
    nothing = summed("interval", [])
    assert (nothing.total, nothing.known_us, nothing.max_value, nothing.max_slot) == (0, 0, None, None)
    assert not nothing.is_complete


def test_amounts_add_up_and_give_mean_power() -> None:
    day = summed("interval", [(place, 1.5) for place in range(96)])
    assert (day.total, day.known_us, day.max_value, day.max_slot) == (144, DAY_US, 6.0, 0)
    assert (day.is_complete, day.received_count) == (True, 96)


def test_decimals_add_up_exactly() -> None:
    assert summed("interval", [(place, 0.1) for place in range(10)]).total == 1


def test_an_amount_across_midnight_is_divided_by_time() -> None:
    day = summed("interval", [(-0.5, 4.0)])
    assert (day.total, day.known_us, day.received_count) == (2, QUARTER_US // 2, 0)


def test_the_multiplier_applies_once() -> None:
    assert summed("interval", [(0, 0.25)], multiplier=60.0).total == 15


def test_power_is_multiplied_by_time() -> None:
    day = summed("mean_power", [(0, 8.0), (1, 4.0)])
    assert (day.total, day.max_value, day.min_value, day.min_slot) == (3, 8.0, 4.0, 1)


def test_an_instant_is_held_until_a_next_one_that_is_a_little_late() -> None:
    held, missed = (
        summed("instantaneous", [(0, 4.0), (1.5, 4.0)]),
        summed("instantaneous", [(0, 4.0), (1.6, 4.0)]),
    )
    assert (held.known_us, missed.known_us) == (round(2.5 * QUARTER_US), 2 * QUARTER_US)


def test_a_slot_covered_by_less_than_half_is_no_maximum() -> None:
    day = summed("mean_power", [(0.6, 9.0), (1, 1.0)])
    assert (day.max_value, day.max_slot, day.ranked_us) == (1.0, 1, QUARTER_US)


def test_the_first_of_equal_extremes_is_told() -> None:
    day = summed("mean_power", [(place, 5.0) for place in range(4)])
    assert (day.max_slot, day.min_slot) == (0, 0)


def test_a_register_counts_what_it_rose_by() -> None:
    day = summed("register", [(place, 100 + place) for place in range(97)])
    assert (day.total, day.max_value, day.is_complete) == (96, 4.0, True)


def test_a_rise_across_a_gap_is_in_the_total_alone() -> None:
    day = summed("register", [(0, 100.0), (1, 101.0), (9, 117.0), (10, 118.0)])
    assert (day.total, day.known_us, day.ranked, day.ranked_us) == (18, 10 * QUARTER_US, 2, 2 * QUARTER_US)


def test_a_register_that_falls_gives_no_amount() -> None:
    assert summed("register", [(0, 100.0), (1, 5.0), (2, 6.0)]).total == 1


def test_bad_and_deleted_samples_give_nothing_but_bad_ones_are_received() -> None:
    day = summed("mean_power", [(0, 1.0), (1, 2.0), (2, 4.0), (3, 8.0)], [0, 2, 1 << 7, 1])
    assert (day.total, day.received_count, day.good_count) == (Fraction(9, 4), 3, 1)


def test_origins_are_counted_apart() -> None:
    day = summed("mean_power", [(place, 1.0) for place in range(5)], [0, 1 << 2, 2 << 2, 3 << 2, 4 << 2])
    assert (day.measured_count, day.estimated_count, day.manual_count) == (2, 1, 2)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.5], ([10, 25], 10, True)),
        ([0.000000001], ([1], 10**9, True)),
        ([0.5, 1 / 3], ([1 << 53, 6004799503160661], 1 << 54, False)),
        ([], ([], 1, True)),
    ],
)
def test_values_as_whole_numbers(values: list[float], expected: tuple[list[int], int, bool]) -> None:
    assert day_sum.scaled(np.array(values)) == expected


def test_daily_values_are_by_calendar() -> None:
    assert PointRule("interval", DAY_US, 1.0).is_by_calendar
    assert not PointRule("instantaneous", DAY_US, 1.0).is_by_calendar
    assert not PointRule("interval", HOUR_US, 1.0).is_by_calendar
