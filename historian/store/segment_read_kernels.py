"""Kernels that find and copy samples of many runs out of a segment's decoded columns.

A segment in memory is a tuple `Held`: index (see the field numbers), point ids, the columns, and which of their
chunks are decoded. Searches come first: they say where samples lie and which chunks are needed; when no chunk
is missing, `fill` copies.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

# Fields of the index in memory.
COUNT: Final = 0
FIRST_US: Final = 1
LAST_US: Final = 2
STEP_US: Final = 3
MISSING: Final = 4
TIME_AT: Final = 5
KIND: Final = 6
VALUE_AT: Final = 7  # in the column of the kind's type
QUALITY_AT: Final = 8
QUALITY: Final = 9
SEQUENCE_AT: Final = 10
SEQUENCE: Final = 11
FIELD_COUNT: Final = 12

# Columns, numbered as in `Held.base`.
C_I32: Final = 0
C_I64: Final = 1
C_F64: Final = 2
C_MISSING: Final = 3
C_TIME: Final = 4
C_QUALITY: Final = 5
C_SEQUENCE: Final = 6

CHUNK_BITS: Final = 15
KIND_I64: Final = 16
_KIND_F64: Final = 255
_SCANNED: Final = -2
_POWERS: Final = (1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)


class Held(NamedTuple):
    """A segment in memory. `base` is each column's first chunk in `filled`."""

    fields: npt.NDArray[np.int64]  # (field, run): the index
    point_id: U32
    i32: I32
    i64: I64
    f64: F64
    missing_slot: U32
    time_us: I64
    quality: U16
    sequence: I64
    base: I64
    filled: U8


class Scan(NamedTuple):
    """The scan table."""

    time_us: I64
    first_run: U32
    sequence: I64


class Found(NamedTuple):
    """Where samples lie: run (-1: nowhere), first sample of it, count, and the slot of the first one."""

    run: I64
    first: I64
    size: I64
    slot: I64


