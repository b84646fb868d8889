"""Kernel that makes the float64 nearest to a decimal number, as Python's ``float`` does, without its text.

Small numbers are a product or quotient of two exact floats. For the others the method of Eisel and Lemire: the
mantissa times the leading 128 bits of the power of five has all the bits that decide the rounding.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

MANTISSA_EXACT_MAX: Final = 9007199254740992  # 2^53: whole numbers up to here are exact
POWER_EXACT_MAX: Final = 22  # 10^22 is the last power of ten that float64 holds exactly
POWER_MAX: Final = 60  # as far as the table of powers of five goes; sizes of measured things end long before

_POWERS: Final = (
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
    1e20, 1e21, 1e22,
)  # fmt: skip
_HALVES_POWER_MIN: Final = (
    -4
)  # only between these powers can a number of 64 bits lie half-way between two floats
_HALVES_POWER_MAX: Final = 23
_SURE_POWER_MIN: Final = -27  # between these the 128 bits are the whole power, or enough of it
_SURE_POWER_MAX: Final = 55

_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW: Final = np.uint64(0xFFFFFFFF)
_UNDECIDED: Final = np.uint64(0x1FF)  # the bits below those of the result and its rounding
_1: Final = np.uint64(1)
_3: Final = np.uint64(3)
_9: Final = np.uint64(9)
_32: Final = np.uint64(32)
_63: Final = np.uint64(63)


def _leading_bits(power: int) -> int:
    """5^`power` as 128 bits of which the highest is set: cut, but rounded up from 5^-27 to 5^-1.

    There the error is so small that a product that should be whole is seen as whole.
    """
    five: int = 5 ** abs(power)
    if power >= 0:
        size = five.bit_length()
        return five >> (size - 128) if size > 128 else five << (128 - size)
    bits: int = 2 ** (five.bit_length() + 127) // five
    return bits + 1 if power >= _SURE_POWER_MIN else bits


_FIVES: Final[npt.NDArray[np.uint64]] = np.array(
    [
        (bits >> 64, bits & 0xFFFFFFFFFFFFFFFF)
        for bits in map(_leading_bits, range(-POWER_MAX, POWER_MAX + 1))
    ],
    np.uint64,
)


@njit(cache=True, nogil=True)
def scale_exactly(mantissa: int, power: int) -> float:
    """``mantissa × 10^power``, both exact in float64, so that one product or quotient rounds correctly."""
    if power < 0:
        return float(mantissa) / _POWERS[-power]
    return float(mantissa) * _POWERS[power]


@njit(cache=True, nogil=True)
def nearest_float(mantissa: int, power: int) -> float:
    """The float64 nearest to ``mantissa × 10^power`` (mantissa from 0), even where two are; NaN where not told."""
    if mantissa <= MANTISSA_EXACT_MAX and abs(power) <= POWER_EXACT_MAX:
        return scale_exactly(mantissa, power)
    if mantissa == 0:
        return 0.0
    if abs(power) > POWER_MAX:
        return math.nan
    width = _bit_width(np.uint64(mantissa))
    word = np.uint64(mantissa) << np.uint64(64 - width)
    high, low = _product(word, _FIVES[power + POWER_MAX, 0])
    if high & _UNDECIDED == _UNDECIDED:
        more, _ = _product(word, _FIVES[power + POWER_MAX, 1])
        if more > _ALL - low:
            high += _1
            low = more - (_ALL - low) - _1
        else:
            low += more
    if low == _ALL and not _SURE_POWER_MIN <= power <= _SURE_POWER_MAX:
        return math.nan
    upper = high >> _63
    shift = upper + _9
    bits = high >> shift
    can_be_half = _HALVES_POWER_MIN <= power <= _HALVES_POWER_MAX
    if can_be_half and low <= _1 and bits & _3 == _1 and bits << shift == high:
        bits -= _1  # exactly half-way: down to the even one
    bits = (bits + (bits & _1)) >> _1
    # Far from the ends of float64, by POWER_MAX: neither subnormal nor infinite.
    binary_power = ((217706 * power) >> 16) + int(np.int64(upper)) + width - 53
    return math.ldexp(float(bits), binary_power)


@njit(cache=True, nogil=True)
def _bit_width(word: np.uint64) -> int:
    width = 1
    for step in (32, 16, 8, 4, 2, 1):
        if word >> np.uint64(step) != np.uint64(0):
            word >>= np.uint64(step)
            width += step
    return width


@njit(cache=True, nogil=True)
def _product(left: np.uint64, right: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The 128 bits of a product, high and low."""
    low = (left & _LOW) * (right & _LOW)
    cross, other_cross = (left & _LOW) * (right >> _32), (left >> _32) * (right & _LOW)
    middle = (low >> _32) + (cross & _LOW) + (other_cross & _LOW)
    high = (left >> _32) * (right >> _32) + (cross >> _32) + (other_cross >> _32) + (middle >> _32)
    return np.uint64(high), np.uint64((middle << _32) | (low & _LOW))
