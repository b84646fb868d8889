"""Kernels over both parts of the ring: what is asked of a point, whichever part holds it."""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from historian.store import event_kernels, grid_kernels
from historian.store.event_kernels import Circles
from historian.store.grid_kernels import FLOOR, HIGHEST, PLACE, Matrices

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ABSENT: Final = 0  # surely not stored, and not twice in the batch
PRESENT: Final = 1  # in the ring; value and quality were given back
ELSEWHERE: Final = 2  # at or below the floor and not in the ring: ask the unsealed batches and segments
REPEATED: Final = 3  # not above an earlier sample of the batch: needs a look at the whole batch


@njit(cache=True, nogil=True)
def find(point: I64, matrices: Matrices, circles: Circles, p: int, time: int) -> int:
    """Address of a sample in the part that holds its point, -1 where it is not held."""
    place = point[p, PLACE]
    if place >= 0:
        return grid_kernels.find(point, matrices, p, time)
    if place == grid_kernels.NO_ROOM:
        return -1
    return event_kernels.find(circles, -2 - place, time)


@njit(cache=True, nogil=True)
def floor_of(point: I64, matrices: Matrices, circles: Circles, p: int) -> int:
    """Every stored sample of the point later than this is in the ring."""
    place = point[p, PLACE]
    if place >= 0:
        return max(point[p, FLOOR], grid_kernels.class_floor(point, matrices[0], p))
    if place == grid_kernels.NO_ROOM:
        return point[p, FLOOR]
    return max(point[p, FLOOR], circles[0][4][-2 - place])


@njit(cache=True, nogil=True)
def floors(ids: U32, point: I64, matrices: Matrices, circles: Circles, floor: I64) -> None:
    """The floor of each id."""
    for i in range(len(ids)):
        floor[i] = floor_of(point, matrices, circles, ids[i])


@njit(cache=True, nogil=True)
def is_rising(ids: U32, times: I64) -> bool:
    """Whether samples rise by time, then point, or by point, then time: then none occurs twice."""
    by_time = True
    by_point = True
    for i in range(1, len(ids)):
        t = times[i]
        before = times[i - 1]
        by_time = by_time and (t > before or (t == before and ids[i] > ids[i - 1]))
        by_point = by_point and (ids[i] > ids[i - 1] or (ids[i] == ids[i - 1] and t > before))
        if not (by_time or by_point):
            return False
    return True


@njit(cache=True, nogil=True)
def state_of(point: I64, matrices: Matrices, circles: Circles, p: int, time: int) -> int:
    """The state of a sample that is not above the highest time of its point, as if it were alone."""
    if find(point, matrices, circles, p, time) >= 0:
        return 1
    return 2 if time <= floor_of(point, matrices, circles, p) else 0


@njit(cache=True, nogil=True)
def look_up_rising(ids: U32, times: I64, point: I64, matrices: Matrices, circles: Circles, state: U8) -> int:
    """Fill `state` for samples none of which occurs twice; returns how many are not ABSENT."""
    special = 0
    for i in range(len(ids)):
        found = 0
        if times[i] <= point[ids[i], HIGHEST]:
            found = state_of(point, matrices, circles, ids[i], times[i])
            special += found != 0
        state[i] = found
    return special


@njit(cache=True, nogil=True)
def look_up_any(
    ids: U32,
    times: I64,
    point: I64,
    matrices: Matrices,
    circles: Circles,
    scratch: I64,
    call_number: int,
    state: U8,
) -> int:
    """Fill `state` for samples in any order; returns how many are not ABSENT.

    `scratch` holds for each point the highest time of the batch so far and the number of the call it is of.
    """
    special = 0
    for i in range(len(ids)):
        p = ids[i]
        t = times[i]
        is_above = scratch[p, 1] != call_number or t > scratch[p, 0]
        found = 0
        if t <= point[p, HIGHEST]:
            found = state_of(point, matrices, circles, p, t)
        if is_above:
            scratch[p, 0] = t
            scratch[p, 1] = call_number
        elif found == 0:
            found = 3
        state[i] = found
        special += found != 0
    return special


