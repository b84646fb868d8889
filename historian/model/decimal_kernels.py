"""Which floats are fixed decimals, and their scaled whole numbers: the ground of exact sums and of the codec.

A meter's 3.17 kWh is stored as the float nearest to 3.17. As 317 × 10⁻² it adds up without error and packs
well. `to_scaled(v, k) / 10**k` gives back every bit of `v` exactly where `decimal_exponent(v)` is k ≥ 0.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

EXPONENT_MAX: Final = 9
NOT_DECIMAL: Final = -1
SCALED_MAX: Final = 2.0**53  # below it every whole number is a float, so nothing is lost on the way

_POWERS: Final = (1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)  # each exact as a float


@njit(cache=True, nogil=True)
def decimal_exponent(values: F64) -> int:
    """The smallest k in 0…9 with ``rint(v × 10^k) / 10^k == v`` bit for bit for every value, else -1.

    Every ``rint(v × 10^k)`` is below 2⁵³ in size. Minus zero, infinities and NaN are no decimals; an empty
    column has exponent 0.
    """
    for exponent in range(EXPONENT_MAX + 1):
        power = _POWERS[exponent]
        is_decimal = True
        for value in values:
            if not abs(value) < SCALED_MAX:  # too large, infinite or NaN
                return NOT_DECIMAL
            scaled = np.rint(value * power)
            # -0.0 == 0.0, but its sign would be lost
            is_minus_zero = value == 0.0 and np.signbit(value)
            if is_minus_zero or not abs(scaled) < SCALED_MAX or scaled / power != value:
                is_decimal = False
                break
        if is_decimal:
            return exponent
    return NOT_DECIMAL


@njit(cache=True, nogil=True)
def to_scaled(values: F64, exponent: int) -> I64:
    """``rint(v × 10^exponent)`` for each value, as a new array; `exponent` is what `decimal_exponent` gave."""
    power = _POWERS[exponent]
    scaled = np.empty(len(values), np.int64)
    for i in range(len(values)):
        scaled[i] = np.int64(np.rint(values[i] * power))
    return scaled
