"""Kernel that lays out figures just made as the cells that folds read."""

import numpy as np
import numpy.typing as npt

from historian.energy.steady_kernels import Figures
from historian.jit_kernels import njit
from historian.rollup.figure_kernels import CELL_COUNT, DAY_BITS, DAY_MASK, FIGURE, Cells, Place

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True)
def put_made(
    figures: Figures, row: I64, first_day: int, place: Place, computed_at_us: int, is_whole: bool, cells: Cells
) -> None:  # fmt: skip
    """Put figures of (point, day) into cells: point i of them is number ``row[i]`` of `place`.

    Days of which nothing is known are left as they are. Unless `is_whole`, only sums and states are put.
    """
    day_count = figures.known_us.shape[1]
    last_day = first_day + day_count
    received, known_us = figures.received.reshape(-1), figures.known_us.reshape(-1)
    total, denominator = figures.total_numerator.reshape(-1), figures.denominator.reshape(-1)
    to_state, to_known_us = cells.state.reshape(-1), cells.known_us.reshape(-1)
    to_total, to_denominator = cells.total_numerator.reshape(-1), cells.denominator.reshape(-1)
    for p in range(len(row)):
        for window in range(first_day >> DAY_BITS, ((last_day - 1) >> DAY_BITS) + 1):
            low, high = max(first_day, window << DAY_BITS), min(last_day, (window + 1) << DAY_BITS)
            f = int(place.frames[place.group[row[p]], window - place.first_window])
            first_cell = (place.row[row[p]] << DAY_BITS) | (low & DAY_MASK)
            a, b = np.uintp(f * CELL_COUNT + first_cell), np.uintp(p * day_count + low - first_day)
            for c in range(np.uintp(high - low)):
                is_told = (known_us[b + c] != 0) | (received[b + c] != 0)
                to_state[a + c] = FIGURE if is_told else to_state[a + c]
                to_total[a + c], to_denominator[a + c] = total[b + c], denominator[b + c]
                to_known_us[a + c] = known_us[b + c]
            if is_whole:
                _put_rest(figures, p, low - first_day, high - low, computed_at_us, cells, f, first_cell)


@njit(cache=True, nogil=True)
def _put_rest(
    figures: Figures, p: int, day: int, count: int, computed_at_us: int, cells: Cells, f: int, cell: int
) -> None:
    for c in range(cell, cell + count):
        cells.ranked_numerator[f, c] = figures.ranked_numerator[p, day]
        cells.ranked_us[f, c] = figures.ranked_us[p, day]
        cells.max_value[f, c], cells.min_value[f, c] = figures.max_value[p, day], figures.min_value[p, day]
        cells.max_slot[f, c], cells.min_slot[f, c] = figures.max_slot[p, day], figures.min_slot[p, day]
        cells.received[f, c], cells.good[f, c] = figures.received[p, day], figures.good[p, day]
        cells.measured[f, c], cells.estimated[f, c] = figures.measured[p, day], figures.estimated[p, day]
        cells.manual[f, c], cells.is_complete[f, c] = figures.manual[p, day], figures.is_complete[p, day]
        cells.input_digest[f, c] = figures.input_digest[p, day]
        cells.revision[f, c], cells.computed_at_us[f, c] = 0, computed_at_us
        day += 1
