"""Kernels over the event part of the ring: a circular row for each point whose samples are not on a grid.

A row is the slots ``[offset, offset + capacity)``, used as a circle: `head` is the oldest of `count` samples,
times strictly increasing from there. `lost` is the highest time that a full row ever pushed out or refused.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
F64 = npt.NDArray[np.float64]

Columns = tuple[I64, F64, U16]  # time, value, quality
Row = tuple[I64, I32, I32, I32, I64]  # by row number: offset, capacity, head, count, lost
Circles = tuple[Row, Columns]


@njit(cache=True, nogil=True)
def find_place(circles: Circles, r: int, time: int) -> int:
    """Position in row order of the first sample at or after `time` (the count where there is none)."""
    (offset, capacity, head, count, _), (times, _, _) = circles
    low = 0
    high = count[r]
    while low < high:
        middle = (low + high) // 2
        if times[offset[r] + (head[r] + middle) % capacity[r]] < time:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def find(circles: Circles, r: int, time: int) -> int:
    """Address of a sample, -1 where it is not held."""
    (offset, capacity, head, count, _), (times, _, _) = circles
    place = find_place(circles, r, time)
    if place == count[r]:
        return -1
    at = offset[r] + (head[r] + place) % capacity[r]
    return at if times[at] == time else -1


@njit(cache=True, nogil=True)
def make_place(circles: Circles, r: int, place: int) -> int:
    """Free the slot before the sample at `place`, where the row is not full; returns its address."""
    (offset, capacity, head, count, _), (times, values, qualities) = circles
    base = offset[r]
    size = capacity[r]
    if place == 0:
        head[r] = (head[r] + size - 1) % size
    for k in range(count[r], place, -1) if place > 0 else range(0):
        to = base + (head[r] + k) % size
        source = base + (head[r] + k - 1) % size
        times[to] = times[source]
        values[to] = values[source]
        qualities[to] = qualities[source]
    count[r] += 1
    return int(base + (head[r] + place) % size)


@njit(cache=True, nogil=True)
def put(circles: Circles, r: int, time: int, value: float, quality: int, is_replacing: bool) -> bool:
    """Store one sample; False where the row is full and the sample older than all of it.

    A sample of the same time stays unless `is_replacing`. A full row loses its oldest.
    """
    (offset, capacity, head, count, lost), (times, values, qualities) = circles
    n = count[r]
    size = capacity[r]
    place = n
    if n > 0 and time <= times[offset[r] + (head[r] + n - 1) % size]:
        place = find_place(circles, r, time)
        at = offset[r] + (head[r] + place) % size
        if times[at] == time:
            if is_replacing:
                values[at] = value
                qualities[at] = quality
            return True
    if n == size:
        if place == 0:
            lost[r] = max(lost[r], time)
            return False
        lost[r] = max(lost[r], times[offset[r] + head[r]])
        head[r] = (head[r] + 1) % size
        count[r] -= 1
        place -= 1
    at = make_place(circles, r, place)
    times[at] = time
    values[at] = value
    qualities[at] = quality
    return True


@njit(cache=True, nogil=True)
def copy_between(circles: Circles, r: int, start: int, end: int, to: Columns, at: int) -> int:
    """Copy the samples in ``[start, end)``, by time; returns the position after the last."""
    (offset, capacity, head, _, _), (times, values, qualities) = circles
    for place in range(find_place(circles, r, start), find_place(circles, r, end)):
        source = offset[r] + (head[r] + place) % capacity[r]
        to[0][at] = times[source]
        to[1][at] = values[source]
        to[2][at] = qualities[source]
        at += 1
    return at


@njit(cache=True, nogil=True)
def move_rows(row: Row, old: Columns, new: Columns) -> None:
    """Copy what rows hold to larger columns, at the same addresses; other slots stay untouched."""
    offset, capacity, head, count, _ = row
    for r in range(len(offset)):
        for place in range(count[r]):
            at = offset[r] + (head[r] + place) % capacity[r]
            new[0][at] = old[0][at]
            new[1][at] = old[1][at]
            new[2][at] = old[2][at]
