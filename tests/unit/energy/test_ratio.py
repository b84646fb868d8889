"""Ratios: vector sums, and rounding that is decided on the exact value."""

import math
from fractions import Fraction

import numpy as np
import pytest

from historian.energy import ratio

NAN = math.nan


def test_a_load_ratio_is_of_apparent_power() -> None:
    assert ratio.apparent(Fraction(800), Fraction(600)) == 1000.0
    assert ratio.load_ratio(Fraction(800), Fraction(600), Fraction(1000)) == 1.0
    assert ratio.load_ratio(Fraction(800), Fraction(-600), Fraction(500)) == 2.0
    assert ratio.assumed_load_ratio(Fraction(-800), 0.8, Fraction(1000)) == 1.0


def test_a_line_is_loaded_by_its_largest_current() -> None:
    assert ratio.line_load_ratio([Fraction(10), Fraction(-30), Fraction(20)], Fraction(60)) == 0.5


def test_a_power_factor_of_nothing_is_none() -> None:
    assert ratio.power_factor(Fraction(0), Fraction(0)) is None
    assert ratio.rounded_power_factor(Fraction(0), Fraction(0)) is None
    assert ratio.power_factor(Fraction(-3), Fraction(4)) == 0.6


@pytest.mark.parametrize(
    ("active", "reactive", "expected"),
    [
        (Fraction(1), Fraction(0), 1.0),
        (Fraction(0), Fraction(1), 0.0),
        (Fraction(3), Fraction(4), 0.6),
        (Fraction(895, 1000), Fraction(0), 1.0),
        (Fraction(13), Fraction(84), 0.15),  # 13/85 = 0.1529
        (Fraction(36), Fraction(77), 0.42),  # 36/85 = 0.4235
        (Fraction(7), Fraction(24), 0.28),
    ],
)
def test_a_power_factor_is_rounded_half_up(active: Fraction, reactive: Fraction, expected: float) -> None:
    assert ratio.rounded_power_factor(active, reactive) == expected


def test_exactly_half_goes_up() -> None:
    """P/S = 0.125 = 1/8 is not to be had of whole P and Q, but P² / S² is: 1/64."""
    root = math.isqrt(63 * 10**40)  # √(8² - 1²), whose root is no fraction: from below and above
    assert ratio.rounded_power_factor(Fraction(1), Fraction(root, 10**20)) == 0.13
    assert ratio.rounded_power_factor(Fraction(1), Fraction(root + 1, 10**20)) == 0.12
    assert ratio.rounded_power_factor(Fraction(12), Fraction(35)) == 0.32  # 12/37 = 0.324


def test_slots_by_numpy_say_the_same() -> None:
    active, reactive = np.array([800.0, 0.0, NAN]), np.array([600.0, 0.0, 1.0])
    capacity = np.array([1000.0, 1000.0, 1000.0])
    load = ratio.load_ratio_slots([active], [reactive], capacity)
    assert load[:2].tolist() == [1.0, 0.0]
    assert np.isnan(load[2])
    factor = ratio.power_factor_slots([active], [reactive, -reactive])
    assert factor[0] == pytest.approx(800 / math.hypot(800, 1200))
    assert np.isnan(factor[1:]).all()
    assert ratio.assumed_load_ratio_slots([active], 0.8, capacity)[0] == 1.0
    assert ratio.line_load_ratio_slots([active, -2 * active], capacity)[0] == 1.6


def test_a_sum_of_columns_has_no_order() -> None:
    columns = [np.array([1e16]), np.array([1.0]), np.array([-1e16])]
    assert ratio.column_sum(columns).tolist() == ratio.column_sum(columns[::-1]).tolist() == [1.0]


def test_reactive_energies_count_by_their_absolute_value() -> None:
    assert ratio.reactive_sum([Fraction(3), Fraction(-4)]) == 7
