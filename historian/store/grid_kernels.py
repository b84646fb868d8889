"""Kernels over the grid part of the ring: for each class of points one matrix, a row a slot, a column a point.

    slot    = (time - phase of the point) // interval of the class
    address = base of the class + (slot mod rows) x width + column of the point

All matrices lie in the same flat columns. A row belongs to one slot at a time, which `row_slot` names; the
marks of a row say which of its columns hold a sample and are cleared when the row is taken for a new slot.
A class holds the slots (head - rows, head].
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

Matrices = tuple[I64, I64, F64, U16, U8]  # class table, row_slot, value, quality, mark

NEVER: Final = -(1 << 62)  # no slot: lower than any, and a few rows less does not overflow

# Columns of the point table, which lies by point id. PHASE is -1 before the first sample. HIGHEST is not below
# the newest time stored anywhere. PLACE ≥ 0: class << 32 | column; -1: no room; else -2 - event row.
PHASE: Final = 0
HIGHEST: Final = 1
PLACE: Final = 2
FLOOR: Final = 3
POINT_COLUMNS: Final = 4

NO_ROOM: Final = -1

# Columns of the class table. RECENT_… is the row used last, so that a scan divides once.
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
CLASS_COLUMNS: Final = 10

COLUMN_MASK: Final = 0xFFFFFFFF


@njit(cache=True, nogil=True)
def take_row(table: I64, row_slot: I64, mark: U8, c: int, slot: int) -> int:
    """Address of column 0 of the slot's row, made ready for it; -1 where the class is past that slot."""
    rows = table[c, ROWS]
    if slot <= table[c, HEAD] - rows:
        return -1
    if slot > table[c, HEAD]:
        table[c, HEAD] = slot
    row = slot % rows
    width = table[c, WIDTH]
    start = table[c, BASE] + row * width
    at = table[c, ROW_BASE] + row
    if row_slot[at] != slot:
        if row_slot[at] != NEVER:
            mark[start : start + width] = 0
        row_slot[at] = slot
    return start


@njit(cache=True, nogil=True)
def find_row(table: I64, row_slot: I64, c: int, slot: int) -> int:
    """Address of column 0 of the slot's row, -1 where nothing of that slot is held."""
    row = slot % table[c, ROWS]
    if row_slot[table[c, ROW_BASE] + row] != slot:
        return -1
    return table[c, BASE] + row * table[c, WIDTH]


@njit(cache=True, nogil=True)
def find(point: I64, matrices: Matrices, p: int, time: int) -> int:
    """Address of a grid point's sample, -1 where it is not held."""
    table, row_slot, _, _, mark = matrices
    place = point[p, PLACE]
    c = place >> 32
    offset = time - point[p, PHASE]
    slot = offset // table[c, INTERVAL]
    if point[p, PHASE] < 0 or slot * table[c, INTERVAL] != offset:
        return -1
    start = find_row(table, row_slot, c, slot)
    if start < 0:
        return -1
    at = start + (place & COLUMN_MASK)
    return at if mark[at] else -1


@njit(cache=True, nogil=True)
def class_floor(point: I64, table: I64, p: int) -> int:
    """The time at or below which the class of a grid point has no row any more."""
    c = point[p, PLACE] >> 32
    if point[p, PHASE] < 0 or table[c, HEAD] == NEVER:
        return -9223372036854775808
    return point[p, PHASE] + (table[c, HEAD] - table[c, ROWS]) * table[c, INTERVAL]


@njit(cache=True, nogil=True)
def insert(
    ids: U32, times: I64, values: F64, qualities: U16, point: I64, matrices: Matrices, rest: I64
) -> int:
    """Put samples into their slots, newest arrival winning.

    Positions of samples that are not on their point's grid go to `rest`; returns how many.
    """
    table, row_slot, value, quality, mark = matrices
    rest_count = 0
    for i in range(len(ids)):
        p = ids[i]
        t = times[i]
        place = point[p, PLACE]
        if t > point[p, HIGHEST]:
            point[p, HIGHEST] = t
        if place < 0:
            rest[rest_count] = i
            rest_count += 1
            continue
        c = place >> 32
        phase = point[p, PHASE]
        if t == table[c, RECENT_TIME] and phase == table[c, RECENT_PHASE]:
            start = table[c, RECENT_START]
        else:
            interval = table[c, INTERVAL]
            if phase < 0:
                phase = t % interval
                point[p, PHASE] = phase
            slot = (t - phase) // interval
            if slot * interval != t - phase:
                rest[rest_count] = i
                rest_count += 1
                continue
            start = take_row(table, row_slot, mark, c, slot)
            table[c, RECENT_TIME] = t
            table[c, RECENT_PHASE] = phase
            table[c, RECENT_START] = start
        if start >= 0:
            at = start + (place & COLUMN_MASK)
            value[at] = values[i]
            quality[at] = qualities[i]
            mark[at] = 1
    return rest_count


