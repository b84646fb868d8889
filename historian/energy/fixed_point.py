"""Columns of floats as whole numbers of one small unit, so that sums are exact and have no order.

Decimals (what meters send) become whole numbers of their last digit. Anything else becomes whole numbers of a
power of two that keeps 51 bits of the largest value: of single-precision values nothing is lost.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model import decimal_kernels

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

SCALED_BITS: Final = 51  # so that a difference has 52, which kernels split into two halves of 26
SCALED_MAX: Final = 1 << SCALED_BITS

_POWERS: Final = tuple(10.0**exponent for exponent in range(decimal_kernels.EXPONENT_MAX + 1))


class FixedColumn(NamedTuple):
    """``values == scaled × unit``, |scaled| ≤ 2⁵¹; exactly, where the values are decimals."""

    scaled: I64
    unit: Fraction


def to_fixed(values: F64) -> FixedColumn:
    """Finite floats as whole numbers of one unit, a new column."""
    values = values + 0.0  # minus zero becomes zero
    exponent = decimal_kernels.decimal_exponent(values)
    if exponent != decimal_kernels.NOT_DECIMAL:
        scaled = decimal_kernels.to_scaled(values, exponent)
        if len(scaled) == 0 or int(np.max(np.abs(scaled))) <= SCALED_MAX:
            return FixedColumn(scaled, Fraction(1, 10**exponent))
    shift = SCALED_BITS - math.frexp(float(np.max(np.abs(values))))[1]
    scaled = np.rint(np.ldexp(values, shift)).astype(np.int64)
    return FixedColumn(scaled, Fraction(1, 1 << shift) if shift >= 0 else Fraction(1 << -shift))


def exact(value: float) -> Fraction:
    """The decimal that a finite float stands for, where there is one of nine digits; else its exact bits."""
    return Fraction(*exact_ratio(value))


def exact_ratio(value: float) -> tuple[int, int]:
    """`exact` as numerator and denominator, not in lowest terms; the rule of `decimal_kernels` for one value."""
    if abs(value) < decimal_kernels.SCALED_MAX:
        for exponent, power in enumerate(_POWERS):
            scaled = round(value * power)
            if abs(scaled) < decimal_kernels.SCALED_MAX and scaled / power == value:
                return scaled, 10**exponent
    return value.as_integer_ratio()


def sum_of(numbers: Sequence[Fraction]) -> Fraction:
    """The exact sum: whole numbers of a common denominator added up, in lowest terms once, at the end."""
    common = math.lcm(*{number.denominator for number in numbers})
    return Fraction(sum(number.numerator * (common // number.denominator) for number in numbers), common)


def to_float(number: Fraction) -> float:
    """The float nearest to `number`; NaN where it is beyond all floats."""
    return quotient(number.numerator, number.denominator)


def quotient(numerator: int, denominator: int) -> float:
    """The float nearest to the quotient; NaN where it is beyond all floats."""
    try:
        return numerator / denominator
    except OverflowError:
        return math.nan
