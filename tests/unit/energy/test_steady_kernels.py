"""What steady runs are, and their sums; property tests compare them with the general way."""

import numpy as np
import pytest

from historian.energy import steady_kernels
from historian.energy.steady_kernels import Grid


@pytest.mark.parametrize(
    ("times", "is_on_grid"),
    [
        ([], True),
        ([5, 15, 25], True),
        ([-5, 15, 45, 145], True),
        ([6, 16], False),
        ([5, 15, 26], False),
        ([5, 46, 56], False),
    ],
)
def test_a_grid_has_holes_but_no_steps_of_its_own(times: list[int], is_on_grid: bool) -> None:
    assert steady_kernels.is_on_grid(np.array(times, np.int64), 5, 10) is is_on_grid


def test_scaled_sums_and_extremes() -> None:
    values = np.array([0.1, -0.25, 3.0])
    assert steady_kernels.sum_scaled(values, 100.0) == (True, 285, 300, -25)
    assert not steady_kernels.sum_scaled(values, 10.0)[0]
    assert not steady_kernels.sum_scaled(np.array([2.0**52]), 1.0)[0]
    assert not steady_kernels.sum_scaled(np.array([np.inf]), 1.0)[0]


def test_the_first_number_of_digits_that_fits_is_found() -> None:
    assert steady_kernels.find_exponent(np.array([0.125, 7.0]), 0) == 3
    assert steady_kernels.find_exponent(np.array([1 / 3]), 0) == -1


def test_a_sum_has_no_common_divisor_and_fits() -> None:
    assert steady_kernels.reduced(6, 6, 2, 9) == (4, 4, 3)
    assert steady_kernels.reduced(6, 3, 1, 9) == (2, 1, 3)
    assert steady_kernels.reduced(1 << 40, 1, 1 << 40, 3) == (0, 0, 0)


def test_a_scale_is_for_energy_and_for_the_mean_of_one_sample() -> None:
    scale = np.zeros(4, np.int64)
    grid = Grid(900, 900, 1, 4)  # a quarter of an hour
    assert steady_kernels.scale_of(1, 0, 80, 1, grid, scale)
    assert scale.tolist() == [2, 1, 8, 1]  # kW: 80 × 0.1 × ¼ h, and 80 × 0.1
    assert steady_kernels.scale_of(1, 1, 80, 1, grid, scale)
    assert scale.tolist() == [8, 1, 32, 1]  # kWh: 80 × 0.1, and that over a quarter
    assert not steady_kernels.scale_of(9, 0, 1, 1 << 40, grid, scale)


def test_the_end_of_a_day_is_found_behind_gaps() -> None:
    time = np.array([0, 10, 40, 50, 60], np.int64)
    assert [steady_kernels.end_of_day(time, 0, 5, end, 10) for end in (0, 10, 40, 45, 60, 100)] == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]
