"""Kernels that lay periods over slots. Periods are ``[start, end)``, sorted, and never overlap; slots are
given by their `edges`, ascending. Everything is whole numbers, so no result depends on an order.

A sum may exceed 64 bits: it is kept in two halves, ``sum == high × 2²⁶ + low``. A scaled value of at most 52
bits splits into halves of 26 bits, each of which times a day in µs (37 bits) fits 63 bits.

     period   ├────────────┤     ├──┤├───────────────┤
     slot   │         │         │         │         │
     edge   0         1         2         3         4
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]

HALF_BITS: Final = 26
HALF_MASK: Final = (1 << HALF_BITS) - 1

_VALIDITY_MASK: Final = 0b11
_ORIGIN_MASK: Final = 0b11100


@njit(cache=True, nogil=True)
def integrate_power(start: I64, end: I64, power: I64, edges: I64, high: I64, low: I64, covered: I64) -> None:
    """Add power × time of each period to its slots, and the time to `covered`. Time in any whole tick."""
    slot_count = len(edges) - 1
    first_slot = 0
    for i in range(len(start)):
        while first_slot < slot_count and edges[first_slot + 1] <= start[i]:
            first_slot += 1
        slot = first_slot
        while slot < slot_count and edges[slot] < end[i]:
            duration = min(end[i], edges[slot + 1]) - max(start[i], edges[slot])
            high[slot] += (power[i] >> HALF_BITS) * duration
            low[slot] += (power[i] & HALF_MASK) * duration
            covered[slot] += duration
            slot += 1


@njit(cache=True, nogil=True)
def spread_amounts(
    start: I64, end: I64, amount: I64, grid: int, edges: I64, high: I64, low: I64, covered: I64
) -> None:
    """Add each period's amount × `grid` to its slots in proportion to time, and the time to `covered`.

    What falls before an edge is rounded to a whole number; a slot takes the difference of its two edges, so
    the shares of a period always add up to all of it. |amount × grid| ≤ 2⁵².
    """
    slot_count = len(edges) - 1
    first_slot = 0
    for i in range(len(start)):
        while first_slot < slot_count and edges[first_slot + 1] <= start[i]:
            first_slot += 1
        slot = first_slot
        length = end[i] - start[i]
        whole = float(amount[i] * grid)
        while slot < slot_count and edges[slot] < end[i]:
            share_start = max(start[i], edges[slot]) - start[i]
            share_end = min(end[i], edges[slot + 1]) - start[i]
            share = np.int64(np.rint(whole * (share_end / length))) - np.int64(
                np.rint(whole * (share_start / length))
            )
            high[slot] += share >> HALF_BITS
            low[slot] += share & HALF_MASK
            covered[slot] += share_end - share_start
            slot += 1


@njit(cache=True, nogil=True)
def collect_quality(start: I64, end: I64, quality: U16, edges: I64, worst: U16, touched: U8) -> None:
    """Fold the quality of each period into the slots it covers: worst validity, least trusted origin, all flags.

    A slot not `touched` before takes the first quality as it is.
    """
    slot_count = len(edges) - 1
    first_slot = 0
    for i in range(len(start)):
        while first_slot < slot_count and edges[first_slot + 1] <= start[i]:
            first_slot += 1
        slot = first_slot
        while slot < slot_count and edges[slot] < end[i]:
            if touched[slot] == 0:
                worst[slot] = quality[i]
                touched[slot] = 1
            else:
                one = np.int64(worst[slot])
                other = np.int64(quality[i])
                validity = max(one & _VALIDITY_MASK, other & _VALIDITY_MASK)
                origin = max(one & _ORIGIN_MASK, other & _ORIGIN_MASK)
                flags = (one | other) & ~(_VALIDITY_MASK | _ORIGIN_MASK)
                worst[slot] = np.uint16(validity | origin | flags)
            slot += 1