@njit(cache=True, nogil=True)
def gather_present(
    ids: U32,
    times: I64,
    point: I64,
    matrices: Matrices,
    circles: Circles,
    state: U8,
    value: F64,
    quality: U16,
) -> None:
    """Value and quality of the samples that are PRESENT."""
    for i in range(len(ids)):
        if state[i] == 1:
            at = find(point, matrices, circles, ids[i], times[i])
            is_grid = point[ids[i], PLACE] >= 0
            value[i] = matrices[2][at] if is_grid else circles[1][1][at]
            quality[i] = matrices[3][at] if is_grid else circles[1][2][at]


@njit(cache=True, nogil=True)
def move_to_circle(point: I64, matrices: Matrices, circles: Circles, p: int, r: int) -> None:
    """Give a grid point the empty circular row `r`, with all that the grid holds of it."""
    table, row_slot, value, quality, mark = matrices
    place = point[p, PLACE]
    c = place >> 32
    circles[0][4][r] = grid_kernels.class_floor(point, table, p)
    first, last = grid_kernels.slot_range(point, table, p, -9223372036854775807, 9223372036854775807)
    for slot in range(first, last):
        row = grid_kernels.find_row(table, row_slot, c, slot)
        if row < 0:
            continue
        at = row + (place & grid_kernels.COLUMN_MASK)
        if mark[at]:
            time = point[p, grid_kernels.PHASE] + slot * table[c, grid_kernels.INTERVAL]
            event_kernels.put(circles, r, time, value[at], quality[at], True)
    point[p, PLACE] = -2 - r


@njit(cache=True, nogil=True)
def insert_rest(
    ids: U32,
    times: I64,
    values: F64,
    qualities: U16,
    rest: I64,
    rest_count: int,
    point: I64,
    circles: Circles,
) -> None:
    """Put the samples at the `rest` positions into their points' circular rows."""
    for k in range(rest_count):
        i = rest[k]
        event_kernels.put(circles, -2 - point[ids[i], PLACE], times[i], values[i], qualities[i], True)


@njit(cache=True, nogil=True)
def fill_circle(r: int, times: I64, values: F64, qualities: U16, circles: Circles) -> None:
    """Put older samples of one point into its circular row, where there is none of that time."""
    for i in range(len(times) - 1, -1, -1):
        if not event_kernels.put(circles, r, times[i], values[i], qualities[i], False):
            return


@njit(cache=True, nogil=True)
def count_between(
    ids: U32, start: int, end: int, point: I64, matrices: Matrices, circles: Circles, offset: I64
) -> int:
    """Fill `offset` (one longer than ids) by the counts of samples in ``[start, end)``; returns the total."""
    offset[0] = 0
    for i in range(len(ids)):
        place = point[ids[i], PLACE]
        count = 0
        if place >= 0:
            count = grid_kernels.count_between(point, matrices, ids[i], start, end)
        elif place != grid_kernels.NO_ROOM:
            r = -2 - place
            first = event_kernels.find_place(circles, r, start)
            count = max(0, event_kernels.find_place(circles, r, end) - first)
        offset[i + 1] = offset[i] + count
    return int(offset[len(ids)])


@njit(cache=True, nogil=True)
def copy_between(
    ids: U32,
    start: int,
    end: int,
    point: I64,
    matrices: Matrices,
    circles: Circles,
    offset: I64,
    to: tuple[I64, F64, U16],
) -> None:
    """Copy the counted samples of each id, one id after the other."""
    for i in range(len(ids)):
        place = point[ids[i], PLACE]
        if place >= 0:
            grid_kernels.copy_between(point, matrices, ids[i], start, end, to, offset[i])
        elif place != grid_kernels.NO_ROOM:
            event_kernels.copy_between(circles, -2 - place, start, end, to, offset[i])


@njit(cache=True, nogil=True)
def newest(
    ids: U32,
    point: I64,
    matrices: Matrices,
    circles: Circles,
    is_found: Bools,
    to: tuple[I64, F64, U16],
) -> None:
    """The newest stored sample of each id; not found where it is not in the ring."""
    for i in range(len(ids)):
        p = ids[i]
        time = point[p, HIGHEST]
        at = find(point, matrices, circles, p, time)
        is_found[i] = at >= 0
        if at < 0:
            continue
        is_grid = point[p, PLACE] >= 0
        to[0][i] = time
        to[1][i] = matrices[2][at] if is_grid else circles[1][1][at]
        to[2][i] = matrices[3][at] if is_grid else circles[1][2][at]
