"""Kernel that finds and copies samples in one go, where all of them are decoded: the everyday small question."""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.store import segment_read_kernels as read
from historian.store.segment_read_kernels import Held

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
