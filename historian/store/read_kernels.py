"""Kernels that put the places where samples lie together into one answer."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
U16 = npt.NDArray[np.uint16]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Runs = tuple[I64, I64, F64, U16]  # offset, time, value, quality


@njit(cache=True, nogil=True)
def join(sealed: Runs, late: Runs, recent: Runs, floor: I64, offset: I64, out: tuple[I64, F64, U16]) -> int:
    """Run by run: sealed and late samples up to the floor by time, late winning; then recent ones above it."""
    time, value, quality = out
    k = 0
    for r in range(len(floor)):
        offset[r] = k
        i, j = sealed[0][r], late[0][r]
        sealed_end, late_end = sealed[0][r + 1], late[0][r + 1]
        if j == late_end:  # the everyday: whole stretches at once
            last = i + np.searchsorted(sealed[1][i:sealed_end], floor[r], side="right")
            time[k : k + last - i] = sealed[1][i:last]
            value[k : k + last - i] = sealed[2][i:last]
            quality[k : k + last - i] = sealed[3][i:last]
            k += last - i
            i = sealed_end
        while i < sealed_end or j < late_end:
            is_late = i == sealed_end or (j < late_end and late[1][j] <= sealed[1][i])
            if is_late:
                if i < sealed_end and sealed[1][i] == late[1][j]:
                    i += 1
                time[k], value[k], quality[k] = late[1][j], late[2][j], late[3][j]
                j += 1
            else:
                time[k], value[k], quality[k] = sealed[1][i], sealed[2][i], sealed[3][i]
                i += 1
            if time[k] > floor[r]:
                break
            k += 1
        for n in range(recent[0][r], recent[0][r + 1]):
            if recent[1][n] > floor[r]:
                time[k], value[k], quality[k] = recent[1][n], recent[2][n], recent[3][n]
                k += 1
    offset[len(floor)] = k
    return k


@njit(cache=True, nogil=True)
def take_last(
    offset: I64,
    time: I64,
    value: F64,
    quality: U16,
    places: I64,
    is_found: Flags,
    last_time: I64,
    last_value: F64,
    last_quality: U16,
) -> None:
    """The last sample of each run into its place; empty runs leave theirs as it is."""
    for r in range(len(places)):
        if offset[r + 1] == offset[r]:
            continue
        at = offset[r + 1] - 1
        place = places[r]
        is_found[place] = True
        last_time[place] = time[at]
        last_value[place] = value[at]
        last_quality[place] = quality[at]
