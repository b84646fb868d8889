"""Kernels over rows that are sorted by point, time, sequence."""

import numpy as np
import numpy.typing as npt
from numba import njit

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]
Columns = tuple[U32, I64, F64, U16, I64]


@njit(cache=True, nogil=True)
def lower_bound(point_id: U32, time: I64, wanted_id: int, wanted_time: int) -> int:
    """First row whose (point, time) is not below the wanted one."""
    low = 0
    high = len(point_id)
    while low < high:
        middle = (low + high) // 2
        p = point_id[middle]
        if p < wanted_id or (p == wanted_id and time[middle] < wanted_time):
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def look_up(
    point_id: U32,
    time: I64,
    value: F64,
    quality: U16,
    sequence: I64,
    ids: U32,
    times: I64,
    found: U8,
    found_value: F64,
    found_quality: U16,
    found_sequence: I64,
) -> None:
    """For each wanted (point, time): take over the newest version here where it is not older than the one found."""
    for i in range(len(ids)):
        at = lower_bound(point_id, time, ids[i], times[i])
        while at < len(point_id) and point_id[at] == ids[i] and time[at] == times[i]:
            if found[i] == 0 or sequence[at] >= found_sequence[i]:
                found[i] = 1
                found_value[i] = value[at]
                found_quality[i] = quality[at]
                found_sequence[i] = sequence[at]
            at += 1


@njit(cache=True, nogil=True)
def ranges(point_id: U32, time: I64, ids: U32, start: int, end: int, first: I64, last: I64) -> int:
    """For each id the rows ``[first, last)`` with start ≤ time < end; returns how many rows in all."""
    total = 0
    for i in range(len(ids)):
        first[i] = lower_bound(point_id, time, ids[i], start)
        last[i] = lower_bound(point_id, time, ids[i], end)
        total += max(0, last[i] - first[i])
    return total


@njit(cache=True, nogil=True)
def is_sorted(point_id: U32, time: I64, sequence: I64) -> bool:
    """Whether rows are ordered by point, time, sequence."""
    for i in range(1, len(point_id)):
        if point_id[i] < point_id[i - 1]:
            return False
        if point_id[i] == point_id[i - 1]:
            if time[i] < time[i - 1]:
                return False
            if time[i] == time[i - 1] and sequence[i] < sequence[i - 1]:
                return False
    return True


@njit(cache=True, nogil=True)
def merge(a: Columns, b: Columns, out: Columns) -> None:
    """Merge two sorted sets of rows; of equal ones those of `a` come first."""
    i = 0
    j = 0
    for k in range(len(out[0])):
        take_a = j >= len(b[0])
        if not take_a and i < len(a[0]):
            if a[0][i] != b[0][j]:
                take_a = a[0][i] < b[0][j]
            elif a[1][i] != b[1][j]:
                take_a = a[1][i] < b[1][j]
            else:
                take_a = a[4][i] <= b[4][j]
        if take_a:
            out[0][k] = a[0][i]
            out[1][k] = a[1][i]
            out[2][k] = a[2][i]
            out[3][k] = a[3][i]
            out[4][k] = a[4][i]
            i += 1
        else:
            out[0][k] = b[0][j]
            out[1][k] = b[1][j]
            out[2][k] = b[2][j]
            out[3][k] = b[3][j]
            out[4][k] = b[4][j]
            j += 1
