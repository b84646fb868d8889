"""Kernels that describe and pack the runs of a segment."""

import numpy as np
import numpy.typing as npt
from numba import njit

from historian.model.decimal_kernels import decimal_exponent

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

_I32_MAX = 2147483647


@njit(cache=True, nogil=True)
def value_kind(values: F64) -> int:
    """The narrowest kind of segment_layout that gives every value back bit for bit."""
    exponent = decimal_exponent(values)
    if exponent < 0:
        return 255
    divisor = 10.0**exponent
    for v in values:
        if abs(v) * divisor > _I32_MAX - 1:
            return 16 + exponent
    return exponent


@njit(cache=True, nogil=True)
def regular_step(time: I64) -> int:
    """The step of a grid on which all times lie, with at least half of its slots filled; else 0."""
    n = len(time)
    if n < 2:
        return 1
    step = time[1] - time[0]
    for i in range(2, n):
        step = min(step, time[i] - time[i - 1])
    for i in range(1, n):
        if (time[i] - time[0]) % step != 0:
            return 0
    slot_count = (time[n - 1] - time[0]) // step + 1
    return step if slot_count <= 2 * n else 0


@njit(cache=True, nogil=True)
def describe_runs(
    time: I64,
    value: F64,
    quality: U16,
    sequence: I64,
    first: I64,
    count: I64,
    step: I64,
    missing: U32,
    kind: U8,
    low: F64,
    high: F64,
    same_quality: U8,
    same_sequence: U8,
) -> None:
    """Fill the index columns that follow from the samples of each run ``[first, first + count)``."""
    for r in range(len(first)):
        a = first[r]
        b = a + count[r]
        step[r] = regular_step(time[a:b])
        missing[r] = 0
        if step[r] > 0:
            missing[r] = (time[b - 1] - time[a]) // step[r] + 1 - count[r]
        kind[r] = value_kind(value[a:b])
        low[r] = value[a]
        high[r] = value[a]
        same_quality[r] = 1
        same_sequence[r] = 1
        for i in range(a, b):
            low[r] = min(low[r], value[i])
            high[r] = max(high[r], value[i])
            if quality[i] != quality[a]:
                same_quality[r] = 0
            if sequence[i] != sequence[a]:
                same_sequence[r] = 0


@njit(cache=True, nogil=True)
def missing_slots(time: I64, first: I64, count: I64, step: I64, missing: U32, out: U32) -> None:
    """The empty slots of every regular run with gaps, one run after the other."""
    at = 0
    for r in range(len(first)):
        if missing[r] == 0:
            continue
        a = first[r]
        expected = 0
        for i in range(a, a + count[r]):
            slot = (time[i] - time[a]) // step[r]
            while expected < slot:
                out[at] = expected
                at += 1
                expected += 1
            expected = slot + 1


@njit(cache=True, nogil=True)
def scale(value: F64, first: I64, count: I64, kind: U8, wanted: int, divisor: float, out: I64) -> None:
    """Scaled integers of the runs of one kind, one run after the other."""
    at = 0
    for r in range(len(first)):
        if kind[r] != wanted:
            continue
        for i in range(first[r], first[r] + count[r]):
            out[at] = np.int64(np.rint(value[i] * divisor))
            at += 1


@njit(cache=True, nogil=True)
def gather(column: I64, first: I64, count: I64, chosen: U8, out: I64) -> None:
    """Samples of the chosen runs of an int64 column, one run after the other."""
    at = 0
    for r in range(len(first)):
        if chosen[r] == 0:
            continue
        for i in range(first[r], first[r] + count[r]):
            out[at] = column[i]
            at += 1
