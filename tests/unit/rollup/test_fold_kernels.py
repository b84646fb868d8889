"""Folds of what is asked for most say what the plain way says."""

import numpy as np
import pytest

from historian.rollup import fold_kernels, frames, period_kernels
from historian.rollup.figure_kernels import DAY_BITS, DAY_MASK, FIGURE, Cells, Place
from historian.rollup.period_kernels import Calendar, Periods

POINT_COUNT, DAY_COUNT = 40, 45
FIRST_DAY = (23_000 << DAY_BITS) + 20  # so that the days lie in three windows
DAY_US, BLOCK_US = 86_400_000_000, 900_000_000
ROWS = np.arange(POINT_COUNT, dtype=np.int64)


def some_cells(seed: int) -> Cells:
    random = np.random.default_rng(seed)
    cells = frames.make_cells(3)
    shape = cells.state.shape
    cells.state[:] = random.integers(0, 3, shape)
    cells.total_numerator[:] = random.integers(-(10**9), 10**9, shape)
    cells.denominator[:] = random.choice([1, 4, 4000], shape)
    cells.known_us[:] = random.choice([0, DAY_US], shape, p=[0.1, 0.9])
    for value, slot in ((cells.max_value, cells.max_slot), (cells.min_value, cells.min_slot)):
        slot[:] = random.choice([0, 7, 95, 255], shape)
        value[:] = np.where(slot == 255, np.nan, random.integers(-3, 3, shape))
    return cells


def place() -> Place:
    """All points in the frames of one group."""
    return Place(
        np.array([[2, 0, 1]], np.int32), np.zeros(POINT_COUNT, np.int64), ROWS + 200, FIRST_DAY >> DAY_BITS
    )


def cell_of(point: int, day: int) -> tuple[int, int]:
    """Frame and cell."""
    ordinal = FIRST_DAY + day
    frame = int(place().frames[0, (ordinal >> DAY_BITS) - (FIRST_DAY >> DAY_BITS)])
    return frame, ((200 + point) << DAY_BITS) | (ordinal & DAY_MASK)


def energies(cells: Cells, summed: np.ndarray) -> tuple[bool, np.ndarray]:
    energy = np.empty(POINT_COUNT * DAY_COUNT)
    is_done = fold_kernels.fold_single_days(
        place(), FIRST_DAY, DAY_COUNT, summed, cells.state.reshape(-1), cells.total_numerator.reshape(-1),
        cells.denominator.reshape(-1), cells.known_us.reshape(-1), ROWS * DAY_COUNT, energy,
    )  # fmt: skip
    return is_done, energy


def test_energies_of_single_days_are_those_of_any_periods() -> None:
    cells, summed = some_cells(1), (ROWS % 5 != 0).astype(np.uint8)
    days = np.arange(DAY_COUNT + 1, dtype=np.int64)
    edges = days[np.newaxis] * DAY_US
    calendar = Calendar(
        np.zeros(POINT_COUNT, np.int64), edges, FIRST_DAY, days, edges[:, :-1].copy(), edges[:, 1:].copy(),
        np.ones((1, DAY_COUNT), np.int64), 0,
    )  # fmt: skip
    whole = {name: np.empty(0, np.int64) for name in Periods._fields}
    floats = {name: np.empty(0) for name in ("mean", "load_factor", "max_value", "min_value")}
    count = POINT_COUNT * DAY_COUNT
    small = {"state": np.empty(0, np.uint8), "is_done": np.ones(count, np.uint8)}
    out = Periods(**whole | floats | small | {"energy": np.empty(count)})
    period_kernels.fold_energy(place(), calendar, summed, cells, ROWS * DAY_COUNT, out)
    is_done, energy = energies(cells, summed)
    assert is_done
    np.testing.assert_array_equal(energy, out.energy)
    assert 100 < np.isnan(energy).sum() < count - 100


@pytest.mark.parametrize(
    ("numerator", "denominator"), [(1 << 53, 1), (-(1 << 53), 1), (1, 1 << 53), (0, 0)], ids=str
)
def test_sums_that_a_float_does_not_hold_are_left(numerator: int, denominator: int) -> None:
    cells = some_cells(2)
    cell = cell_of(POINT_COUNT - 1, DAY_COUNT - 1)
    cells.total_numerator[cell], cells.denominator[cell] = numerator, denominator
    cells.state[cell] = FIGURE
    assert not energies(cells, np.ones(POINT_COUNT, np.uint8))[0]
    cells.state[cell] = FIGURE + 1
    assert energies(cells, np.ones(POINT_COUNT, np.uint8))[0]


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["maximum", "minimum"])
@pytest.mark.parametrize("bounds", [[0, 45], [0, 12, 13, 45]], ids=["one period", "three periods"])
def test_an_extreme_is_the_first_of_the_greatest(sign: float, bounds: list[int]) -> None:
    cells = some_cells(3)
    slot, value = (cells.max_slot, cells.max_value) if sign > 0 else (cells.min_slot, cells.min_value)
    cells.state[:, ((200 + 3) << DAY_BITS) : ((200 + 4) << DAY_BITS)] = 0  # one that has none
    period_count = len(bounds) - 1
    found = (
        np.empty(POINT_COUNT * period_count),
        *(np.empty(POINT_COUNT * period_count, np.int64) for _ in range(2)),
    )
    edges = np.arange(DAY_COUNT + 1, dtype=np.int64)[np.newaxis] * DAY_US
    edges[0, 30:] -= 23 * 3_600_000_000  # a day that is shorter than its last slots
    fold_kernels.fold_extreme(
        place(), np.zeros(POINT_COUNT, np.int64), edges, FIRST_DAY, np.array(bounds, np.int64),
        np.full(POINT_COUNT, BLOCK_US), sign, cells.state.reshape(-1), slot.reshape(-1), value.reshape(-1),
        ROWS * period_count, *found,
    )  # fmt: skip
    for point in range(POINT_COUNT):
        for k in range(period_count):
            days = range(bounds[k], bounds[k + 1])
            told = [day for day in days if cells.state[cell_of(point, day)] == FIGURE]
            told = [day for day in told if slot[cell_of(point, day)] != 255]
            expected: tuple[float, int, int] = (np.nan, -1, -1)
            if told:
                best = max(told, key=lambda day: (sign * value[cell_of(point, day)], -day))
                start_us = int(edges[0, best]) + int(slot[cell_of(point, best)]) * BLOCK_US
                end_us = min(start_us + BLOCK_US, int(edges[0, best + 1]))
                expected = float(value[cell_of(point, best)]), start_us, end_us
            np.testing.assert_array_equal([column[point * period_count + k] for column in found], expected)
