"""What is asked for most, out of the cells of day figures: energies of single days, and one side of the extremes.

Cells of a point lie beside each other, 32 days to a frame, so inner loops run along them without a branch. Columns
come flat, one frame after the other; no loop over points makes slices of them: each would count references.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.rollup.figure_kernels import CELL_COUNT, DAY_BITS, DAY_MASK, FIGURE, Place

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

_EXACT_WHOLE: Final = 1 << 53
_NO_SLOT: Final = 255


@njit(cache=True, nogil=True, error_model="numpy")
def fold_single_days(
    place: Place, first_day: int, day_count: int, is_summed: U8,
    state: U8, total: I64, denominator: I64, known_us: I64, rows: I64, energy: F64,
) -> bool:  # fmt: skip
    """As `period_kernels.fold_energy` where every period is one day; False where that must have the word."""
    last_day = first_day + day_count
    odd_count = 0
    for p in range(len(place.group)):
        for window in range(first_day >> DAY_BITS, ((last_day - 1) >> DAY_BITS) + 1):
            low, high = max(first_day, window << DAY_BITS), min(last_day, (window + 1) << DAY_BITS)
            a = np.int64(place.frames[place.group[p], window - place.first_window]) * CELL_COUNT
            a += (place.row[p] << DAY_BITS) | (low & DAY_MASK)
            i = rows[p] + low - first_day
            for c in range(np.uintp(high - low)):  # unsigned: no look whether a place counts from the end
                cell = np.uintp(a) + c
                is_there = state[cell] == FIGURE
                numerator, divisor = total[cell], denominator[cell]
                is_large = (numerator <= -_EXACT_WHOLE) | (numerator >= _EXACT_WHOLE)
                is_large |= (divisor <= 0) | (divisor >= _EXACT_WHOLE)
                odd_count += int(is_there & is_large)
                quotient = np.float64(numerator) / np.float64(divisor)
                is_told = is_there & (known_us[cell] != 0) & (is_summed[p] != 0)
                energy[np.uintp(i) + c] = quotient if is_told else np.nan
    return odd_count == 0


@njit(cache=True, nogil=True)
def fold_extreme(
    place: Place, zone: I64, day_edge_us: I64, first_day: int, period_first: I64, block_us: I64, sign: float,
    state: U8, slot: U8, value: F64, rows: I64, out_value: F64, out_start_us: I64, out_end_us: I64,
) -> None:  # fmt: skip
    """Maximum (sign 1) or minimum (sign -1) with its slot, the first where several are equal.

    ``day_edge_us[zone[p], d]`` is where day ``first_day + d`` begins; see `period_kernels.Calendar`.
    """
    for p in range(len(place.group)):
        for k in range(len(period_first) - 1):
            begin, end = first_day + period_first[k], first_day + period_first[k + 1]
            highest, best_cell, best_day = -np.inf, 0, -1
            for window in range(begin >> DAY_BITS, ((end - 1) >> DAY_BITS) + 1):
                low, high = max(begin, window << DAY_BITS), min(end, (window + 1) << DAY_BITS)
                a = np.int64(place.frames[place.group[p], window - place.first_window]) * CELL_COUNT
                a += (place.row[p] << DAY_BITS) | (low & DAY_MASK)
                before = highest
                for c in range(np.uintp(high - low)):
                    cell = np.uintp(a) + c
                    one = value[cell] * sign
                    one = one if (state[cell] == FIGURE) & (slot[cell] != _NO_SLOT) else -np.inf
                    highest = one if one > highest else highest
                if highest > before:
                    best_cell, best_day = a, low
            i = rows[p] + k
            out_value[i], out_start_us[i], out_end_us[i] = np.nan, -1, -1
            if best_day >= 0:
                c = best_cell
                while state[c] != FIGURE or slot[c] == _NO_SLOT or value[c] * sign != highest:
                    c += 1
                d = best_day + c - best_cell - first_day
                start_us = day_edge_us[zone[p], d] + slot[c] * block_us[p]
                out_value[i], out_start_us[i] = value[c], start_us
                out_end_us[i] = min(start_us + block_us[p], day_edge_us[zone[p], d + 1])
