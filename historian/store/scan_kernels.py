"""Kernels that turn scans, one sample each of many points, into runs: each sample is read and written once.

A *stretch* is a part of a batch with one time, one sequence and rising points. Its columns are named by their
addresses, since no kernel takes hundreds of arrays at once; whoever calls keeps the arrays alive.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import f64_at, njit, u16_at, u32_at
from historian.store.segment_kernels import describe_values, is_constant, regular_step

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I16 = npt.NDArray[np.int16]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]
Column = npt.NDArray[Any]

# Columns of the table of stretches, which is sorted by time and first point.
IDS: Final = 0  # addresses
VALUES: Final = 1
QUALITIES: Final = 2
COUNT: Final = 3
TIME: Final = 4
FIRST_ID: Final = 5
LAST_ID: Final = 6
SEQUENCE: Final = 7
SLOT: Final = 8  # number of its time among all times
STRETCH_COLUMNS: Final = 9

_STEPS_BACK: Final = 8


@njit(cache=True, nogil=True)
def find_stretches(
    point_id: U32, time: I64, value: F64, quality: U16, sequence: I64, found: I64
) -> tuple[int, int]:
    """Fill `found` with the stretches of a batch; gives how many, and the quality of all samples (-1: it varies).

    -1 where there are more than fit. `sequence`: one for all, or one each.
    """
    n = len(point_id)
    each = 0 if len(sequence) == 1 else 1
    breaks, odd = 0, 0
    for i in range(1, n):
        breaks += int((point_id[i] <= point_id[i - 1]) | (time[i] != time[i - 1]))
    for i in range(1, n):
        odd |= int(quality[i] ^ quality[0])
    for i in range(1, n if each else 1):
        breaks += int(sequence[i] != sequence[i - 1])
    same_quality = -1 if odd else int(quality[0])
    count, first = 0, 0
    for i in range(1, n + 1):
        if i < n and breaks == 0:
            continue
        if i == n or point_id[i] <= point_id[i - 1] or time[i] != time[i - 1] or (
            sequence[i * each] != sequence[(i - 1) * each]
        ):  # fmt: skip
            if count == len(found):
                return -1, same_quality
            found[count, IDS] = point_id.ctypes.data + 4 * first
            found[count, VALUES] = value.ctypes.data + 8 * first
            found[count, QUALITIES] = quality.ctypes.data + 2 * first
            found[count, COUNT] = i - first
            found[count, TIME] = time[first]
            found[count, FIRST_ID] = point_id[first]
            found[count, LAST_ID] = point_id[i - 1]
            found[count, SEQUENCE] = sequence[first * each]
            count += 1
            first = i
    return count, same_quality


@njit(cache=True, nogil=True)
def count_samples(stretches: I64, low_id: int, count: I64, sequence: I64, varies: U8) -> None:
    """How many samples each point has, from `low_id` on, the sequence of its first, and whether others differ."""
    for s in range(len(stretches)):
        ids = u32_at(stretches[s, IDS], stretches[s, COUNT])
        own = stretches[s, SEQUENCE]
        for i in range(len(ids)):
            k = ids[i] - low_id
            if count[k] == 0:
                sequence[k] = own
            varies[k] |= np.uint8(sequence[k] != own)
            count[k] += 1


@njit(cache=True, nogil=True)
def _end_of(ids: U32, at: int, end_id: int, most: int) -> int:
    """Where the points from `end_id` on begin, of which at most so many are below it; mostly nearly so many are."""
    end = min(len(ids), at + most)
    for _ in range(_STEPS_BACK):
        if ids[end - 1] < end_id:
            return end
        end -= 1
    return int(at + np.searchsorted(ids[at:end], end_id))


@njit(cache=True, nogil=True)
def _take_points(
    stretches: I64, cursor: I64, end_id: int, most: int, low_id: int, next_row: I64, base: int, value: F64,
    slot: U16, quality: U16,
) -> None:  # fmt: skip
    """Move the samples of points below `end_id` behind the earlier ones of their point; values lie from `base` on."""
    lowest, begin = np.uint32(low_id), np.uint64(base)  # without signs no index is looked at twice
    for s in range(len(stretches)):
        at, count = cursor[s], stretches[s, COUNT]
        ids = u32_at(stretches[s, IDS], count)
        if at == count or ids[at] >= end_id:
            continue
        end = _end_of(ids, at, end_id, most)
        values = f64_at(stretches[s, VALUES], count)
        own = np.uint16(stretches[s, SLOT])
        for i in range(at, end):
            k = np.uint32(ids[i] - lowest)
            row = np.uint64(next_row[k])
            next_row[k] = row + np.uint64(1)
            value[row - begin] = values[i]
            slot[row] = own
        if len(quality) > 0:
            qualities = u16_at(stretches[s, QUALITIES], count)
            for i in range(at, end):
                quality[next_row[np.uint32(ids[i] - lowest)] - 1] = qualities[i]
        cursor[s] = end


@njit(cache=True, nogil=True)
def describe_scans(
    stretches: I64, cursor: I64, ids: U32, low_id: int, size: I64, next_row: I64, grid: tuple[I64, I64, int],
    value: F64, samples: tuple[U16, I64, U16, I32, I64], times: tuple[I64, I64, I64, U32],
    values: tuple[U8, I64, I64, I16], same_quality: U8,
) -> None:  # fmt: skip
    """Describe the runs of the rising points `ids`, some at a time so that their values stay near the processor.

    `cursor` says how far each stretch was taken, `next_row` where the next sample of a point goes, by id from
    `low_id` on. `grid` is all times, their places on a grid, and its step (0: on none). `value` is room, for one
    run at least. `samples` gets slot, time (of runs off their grid), quality, and the numbers to be stored, narrow
    or wide; `times` first and last time, step and missing places; `values` as `describe_values` says.
    """
    slot, time, quality, narrow, wide = samples
    kind, low, high, noise = values
    first, row = 0, 0
    while first < len(ids):
        last, end = first, row
        while last < len(ids) and end + size[last] - row <= len(value):
            end += size[last]
            last += 1
        end_id = int(ids[last - 1]) + 1
        _take_points(stretches, cursor, end_id, last - first, low_id, next_row, row, value, slot, quality)
        a = row
        for r in range(first, last):
            b = a + size[r]
            _describe_times(grid, slot[a:b], time[a:b], times, r)
            described = describe_values(value[a - row : b - row], narrow[a:b], wide[a:b])
            kind[r], low[r], high[r], noise[r] = described
            same_quality[r] = len(quality) == 0 or is_constant(quality[a:b])
            a = b
        first, row = last, end


@njit(cache=True, nogil=True)
def _describe_times(
    grid: tuple[I64, I64, int], slot: U16, time: I64, times: tuple[I64, I64, I64, U32], r: int
) -> None:
    """Put down run `r`; the times themselves are told where they have to be looked at."""
    known, place, grid_step = grid
    n = len(slot)
    times[0][r], times[1][r] = known[slot[0]], known[slot[n - 1]]
    span = place[slot[n - 1]] - place[slot[0]] + 1
    if grid_step > 0 and 2 * n > span + 1:  # then two are neighbours on the grid, and no step is smaller
        times[2][r], times[3][r] = grid_step, span - n
        return
    for i in range(n):
        time[i] = known[slot[i]]
    step = regular_step(time)
    times[2][r] = step
    times[3][r] = (time[n - 1] - time[0]) // step + 1 - n if step > 0 else 0


@njit(cache=True, nogil=True)
def missing_places(known: I64, slot: U16, size: I64, step: I64, missing: U32, out: U32) -> None:
    """The empty places of every regular run with gaps, one run after the other. Gaps are looked for by halving."""
    at, a = 0, 0
    for r in range(len(size)):
        n = size[r]
        begin = known[slot[a]]
        i, filled, left = 0, 0, missing[r]
        while left > 0:
            low, high = i + 1, n - 1  # of the samples behind a gap, the first lies between
            while low < high:
                middle = (low + high) // 2
                if (known[slot[a + middle]] - begin) // step[r] - filled > middle - i:
                    high = middle
                else:
                    low = middle + 1
            place = (known[slot[a + low]] - begin) // step[r]
            for empty in range(filled + low - i, place):
                out[at] = empty
                at += 1
            left -= place - (filled + low - i)
            i, filled = low, place
        a += n
