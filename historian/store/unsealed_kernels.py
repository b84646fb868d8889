"""Kernels over sorted rows that are not in segments yet."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.store.columns_kernels import Columns, lower_bound

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

FoundColumns = tuple[U8, F64, U16, I64]  # is_found, value, quality, sequence


@njit(cache=True, nogil=True)
def look_up(rows: Columns, ids: U32, times: I64, found: FoundColumns) -> None:
    """For each wanted (point, time): take over the newest version here where it is not older than the one found."""
    point_id, time, value, quality, sequence = rows
    is_found, found_value, found_quality, found_sequence = found
    at = 0
    for i in range(len(ids)):
        if i > 0 and (ids[i] < ids[i - 1] or (ids[i] == ids[i - 1] and times[i] <= times[i - 1])):
            at = 0
        at = lower_bound(point_id, time, ids[i], times[i], at)
        while at < len(point_id) and point_id[at] == ids[i] and time[at] == times[i]:
            if is_found[i] == 0 or sequence[at] >= found_sequence[i]:
                is_found[i] = 1
                found_value[i] = value[at]
                found_quality[i] = quality[at]
                found_sequence[i] = sequence[at]
            at += 1


@njit(cache=True, nogil=True)
def newest_time(point_id: U32, time: I64, ids: U32, before: int, newest: I64) -> None:
    """Raise `newest` of each id to the highest time below `before` held here."""
    at = 0
    for i in range(len(ids)):
        if i > 0 and ids[i] <= ids[i - 1]:
            at = 0
        at = lower_bound(point_id, time, ids[i], before, at)
        if at > 0 and point_id[at - 1] == ids[i]:
            newest[i] = max(newest[i], time[at - 1])
