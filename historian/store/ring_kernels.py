"""Kernels over both parts of the ring: what is asked of a point, whichever part holds it."""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.store import event_kernels, grid_kernels
from historian.store.event_kernels import Circles
from historian.store.grid_kernels import (
    BASE,
    COLUMN_MASK,
    FLOOR,
    INTERVAL,
    NEWEST,
    NO_ROOM,
    PHASE,
    PLACE,
    ROW_BASE,
    ROWS,
    WIDTH,
    Matrices,
    Samples,
)

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

NOWHERE: Final = -1


@njit(cache=True, nogil=True)
def floors(ids: U32, point: I64, table: I64, circle: I64, floor: I64) -> tuple[int, int, int]:
    """For each id the time above which every stored sample is in the ring (where `floor` has room for it); the lowest
    and the highest of them, and the newest time ever put in of any.
    """
    lowest, highest, newest = grid_kernels.HIGHEST, grid_kernels.LOWEST, grid_kernels.LOWEST
    known_matrix, known_phase, limit = -1, -1, grid_kernels.LOWEST
    for i in range(len(ids)):
        p = np.uint64(ids[i])
        place, phase, own = point[p, PLACE], point[p, PHASE], point[p, FLOOR]
        if place >= 0:
            m = place >> 32
            if m != known_matrix or phase != known_phase:  # points of one matrix and phase have one limit
                limit = grid_kernels.matrix_floor(table, m, phase)
                known_matrix, known_phase = m, phase
            own = max(own, limit)
        elif place != NO_ROOM:
            own = max(own, circle[-2 - place, event_kernels.LOST])
        if i < len(floor):
            floor[i] = own
        lowest, highest = min(lowest, own), max(highest, own)
        newest = max(newest, point[p, NEWEST])
    return lowest, highest, newest


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
def are_new(ids: U32, times: I64, point: I64) -> bool:
    """Whether samples rise by time, then point, and each is later than all that is stored of its point: a new scan."""
    last_id, last_time = -1, grid_kernels.LOWEST
    for i in range(len(ids)):
        p, t = np.uint64(ids[i]), times[i]
        if t == last_time:
            if ids[i] <= last_id:
                return False
        elif t < last_time:
            return False
        if t <= point[p, NEWEST] or t <= point[p, FLOOR]:
            return False
        last_id, last_time = int(ids[i]), t
    return True


@njit(cache=True, nogil=True)
def compare(
    ids: U32, times: I64, point: I64, matrices: Matrices, circles: Circles, state: U8, address: I64
) -> int:
    """Fill `state` by ABSENT, PRESENT or ELSEWHERE and `address` as `locate` does; how many are not ABSENT.

    What lies together in time and place is looked for once: a scan that comes after the next one is no rarity.
    """
    table, row_slot, _, _, mark = matrices
    circle, event_time, _, _ = circles
    special = 0
    known_matrix, known_phase, known_time, start, limit = -1, -1, 0, -1, grid_kernels.LOWEST
    for i in range(len(ids)):
        p, t = np.uint64(ids[i]), times[i]
        floor, found = point[p, FLOOR], NOWHERE
        state[i] = 0
        if t <= point[p, NEWEST] or t <= floor:
            place, phase = point[p, PLACE], point[p, PHASE]
            m = place >> 32
            if place >= 0 and phase >= 0:
                if t != known_time or phase != known_phase or m != known_matrix:
                    start = grid_kernels.find_row_at(table, row_slot, m, phase, t)
                    limit = grid_kernels.matrix_floor(table, m, phase)
                    known_matrix, known_phase, known_time = m, phase, t
                floor = max(floor, limit)
                if start >= 0 and mark[start + (place & COLUMN_MASK)] != 0:
                    found = start + (place & COLUMN_MASK)
            elif place < NO_ROOM:
                floor = max(floor, circle[-2 - place, event_kernels.LOST])
                at = event_kernels.find(circle, event_time, -2 - place, t)
                found = NOWHERE if at < 0 else -2 - at
            if found != NOWHERE:
                state[i] = 1
            elif t <= floor:
                state[i] = 2
            special += state[i] != 0
        address[i] = found
    return special


@njit(cache=True, nogil=True)
def find_repeated(ids: U32, times: I64, scratch: I64, call_number: int, state: U8) -> int:
    """Turn ABSENT to REPEATED where a sample is not above an earlier one of its point; returns how many are.

    `scratch` holds for each point the highest time of the batch so far and the number of the call it is of.
    """
    repeated = 0
    for i in range(len(ids)):
        p = ids[i]
        if scratch[p, 1] != call_number or times[i] > scratch[p, 0]:
            scratch[p, 0] = times[i]
            scratch[p, 1] = call_number
        elif state[i] == 0:
            state[i] = 3
            repeated += 1
    return repeated


