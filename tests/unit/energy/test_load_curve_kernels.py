"""The kernels equal their plain-Python twins."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from historian.energy import load_curve_kernels
from historian.model import quality

I64 = npt.NDArray[np.int64]

DAY_TICKS = 86_400_000_000
LARGEST = 2**51


def plain_integrals(
    periods: list[tuple[int, int]], powers: list[int], edges: list[int]
) -> tuple[list[int], list[int]]:
    sums, covered = [0] * (len(edges) - 1), [0] * (len(edges) - 1)
    for (start, end), power in zip(periods, powers, strict=True):
        for slot in range(len(sums)):
            overlap = max(0, min(end, edges[slot + 1]) - max(start, edges[slot]))
            sums[slot] += power * overlap
            covered[slot] += overlap
    return sums, covered


def plain_shares(
    periods: list[tuple[int, int]], amounts: list[int], grid: int, edges: list[int]
) -> tuple[list[int], list[int]]:
    sums, covered = [0] * (len(edges) - 1), [0] * (len(edges) - 1)
    for (start, end), amount in zip(periods, amounts, strict=True):
        for slot in range(len(sums)):
            low, high = max(start, edges[slot]), min(end, edges[slot + 1])
            if low < high:
                before, after = (
                    round(float(amount * grid) * ((edge - start) / (end - start))) for edge in (low, high)
                )
                sums[slot] += after - before
                covered[slot] += high - low
    return sums, covered


def kernel_sums(
    name: str, periods: list[tuple[int, int]], values: list[int], edges: list[int], grid: int = 1
) -> tuple[list[int], list[int]]:
    start, end = (np.array([period[side] for period in periods], np.int64) for side in (0, 1))
    high, low, covered = (np.zeros(len(edges) - 1, np.int64) for _ in range(3))
    column = np.array(values, np.int64)
    if name == "integrate_power":
        load_curve_kernels.integrate_power(start, end, column, np.array(edges), high, low, covered)
    else:
        load_curve_kernels.spread_amounts(start, end, column, grid, np.array(edges), high, low, covered)
    sums = [
        (upper << load_curve_kernels.HALF_BITS) + lower
        for upper, lower in zip(high.tolist(), low.tolist(), strict=True)
    ]
    return sums, covered.tolist()


CASES = [
    pytest.param([], [0, 10, 20], id="nothing"),
    pytest.param([(0, 10), (10, 20)], [0, 10, 20], id="one period a slot"),
    pytest.param([(0, 5), (5, 7), (12, 20)], [0, 10, 20], id="several and a gap"),
    pytest.param([(-7, 3), (3, 26)], [0, 10, 20], id="beyond both ends"),
    pytest.param([(-100, 100)], [0, 10, 20, 27], id="one over all"),
    pytest.param([(15, 16)], [0, 10, 20, 30], id="only the middle slot"),
    pytest.param([(0, DAY_TICKS)], [0, DAY_TICKS], id="a day in microseconds"),
]
VALUES = [[3, -5, 7], [LARGEST, -LARGEST, LARGEST]]


@pytest.mark.parametrize("values", VALUES, ids=["small", "largest"])
@pytest.mark.parametrize(("periods", "edges"), CASES)
def test_integrals_equal_the_plain_sum(
    periods: list[tuple[int, int]], edges: list[int], values: list[int]
) -> None:
    powers = values[: len(periods)]
    assert kernel_sums("integrate_power", periods, powers, edges) == plain_integrals(periods, powers, edges)


@pytest.mark.parametrize("grid", [1, 2, 4])
@pytest.mark.parametrize(("periods", "edges"), CASES)
def test_shares_equal_the_plain_shares(periods: list[tuple[int, int]], edges: list[int], grid: int) -> None:
    amounts = [3, -5, 7][: len(periods)]
    found = kernel_sums("spread_amounts", periods, amounts, edges, grid)
    assert found == plain_shares(periods, amounts, grid, edges)


def test_shares_add_up_to_the_whole() -> None:
    edges = list(range(-30, 60, 7))
    sums, _ = kernel_sums("spread_amounts", [(-20, 41)], [1_000_003], edges)
    assert sum(sums) == 1_000_003
    exact = Fraction(1_000_003 * 7, 61)
    assert all(abs(share - exact) <= 1 for share in sums[2:-2])


def test_quality_of_a_slot_is_the_worst_it_holds() -> None:
    start, end = np.array([0, 5, 10]), np.array([5, 10, 20])
    qualities = np.array(
        [quality.GOOD | quality.MANUAL, quality.SUSPECT | quality.LATE, quality.ESTIMATED], np.uint16
    )
    worst, touched = np.full(3, quality.MISSING, np.uint16), np.zeros(3, np.uint8)
    load_curve_kernels.collect_quality(start, end, qualities, np.array([0, 10, 20, 30]), worst, touched)
    assert worst.tolist() == [quality.worst_of(qualities[:2]), quality.ESTIMATED, quality.MISSING]
    assert touched.tolist() == [1, 1, 0]
