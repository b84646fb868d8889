"""Stretches of whole numbers, their places on a grid, and quotients in lowest terms."""

import numpy as np
import pytest

from historian.energy import packed_kernels, steady_kernels

SCALED = np.array([5, 3, -2, 3, 9, 9], np.int32)
MISSING = np.array([0, 11, 12, 15], np.uint32)


def test_a_stretch_has_sum_highest_and_lowest() -> None:
    assert packed_kernels.add_stretch(SCALED, 1, 4) == (4, 3, -2)
    assert packed_kernels.add_only(SCALED, 1, 4) == 4
    large = np.full(10, 2**31 - 1, np.int32)
    assert (
        packed_kernels.add_stretch(large, 0, 10)[0]
        == packed_kernels.add_only(large, 0, 10)
        == 10 * (2**31 - 1)
    )


@pytest.mark.parametrize(
    ("first", "wanted", "slot", "number"), [(0, 5, 10, 10), (0, 3, 10, 13), (1, -2, 11, 14), (0, 9, 10, 17)]
)
def test_missing_numbers_are_passed_over(first: int, wanted: int, slot: int, number: int) -> None:
    assert packed_kernels.number_of(SCALED, first, wanted, slot, MISSING, 1, 4) == number


@pytest.mark.parametrize("numerator", [1, 8, 3 * 10**9])
@pytest.mark.parametrize("denominator", [1, 4000, 7 * 2**30, 2**40])
@pytest.mark.parametrize("total", [0, 6, -4000, 123_456_789, 2**61])
def test_lowest_terms_are_those_of_steady_runs(total: int, numerator: int, denominator: int) -> None:
    steady = steady_kernels.reduced(total, total, numerator, denominator)
    found = packed_kernels.reduced(total, numerator, denominator)
    assert found[1] == steady[2]
    assert found[0] == steady[0]


def test_only_good_and_measured_samples_are_everyday() -> None:
    quality = np.array([0, 0, 32, 1, 128], np.uint16)
    assert packed_kernels.is_everyday(quality, 0, 3, 1)
    assert not packed_kernels.is_everyday(quality, 2, 2, 0)
    assert not packed_kernels.is_everyday(quality, 4, 1, 0)
    assert packed_kernels.is_everyday(quality, -1, 3, 32)
    assert not packed_kernels.is_everyday(quality, -1, 3, 4)
