"""Names of points as bytes: found by an open hash table of point ids, a million in a tenth of a second."""

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

Bytes = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
Ids = npt.NDArray[np.uint32]

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_BYTE_BITS = np.uint64(8)


@njit(cache=True, nogil=True)
def _slot_of(text: Bytes, start: int, end: int, slot_count: int) -> np.int64:
    mixed, word, filled = np.uint64(end - start), np.uint64(0), 0
    for i in range(start, end):
        word = (word << _BYTE_BITS) | np.uint64(text[i])
        filled += 1
        if filled == 8:
            mixed = (mixed ^ word) * _MIX
            mixed ^= mixed >> _SHIFT
            word, filled = np.uint64(0), 0
    mixed = (mixed ^ word) * _MIX
    mixed ^= mixed >> _SHIFT
    mixed *= _MIX
    return np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(slot_count - 1))


@njit(cache=True, nogil=True)
def _is_equal(text: Bytes, start: int, end: int, other: Bytes, other_start: int, other_end: int) -> bool:
    if end - start != other_end - other_start:
        return False
    i = 0
    while i < end - start and text[start + i] == other[other_start + i]:
        i += 1
    return i == end - start


@njit(cache=True, nogil=True)
def insert_names(slots: Ids, text: Bytes, start: I64, end: I64, first_id: int, last_id: int) -> None:
    """Enter ids ``[first_id, last_id)``; an id without a name is left out. `slots` must stay half empty."""
    for point_id in range(first_id, last_id):
        if end[point_id] == start[point_id]:
            continue
        slot = _slot_of(text, start[point_id], end[point_id], len(slots))
        while slots[slot] != 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = point_id


@njit(cache=True, nogil=True)
def find_names(
    slots: Ids, text: Bytes, start: I64, end: I64, asked: Bytes, asked_end: I64, found: Ids
) -> None:
    """The id of each name asked for, 0 where there is none; name i ends at ``asked_end[i]`` and a byte lies between."""
    at = 0
    for i in range(len(asked_end)):
        found[i] = 0
        slot = _slot_of(asked, at, asked_end[i], len(slots))
        while slots[slot] != 0:
            point_id = slots[slot]
            # A slot may hold an id that has another name by now, or one that came after this block was taken.
            is_known = point_id < len(start) and end[point_id] <= len(text)
            if is_known and _is_equal(asked, at, asked_end[i], text, start[point_id], end[point_id]):
                found[i] = point_id
                break
            slot = (slot + 1) & (len(slots) - 1)
        at = asked_end[i] + 1


@njit(cache=True, nogil=True)
def gather_texts(text: Bytes, start: I64, end: I64, ids: Ids, out: Bytes) -> None:
    """The texts of these ids one behind the other, each with a line end; `out` has room for exactly these."""
    at = 0
    for i in range(len(ids)):
        for k in range(start[ids[i]], end[ids[i]]):
            out[at] = text[k]
            at += 1
        out[at] = 10
        at += 1
