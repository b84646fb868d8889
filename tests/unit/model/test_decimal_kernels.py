"""Fixed decimals are found and scaled without losing a bit."""

import math
import struct

import numpy as np
import numpy.typing as npt
import pytest

from historian.model import decimal_kernels


def column(*values: float) -> npt.NDArray[np.float64]:
    return np.array(values, np.float64)


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def plain_decimal_exponent(values: npt.NDArray[np.float64]) -> int:
    """The kernel's rule, word for word."""
    for exponent in range(10):
        if all(plain_is_decimal(float(value), exponent) for value in values):
            return exponent
    return -1


def plain_is_decimal(value: float, exponent: int) -> bool:
    if not math.isfinite(value) or abs(value) * 10**exponent > 2**54:
        return False
    scaled = round(value * float(10**exponent))
    return abs(scaled) < 2**53 and bits(scaled / 10**exponent) == bits(value)


@pytest.mark.parametrize(
    ("values", "exponent"),
    [
        pytest.param((), 0, id="empty column"),
        pytest.param((0.0, 7.0, -12.0), 0, id="whole numbers"),
        pytest.param((3.17, 4.0, 3.24), 2, id="a meter's hundredths"),
        pytest.param((0.1, 0.25, 1e-9), 9, id="ninth digit"),
        pytest.param((1e-10,), -1, id="tenth digit"),
        pytest.param((1 / 3,), -1, id="a third"),
        pytest.param((float(np.float32(0.1)),), -1, id="single precision tenth"),
        pytest.param((-0.0,), -1, id="minus zero keeps its sign elsewhere"),
        pytest.param((math.nan,), -1, id="not a number"),
        pytest.param((math.inf,), -1, id="infinity"),
        pytest.param((2.0**53 - 1,), 0, id="largest whole number"),
        pytest.param((2.0**53,), -1, id="one beyond the largest"),
        pytest.param((2.0**52, 0.5), -1, id="scaled beyond the largest"),
        pytest.param((5e-324,), -1, id="smallest float"),
    ],
)
def test_decimal_exponent_is_the_smallest_that_fits(values: tuple[float, ...], exponent: int) -> None:
    assert decimal_kernels.decimal_exponent(column(*values)) == exponent
    assert plain_decimal_exponent(column(*values)) == exponent


def test_scaled_values_are_whole_numbers_of_the_last_digit() -> None:
    assert decimal_kernels.to_scaled(column(3.17, 4.0, -0.24), 2).tolist() == [317, 400, -24]


def test_a_later_value_raises_the_exponent_of_all() -> None:
    values = np.append(np.arange(10_000.0), 0.125)
    assert decimal_kernels.decimal_exponent(values) == 3
