"""Laws of unit conversion."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from historian.model.unit import UNITS, conversion_factor, convert

pairs = st.sampled_from(
    [
        (one.symbol, other.symbol)
        for one in UNITS.values()
        for other in UNITS.values()
        if one.dimension == other.dimension
    ]
)


@given(pairs, st.floats(-1e12, 1e12))
def test_conversion_is_right_to_the_last_digits(pair: tuple[str, str], value: float) -> None:
    exact = Fraction(value) * conversion_factor(*pair)
    smallest = Fraction(5e-324)  # below the normal numbers float64 keeps fewer digits
    assert abs(Fraction(convert(value, *pair)) - exact) <= abs(exact) * Fraction(1, 2**52) + smallest


@given(pairs, st.integers(-(10**9), 10**9))
def test_there_and_back_is_the_same(pair: tuple[str, str], value: int) -> None:
    forth = convert(float(value), *pair)
    assert abs(convert(forth, pair[1], pair[0]) - value) <= abs(value) * 2**-50
    assert conversion_factor(*pair) * conversion_factor(pair[1], pair[0]) == 1
