"""Kernels over cells: one cell a (point, day), 256 points × 32 days to a frame.

A question addresses points by the row of `frames` that holds the frames of their group, one for each window of
days, and by their row in those frames: ``cells.x[frames[group, (day >> 5) - first_window], (row << 5) | (day & 31)]``.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy.steady_kernels import Figures
from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]
U32 = npt.NDArray[np.uint32]
U8 = npt.NDArray[np.uint8]

POINT_BITS: Final = 8
DAY_BITS: Final = 5
DAY_MASK: Final = (1 << DAY_BITS) - 1
CELL_COUNT: Final = 1 << (POINT_BITS + DAY_BITS)
KEY_DAY_BITS: Final = 22  # as in day_key

_NO_SLOT: Final = 255  # as in steady_kernels

# What is known of a cell.
UNKNOWN: Final = 0
FIGURE: Final = 1
NOTHING: Final = 2  # it was looked for, and nothing is known of the day

# What became of a figure that was made.
SAME: Final = 0
CHANGED: Final = 1
REPLACED: Final = 2  # changed, and the version before was told as that of a day that was over
EMPTY: Final = 3
RENAMED: Final = 5  # the same figures, under another definition
UNSURE: Final = 4  # not for kernels: wide sums, or another definition before


class Cells(NamedTuple):
    """Columns of (frame, cell); after the first two as in `FigureColumns`."""

    state: U8
    definition: I32
    total_numerator: I64
    ranked_numerator: I64
    denominator: I64
    known_us: I64
    ranked_us: I64
    max_value: F64
    min_value: F64
    max_slot: U8
    min_slot: U8
    received: U32
    good: U32
    measured: U32
    estimated: U32
    manual: U32
    is_complete: U8
    input_digest: I64
    revision: U32
    computed_at_us: I64


class Place(NamedTuple):
    """Where the cells of some points and days are."""

    frames: I32
    group: I64
    row: I64
    first_window: int


@njit(cache=True, nogil=True)
def count_wrong(state: U8, definition: I32, place: Place, first_day: int, day_count: int, wanted: I32) -> int:
    """How many (point, day) hold neither a figure nor the knowledge of nothing, of the definition wanted."""
    count, last_day = 0, first_day + day_count
    flat_state, flat_definition = state.reshape(-1), definition.reshape(-1)
    for p in range(len(place.group)):
        for window in range(first_day >> DAY_BITS, ((last_day - 1) >> DAY_BITS) + 1):
            low, high = max(first_day, window << DAY_BITS), min(last_day, (window + 1) << DAY_BITS)
            first = np.int64(place.frames[place.group[p], window - place.first_window]) * CELL_COUNT
            first += (place.row[p] << DAY_BITS) | (low & DAY_MASK)
            for c in range(np.uintp(high - low)):  # unsigned and without a branch: many are looked at at once
                cell = np.uintp(first) + c
                count += int((flat_state[cell] == UNKNOWN) | (flat_definition[cell] != wanted[p]))
    return count


@njit(cache=True, nogil=True)
def find_wrong(state: U8, definition: I32, place: Place, first_day: int, wanted: I32, is_wrong: U8) -> int:
    """Mark those that `count_wrong` counts."""
    count = count_wrong(state, definition, place, first_day, is_wrong.shape[1], wanted)
    for p in range(len(place.group) if count else 0):
        for d in range(is_wrong.shape[1]):
            day = first_day + d
            frame = place.frames[place.group[p], (day >> DAY_BITS) - place.first_window]
            cell = (place.row[p] << DAY_BITS) | (day & DAY_MASK)
            if state[frame, cell] == UNKNOWN or definition[frame, cell] != wanted[p]:
                is_wrong[p, d] = 1
    return count


@njit(cache=True, nogil=True)
def mark_dirty(keys: I64, point_id: I64, first_day: int, is_wrong: U8) -> int:
    """Mark the (point, day) whose key is among the ascending `keys`; returns how many were found."""
    count = 0
    for p in range(len(point_id)):
        low = (point_id[p] << KEY_DAY_BITS) | first_day
        i = np.searchsorted(keys, low)
        while i < len(keys) and keys[i] < low + is_wrong.shape[1]:
            is_wrong[p, keys[i] - low] = 1
            count += 1
            i += 1
    return count


@njit(cache=True, nogil=True)
def judge(
    figures: Figures, is_made: U8, place: Place, day: I64, day_end_us: I64, wanted: I32, cells: Cells,
    verdict: U8, revision: U32,
) -> None:  # fmt: skip
    """What each made figure of (point, day) is beside the kept one, and the revision it would get."""
    for p in range(is_made.shape[0]):
        for d in range(is_made.shape[1]):
            verdict[p, d] = SAME
            if is_made[p, d] == 0:
                continue
            frame = place.frames[place.group[p], (day[d] >> DAY_BITS) - place.first_window]
            cell = (place.row[p] << DAY_BITS) | (day[d] & DAY_MASK)
            is_empty = figures.known_us[p, d] == 0 and figures.received[p, d] == 0
            revision[p, d] = 1
            if cells.state[frame, cell] != FIGURE:
                verdict[p, d] = EMPTY if is_empty else CHANGED
                continue
            revision[p, d] = cells.revision[frame, cell] + 1
            if (
                cells.definition[frame, cell] != wanted[p]
                or cells.denominator[frame, cell] == 0
                or figures.denominator[p, d] == 0
            ):
                verdict[p, d] = UNSURE
            elif not (
                figures.total_numerator[p, d] == cells.total_numerator[frame, cell]
                and figures.ranked_numerator[p, d] == cells.ranked_numerator[frame, cell]
                and figures.denominator[p, d] == cells.denominator[frame, cell]
                and figures.known_us[p, d] == cells.known_us[frame, cell]
                and figures.ranked_us[p, d] == cells.ranked_us[frame, cell]
                and figures.max_slot[p, d] == cells.max_slot[frame, cell]
                and figures.min_slot[p, d] == cells.min_slot[frame, cell]
                and (
                    figures.max_value[p, d] == cells.max_value[frame, cell]
                    or figures.max_slot[p, d] == _NO_SLOT
                )
                and (
                    figures.min_value[p, d] == cells.min_value[frame, cell]
                    or figures.min_slot[p, d] == _NO_SLOT
                )
                and figures.received[p, d] == cells.received[frame, cell]
                and figures.good[p, d] == cells.good[frame, cell]
                and figures.measured[p, d] == cells.measured[frame, cell]
                and figures.estimated[p, d] == cells.estimated[frame, cell]
                and figures.manual[p, d] == cells.manual[frame, cell]
                and figures.is_complete[p, d] == cells.is_complete[frame, cell]
                and figures.input_digest[p, d] == cells.input_digest[frame, cell]
            ):  # spelt out here: handing the tuples on would count references of each column
                is_over = cells.computed_at_us[frame, cell] >= day_end_us[d]
                verdict[p, d] = REPLACED if is_over else CHANGED


@njit(cache=True, nogil=True)
def set_state(
    place: Place, day: I64, chosen: U8, state_to: int, wanted: I32, state: U8, definition: I32
) -> None:
    """Set the state and definition of the chosen (point, day)."""
    for p in range(chosen.shape[0]):
        for d in range(chosen.shape[1]):
            if chosen[p, d]:
                frame = place.frames[place.group[p], (day[d] >> DAY_BITS) - place.first_window]
                cell = (place.row[p] << DAY_BITS) | (day[d] & DAY_MASK)
                state[frame, cell] = state_to
                definition[frame, cell] = wanted[p]


@njit(cache=True, nogil=True)
def put_rows(
    frame: I32, cell: I64, definition: I32, figures: Figures, revision: U32, computed_at_us: I64, cells: Cells
) -> None:
    """Put figures, here columns of one row each, into their cells, where the cell has no higher revision."""
    for i in range(len(frame)):
        f, c = frame[i], cell[i]
        if cells.state[f, c] == FIGURE and cells.revision[f, c] > revision[i]:
            continue
        cells.state[f, c] = FIGURE
        cells.definition[f, c] = definition[i]
        cells.total_numerator[f, c] = figures.total_numerator[i]
        cells.ranked_numerator[f, c] = figures.ranked_numerator[i]
        cells.denominator[f, c] = figures.denominator[i]
        cells.known_us[f, c] = figures.known_us[i]
        cells.ranked_us[f, c] = figures.ranked_us[i]
        cells.max_value[f, c] = figures.max_value[i]
        cells.min_value[f, c] = figures.min_value[i]
        cells.max_slot[f, c] = figures.max_slot[i]
        cells.min_slot[f, c] = figures.min_slot[i]
        cells.received[f, c] = figures.received[i]
        cells.good[f, c] = figures.good[i]
        cells.measured[f, c] = figures.measured[i]
        cells.estimated[f, c] = figures.estimated[i]
        cells.manual[f, c] = figures.manual[i]
        cells.is_complete[f, c] = figures.is_complete[i]
        cells.input_digest[f, c] = figures.input_digest[i]
        cells.revision[f, c] = revision[i]
        cells.computed_at_us[f, c] = computed_at_us[i]
