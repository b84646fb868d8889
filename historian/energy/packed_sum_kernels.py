"""Kernel that adds up samples where they lie, see `historian.model.packed`: one a slot, of many points."""

import numpy as np
import numpy.typing as npt

from historian.energy.steady_kernels import EVERYDAY_MASK
from historian.jit_kernels import njit
from historian.model import packed

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]


@njit(cache=True, nogil=True)
def add_piece(
    fields: I64, scaled: I32, missing: U32, quality: U16, multiplier: I64, start_us: int, slot_us: int,
    total: I64, count: I64, flags: U16,
) -> bool:  # fmt: skip
    """Add the samples within the slots, each times its point's multiplier; False, with half-filled columns, where
    some sample is not on the grid of the slots, or one within them is not good and measured.
    """
    slot_count = len(total)
    for r in range(fields.shape[1]):
        size = fields[packed.SIZE, r]
        if size == 0:
            continue
        step_us, offset_us = fields[packed.STEP_US, r], fields[packed.FIRST_US, r] - start_us
        if step_us % slot_us or offset_us % slot_us:
            return False
        step, place = step_us // slot_us, offset_us // slot_us
        at, number = fields[packed.AT, r], fields[packed.SLOT, r]
        quality_at, m = fields[packed.QUALITY_AT, r], fields[packed.MISSING_AT, r]
        while size > 0 and place < slot_count:
            stretch = size
            if m < fields[packed.MISSING_END, r]:
                stretch = min(size, int(missing[m]) - number)
            first = min(stretch, max(0, -(place // step)))  # those before the first slot
            last = min(stretch, max(0, -((place - slot_count) // step)))
            if first < last:
                into = place + first * step
                if step == 1:
                    add_stretch(scaled, at + first, last - first, multiplier[r], total, count, into)
                else:
                    for i in range(last - first):
                        total[into + i * step] += int(scaled[at + first + i]) * multiplier[r]
                        count[into + i * step] += 1
                bits, from_quality = fields[packed.QUALITY, r], quality_at + first if quality_at >= 0 else -1
                if not take_flags(quality, from_quality, bits, last - first, step, into, flags):
                    return False
            size -= stretch
            at += stretch
            quality_at += stretch if quality_at >= 0 else 0
            m += 1
            number += stretch + 1
            place += (stretch + 1) * step
    return True


@njit(cache=True, nogil=True)
def add_stretch(scaled: I32, at: int, size: int, multiplier: int, total: I64, count: I64, into: int) -> None:
    """Neighbours into neighbours; places have no sign, so that the processor takes eight at once."""
    source, target = np.uintp(at), np.uintp(into)
    for i in range(np.uintp(size)):
        total[target + i] += np.int64(scaled[source + i]) * multiplier
        count[target + i] += 1


@njit(cache=True, nogil=True)
def take_flags(quality: U16, at: int, bits: int, size: int, step: int, into: int, flags: U16) -> bool:
    """Add the flags of samples to their slots (all have `bits` where `at` is negative); False where one is not
    good and measured.
    """
    if at < 0 and bits == 0:
        return True
    for i in range(size):
        own = bits if at < 0 else int(quality[at + i])
        if own & EVERYDAY_MASK:
            return False
        flags[into + i * step] |= np.uint16(own)
    return True
