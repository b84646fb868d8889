"""Numbers read by the kernel have every bit that Python's float gives them."""

import math

from hypothesis import given
from hypothesis import strategies as st

from api import float_kernels
from api.float_kernels import POWER_MAX

MANTISSA = st.integers(0, 2**63 - 1)
HALVES = st.builds(
    lambda odd, shift: (2 * odd + 1) << shift, st.integers(2**52, 2**53 - 1), st.integers(0, 9)
)


@given(mantissa=MANTISSA, power=st.integers(-POWER_MAX, POWER_MAX))
def test_any_mantissa_and_power(mantissa: int, power: int) -> None:
    number = float_kernels.nearest_float(mantissa, power)
    assert math.isnan(number) or number == float(f"{mantissa}e{power}")


@given(half=HALVES, aside=st.integers(-1, 1), power=st.integers(0, 4))
def test_halves_between_two_floats_and_their_neighbours(half: int, aside: int, power: int) -> None:
    mantissa = (half >> 3 * power | 1) * 5**power + aside  # a binary fraction as a decimal one
    number = float_kernels.nearest_float(mantissa, -power)
    assert number == float(f"{mantissa}e-{power}")


@given(number=st.floats(1e-20, 1e20))
def test_what_python_writes_is_read_back(number: float) -> None:
    digits, _, exponent = f"{number:.16e}".partition("e")
    whole, _, fraction = digits.partition(".")
    power = int(exponent) - len(fraction)
    assert float_kernels.nearest_float(int(whole + fraction), power) == number
