"""Kernels over rows that are, or are to be, sorted by point, time, sequence."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

Columns = tuple[U32, I64, F64, U16, I64]  # point, time, value, quality, sequence


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
def span(point_id: U32, time: I64, into: I64) -> None:
    """Lowest and highest time, lowest and highest point of at least one row."""
    low_time = time[0]
    high_time = time[0]
    low_id = point_id[0]
    high_id = point_id[0]
    for i in range(1, len(point_id)):
        low_time = min(low_time, time[i])
        high_time = max(high_time, time[i])
        low_id = min(low_id, point_id[i])
        high_id = max(high_id, point_id[i])
    into[0] = low_time
    into[1] = high_time
    into[2] = low_id
    into[3] = high_id


@njit(cache=True, nogil=True)
def count_points(point_id: U32, low_id: int, count: I64) -> None:
    """Add up how often each point occurs; `count` begins at `low_id`."""
    for i in range(len(point_id)):
        count[point_id[i] - low_id] += 1


@njit(cache=True, nogil=True)
def scatter(
    point_id: U32, time: I64, value: F64, quality: U16, sequence: I64, low_id: int, next_row: I64, to: Columns
) -> None:
    """Put all but the points of rows where the next row of their point goes. `sequence`: one for all, or one each."""
    _, to_time, to_value, to_quality, to_sequence = to
    step = 0 if len(sequence) == 1 else 1
    for i in range(len(point_id)):
        k = point_id[i] - low_id
        at = next_row[k]
        next_row[k] = at + 1
        to_time[at] = time[i]
        to_value[at] = value[i]
        to_quality[at] = quality[i]
        to_sequence[at] = sequence[i * step]


@njit(cache=True, nogil=True)
def name_points(offset: I64, low_id: int, point_id: U32) -> None:
    """The point of the rows ``[offset[k], offset[k + 1])`` is low_id + k."""
    for k in range(len(offset) - 1):
        point_id[offset[k] : offset[k + 1]] = low_id + k


@njit(cache=True, nogil=True)
def is_before(point_id: U32, time: I64, sequence: I64, a: int, b: int) -> bool:
    """Whether row `a` belongs before row `b` by point, time, sequence."""
    if point_id[a] != point_id[b]:
        return bool(point_id[a] < point_id[b])
    if time[a] != time[b]:
        return bool(time[a] < time[b])
    return bool(sequence[a] < sequence[b])


@njit(cache=True, nogil=True)
def order_rows(point_id: U32, time: I64, sequence: I64, first: int, last: int) -> I64:
    """The rows ``[first, last)`` in order, equal ones as they come: a merge sort of the rising runs it finds."""
    size = last - first
    order = np.arange(first, last)
    spare = np.empty(size, np.int64)
    bound = np.empty(size + 1, np.int64)
    bound[0] = 0
    run_count = 1
    for i in range(1, size):
        if is_before(point_id, time, sequence, first + i, first + i - 1):
            bound[run_count] = i
            run_count += 1
    bound[run_count] = size
    while run_count > 1:
        merged_count = 0
        for r in range(0, run_count, 2):
            i = bound[r]
            middle = bound[r + 1]
            j = middle
            end = bound[min(r + 2, run_count)]
            for k in range(i, end):
                takes_right = i >= middle
                if not takes_right and j < end:
                    takes_right = is_before(point_id, time, sequence, order[j], order[i])
                if takes_right:
                    spare[k] = order[j]
                    j += 1
                else:
                    spare[k] = order[i]
                    i += 1
            merged_count += 1
            bound[merged_count] = end
        order, spare = spare, order
        run_count = merged_count
    return order


@njit(cache=True, nogil=True)
def sort_points(rows: Columns, offset: I64) -> None:
    """Sort the rows ``[offset[k], offset[k + 1])`` of each point by time and sequence, where they are not."""
    point_id, time, value, quality, sequence = rows
    for k in range(len(offset) - 1):
        first = offset[k]
        last = offset[k + 1]
        if is_sorted(point_id[first:last], time[first:last], sequence[first:last]):
            continue
        order = order_rows(point_id, time, sequence, first, last)
        time[first:last] = time[order]
        value[first:last] = value[order]
        quality[first:last] = quality[order]
        sequence[first:last] = sequence[order]


@njit(cache=True, nogil=True)
def copy_row(source: Columns, at: int, to: Columns, place: int) -> None:
    """Copy one row."""
    to[0][place] = source[0][at]
    to[1][place] = source[1][at]
    to[2][place] = source[2][at]
    to[3][place] = source[3][at]
    to[4][place] = source[4][at]


@njit(cache=True, nogil=True)
def merge(a: Columns, b: Columns, to: Columns) -> None:
    """Merge two sorted sets of rows; of equal ones those of `a` come first."""
    i = 0
    j = 0
    for k in range(len(to[0])):
        takes_b = i >= len(a[0])
        if not takes_b and j < len(b[0]):
            if a[0][i] != b[0][j]:
                takes_b = b[0][j] < a[0][i]
            elif a[1][i] != b[1][j]:
                takes_b = b[1][j] < a[1][i]
            else:
                takes_b = b[4][j] < a[4][i]
        if takes_b:
            copy_row(b, j, to, k)
            j += 1
        else:
            copy_row(a, i, to, k)
            i += 1


@njit(cache=True, nogil=True)
def version_of(rows: Columns, i: int) -> int:
    """2: the newest version of its point and time; 1: a superseded one; 0: the same version comes once more."""
    if i + 1 == len(rows[0]) or rows[0][i] != rows[0][i + 1] or rows[1][i] != rows[1][i + 1]:
        return 2
    return 1 if rows[4][i] != rows[4][i + 1] else 0


@njit(cache=True, nogil=True)
def count_versions(rows: Columns) -> tuple[int, int]:
    """How many of the sorted rows are newest versions, and how many are superseded ones."""
    newest = 0
    superseded = 0
    for i in range(len(rows[0])):
        version = version_of(rows, i)
        newest += version == 2
        superseded += version == 1
    return newest, superseded


@njit(cache=True, nogil=True)
def split_versions(rows: Columns, newest: Columns, superseded: Columns) -> None:
    """Copy the sorted rows to one or the other."""
    n = 0
    s = 0
    for i in range(len(rows[0])):
        version = version_of(rows, i)
        if version == 2:
            copy_row(rows, i, newest, n)
            n += 1
        elif version == 1:
            copy_row(rows, i, superseded, s)
            s += 1


@njit(cache=True, nogil=True)
def keep_versions(rows: Columns, to: Columns) -> None:
    """Copy the sorted rows, each version once."""
    k = 0
    for i in range(len(rows[0])):
        if version_of(rows, i) != 0:
            copy_row(rows, i, to, k)
            k += 1


@njit(cache=True, nogil=True)
def lower_bound(point_id: U32, time: I64, wanted_id: int, wanted_time: int, low: int) -> int:
    """First row from `low` on whose (point, time) is not below the wanted one; rows before are known to be.

    Steps double from `low`, so that asking in rising order costs little.
    """
    step = 1
    high = low
    while high < len(point_id):
        p = point_id[high]
        if not (p < wanted_id or (p == wanted_id and time[high] < wanted_time)):
            break
        low = high + 1
        high = low + step
        step *= 2
    high = min(high, len(point_id))
    while low < high:
        middle = (low + high) // 2
        p = point_id[middle]
        if p < wanted_id or (p == wanted_id and time[middle] < wanted_time):
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def ranges(point_id: U32, time: I64, ids: U32, start: int, end: int, first: I64, last: I64) -> int:
    """For each id the rows ``[first, last)`` with start ≤ time < end; returns how many rows in all."""
    total = 0
    at = 0
    for i in range(len(ids)):
        if i > 0 and ids[i] <= ids[i - 1]:
            at = 0
        first[i] = lower_bound(point_id, time, ids[i], start, at)
        last[i] = lower_bound(point_id, time, ids[i], end, first[i])
        at = last[i]
        total += last[i] - first[i]
    return total


@njit(cache=True, nogil=True)
def take_ranges(rows: Columns, first: I64, last: I64, to: Columns) -> None:
    """Copy ranges of rows one after the other."""
    k = 0
    for i in range(len(first)):
        for at in range(first[i], last[i]):
            copy_row(rows, at, to, k)
            k += 1
