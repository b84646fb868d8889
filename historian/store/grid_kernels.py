"""Kernels over the grid part of the ring: matrices of points of one interval, a row a slot, a column a point.

    slot    = (time - phase of the point) // interval of the matrix
    address = base of the matrix + (slot mod rows) x width + column of the point

All matrices lie in the same flat columns. A row belongs to one slot at a time, which `row_slot` names; the
marks of a row say which of its columns hold a sample and are cleared when the row is taken for a new slot.
A matrix holds the slots (head - rows, head].
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

Matrices = tuple[I64, I64, F64, U16, U8]  # matrix table, row_slot, value, quality, mark

Samples = tuple[I64, F64, U16]  # time, value, quality

BLOCK_POINTS: Final = 128  # read at once: as many streams as the first cache holds
LOWEST: Final = -9223372036854775808
HIGHEST: Final = 9223372036854775807
NEVER: Final = -(1 << 62)  # no slot: lower than any, and a few rows less does not overflow

# Columns of the point table, which lies by point id. PHASE is -1 before the first sample. NEWEST is the highest
# time ever put in. PLACE ≥ 0: matrix << 32 | column; -1: no room; else -2 - row of the event part.
PHASE: Final = 0
NEWEST: Final = 1
PLACE: Final = 2
FLOOR: Final = 3
POINT_COLUMNS: Final = 4

NO_ROOM: Final = -1

# Columns of the matrix table. RECENT_… is the row used last, so that a scan divides once and a series not at all.
INTERVAL: Final = 0
ROWS: Final = 1
WIDTH: Final = 2
BASE: Final = 3
ROW_BASE: Final = 4
HEAD: Final = 5
USED: Final = 6
RECENT_TIME: Final = 7
RECENT_PHASE: Final = 8
RECENT_START: Final = 9
RECENT_SLOT: Final = 10
RECENT_ROW: Final = 11
MATRIX_COLUMNS: Final = 12

OFF_GRID: Final = -2
COLUMN_MASK: Final = 0xFFFFFFFF

# The loops over samples hold what they do most of the time in themselves and call for the rest; what is called
# takes single columns. A tuple of columns handed on costs more than most of what is done with it.


@njit(cache=True, nogil=True)
def take_row(table: I64, row_slot: I64, mark: U8, m: int, slot: int, row: int) -> int:
    """Address of column 0 of the slot's row, made ready for it; -1 where the matrix is past that slot."""
    if slot <= table[m, HEAD] - table[m, ROWS]:
        return -1
    if slot > table[m, HEAD]:
        table[m, HEAD] = slot
    width = table[m, WIDTH]
    start = table[m, BASE] + row * width
    at = table[m, ROW_BASE] + row
    if row_slot[at] != slot:
        if row_slot[at] != NEVER:
            mark[start : start + width] = 0
        row_slot[at] = slot
    return int(start)


@njit(cache=True, nogil=True)
def take_row_at(table: I64, row_slot: I64, mark: U8, m: int, phase: int, time: int) -> int:
    """As `take_row`, by time; OFF_GRID where the time is on no slot. The row becomes the recent one."""
    interval = table[m, INTERVAL]
    slot = (time - phase) // interval
    if slot * interval != time - phase:
        return OFF_GRID
    row = slot % table[m, ROWS]
    start = take_row(table, row_slot, mark, m, slot, row)
    table[m, RECENT_TIME] = time
    table[m, RECENT_PHASE] = phase
    table[m, RECENT_START] = start
    table[m, RECENT_SLOT] = slot
    table[m, RECENT_ROW] = row
    return start


@njit(cache=True, nogil=True)
def find_row(table: I64, row_slot: I64, m: int, slot: int) -> int:
    """Address of column 0 of the slot's row, -1 where nothing of that slot is held.

    A row that the matrix is past keeps its slot until it is taken again, but no newer versions: it does not count.
    """
    row = slot % table[m, ROWS]
    if row_slot[table[m, ROW_BASE] + row] != slot or slot <= table[m, HEAD] - table[m, ROWS]:
        return -1
    return int(table[m, BASE] + row * table[m, WIDTH])


@njit(cache=True, nogil=True)
def find_row_at(table: I64, row_slot: I64, m: int, phase: int, time: int) -> int:
    """As `find_row`, by time."""
    slot = (time - phase) // table[m, INTERVAL]
    if slot * table[m, INTERVAL] != time - phase:
        return -1
    return find_row(table, row_slot, m, slot)


@njit(cache=True, nogil=True)
def matrix_floor(table: I64, m: int, phase: int) -> int:
    """The time at or below which a matrix has no row any more for points of that phase."""
    if phase < 0 or table[m, HEAD] == NEVER:
        return LOWEST
    return int(phase + (table[m, HEAD] - table[m, ROWS]) * table[m, INTERVAL])


