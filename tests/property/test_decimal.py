"""Laws of the decimal kernels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.model import decimal_kernels
from tests.unit.model.test_decimal_kernels import plain_decimal_exponent

any_float = st.floats(allow_nan=True, allow_infinity=True)
decimals = st.tuples(st.integers(-(10**12), 10**12), st.integers(0, 9)).map(
    lambda number: number[0] / 10 ** number[1]
)


@given(st.lists(st.one_of(any_float, decimals), max_size=20))
def test_kernel_and_plain_python_agree(values: list[float]) -> None:
    column = np.array(values, np.float64)
    assert decimal_kernels.decimal_exponent(column) == plain_decimal_exponent(column)


@given(st.lists(st.one_of(any_float, decimals), max_size=20))
def test_what_is_decimal_comes_back_bit_for_bit(values: list[float]) -> None:
    column = np.array(values, np.float64)
    exponent = decimal_kernels.decimal_exponent(column)
    if exponent >= 0:
        back = decimal_kernels.to_scaled(column, exponent) / 10**exponent
        assert back.tobytes() == column.tobytes()


@given(st.integers(-(2**49), 2**49), st.integers(0, 9))
def test_every_decimal_of_fifteen_digits_is_found(scaled: int, digits: int) -> None:
    exponent = decimal_kernels.decimal_exponent(np.array([scaled / 10**digits]))
    assert 0 <= exponent <= digits


@given(st.lists(decimals, max_size=20))
def test_exponent_does_not_depend_on_order(values: list[float]) -> None:
    column = np.array(values, np.float64)
    assert decimal_kernels.decimal_exponent(column) == decimal_kernels.decimal_exponent(np.sort(column)[::-1])
