"""Kernel for plain lines of line protocol: no escapes, no strings, nothing faulty.

It stops before the first line that is not plain; the general reader takes that one and the kernel goes on
behind it. What it does read it reads exactly as the general reader would: a number is taken only where
mantissa and power of ten are both exact in float64, so that one division or product rounds correctly.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

Bytes = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Columns of `span`, one row a field: where its series and its key stand in the body.
SERIES_START: Final = 0
SERIES_END: Final = 1
KEY_START: Final = 2
KEY_END: Final = 3
SPAN_WIDTH: Final = 4

# Columns of `entry`, one row a known key: where its bytes stand in the arena.
ENTRY_AT: Final = 0
ENTRY_SERIES_SIZE: Final = 1
ENTRY_KEY_SIZE: Final = 2
ENTRY_WIDTH: Final = 3

_MANTISSA_MAX: Final = 9007199254740992  # 2^53: whole numbers up to here are exact
_POWERS: Final = (
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
    1e20, 1e21, 1e22,
)  # fmt: skip
_EXACT_POWER_MAX: Final = 22  # 10^22 is the last power of ten that float64 holds exactly
_TIME_MAX: Final = 922_337_203_685_477_579  # one more digit still fits into int64

_TIME_DIGITS_MAX: Final = 19

_TAB: Final = 9
_NEWLINE: Final = 10
_RETURN: Final = 13
_SPACE: Final = 32
_QUOTE: Final = 34
_HASH: Final = 35
_COMMA: Final = 44
_MINUS: Final = 45
_EQUALS: Final = 61
_BACKSLASH: Final = 92


@njit(cache=True, nogil=True)
def hash_key(body: Bytes, start: int, end: int, seed: np.uint64) -> np.uint64:
    """FNV-1a of ``body[start:end]``, going on from `seed`."""
    value = seed
    for i in range(start, end):
        value = (value ^ np.uint64(body[i])) * np.uint64(1099511628211)
    return value


@njit(cache=True, nogil=True)
def find_key(
    body: Bytes, span: I64, key_hash: np.uint64, slot_hash: U64, slot_id: U32, entry: I64, arena: Bytes
) -> int:
    """The slot that holds the key of `span`, or the free one where it belongs. The table is never full."""
    mask = len(slot_hash) - 1
    slot = int(np.int64(key_hash & np.uint64(mask)))
    series_size = span[SERIES_END] - span[SERIES_START]
    key_size = span[KEY_END] - span[KEY_START]
    while slot_id[slot] != 0:
        if (
            slot_hash[slot] == key_hash
            and entry[slot, ENTRY_SERIES_SIZE] == series_size
            and entry[slot, ENTRY_KEY_SIZE] == key_size
            and _is_equal(body, int(span[SERIES_START]), arena, int(entry[slot, ENTRY_AT]), int(series_size))
            and _is_equal(
                body, int(span[KEY_START]), arena, int(entry[slot, ENTRY_AT] + series_size), int(key_size)
            )
        ):
            return slot
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def read_lines(
    body: Bytes,
    at: int,
    line: int,
    row: int,
    seed: np.uint64,
    slot_hash: U64,
    slot_id: U32,
    entry: I64,
    arena: Bytes,
    span: I64,
    value: F64,
    time: I64,
    has_time: Flags,
    line_of: I64,
    point_id: U32,
) -> tuple[int, int, int]:
    """Read plain lines from `at` into rows from `row`; where it stopped, the line's number there, the next row.

    `point_id` is 0 for keys the table does not hold. Stopped before the end means: that line is not plain.
    """  # fmt: skip
    end = len(body)
    while at < end:
        start = at
        while at < end and (body[at] == _SPACE or body[at] == _RETURN or body[at] == _TAB):
            at += 1
        if at < end and body[at] != _NEWLINE and body[at] != _HASH:
            next_at, next_row = _read_line(body, at, row, span, value, time, has_time)
            if next_at < 0:
                return start, line, row
            series_hash = hash_key(body, int(span[row, SERIES_START]), int(span[row, SERIES_END]), seed)
            for i in range(row, next_row):
                key_hash = hash_key(body, int(span[i, KEY_START]), int(span[i, KEY_END]), series_hash)
                point_id[i] = slot_id[find_key(body, span[i], key_hash, slot_hash, slot_id, entry, arena)]
                line_of[i] = line
            at = next_at
            row = next_row
        else:
            while at < end and body[at] != _NEWLINE:
                at += 1
        at = min(at + 1, end)
        line += 1
    return end, line, row


@njit(cache=True, nogil=True)
def place_keys(key_hash: U64, key_id: U32, key_entry: I64, slot_hash: U64, slot_id: U32, entry: I64) -> None:
    """Put keys, all different, into an empty table that is large enough."""
    mask = len(slot_id) - 1
    for i in range(len(key_id)):
        slot = int(np.int64(key_hash[i] & np.uint64(mask)))
        while slot_id[slot] != 0:
            slot = (slot + 1) & mask
        slot_hash[slot] = key_hash[i]
        slot_id[slot] = key_id[i]
        entry[slot] = key_entry[i]


@njit(cache=True, nogil=True)
def _read_line(
    body: Bytes, at: int, row: int, span: I64, value: F64, time: I64, has_time: Flags
) -> tuple[int, int]:
    """Where the line's newline (or the body's end) is and the next free row; -1 where the line is not plain."""
    end = len(body)
    series_start = at
    while at < end and body[at] != _SPACE:
        if body[at] == _NEWLINE or body[at] == _BACKSLASH or body[at] == _QUOTE:
            return -1, row
        at += 1
    series_end = at
    while at < end and body[at] == _SPACE:
        at += 1
    first = row
    while True:
        key_start = at
        while at < end and body[at] != _EQUALS:
            mark = body[at]
            if mark in (_NEWLINE, _BACKSLASH, _QUOTE, _SPACE, _COMMA):
                return -1, first
            at += 1
        if at == key_start or at >= end:
            return -1, first
        span[row, SERIES_START] = series_start
        span[row, SERIES_END] = series_end
        span[row, KEY_START] = key_start
        span[row, KEY_END] = at
        number, at = _read_number(body, at + 1)
        if at < 0:
            return -1, first
        value[row] = number
        row += 1
        if at >= end or body[at] != _COMMA:
            break
        at += 1
    stamp, is_stamped, at = _read_stamp(body, at)
    if at < 0:
        return -1, first
    for i in range(first, row):
        time[i] = stamp
        has_time[i] = is_stamped
    return at, row


@njit(cache=True, nogil=True)
def _read_stamp(body: Bytes, at: int) -> tuple[int, bool, int]:
    """The time, whether there is one, and where the line ends; -1 where something else follows."""
    end = len(body)
    while at < end and body[at] == _SPACE:
        at += 1
    is_negative = at < end and body[at] == _MINUS
    if is_negative:
        at += 1
    stamp = 0
    first = at
    while at < end and 48 <= body[at] <= 57:
        if stamp > _TIME_MAX or at - first >= _TIME_DIGITS_MAX:
            return 0, False, -1
        stamp = stamp * 10 + int(body[at]) - 48
        at += 1
    is_stamped = at > first
    while at < end and (body[at] == _SPACE or body[at] == _RETURN):
        at += 1
    if (at < end and body[at] != _NEWLINE) or (is_negative and not is_stamped):
        return 0, False, -1
    return -stamp if is_negative else stamp, is_stamped, at


@njit(cache=True, nogil=True)
def _read_number(body: Bytes, at: int) -> tuple[float, int]:
    """A plain number and where it ends; -1 where it is another form or needs more care."""
    end = len(body)
    is_negative = at < end and body[at] == _MINUS
    if is_negative:
        at += 1
    mantissa = 0
    digit_count = 0
    decimal_count = 0
    has_point = False
    while at < end:
        digit = int(body[at]) - 48
        if 0 <= digit <= 9:
            if mantissa > _MANTISSA_MAX:
                return 0.0, -1
            mantissa = mantissa * 10 + digit
            digit_count += 1
            if has_point:
                decimal_count += 1
        elif body[at] == 46 and not has_point:
            has_point = True
        else:
            break
        at += 1
    exponent, at, has_exponent = _read_exponent(body, at)
    if at < 0 or digit_count == 0 or mantissa > _MANTISSA_MAX:
        return 0.0, -1
    if at < end and body[at] == 105 and not has_point and not has_exponent:  # "i": a whole number
        at += 1
        is_negative = is_negative and mantissa > 0  # whole numbers know no minus zero
    if (
        at < end
        and body[at] != _COMMA
        and body[at] != _SPACE
        and body[at] != _NEWLINE
        and body[at] != _RETURN
    ):
        return 0.0, -1
    power = exponent - decimal_count
    if abs(power) > _EXACT_POWER_MAX:
        return 0.0, -1
    number = float(mantissa)
    number = number * _POWERS[power] if power >= 0 else number / _POWERS[-power]
    return -number if is_negative else number, at


@njit(cache=True, nogil=True)
def _read_exponent(body: Bytes, at: int) -> tuple[int, int, bool]:
    """The power of ten after ``e``, 0 where there is none, and where it ends; -1 where it is not plain."""
    end = len(body)
    if at >= end or (body[at] != 101 and body[at] != 69):
        return 0, at, False
    at += 1
    is_negative = at < end and body[at] == _MINUS
    if at < end and (body[at] == _MINUS or body[at] == 43):
        at += 1
    exponent = 0
    first = at
    while at < end and 48 <= body[at] <= 57 and at - first < 4:
        exponent = exponent * 10 + int(body[at]) - 48
        at += 1
    if at == first:
        return 0, -1, True
    return -exponent if is_negative else exponent, at, True


@njit(cache=True, nogil=True)
def _is_equal(left: Bytes, left_at: int, right: Bytes, right_at: int, size: int) -> bool:
    same_count = 0
    while same_count < size and left[left_at + same_count] == right[right_at + same_count]:
        same_count += 1
    return same_count == size
