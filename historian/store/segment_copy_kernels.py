"""Kernels for the everyday question: what it needs is decoded, and mostly on a grid.

Loops hold what they do themselves and take columns out of the tuple first: a function that is handed the tuple
counts the references of each of its columns.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.store import segment_read_kernels as read
from historian.store.segment_read_kernels import Found, Held

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
F64 = npt.NDArray[np.float64]

LACKING: Final = -1
UNORDERED: Final = -2


@njit(cache=True, nogil=True)
def copy_runs(
    held: Held, ids: U32, start: int, end: int, at: int, offset: I64, time: I64, value: F64, quality: U16
) -> int:
    """Copy the samples of ``[start, end)`` of each id behind the `at` that are there; gives how many there are then.

    More than there is room for are counted only. LACKING where something is not decoded, UNORDERED where the first
    sample is not later than the last that is there.
    """
    nothing = np.empty(0, np.int64)
    run = -1
    for i in range(len(ids)):
        offset[i] = at
        guess = run + 1 if run >= 0 else int(np.int64(ids[i]) - np.int64(held.point_id[0]))
        found = read.run_of(held.point_id, ids[i], guess)
        if found < 0:
            continue
        run = found
        first, size, slot, lacking = read.find_in_run(held, run, start, end, nothing, 0)
        if lacking:
            return LACKING
        before, at = at, at + size
        if size == 0 or at > len(time):
            continue
        read.fill_run(held, run, first, slot, time[before:at], value[before:at], quality[before:at])
        if i == 0 and before > 0 and time[before] <= time[before - 1]:
            return UNORDERED
    offset[len(ids)] = at
    return at


@njit(cache=True, nogil=True)
def search_decoded(held: Held, ids: U32, start: int, end: int, found: Found) -> bool:  # noqa: C901 see above
    """As `segment_read_kernels.search` where nothing is lacking; False where something is."""
    index, point_id, missing_slot, base, filled = (
        held.fields, held.point_id, held.missing_slot, held.base, held.filled,
    )  # fmt: skip
    to_run, to_first, to_size, to_slot = found
    nothing, run = np.empty(0, np.int64), -1
    for i in range(len(ids)):
        at = run + 1
        if run < 0 or at >= len(point_id) or point_id[at] != ids[i]:
            guess = int(np.int64(ids[i]) - np.int64(point_id[0])) if run < 0 else at
            at = read.run_of(point_id, ids[i], guess)
        to_run[i] = at
        to_first[i] = to_size[i] = to_slot[i] = 0
        if at < 0:
            continue
        run = at
        first_us, last_us, step = (
            index[read.FIRST_US, run],
            index[read.LAST_US, run],
            index[read.STEP_US, run],
        )
        if last_us < start or first_us >= end:
            continue
        if step == 0 or index[read.QUALITY_AT, run] >= 0 or index[read.KIND, run] >= read.KIND_I64:
            to_first[i], to_size[i], to_slot[i], lacking = read.find_in_run(held, run, start, end, nothing, 0)
            if lacking:
                return False
            continue
        low, high = index[read.TIME_AT, run], index[read.TIME_AT, run] + index[read.MISSING, run]
        if low < high:
            for chunk in range(low >> read.CHUNK_BITS, ((high - 1) >> read.CHUNK_BITS) + 1):
                if filled[base[read.C_MISSING] + chunk] == 0:
                    return False
        slot, end_slot = 0, index[read.COUNT, run] + high - low
        if start > first_us:
            slot = (start - first_us + step - 1) // step
        if end <= last_us:
            end_slot = (end - first_us + step - 1) // step
        inside = before = read.below(missing_slot, low, high, slot)
        while inside < high and missing_slot[inside] < end_slot:
            inside += 1
        first = slot - (before - low)
        size = end_slot - (inside - low) - first
        value_at = index[read.VALUE_AT, run] + first
        for chunk in range(
            value_at >> read.CHUNK_BITS, ((value_at + size - 1) >> read.CHUNK_BITS) + 1 if size else 0
        ):
            if filled[base[read.C_I32] + chunk] == 0:
                return False
        to_first[i], to_size[i], to_slot[i] = first, size, slot
    return True