@njit(cache=True, nogil=True)
def run_of(point_id: U32, wanted: int, guess: int) -> int:
    """Position of a point's run, -1 where there is none; `guess` is tried first."""
    n = len(point_id)
    if 0 <= guess < n and point_id[guess] == wanted:
        return guess
    low = 0
    high = n
    while low < high:
        middle = (low + high) >> 1
        if point_id[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < n and point_id[low] == wanted else -1


@njit(cache=True, nogil=True)
def _lack(held: Held, column: int, first: int, last: int, needed: I64, n: int) -> int:
    """Note the chunks of entries ``[first, last)`` that are not decoded; gives how many are noted now."""
    if first >= last:
        return n
    base = held.base[column]
    for chunk in range(base + (first >> CHUNK_BITS), base + ((last - 1) >> CHUNK_BITS) + 1):
        if held.filled[chunk] == 0:
            if n < len(needed):
                needed[n] = chunk
            n += 1
    return n


@njit(cache=True, nogil=True)
def below(slots: U32, first: int, last: int, wanted: int) -> int:
    """The first place in ``[first, last)`` whose slot is not below `wanted`."""
    while first < last:
        middle = (first + last) >> 1
        if slots[middle] < wanted:
            first = middle + 1
        else:
            last = middle
    return first


@njit(cache=True, nogil=True)
def _before(times: I64, first: int, last: int, wanted: int) -> int:
    """The first place in ``[first, last)`` whose time is not before `wanted`."""
    while first < last:
        middle = (first + last) >> 1
        if times[middle] < wanted:
            first = middle + 1
        else:
            last = middle
    return first


@njit(cache=True, nogil=True)
def _lack_times(held: Held, run: int, needed: I64, n: int) -> int:
    """Chunks that are lacking to know the times of a run."""
    index = held.fields
    at = index[TIME_AT, run]
    if index[STEP_US, run] == 0:
        return _lack(held, C_TIME, at, at + index[COUNT, run], needed, n)
    return _lack(held, C_MISSING, at, at + index[MISSING, run], needed, n)


@njit(cache=True, nogil=True)
def _lack_samples(held: Held, run: int, first: int, count: int, needed: I64, n: int) -> int:
    """Chunks that are lacking to read samples of a run."""
    index = held.fields
    kind = index[KIND, run]
    column = C_F64 if kind == _KIND_F64 else (C_I64 if kind >= KIND_I64 else C_I32)
    at = index[VALUE_AT, run] + first
    n = _lack(held, column, at, at + count, needed, n)
    at = index[QUALITY_AT, run] + first
    if index[QUALITY_AT, run] >= 0:
        n = _lack(held, C_QUALITY, at, at + count, needed, n)
    return n


@njit(cache=True, nogil=True)
def _sample_before(held: Held, run: int, time: int) -> tuple[int, int]:
    """How many samples of a run lie before `time`, and on a grid the slot of the first that does not."""
    index = held.fields
    at = index[TIME_AT, run]
    step = index[STEP_US, run]
    count = index[COUNT, run]
    if time <= index[FIRST_US, run]:
        return 0, 0
    if step == 0:
        return _before(held.time_us, at, at + count, time) - at, 0
    missing = index[MISSING, run]
    if time > index[LAST_US, run]:
        return count, count + missing
    slot = (time - index[FIRST_US, run] + step - 1) // step
    return slot - (below(held.missing_slot, at, at + missing, slot) - at), slot


@njit(cache=True, nogil=True)
def find_in_run(held: Held, run: int, start: int, end: int, needed: I64, n: int) -> tuple[int, int, int, int]:
    """First, count and first slot of the samples of ``[start, end)``, and how many chunks are noted as lacking now."""
    index = held.fields
    if index[LAST_US, run] < start or index[FIRST_US, run] >= end:
        return 0, 0, 0, n
    lacking = _lack_times(held, run, needed, n)
    if lacking > n:
        return 0, 0, 0, lacking
    first, slot = _sample_before(held, run, start)
    last, _ = _sample_before(held, run, end)
    size = max(last - first, 0)
    return first, size, slot, _lack_samples(held, run, first, size, needed, n)


@njit(cache=True, nogil=True)
def search(held: Held, ids: U32, start: int, end: int, found: Found, needed: I64) -> int:
    """Where the samples of ``[start, end)`` of each id lie; gives how many chunks are lacking (see `needed`)."""
    n = 0
    run = -1
    for i in range(len(ids)):
        guess = run + 1 if run >= 0 else int(np.int64(ids[i]) - np.int64(held.point_id[0]))
        at = run_of(held.point_id, ids[i], guess)
        found.run[i] = at
        found.first[i] = found.size[i] = found.slot[i] = 0
        if at < 0:
            continue
        run = at
        found.first[i], found.size[i], found.slot[i], n = find_in_run(held, run, start, end, needed, n)
    return n


@njit(cache=True, nogil=True)
def search_exact(held: Held, ids: U32, times: I64, open_places: I64, found: Found, needed: I64) -> int:
    """As `search` for one time each: count is 1 where the sample at (ids[p], times[p]) is there."""
    index = held.fields
    n = 0
    run = -1
    for i in range(len(open_places)):
        place = open_places[i]
        at = run_of(
            held.point_id, ids[place], run if run >= 0 and held.point_id[run] == ids[place] else run + 1
        )
        found.run[i] = at
        found.first[i] = found.size[i] = found.slot[i] = 0
        if at < 0:
            continue
        run = at
        time = times[place]
        if index[LAST_US, run] < time or index[FIRST_US, run] > time:
            continue
        step = index[STEP_US, run]
        if step > 0 and (time - index[FIRST_US, run]) % step != 0:
            continue
        lacking = _lack_times(held, run, needed, n)
        if lacking > n:
            n = lacking
            continue
        first, slot = _sample_before(held, run, time)
        last, _ = _sample_before(held, run, time + 1)
        found.first[i], found.size[i], found.slot[i] = first, last - first, slot
        n = _lack_samples(held, run, first, last - first, needed, n)
    return n


@njit(cache=True, nogil=True)
def newest_before(held: Held, ids: U32, before: int, newest: I64, needed: I64) -> int:
    """Raise `newest` of each id to its last time before `before`; gives how many chunks are lacking."""
    index = held.fields
    n = 0
    run = -1
    for i in range(len(ids)):
        at = run_of(held.point_id, ids[i], run + 1)
        if at < 0:
            continue
        run = at
        if index[LAST_US, run] < before:
            newest[i] = max(newest[i], index[LAST_US, run])
            continue
        if index[FIRST_US, run] >= before:
            continue
        lacking = _lack_times(held, run, needed, n)
        if lacking > n:
            n = lacking
            continue
        count, slot = _sample_before(held, run, before)
        time_at = index[TIME_AT, run]
        if index[STEP_US, run] == 0:
            time = held.time_us[time_at + count - 1]
        else:
            m = time_at + slot - count - 1  # the last missing slot before `slot`
            slot -= 1
            while m >= time_at and held.missing_slot[m] == slot:
                m -= 1
                slot -= 1
            time = index[FIRST_US, run] + index[STEP_US, run] * slot
        newest[i] = max(newest[i], time)
    return n


@njit(cache=True, nogil=True)
def widen_span(held: Held, ids: U32, first: I64, last: I64) -> None:
    """Lower `first` and raise `last` of each id to what the index says."""
    run = -1
    for i in range(len(ids)):
        at = run_of(held.point_id, ids[i], run + 1)
        if at >= 0:
            run = at
            first[i] = min(first[i], held.fields[FIRST_US, run])
            last[i] = max(last[i], held.fields[LAST_US, run])


@njit(cache=True, nogil=True)
def _fill_times(held: Held, run: int, first: int, slot: int, out: I64) -> None:
    index = held.fields
    step = index[STEP_US, run]
    at = index[TIME_AT, run]
    if step == 0:
        for k in range(len(out)):
            out[k] = held.time_us[at + first + k]
        return
    time = index[FIRST_US, run]
    if index[MISSING, run] == 0:
        for k in range(len(out)):
            out[k] = time + step * (slot + k)
        return
    m = at + slot - first
    end = at + index[MISSING, run]
    k = 0
    while k < len(out):
        while m < end and held.missing_slot[m] == slot:
            m += 1
            slot += 1
        stretch = len(out) - k
        if m < end:
            stretch = min(stretch, int(held.missing_slot[m]) - slot)
        first_us = time + step * slot
        for j in range(stretch):  # without a branch, so that the processor writes eight at once
            out[k + j] = first_us + step * j
        k += stretch
        slot += stretch


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_values(held: Held, run: int, first: int, out: F64) -> None:
    kind = held.fields[KIND, run]
    at = held.fields[VALUE_AT, run] + first
    if kind == _KIND_F64:
        for k in range(len(out)):
            out[k] = held.f64[at + k]
    elif kind >= KIND_I64:
        divisor = _POWERS[kind - KIND_I64]
        for k in range(len(out)):
            out[k] = held.i64[at + k] / divisor
    else:
        divisor = _POWERS[kind]
        for k in range(len(out)):
            out[k] = held.i32[at + k] / divisor


@njit(cache=True, nogil=True)
def fill_run(held: Held, run: int, first: int, slot: int, time: I64, value: F64, quality: U16) -> None:
    """Copy as many samples of a run from `first` on as there is room for."""
    _fill_times(held, run, first, slot, time)
    _fill_values(held, run, first, value)
    quality_at = held.fields[QUALITY_AT, run]
    if quality_at < 0:
        quality[:] = held.fields[QUALITY, run]
    else:
        quality[:] = held.quality[quality_at + first : quality_at + first + len(quality)]


@njit(cache=True, nogil=True)
def fill(held: Held, found: Found, at: I64, time: I64, value: F64, quality: U16) -> None:
    """Copy what was found: the samples of entry i to ``[at[i], at[i] + count[i])``."""
    for i in range(len(found.run)):
        count = found.size[i]
        if count == 0:
            continue
        a = at[i]
        b = a + count
        fill_run(held, found.run[i], found.first[i], found.slot[i], time[a:b], value[a:b], quality[a:b])


@njit(cache=True, nogil=True)
def lacking_sequences(held: Held, found: Found, needed: I64) -> int:
    """How many chunks are lacking to know the sequences of what was found."""
    n = 0
    for i in range(len(found.run)):
        if found.size[i] > 0 and held.fields[SEQUENCE_AT, found.run[i]] >= 0:
            at = held.fields[SEQUENCE_AT, found.run[i]] + found.first[i]
            n = _lack(held, C_SEQUENCE, at, at + found.size[i], needed, n)
    return n


@njit(cache=True, nogil=True)
def _entry_of(entry_time: I64, first_run: U32, time: int, run: int) -> int:
    """The last entry that is not behind (time, run)."""
    low = 0
    high = len(entry_time)
    while low < high:
        middle = (low + high) >> 1
        if entry_time[middle] < time or (entry_time[middle] == time and first_run[middle] <= run):
            low = middle + 1
        else:
            high = middle
    return low - 1


@njit(cache=True, nogil=True)
def _fill_scanned(
    entry_time: I64, first_run: U32, entry_sequence: I64, run: int, time: I64, sequence: I64
) -> bool:
    """The sequences of a run's samples out of the scan table; False where it lacks one.

    Columns, not the table: handing that on would count the references of each.
    """
    last = len(entry_time) - 1
    entry = -1
    stride = 1
    for k in range(len(time)):
        guess = entry + stride
        if not (
            0 <= guess <= last
            and entry_time[guess] == time[k]
            and first_run[guess] <= run
            and (guess == last or entry_time[guess + 1] != time[k] or first_run[guess + 1] > run)
        ):
            guess = _entry_of(entry_time, first_run, time[k], run)
            if guess < 0 or entry_time[guess] != time[k]:
                return False
            stride = guess - entry
        entry = guess
        sequence[k] = entry_sequence[entry]
    return True


@njit(cache=True, nogil=True)
def fill_sequences(held: Held, scan: Scan, found: Found, at: I64, time: I64, sequence: I64) -> bool:
    """The sequences of what `fill` copied; False where the scan table lacks one."""
    for i in range(len(found.run)):
        run = found.run[i]
        a = at[i]
        b = a + found.size[i]
        if a == b:
            continue
        where = held.fields[SEQUENCE_AT, run]
        if where >= 0:
            sequence[a:b] = held.sequence[where + found.first[i] : where + found.first[i] + found.size[i]]
        elif where != _SCANNED:
            sequence[a:b] = held.fields[SEQUENCE, run]
        else:
            if not _fill_scanned(scan.time_us, scan.first_run, scan.sequence, run, time[a:b], sequence[a:b]):
                return False
    return True
