"""Kernel that tells where samples lie in a segment's decoded columns, for those who read them there."""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.model import packed
from historian.store import segment_read_kernels as reading
from historian.store.segment_read_kernels import Found, Held

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

_KIND_MAX: Final = 9  # scaled i32


@njit(cache=True, nogil=True)
def describe(held: Held, found: Found, fields: I64, first_us: I64, last_us: I64, is_packed: U8) -> None:
    """Fill the fields of `packed.PackedPiece` from what was found, for each point that is packed so far.

    ``[first_us, last_us]`` is the span of its pieces before; it is widened. A point whose samples are not whole
    numbers on a grid, or overlap it, is no longer packed.
    """
    index = held.fields
    for i in range(len(found.run)):
        size, run = found.size[i], found.run[i]
        fields[packed.SIZE, i] = 0
        if size == 0 or is_packed[i] == 0:
            continue
        step = index[reading.STEP_US, run]
        if step == 0 or index[reading.KIND, run] > _KIND_MAX:
            is_packed[i] = 0
            continue
        slot = found.slot[i]
        end = index[reading.TIME_AT, run] + index[reading.MISSING, run]
        m = index[reading.TIME_AT, run] + slot - found.first[i]
        while m < end and held.missing_slot[m] == slot:
            m += 1
            slot += 1
        n = m  # to the first missing one behind the last sample
        while n < end and np.int64(held.missing_slot[n]) - slot - (n - m) < size:
            n += 1
        begin_us = index[reading.FIRST_US, run] + step * slot
        end_us = begin_us + step * (size - 1 + n - m)
        if begin_us <= last_us[i] and end_us >= first_us[i]:
            is_packed[i] = 0
            continue
        first_us[i], last_us[i] = min(first_us[i], begin_us), max(last_us[i], end_us)
        fields[packed.SIZE, i], fields[packed.AT, i] = size, index[reading.VALUE_AT, run] + found.first[i]
        fields[packed.EXPONENT, i] = index[reading.KIND, run]
        fields[packed.FIRST_US, i], fields[packed.STEP_US, i], fields[packed.SLOT, i] = begin_us, step, slot
        fields[packed.MISSING_AT, i], fields[packed.MISSING_END, i] = m, n
        quality_at = index[reading.QUALITY_AT, run]
        fields[packed.QUALITY_AT, i] = quality_at + found.first[i] if quality_at >= 0 else -1
        fields[packed.QUALITY, i] = index[reading.QUALITY, run]
