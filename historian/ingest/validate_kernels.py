"""Kernels of the ingest path: is a sample acceptable by itself, and what becomes of one that meets others."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

# Outcomes as in model.ports.Outcome, qualities as in model.quality; tests hold them together.
_ACCEPTED, _DUPLICATE, _REPLACED, _CONFLICT = 0, 1, 2, 3
_NOT_FINITE, _TOO_OLD, _IN_FUTURE, _UNKNOWN_POINT = 4, 5, 6, 7
_VALIDITY_MASK, _SUSPECT = 3, 1


@njit(cache=True, nogil=True)
def are_good(
    ids: U32,
    times: I64,
    values: F64,
    interval: I64,
    range_low: F64,
    range_high: F64,
    time_min: int,
    time_max: int,
) -> bool:
    """Whether `validate` would accept all samples and mark none: the everyday case, for which nothing is written."""
    point_count = np.uint64(len(interval))
    for i in range(len(ids)):
        p = np.uint64(ids[i])
        if p >= point_count or interval[p] == 0 or not np.isfinite(values[i]):
            return False
        if not time_min <= times[i] <= time_max or values[i] < range_low[p] or values[i] > range_high[p]:
            return False
    return True


@njit(cache=True, nogil=True)
def validate(
    ids: U32,
    times: I64,
    values: F64,
    qualities: U16,
    interval: I64,
    range_low: F64,
    range_high: F64,
    time_min: int,
    time_max: int,
    outcome: U8,
    marked: U16,
) -> tuple[int, int]:
    """Fill `outcome` (accepted or why not) and `marked`: the qualities, suspect where out of range.

    Returns (refused count, marked count). Times are good in ``[time_min, time_max]``.
    """
    refused = 0
    out_of_range = 0
    for i in range(len(ids)):
        p = ids[i]
        marked[i] = qualities[i]
        result = _ACCEPTED
        if p >= len(interval) or interval[p] == 0:
            result = _UNKNOWN_POINT
        elif not np.isfinite(values[i]):
            result = _NOT_FINITE
        elif times[i] < time_min:
            result = _TOO_OLD
        elif times[i] > time_max:
            result = _IN_FUTURE
        elif values[i] < range_low[p] or values[i] > range_high[p]:
            if qualities[i] & _VALIDITY_MASK == 0:
                marked[i] = qualities[i] | _SUSPECT
            out_of_range += 1
        outcome[i] = result
        if result != _ACCEPTED:
            refused += 1
    return refused, out_of_range


@njit(cache=True, nogil=True)
def resolve(
    order: I64,
    ids: U32,
    times: I64,
    values: F64,
    qualities: U16,
    may_replace: U8,
    is_found: npt.NDArray[np.bool_],
    found_value: F64,
    found_quality: U16,
    outcome: U8,
) -> int:
    """Decide each sample against what is stored and against earlier ones of the same batch.

    `order` sorts by point, time and place in the batch. Returns how many are to be written
    (outcome accepted or replaced).
    """
    written = 0
    has = False
    value = 0.0
    quality = np.uint16(0)
    for k in range(len(order)):
        i = order[k]
        is_repeat = k > 0 and ids[order[k - 1]] == ids[i] and times[order[k - 1]] == times[i]
        if not is_repeat:
            has = is_found[i]
            value = found_value[i]
            quality = found_quality[i]
        if has and value == values[i] and quality == qualities[i]:
            outcome[i] = _DUPLICATE
            continue
        if has and may_replace[i] == 0:
            outcome[i] = _CONFLICT
            continue
        outcome[i] = _REPLACED if has else _ACCEPTED
        has = True
        value = values[i]
        quality = qualities[i]
        written += 1
    return written
