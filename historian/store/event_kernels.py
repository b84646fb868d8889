"""Kernels over the event part of the ring: a circular row for each point whose samples are not on a grid.

A row is the slots ``[offset, offset + capacity)``, used as a circle: `head` is the oldest of `count` samples,
times strictly increasing from there. `lost` is the highest time that a full row ever pushed out or refused.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
U16 = npt.NDArray[np.uint16]
F64 = npt.NDArray[np.float64]

Samples = tuple[I64, F64, U16]  # time, value, quality
Circles = tuple[I64, I64, F64, U16]  # row table; time, value, quality of all slots

# Columns of the row table.
OFFSET: Final = 0
CAPACITY: Final = 1
HEAD: Final = 2
COUNT: Final = 3
LOST: Final = 4
ROW_COLUMNS: Final = 5


@njit(cache=True, nogil=True)
def find_place(table: I64, times: I64, r: int, time: int) -> int:
    """Position in row order of the first sample at or after `time` (the count where there is none)."""
    offset = table[r, OFFSET]
    capacity = table[r, CAPACITY]
    head = table[r, HEAD]
    low = 0
    high = table[r, COUNT]
    while low < high:
        middle = (low + high) // 2
        if times[offset + (head + middle) % capacity] < time:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def find(table: I64, times: I64, r: int, time: int) -> int:
    """Address of a sample, -1 where it is not held."""
    place = find_place(table, times, r, time)
    if place == table[r, COUNT]:
        return -1
    at = table[r, OFFSET] + (table[r, HEAD] + place) % table[r, CAPACITY]
    return int(at) if times[at] == time else -1


@njit(cache=True, nogil=True)
def make_place(table: I64, times: I64, values: F64, qualities: U16, r: int, place: int) -> int:
    """Free the slot before the sample at `place` of a row that is not full; returns its address."""
    base = table[r, OFFSET]
    size = table[r, CAPACITY]
    if place == 0:
        table[r, HEAD] = (table[r, HEAD] + size - 1) % size
    head = table[r, HEAD]
    if place > 0:
        for k in range(table[r, COUNT], place, -1):
            to = base + (head + k) % size
            source = base + (head + k - 1) % size
            times[to] = times[source]
            values[to] = values[source]
            qualities[to] = qualities[source]
    table[r, COUNT] += 1
    return int(base + (head + place) % size)


@njit(cache=True, nogil=True)
def take_place(
    table: I64, times: I64, values: F64, qualities: U16, r: int, time: int, is_replacing: bool
) -> int:
    """Address where a sample of that time is to be written; -1 where it is not to be, -2 where it is too old.

    A full row loses its oldest; what is older than all of a full row is refused. Unless `is_replacing`, a sample
    of the same time stays, and what is not later than a lost one is refused, since it may be what superseded it
    that was lost.
    """
    if not is_replacing and time <= table[r, LOST]:
        return -2
    n = table[r, COUNT]
    base = table[r, OFFSET]
    size = table[r, CAPACITY]
    head = table[r, HEAD]
    place = n
    if n > 0 and time <= times[base + (head + n - 1) % size]:
        place = find_place(table, times, r, time)
        at = base + (head + place) % size
        if times[at] == time:
            return int(at) if is_replacing else -1
    if n == size:
        if place == 0:
            table[r, LOST] = max(table[r, LOST], time)
            return -2
        table[r, LOST] = max(table[r, LOST], times[base + head])
        table[r, HEAD] = (head + 1) % size
        table[r, COUNT] -= 1
        place -= 1
        if place == n - 1:  # the newest of all: no sample moves
            table[r, COUNT] = n
            return int(base + head)
    return make_place(table, times, values, qualities, r, place)


@njit(cache=True, nogil=True)
def copy_between(circles: Circles, r: int, start: int, end: int, to: Samples, at: int) -> None:
    """Copy the samples in ``[start, end)`` by time, to position `at` and on."""
    table, times, values, qualities = circles
    first = find_place(table, times, r, start)
    for place in range(first, find_place(table, times, r, end)):
        source = table[r, OFFSET] + (table[r, HEAD] + place) % table[r, CAPACITY]
        to[0][at + place - first] = times[source]
        to[1][at + place - first] = values[source]
        to[2][at + place - first] = qualities[source]


@njit(cache=True, nogil=True)
def move_rows(table: I64, old: Samples, new: Samples) -> None:
    """Copy what rows hold to larger columns, at the same addresses; other slots stay untouched."""
    for r in range(len(table)):
        for place in range(table[r, COUNT]):
            at = table[r, OFFSET] + (table[r, HEAD] + place) % table[r, CAPACITY]
            new[0][at] = old[0][at]
            new[1][at] = old[1][at]
            new[2][at] = old[2][at]
