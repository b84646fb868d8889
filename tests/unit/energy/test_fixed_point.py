"""Floats become whole numbers of one unit."""

import math
from fractions import Fraction

import numpy as np
import pytest

from historian.energy import fixed_point


def values_of(*values: float) -> list[Fraction]:
    fixed = fixed_point.to_fixed(np.array(values, np.float64))
    return [int(scaled) * fixed.unit for scaled in fixed.scaled]


def test_decimals_are_taken_as_written() -> None:
    assert values_of(157.18, -0.5, 3.0) == [Fraction(15718, 100), Fraction(-1, 2), Fraction(3)]


def test_single_precision_keeps_every_bit() -> None:
    values = [float(np.float32(value)) for value in (230.1, 0.3, -49.98)]
    assert values_of(*values) == [Fraction(value) for value in values]


@pytest.mark.parametrize("size", [1e-300, 1 / 3, 1e15 / 3, 2.0**52 + 1, 1e300], ids=str)
def test_other_floats_keep_51_bits_of_the_largest(size: float) -> None:
    for value, found in zip((size, size / 7), values_of(size, size / 7), strict=True):
        assert abs(found - Fraction(value)) <= Fraction(size) / 2**51


@pytest.mark.parametrize("size", [1e-300, 0.1, 1 / 3, 2.0**53 - 1, 1.7e308], ids=str)
def test_scaled_numbers_fit_the_kernels(size: float) -> None:
    assert np.max(np.abs(fixed_point.to_fixed(np.array([size, -size])).scaled)) <= fixed_point.SCALED_MAX


def test_an_empty_column_stays_empty() -> None:
    assert values_of() == []


def test_minus_zero_does_not_spoil_decimals() -> None:
    assert values_of(-0.0, 0.1) == [Fraction(0), Fraction(1, 10)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(628.72, Fraction(62872, 100), id="decimal"),
        pytest.param(-0.0, Fraction(0), id="minus zero"),
        pytest.param(1 / 3, Fraction(1 / 3), id="exact bits"),
    ],
)
def test_exact(value: float, expected: Fraction) -> None:
    assert fixed_point.exact(value) == expected


def test_a_fraction_is_rounded_once() -> None:
    assert fixed_point.to_float(Fraction(62872, 100)) == 628.72


def test_what_no_float_can_hold_is_not_a_number() -> None:
    assert math.isnan(fixed_point.to_float(Fraction(10**400)))
