"""Figures just made become the cells that folds read."""

import numpy as np
import pytest

from historian.energy import fleet
from historian.energy.steady_kernels import Figures
from historian.rollup import foreign_kernels, frames
from historian.rollup.figure_kernels import DAY_BITS, DAY_MASK, FIGURE, UNKNOWN, Cells, Place

FIRST_DAY = (23_000 << DAY_BITS) + 30  # the days lie in two windows
DAY_COUNT = 5
ROWS = np.array([2, 0])
BRIEF = {"total_numerator", "denominator", "known_us"}


def figures() -> Figures:
    made = fleet.empty_figures((2, DAY_COUNT))
    for number, column in enumerate(made):
        column[:] = np.arange(2 * DAY_COUNT).reshape(2, DAY_COUNT) + number
    made.known_us[0, 1] = made.received[0, 1] = made.known_us[1, 4] = 0
    return made


def place() -> Place:
    number = np.arange(3)
    return Place(np.array([[1, 0]], np.int32), np.zeros(3, np.int64), number + 253, FIRST_DAY >> DAY_BITS)


def value_of(cells: Cells, name: str, point: int, day: int) -> float:
    window = (FIRST_DAY + day >> DAY_BITS) - (FIRST_DAY >> DAY_BITS)
    cell = (253 + point << DAY_BITS) | (FIRST_DAY + day & DAY_MASK)
    return float(getattr(cells, name)[place().frames[0, window], cell])


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "sums"])
def test_what_is_told_is_put_where_it_belongs(is_whole: bool) -> None:
    cells, made = frames.make_cells(2), figures()
    foreign_kernels.put_made(made, ROWS, FIRST_DAY, place(), 77, is_whole, cells)
    for i, point in enumerate(ROWS.tolist()):
        for day in range(DAY_COUNT):
            is_told = (i, day) != (0, 1)
            assert value_of(cells, "state", point, day) == (FIGURE if is_told else UNKNOWN)
            for name in Figures._fields if is_whole else BRIEF:
                if is_told:
                    assert value_of(cells, name, point, day) == getattr(made, name)[i, day]
            if is_whole and is_told:
                assert value_of(cells, "computed_at_us", point, day) == 77
    assert (cells.state == FIGURE).sum() == 2 * DAY_COUNT - 1
