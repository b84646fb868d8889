"""Decimal numbers become the floats that Python makes of them."""

import math

import pytest

from api import float_kernels


@pytest.mark.parametrize(
    ("mantissa", "power"),
    [
        (0, 0),
        (0, -60),
        (0, 300),
        (317, -2),
        (1, 22),
        (1, 23),
        (2**53, -22),
        (2**53 + 1, 0),
        (2**53 + 3, 0),
        (2**54 + 2, 0),
        (2**54 + 6, 0),
        (30000000000000004, -17),
        (1882967142186233875, -3),
        (9223372036854775807, -60),
        (9223372036854775807, 60),
        (12345678901234567, -28),
        (12345678901234567, 56),
        (7205759403792795, 0),
    ],
)
def test_the_nearest_float_is_the_one_that_python_makes(mantissa: int, power: int) -> None:
    assert float_kernels.nearest_float(mantissa, power) == float(f"{mantissa}e{power}")


@pytest.mark.parametrize("power", [-61, 61, 400])
def test_far_powers_are_not_told(power: int) -> None:
    assert math.isnan(float_kernels.nearest_float(1, power))