@njit(cache=True, nogil=True)
def locate(ids: U32, times: I64, point: I64, matrices: Matrices, circles: Circles, address: I64) -> None:
    """Where samples are: ≥ 0 in the grid, NOWHERE, or -2 - address in the event part."""
    table, row_slot, _, _, mark = matrices
    circle, event_time, _, _ = circles
    last_matrix = -1
    last_phase = -1
    last_time = 0
    start = -1
    for i in range(len(ids)):
        t = times[i]
        place = point[ids[i], PLACE]
        phase = point[ids[i], PHASE]
        found = NOWHERE
        if place >= 0 and phase >= 0:
            m = place >> 32
            if t != last_time or phase != last_phase or m != last_matrix:
                start = grid_kernels.find_row_at(table, row_slot, m, phase, t)
                last_time = t
                last_phase = phase
                last_matrix = m
            if start >= 0 and mark[start + (place & COLUMN_MASK)] != 0:
                found = start + (place & COLUMN_MASK)
        elif place < NO_ROOM:
            at = event_kernels.find(circle, event_time, -2 - place, t)
            found = NOWHERE if at < 0 else -2 - at
        address[i] = found


@njit(cache=True, nogil=True)
def gather(address: I64, matrices: Matrices, circles: Circles, to_value: F64, to_quality: U16) -> None:
    """Value and quality of what was located."""
    _, _, value, quality, _ = matrices
    _, _, event_value, event_quality = circles
    for i in range(len(address)):
        at = address[i]
        if at >= 0:
            to_value[i] = value[at]
            to_quality[i] = quality[at]
        elif at != NOWHERE:
            to_value[i] = event_value[-2 - at]
            to_quality[i] = event_quality[-2 - at]


@njit(cache=True, nogil=True)
def move_to_circles(ids: U32, rows: I64, point: I64, matrices: Matrices, circles: Circles) -> None:
    """Give grid points empty circular rows, with all that the grid holds of them."""
    table, row_slot, value, quality, mark = matrices
    circle, times, values, qualities = circles
    for i in range(len(ids)):
        r = rows[i]
        place = point[ids[i], PLACE]
        phase = point[ids[i], PHASE]
        m = place >> 32
        circle[r, event_kernels.LOST] = grid_kernels.matrix_floor(table, m, phase)
        first, last = grid_kernels.slot_range(table, m, phase, grid_kernels.LOWEST, grid_kernels.HIGHEST)
        row = (first - 1) % table[m, ROWS]
        for slot in range(first, last):
            row = row + 1 if row + 1 < table[m, ROWS] else 0
            source = table[m, BASE] + row * table[m, WIDTH] + (place & COLUMN_MASK)
            if row_slot[table[m, ROW_BASE] + row] == slot and mark[source] != 0:
                time = phase + slot * table[m, INTERVAL]
                at = event_kernels.take_place(circle, times, values, qualities, r, time, True)
                times[at] = time
                values[at] = value[source]
                qualities[at] = quality[source]
        point[ids[i], PLACE] = -2 - r


@njit(cache=True, nogil=True)
def insert_rest(
    ids: U32, times: I64, values: F64, qualities: U16, rest: I64, point: I64, circles: Circles
) -> None:
    """Put the samples at the `rest` positions into their points' circular rows, newest arrival winning."""
    circle, to_time, to_value, to_quality = circles
    for k in range(len(rest)):
        i = rest[k]
        r = -2 - point[ids[i], PLACE]
        at = event_kernels.take_place(circle, to_time, to_value, to_quality, r, times[i], True)
        if at >= 0:
            to_time[at] = times[i]
            to_value[at] = values[i]
            to_quality[at] = qualities[i]


@njit(cache=True, nogil=True)
def fill_circle(r: int, times: I64, values: F64, qualities: U16, circles: Circles) -> None:
    """Put older samples of one point into its circular row, newest first, where there is none of that time."""
    circle, to_time, to_value, to_quality = circles
    for i in range(len(times) - 1, -1, -1):
        at = event_kernels.take_place(circle, to_time, to_value, to_quality, r, times[i], False)
        if at == -2:
            return
        if at >= 0:
            to_time[at] = times[i]
            to_value[at] = values[i]
            to_quality[at] = qualities[i]


@njit(cache=True, nogil=True)
def count_between(
    ids: U32, start: int, end: int, point: I64, matrices: Matrices, circles: Circles, offset: I64
) -> int:
    """Fill `offset` (one longer than ids) by the counts of samples in ``[start, end)``; returns the total."""
    offset[:] = 0
    i = 0
    while i < len(ids):
        place = point[ids[i], PLACE]
        after = i + 1
        if place >= 0:
            after = grid_kernels.stretch_end(ids, i, point)
            into = offset[i + 1 : after + 1]
            grid_kernels.count_between(ids[i:after], point, matrices, start, end, into)
        elif place != NO_ROOM:
            first = event_kernels.find_place(circles[0], circles[1], -2 - place, start)
            last = event_kernels.find_place(circles[0], circles[1], -2 - place, end)
            offset[after] = max(0, last - first)
        i = after
    for i in range(len(ids)):
        offset[i + 1] += offset[i]
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
    to: Samples,
) -> None:
    """Copy the counted samples of each id, one id after the other."""
    i = 0
    while i < len(ids):
        place = point[ids[i], PLACE]
        after = i + 1
        if place >= 0:
            after = grid_kernels.stretch_end(ids, i, point)
            grid_kernels.copy_between(ids[i:after], point, matrices, start, end, offset[i:after], to)
        elif place != NO_ROOM:
            event_kernels.copy_between(circles, -2 - place, start, end, to, offset[i])
        i = after


@njit(cache=True, nogil=True)
def newest_times(ids: U32, point: I64, newest: I64) -> None:
    """The highest time ever put in of each id."""
    for i in range(len(ids)):
        newest[i] = point[ids[i], NEWEST]
