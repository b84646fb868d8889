"""Kernels over the ring's columns. A row is the slots ``[offset, offset + capacity)`` of one point,
used as a circle: `head` is the oldest of `count` samples, times strictly increasing from there.

Invariant: every stored sample of a point with time > floor is in its row; at or below the floor,
samples may lie in the late buffer and in segments. Slots of a full row that hold an unsealed sample
are never lost: what is pushed out is handed back to the caller, who keeps it in the late buffer.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

Row = tuple[I64, I32, I32, I32, I64]  # by point id: offset, capacity, head, count, floor
Slots = tuple[I64, F64, U16, I64]  # time, value, quality, sequence of every slot
Columns = tuple[U32, I64, F64, U16, I64]  # rows outside the ring: point, time, value, quality, sequence

ABSENT: Final = 0  # surely not stored, and not twice in the batch
PRESENT: Final = 1  # in the ring; value and quality were given back
ELSEWHERE: Final = 2  # at or below the floor: ask late buffer and segments
REPEATED: Final = 3  # not above an earlier sample of the batch: needs a look at the whole batch


@njit(cache=True, nogil=True)
def find_slot(time: I64, offset: int, capacity: int, head: int, count: int, wanted: int) -> int:
    """Position in row order of the first sample with time ≥ wanted (`count` where there is none)."""
    low = 0
    high = count
    while low < high:
        middle = (low + high) // 2
        if time[offset + (head + middle) % capacity] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def look_up(
    ids: U32,
    times: I64,
    row: Row,
    time: I64,
    value: F64,
    quality: U16,
    scratch: I64,
    state: U8,
    found_value: F64,
    found_quality: U16,
) -> int:
    """Fill `state` for each sample; return how many are not ABSENT. `scratch` is per point, all minimum."""
    offset, capacity, head, count, floor = row
    special = 0
    for i in range(len(ids)):
        p = ids[i]
        t = times[i]
        n = count[p]
        newest = floor[p]
        if n > 0:
            newest = time[offset[p] + (head[p] + n - 1) % capacity[p]]
        highest = max(newest, scratch[p])
        if t > highest:
            state[i] = 0
            scratch[p] = t
            continue
        special += 1
        if t > newest:
            state[i] = 3
        elif t <= floor[p] or n == 0:
            state[i] = 2
        else:
            at = find_slot(time, offset[p], capacity[p], head[p], n, t)
            slot = offset[p] + (head[p] + at) % capacity[p]
            if time[slot] == t:
                state[i] = 1
                found_value[i] = value[slot]
                found_quality[i] = quality[slot]
            else:
                state[i] = 3
    for i in range(len(ids)):
        scratch[ids[i]] = -9223372036854775808
    return special


@njit(cache=True, nogil=True)
def push_out(point_id: int, slot: int, slots: Slots, out: Columns, at: int) -> None:
    """Copy a slot into the out columns."""
    time, value, quality, sequence = slots
    out[0][at] = point_id
    out[1][at] = time[slot]
    out[2][at] = value[slot]
    out[3][at] = quality[slot]
    out[4][at] = sequence[slot]


@njit(cache=True, nogil=True)
def insert(
    ids: U32,
    times: I64,
    values: F64,
    qualities: U16,
    sequence_number: int,
    sealed_sequence: int,
    row: Row,
    slots: Slots,
    late: I64,
    out: Columns,
) -> tuple[int, int]:
    """Put samples into their rows; newer versions replace older ones of the same time.

    Returns (late count, out count): `late` holds positions of samples that belong below the floor;
    the out columns hold unsealed samples that were pushed out of a full row or replaced.
    """
    offset, capacity, head, count, floor = row
    time, value, quality, sequence = slots
    late_count = 0
    out_count = 0
    for i in range(len(ids)):
        p = ids[i]
        t = times[i]
        size = capacity[p]
        if t <= floor[p]:
            late[late_count] = i
            late_count += 1
            continue
        base = offset[p]
        n = count[p]
        at = n
        if n > 0 and t <= time[base + (head[p] + n - 1) % size]:
            at = find_slot(time, base, size, head[p], n, t)
        if at < n and time[base + (head[p] + at) % size] == t:
            slot = base + (head[p] + at) % size
            if sequence[slot] > sealed_sequence:
                push_out(p, slot, slots, out, out_count)
                out_count += 1
        elif n == size and at == 0:
            floor[p] = t
            late[late_count] = i
            late_count += 1
            continue
        else:
            if n == size:
                slot = base + head[p]
                floor[p] = time[slot]
                if sequence[slot] > sealed_sequence:
                    push_out(p, slot, slots, out, out_count)
                    out_count += 1
                head[p] = (head[p] + 1) % size
                n -= 1
                at -= 1
            for k in range(n, at, -1):
                into = base + (head[p] + k) % size
                source = base + (head[p] + k - 1) % size
                time[into] = time[source]
                value[into] = value[source]
                quality[into] = quality[source]
                sequence[into] = sequence[source]
            count[p] = n + 1
            slot = base + (head[p] + at) % size
        time[slot] = t
        value[slot] = values[i]
        quality[slot] = qualities[i]
        sequence[slot] = sequence_number
    return late_count, out_count


@njit(cache=True, nogil=True)
def count_between(ids: U32, start: int, end: int, row: Row, time: I64, first: I64, counts: I64) -> int:
    """For each id: position of the first sample in ``[start, end)`` and how many; returns the total."""
    offset, capacity, head, count, _ = row
    total = 0
    for i in range(len(ids)):
        p = ids[i]
        n = count[p]
        low = 0
        high = 0
        if n > 0:
            low = find_slot(time, offset[p], capacity[p], head[p], n, start)
            high = find_slot(time, offset[p], capacity[p], head[p], n, end)
        first[i] = low
        counts[i] = max(0, high - low)
        total += counts[i]
    return total


@njit(cache=True, nogil=True)
def copy_rows(
    ids: U32,
    first: I64,
    counts: I64,
    row: Row,
    slots: Slots,
    to: Slots,
) -> None:
    """Copy the counted samples of each id, one id after the other."""
    offset, capacity, head, _, _ = row
    time, value, quality, sequence = slots
    to_time, to_value, to_quality, to_sequence = to
    at = 0
    for i in range(len(ids)):
        p = ids[i]
        for k in range(counts[i]):
            slot = offset[p] + (head[p] + first[i] + k) % capacity[p]
            to_time[at] = time[slot]
            to_value[at] = value[slot]
            to_quality[at] = quality[slot]
            to_sequence[at] = sequence[slot]
            at += 1


@njit(cache=True, nogil=True)
def unsealed(
    point_count: int,
    sealed_sequence: int,
    row: Row,
    slots: Slots,
    out: Columns,
) -> int:
    """Samples with a sequence above `sealed_sequence`, by point and time. Empty columns: only count."""
    offset, capacity, head, count, _ = row
    sequence = slots[3]
    found = 0
    for p in range(point_count):
        for k in range(count[p]):
            slot = offset[p] + (head[p] + k) % capacity[p]
            if sequence[slot] > sealed_sequence:
                if len(out[0]) > 0:
                    push_out(p, slot, slots, out, found)
                found += 1
    return found


@njit(cache=True, nogil=True)
def newest(
    ids: U32,
    row: Row,
    slots: Slots,
    to: Slots,
    found: U8,
) -> int:
    """The newest sample of each id; `found` is 0 where the row is empty. Returns how many are empty."""
    offset, capacity, head, count, _ = row
    time, value, quality, sequence = slots
    to_time, to_value, to_quality, to_sequence = to
    empty = 0
    for i in range(len(ids)):
        p = ids[i]
        n = count[p]
        if n == 0:
            found[i] = 0
            empty += 1
            continue
        slot = offset[p] + (head[p] + n - 1) % capacity[p]
        found[i] = 1
        to_time[i] = time[slot]
        to_value[i] = value[slot]
        to_quality[i] = quality[slot]
        to_sequence[i] = sequence[slot]
    return empty


@njit(cache=True, nogil=True)
def load(
    rows: Columns,
    row: Row,
    slots: Slots,
) -> None:
    """Append sealed samples, sorted by point and time, to rows; the oldest go where a row is full."""
    offset, capacity, head, count, floor = row
    time, value, quality, sequence = slots
    ids, times, values, qualities, sequences = rows
    for i in range(len(ids)):
        p = ids[i]
        size = capacity[p]
        if count[p] == size:
            floor[p] = time[offset[p] + head[p]]
            head[p] = (head[p] + 1) % size
            count[p] -= 1
        slot = offset[p] + (head[p] + count[p]) % size
        count[p] += 1
        time[slot] = times[i]
        value[slot] = values[i]
        quality[slot] = qualities[i]
        sequence[slot] = sequences[i]
