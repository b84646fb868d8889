"""Kernel for plain lines of line protocol: no escapes, no strings, nothing faulty.

It stops before the first line that is not plain; the general reader takes that one and the kernel goes on
behind it. What it does read it reads exactly as the general reader would, numbers to the last bit.

A sender mostly repeats itself. Behind the key that came last is expected the key that followed it the last
time, and behind the numbers the same time as in the line before: both are compared eight bytes at a time, and
only what differs is looked at byte by byte.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from api import float_kernels as floats
from api import text_kernels as text
from api.text_kernels import Bytes
from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Columns of `Rows.span`, one row a field whose key is not known: where its series and its key stand in the body.
SERIES_START: Final = 0
SERIES_END: Final = 1
KEY_START: Final = 2
KEY_END: Final = 3
SPAN_WIDTH: Final = 4

# Columns of `Keys.entry`, one row a known key: where its text stands in the arena, and which point it means.
# The text is as in a line: series, one space, key, equals sign.
ENTRY_AT: Final = 0
ENTRY_SERIES_SIZE: Final = 1
ENTRY_KEY_SIZE: Final = 2
ENTRY_SIZE: Final = 3
ENTRY_POINT: Final = 4
ENTRY_WIDTH: Final = 5

FIRST: Final = 0  # the entry that stands for the begin of a body; known keys are numbered from 1
NEVER: Final = 1 << 40  # a size that no text has, so that what has it is never found

_TIME_MAX: Final = 922_337_203_685_477_579  # one more digit still fits into int64
_MANTISSA_MAX: Final = _TIME_MAX
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
_HASH_BITS: Final = np.uint64(0xFFFFFFFF)
_HASH_FACTOR: Final = np.uint64(16777619)
_ONE: Final = np.uint64(1)
_LINE_ROOM: Final = np.uint64(2 * text.WORD_ROOM)
_PATIENCE: Final = 8
_LOWEST_BYTE: Final = np.uint64(0xFF)


class Keys(NamedTuple):
    """The table of known keys. A free slot has entry 0; `following` has the entry that came behind each."""

    slot_hash: U64
    slot_entry: U32
    entry: I64
    following: U32
    arena: Bytes


class Rows(NamedTuple):
    """What is read, one row a field. `point_id` is 0 where the key is not known; only then `span` is set."""

    span: I64
    value: F64
    time: I64
    has_time: Flags
    line: I64
    point_id: U32


@njit(cache=True, nogil=True)
def hash_key(body: Bytes, start: int, end: int, seed: np.uint64) -> np.uint64:
    """FNV-1a in 32 bits of ``body[start:end]``, going on from `seed`."""
    value = seed & _HASH_BITS
    for i in range(start, end):
        value = ((value ^ np.uint64(body[i])) * _HASH_FACTOR) & _HASH_BITS
    return np.uint64(value)


@njit(cache=True, nogil=True)
def find_key(
    body: Bytes, span: I64, key_hash: np.uint64, slot_hash: U64, slot_entry: U32, entry: I64, arena: Bytes
) -> int:
    """The slot that holds the key of `span`, or the free one where it belongs. The table is never full."""
    mask = len(slot_hash) - 1
    slot = int(np.int64(key_hash & np.uint64(mask)))
    series_size = int(span[SERIES_END] - span[SERIES_START])
    key_size = int(span[KEY_END] - span[KEY_START])
    while slot_entry[slot] != 0:
        number = slot_entry[slot]
        at = int(entry[number, ENTRY_AT])
        if (
            slot_hash[slot] == key_hash
            and entry[number, ENTRY_SERIES_SIZE] == series_size
            and entry[number, ENTRY_KEY_SIZE] == key_size
            and _is_equal(body, int(span[SERIES_START]), arena, at, series_size)
            and _is_equal(body, int(span[KEY_START]), arena, at + series_size + 1, key_size)
        ):
            return slot
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def read_lines(
    body: Bytes, at: int, line: int, row: int, seed: np.uint64, keys: Keys, rows: Rows
) -> tuple[int, int, int]:
    """Read plain lines from `at` into rows from `row`; where it stopped, the line's number there, the next row.

    Stopped before the end means: that line is not plain, or the rows are full.
    """
    # A call with many arrays counts each as used, which costs more than a line. So the tuples are taken apart
    # once, and only what is not as expected goes to calls with more than a few.
    slot_hash, slot_entry, entry, following, arena = keys
    span, value, time, has_time, line_of, point_id = rows
    end, row_max = len(body), len(value)
    last = np.uint32(FIRST)
    stamp, is_stamped, tail_at, tail_size = 0, False, 0, NEVER
    patience = 0  # so many lines are read without a try whether they are as expected
    start, at, line = _next_line(body, at, line)
    while at < end:
        if patience == 0:
            before = row
            at, row, last = _read_expected(
                body, at, row, last, tail_at, tail_size, following, entry, arena, value, point_id
            )
            line = _set_lines(time, has_time, line_of, before, row, stamp, is_stamped, line)
            start, at, line = _next_line(body, at, line)
            if at == end:
                break
            patience = max(1, _PATIENCE * (row == before))
        patience -= 1
        first, series_start, series_size = row, at, -1
        while row < row_max:
            number = following[last]
            known = series_size + 1  # so much of the expected text stands at the begin of the line, not here
            entry_at, entry_size = entry[number, ENTRY_AT], entry[number, ENTRY_SIZE]
            value_at = at + entry_size - known
            if (
                value_at + text.WORD_ROOM <= end
                and text.is_same(body, series_start, arena, entry_at, known)
                and text.is_same(body, at, arena, entry_at + known, entry_size - known)
            ):
                series_size = entry[number, ENTRY_SERIES_SIZE]
            else:
                value_at, series_size = _read_key(body, at, series_start, series_size, span, row)
                if value_at < 0:
                    return start, line, first
                number = _find_entry(body, span, row, seed, slot_hash, slot_entry, entry, arena)
            if number != FIRST:
                following[last] = number
                last = number
            point_id[row] = entry[number, ENTRY_POINT]
            value[row], at = _read_value(body, value_at)
            if at < 0:
                return start, line, first
            row += 1
            if at >= end or body[at] != _COMMA:
                break
            at += 1
        else:
            return start, line, first
        if at + tail_size + text.WORD_ROOM <= end and text.is_same(body, at, body, tail_at, tail_size):
            at += tail_size - 1
        else:
            tail_at = at
            stamp, is_stamped, at = _read_stamp(body, at)
            if at < 0:
                return start, line, first
            tail_size = at - tail_at + 1
        _set_line(time, has_time, line_of, first, row, stamp, is_stamped, line)
        start, at, line = _next_line(body, at + 1, line + 1)
    return end, line, row


@njit(cache=True, nogil=True)
def _read_expected(
    body: Bytes,
    start: int,
    first: int,
    last_entry: np.uint32,
    tail_start: int,
    tail_bytes: int,
    following: U32,
    entry: I64,
    arena: Bytes,
    value: F64,
    point_id: U32,
) -> tuple[int, int, np.uint32]:
    """Lines of one field whose key and tail are the expected ones; where it stopped, the next row, the last entry.

    Reads values and points only, without a look at what else a line may be: a scan is little else. Places are
    without a sign, which spares a look whether they count from the end.
    """
    at, row, tail_at, tail_size = (
        np.uint64(start),
        np.uint64(first),
        np.uint64(tail_start),
        np.uint64(tail_bytes),
    )
    end, row_max, last = np.uint64(len(body)), np.uint64(len(value)), last_entry
    if tail_size < text.WORD_BYTES:
        return start, first, last_entry
    while row < row_max:
        number = following[last]
        entry_at, entry_size = np.uint64(entry[number, ENTRY_AT]), np.uint64(entry[number, ENTRY_SIZE])
        value_at = at + entry_size
        if value_at + tail_size + _LINE_ROOM > end or entry_size < text.WORD_BYTES:
            break
        if text.has_difference(body, at, arena, entry_at, entry_size):
            break
        number_read, size = _read_short_number(
            text.load_word(body, value_at), text.load_word(body, value_at + _ONE)
        )
        tail = value_at + np.uint64(size)
        if size == 0 or text.has_difference(body, tail, body, tail_at, tail_size):
            break
        value[row] = number_read
        point_id[row] = entry[number, ENTRY_POINT]
        last = number
        row += _ONE
        at = tail + tail_size
    return int(np.int64(at)), int(np.int64(row)), last


@njit(cache=True, nogil=True)
def place_keys(key_hash: U64, key_entry: U32, slot_hash: U64, slot_entry: U32) -> None:
    """Put keys, all different, into an empty table that is large enough."""
    mask = len(slot_entry) - 1
    for i in range(len(key_entry)):
        slot = int(np.int64(key_hash[i] & np.uint64(mask)))
        while slot_entry[slot] != 0:
            slot = (slot + 1) & mask
        slot_hash[slot] = key_hash[i]
        slot_entry[slot] = key_entry[i]


@njit(cache=True, nogil=True)
def stamp_rows(
    rows: Rows,
    count: int,
    time_min: int,
    time_max: int,
    factor: int,
    divisor: int,
    now_us: int,
    offset_us: I64,
    has_offset: Flags,
    untimed_quality: int,
    time_us: I64,
    quality: npt.NDArray[np.uint16],
    kept: Flags,
) -> tuple[int, int]:
    """Stored times and qualities of the first `count` rows; `kept` has those whose point and time are good.

    Times count `factor` / `divisor` µs and are good within ``[time_min, time_max]``; a row without one has
    `now_us`. `offset_us` is added, by point. Gives how many are kept, and of how many the offset is not known
    yet: these have no time.
    """
    _, _, time, has_time, _, point_ids = (
        rows  # taken apart once: each use of a tuple's array counts it as used
    )
    kept_count, unknown_count = 0, 0
    known_stamp, known_us = 0, 0
    for i in range(count):
        point_id = point_ids[i]
        stamp = time[i]
        kept[i] = point_id != 0 and time_min <= stamp <= time_max
        if not kept[i]:
            continue
        kept_count += 1
        if not has_offset[point_id]:
            unknown_count += 1
            continue
        if stamp != known_stamp:  # a division takes longer than all the rest
            known_stamp, known_us = stamp, stamp * factor // divisor
        is_timed = has_time[i]
        time_us[i] = (known_us if is_timed else now_us) + offset_us[point_id]
        quality[i] = 0 if is_timed else untimed_quality
    return kept_count, unknown_count


@njit(cache=True, nogil=True)
def _read_key(
    body: Bytes, at: int, series_start: int, series_size: int, span: I64, row: int
) -> tuple[int, int]:
    """The key at `at`, with its series where `series_size` is -1: behind its equals sign, and the series' size.

    -1 where they are not plain. Fills the row of `span`.
    """
    if series_size < 0:
        at = _series_end(body, at)
        series_size = at - series_start
        while 0 <= at < len(body) and body[at] == _SPACE:
            at += 1
    value_at = _key_end(body, at)
    if value_at >= 0:
        span[row, SERIES_START] = series_start
        span[row, SERIES_END] = series_start + series_size
        span[row, KEY_START] = at
        span[row, KEY_END] = value_at - 1
    return value_at, series_size


@njit(cache=True, nogil=True)
def _find_entry(
    body: Bytes,
    span: I64,
    row: int,
    seed: np.uint64,
    slot_hash: U64,
    slot_entry: U32,
    entry: I64,
    arena: Bytes,
) -> np.uint32:
    """The number of the entry of the key in a row of `span`, 0 where it is not known."""
    key_hash = hash_key(body, int(span[row, SERIES_START]), int(span[row, SERIES_END]), seed)
    key_hash = hash_key(body, int(span[row, KEY_START]), int(span[row, KEY_END]), key_hash)
    return np.uint32(slot_entry[find_key(body, span[row], key_hash, slot_hash, slot_entry, entry, arena)])


@njit(cache=True, nogil=True)
def _next_line(body: Bytes, at: int, line: int) -> tuple[int, int, int]:
    """The first line from `at` that is neither blank nor a comment: its begin, its first sign, its number."""
    end = len(body)
    start = at = min(at, end)
    while at < end:
        mark = body[at]
        if mark == _HASH:
            while at < end and body[at] != _NEWLINE:
                at += 1
        elif mark not in (_SPACE, _RETURN, _TAB, _NEWLINE):
            return start, at, line
        if at < end and body[at] == _NEWLINE:
            start = at + 1
            line += 1
        at += 1
    return end, end, line


@njit(cache=True, nogil=True)
def _set_line(
    time: I64, has_time: Flags, line_of: I64, first: int, row: int, stamp: int, is_stamped: bool, line: int
) -> None:
    """Stamp the fields of a line."""
    for i in range(first, row):
        time[i] = stamp
        has_time[i] = is_stamped
        line_of[i] = line


@njit(cache=True, nogil=True)
def _set_lines(
    time: I64, has_time: Flags, line_of: I64, first: int, row: int, stamp: int, is_stamped: bool, line: int
) -> int:
    """Stamp fields of which each is a line of its own; the number of the line behind them."""
    for i in range(first, row):
        time[i] = stamp
        has_time[i] = is_stamped
        line_of[i] = line + i - first
    return line + row - first


@njit(cache=True, nogil=True)
def _series_end(body: Bytes, at: int) -> int:
    """Where the space behind the series stands (or the body ends); -1 where the series is not plain."""
    while at < len(body) and body[at] != _SPACE:
        if body[at] == _NEWLINE or body[at] == _BACKSLASH or body[at] == _QUOTE:
            return -1
        at += 1
    return at


@njit(cache=True, nogil=True)
def _key_end(body: Bytes, at: int) -> int:
    """Behind the equals sign of the key at `at`; -1 where there is no plain key."""
    start = at
    if at < 0:
        return -1
    while at < len(body) and body[at] != _EQUALS:
        if body[at] in (_NEWLINE, _BACKSLASH, _QUOTE, _SPACE, _COMMA):
            return -1
        at += 1
    return -1 if at == start or at >= len(body) else at + 1


@njit(cache=True, nogil=True)
def _read_stamp(body: Bytes, at: int) -> tuple[int, bool, int]:
    """The time, whether there is one, and where the line ends; -1 where something else follows."""
    end = len(body)
    while at < end and body[at] == _SPACE:
        at += 1
    is_negative = at < end and body[at] == _MINUS
    if is_negative:
        at += 1
    first = at
    stamp = 0
    while at + text.WORD_ROOM <= end and at - first < 16:
        digits = text.eight_digits(text.digit_values(text.load_word(body, at)))
        if digits < 0:
            break
        stamp = stamp * 100_000_000 + digits
        at += 8
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
def _read_value(body: Bytes, at: int) -> tuple[float, int]:
    """A plain number and where it ends; -1 where it is another form or needs more care."""
    if at + text.WORD_ROOM < len(body):
        number, size = _read_short_number(text.load_word(body, at), text.load_word(body, at + 1))
        if size > 0:
            return number, at + size
    return _read_number(body, at)


@njit(cache=True, nogil=True)
def _read_short_number(word: np.uint64, next_word: np.uint64) -> tuple[float, int]:
    """A plain number of up to seven places and its size, 0 where it is longer or of another form.

    It stands in the eight bytes of `word`; `next_word` are those from its second one.
    """
    is_negative = word & _LOWEST_BYTE == np.uint64(_MINUS)
    digits, _, decimal_count, size, mark = text.read_short_number(next_word if is_negative else word)
    if size == 0 or not _is_value_end(mark):
        return 0.0, 0
    number = floats.scale_exactly(digits, -max(decimal_count, 0))
    return (-number, size + 1) if is_negative else (number, size)


@njit(cache=True, nogil=True)
def _is_value_end(mark: int) -> bool:
    return mark in (_SPACE, _COMMA, _NEWLINE, _RETURN)


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
    if at < 0 or digit_count == 0:
        return 0.0, -1
    if at < end and body[at] == 105 and not has_point and not has_exponent:  # "i": a whole number
        at += 1
        is_negative = is_negative and mantissa > 0  # whole numbers know no minus zero
    number = floats.nearest_float(mantissa, exponent - decimal_count)
    if (at < end and not _is_value_end(int(body[at]))) or np.isnan(number):
        return 0.0, -1
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