@njit(cache=True, nogil=True)
def insert(
    ids: U32,
    times: I64,
    values: F64,
    qualities: U16,
    is_replacing: bool,
    point: I64,
    matrices: Matrices,
    rest: I64,
) -> int:
    """Put samples into their slots; what a slot holds already stays unless `is_replacing`.

    Positions of samples that are not on their point's grid go to `rest`; returns how many.
    """
    table, row_slot, value, quality, mark = matrices
    rest_count = 0
    for i in range(len(ids)):
        p = ids[i]
        t = times[i]
        place = point[p, PLACE]
        if t > point[p, NEWEST]:
            point[p, NEWEST] = t
        start = OFF_GRID
        if place >= 0:
            m = place >> 32
            phase = point[p, PHASE]
            step = t - table[m, RECENT_TIME]
            row = table[m, RECENT_ROW] + 1
            if step == 0 and phase == table[m, RECENT_PHASE]:
                start = table[m, RECENT_START]
            elif (
                step == table[m, INTERVAL]
                and phase == table[m, RECENT_PHASE]
                and row < table[m, ROWS]
                and row_slot[table[m, ROW_BASE] + row] == table[m, RECENT_SLOT] + 1
            ):
                start = table[m, BASE] + row * table[m, WIDTH]
                table[m, RECENT_TIME] = t
                table[m, RECENT_START] = start
                table[m, RECENT_SLOT] += 1
                table[m, RECENT_ROW] = row
            else:
                if phase < 0:
                    phase = t % table[m, INTERVAL]
                    point[p, PHASE] = phase
                start = take_row_at(table, row_slot, mark, m, phase, t)
        if start >= 0:
            at = start + (place & COLUMN_MASK)
            if is_replacing or mark[at] == 0:
                value[at] = values[i]
                quality[at] = qualities[i]
                mark[at] = 1
        elif start == OFF_GRID:
            rest[rest_count] = i
            rest_count += 1
    return rest_count


@njit(cache=True, nogil=True)
def slot_range(table: I64, m: int, phase: int, start: int, end: int) -> tuple[int, int]:
    """The slots [first, last) of ``[start, end)`` that a matrix may hold of points of that phase."""
    head = table[m, HEAD]
    if phase < 0 or head == NEVER:
        return 0, 0
    interval = table[m, INTERVAL]
    first = head - table[m, ROWS] + 1
    last = head + 1
    if start > phase + first * interval:
        first = -((phase - start) // interval)
    if end <= phase + head * interval:
        last = -((phase - end) // interval)
    return first, last


@njit(cache=True, nogil=True)
def stretch_end(ids: U32, first: int, point: I64) -> int:
    """The end of the grid points from `first` on that share matrix and phase: BLOCK_POINTS at most."""
    place = point[ids[first], PLACE]
    end = first + 1
    while (
        end < len(ids)
        and end - first < BLOCK_POINTS
        and point[ids[end], PLACE] >= 0
        and point[ids[end], PLACE] >> 32 == place >> 32
        and point[ids[end], PHASE] == point[ids[first], PHASE]
    ):
        end += 1
    return end


@njit(cache=True, nogil=True)
def count_between(ids: U32, point: I64, matrices: Matrices, start: int, end: int, count: I64) -> None:
    """For points of one matrix and phase: add up how many samples each has in ``[start, end)``."""
    table, row_slot, _, _, mark = matrices
    m = point[ids[0], PLACE] >> 32
    column = np.empty(len(ids), np.int64)
    for i in range(len(ids)):
        column[i] = point[ids[i], PLACE] & COLUMN_MASK
    first, last = slot_range(table, m, point[ids[0], PHASE], start, end)
    for slot in range(first, last):
        row = find_row(table, row_slot, m, slot)
        if row >= 0:
            for i in range(len(ids)):
                count[i] += mark[row + column[i]]


@njit(cache=True, nogil=True)
def copy_between(
    ids: U32, point: I64, matrices: Matrices, start: int, end: int, offset: I64, to: Samples
) -> None:
    """For points of one matrix and phase: copy the samples in ``[start, end)``, those of point i from offset[i] on.

    Row by row, so that what lies together is read together.
    """
    table, row_slot, value, quality, mark = matrices
    to_time, to_value, to_quality = to
    m = point[ids[0], PLACE] >> 32
    phase = point[ids[0], PHASE]
    column = np.empty(len(ids), np.int64)
    into = np.empty(len(ids), np.int64)
    for i in range(len(ids)):
        column[i] = point[ids[i], PLACE] & COLUMN_MASK
        into[i] = offset[i]
    first, last = slot_range(table, m, point[ids[0], PHASE], start, end)
    for slot in range(first, last):
        row = find_row(table, row_slot, m, slot)
        if row < 0:
            continue
        time = phase + slot * table[m, INTERVAL]
        for i in range(len(ids)):
            at = row + column[i]
            if mark[at] != 0:
                k = into[i]
                to_time[k] = time
                to_value[k] = value[at]
                to_quality[k] = quality[at]
                into[i] = k + 1


@njit(cache=True, nogil=True)
def move_rows(old: Matrices, new: Matrices) -> None:
    """Copy every row in use to longer columns, at the same addresses; what was never used stays untouched."""
    table, row_slot, old_value, old_quality, old_mark = old
    _, _, new_value, new_quality, new_mark = new
    for m in range(len(table)):
        for row in range(table[m, ROWS]):
            start = table[m, BASE] + row * table[m, WIDTH]
            end = start + table[m, USED]
            if row_slot[table[m, ROW_BASE] + row] != NEVER:
                new_value[start:end] = old_value[start:end]
                new_quality[start:end] = old_quality[start:end]
                new_mark[start:end] = old_mark[start:end]