@njit(cache=True, nogil=True)
def fill(p: int, times: I64, values: F64, qualities: U16, point: I64, matrices: Matrices) -> bool:
    """Put older samples of a grid point where nothing is; False at the first one that is not on the grid."""
    table, row_slot, value, quality, mark = matrices
    place = point[p, PLACE]
    c = place >> 32
    interval = table[c, INTERVAL]
    for i in range(len(times)):
        if point[p, PHASE] < 0:
            point[p, PHASE] = times[i] % interval
        offset = times[i] - point[p, PHASE]
        slot = offset // interval
        if slot * interval != offset:
            return False
        start = take_row(table, row_slot, mark, c, slot)
        if start < 0:
            continue
        at = start + (place & COLUMN_MASK)
        if mark[at] == 0:
            value[at] = values[i]
            quality[at] = qualities[i]
            mark[at] = 1
    return True


@njit(cache=True, nogil=True)
def slot_range(point: I64, table: I64, p: int, start: int, end: int) -> tuple[int, int]:
    """The slots [first, last) of ``[start, end)`` that the class of a grid point may hold."""
    c = point[p, PLACE] >> 32
    head = table[c, HEAD]
    phase = point[p, PHASE]
    if phase < 0 or head == NEVER:
        return 0, 0
    interval = table[c, INTERVAL]
    first = head - table[c, ROWS] + 1
    last = head + 1
    if start > phase + first * interval:
        first = -((phase - start) // interval)
    if end <= phase + head * interval:
        last = -((phase - end) // interval)
    return first, last


@njit(cache=True, nogil=True)
def count_between(point: I64, matrices: Matrices, p: int, start: int, end: int) -> int:
    """How many samples of a grid point in ``[start, end)`` are held."""
    table, row_slot, _, _, mark = matrices
    place = point[p, PLACE]
    first, last = slot_range(point, table, p, start, end)
    found = 0
    for slot in range(first, last):
        row = find_row(table, row_slot, place >> 32, slot)
        if row >= 0 and mark[row + (place & COLUMN_MASK)]:
            found += 1
    return found


@njit(cache=True, nogil=True)
def copy_between(
    point: I64, matrices: Matrices, p: int, start: int, end: int, to: tuple[I64, F64, U16], at: int
) -> int:
    """Copy the samples of a grid point in ``[start, end)``, by time; returns the position after the last."""
    table, row_slot, value, quality, mark = matrices
    place = point[p, PLACE]
    c = place >> 32
    first, last = slot_range(point, table, p, start, end)
    for slot in range(first, last):
        row = find_row(table, row_slot, c, slot)
        if row >= 0 and mark[row + (place & COLUMN_MASK)]:
            source = row + (place & COLUMN_MASK)
            to[0][at] = point[p, PHASE] + slot * table[c, INTERVAL]
            to[1][at] = value[source]
            to[2][at] = quality[source]
            at += 1
    return at


@njit(cache=True, nogil=True)
def move_rows(old: Matrices, new: Matrices) -> None:
    """Copy every row in use from matrices of another layout; row numbers stay the same."""
    old_table, old_row_slot, old_value, old_quality, old_mark = old
    new_table, new_row_slot, new_value, new_quality, new_mark = new
    for c in range(len(old_table)):
        width = old_table[c, WIDTH]
        for row in range(old_table[c, ROWS]):
            slot = old_row_slot[old_table[c, ROW_BASE] + row]
            new_row_slot[new_table[c, ROW_BASE] + row] = slot
            if slot == NEVER:
                continue
            source = old_table[c, BASE] + row * width
            to = new_table[c, BASE] + row * new_table[c, WIDTH]
            new_value[to : to + width] = old_value[source : source + width]
            new_quality[to : to + width] = old_quality[source : source + width]
            new_mark[to : to + width] = old_mark[source : source + width]
