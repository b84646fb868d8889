"""Exact quotients of two floats each, and sums over common denominators."""

import numpy as np
import pytest

from historian.rollup import period_kernels


@pytest.mark.parametrize(
    ("numerator", "denominator"), [(1, 3), (2**61 + 1, 3), (-(2**60) - 1, 7), (0, 5), (10**17 + 1, 4000)]
)
def test_a_quotient_is_the_nearest_float(numerator: int, denominator: int) -> None:
    assert period_kernels.quotient(numerator, denominator) == numerator / denominator


def test_a_quotient_in_the_middle_of_two_floats_is_not_told() -> None:
    assert np.isnan(period_kernels.quotient(2**54 + 2, 2))


def test_products_keep_what_rounding_takes() -> None:
    product, rest = period_kernels.two_product(0.1, 0.3)
    assert product == 0.1 * 0.3
    assert rest != 0.0


def test_sums_are_brought_to_a_common_denominator() -> None:
    sums = np.array([1, 1, 4], np.int64)
    assert period_kernels.add_sums(sums, 1, 2, 6)
    assert sums.tolist() == [5, 7, 12]
    assert period_kernels.add_sums(sums, 1, 0, 12)
    assert sums.tolist() == [6, 7, 12]
    assert not period_kernels.add_sums(sums, 1, 0, 2**61 - 1)


@pytest.mark.parametrize(("total", "known_us", "mean"), [(96, 24 * 3_600_000_000, 4.0), (1, 3, 1.2e9)])
def test_a_mean_is_an_hour_s(total: int, known_us: int, mean: float) -> None:
    assert period_kernels.mean_of(total, 1, known_us) == mean


def test_a_load_factor_never_exceeds_one() -> None:
    assert period_kernels.load_factor_of(24, 9, 24 * 3_600_000_000, 0.111111111) == 1.0
    assert period_kernels.load_factor_of(24, 1, 24 * 3_600_000_000, 3.0) == 1 / 3
