"""Kernel for the everyday body of samples: ``{"series":[{"point":"…","times":[…],"values":[…]},…]}``.

Times are whole epoch milliseconds or RFC 3339, values are numbers, names have no escapes; blanks may stand
wherever JSON lets them. Anything else, right or wrong, is left to the general reader, which knows what to say. What
the kernel takes it reads exactly as the general reader would.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from api import float_kernels as floats
from api import text_kernels as text
from api import time_text_kernels as time_text
from api.text_kernels import Bytes
from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

# Columns of `series`: where the name stands, and the rows of its samples end.
NAME_START: Final = 0
NAME_END: Final = 1
ROW_END: Final = 2
SERIES_WIDTH: Final = 3

_TIME_MS_MAX: Final = 253_402_300_799_999  # the end of the year 9999
_MANTISSA_MAX: Final = 922_337_203_685_477_579  # one more digit still fits into int64
_EXPONENT_DIGITS_MAX: Final = 4
_TENS: Final = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)

_QUOTE: Final = 34
_COMMA: Final = 44
_MINUS: Final = 45
_POINT: Final = 46
_ZERO: Final = 48
_COLON: Final = 58
_OPEN: Final = 91
_BACKSLASH: Final = 92
_CLOSE: Final = 93
_OPEN_OBJECT: Final = 123
_CLOSE_OBJECT: Final = 125
_LOWEST_BYTE: Final = np.uint64(0xFF)

_POINT_KEY: Final = 1
_TIMES_KEY: Final = 2
_VALUES_KEY: Final = 4
_ALL_KEYS: Final = 7


@njit(cache=True, nogil=True)
def read_series(body: Bytes, series: I64, time_us: I64, value: F64) -> int:
    """How many series were read into the columns, which are large enough; -1 where the body is not everyday.

    `words` are the whole words of `body`. Times are as in the body: not yet shifted by a point's label.
    """
    at = _enter(body, _skip(body, 0), _OPEN_OBJECT)
    at = _key_end(body, at, b"series")
    at = _enter(body, at, _OPEN)
    count, row = 0, 0
    while at >= 0 and not (count == 0 and _is_at(body, at, _CLOSE)):
        at, row = _read_one(body, at, series, count, row, time_us, value)
        count += 1
        if not _is_at(body, at, _COMMA):
            break
        at = _enter(body, at, _COMMA)
    at = _enter(body, at, _CLOSE)
    at = _enter(body, at, _CLOSE_OBJECT)
    return count if at == len(body) else -1


@njit(cache=True, nogil=True)
def _read_one(
    body: Bytes, at: int, series: I64, count: int, row: int, time_us: I64, value: F64
) -> tuple[int, int]:
    """One object of the list: behind it, and the next free row; -1 where it is not everyday."""
    at = _enter(body, at, _OPEN_OBJECT)
    seen, time_row, value_row = 0, row, row
    while at >= 0:
        key, at = _read_key(body, at)
        if key == 0 or seen & key != 0:
            return -1, row
        seen |= key
        if key == _TIMES_KEY:
            at, time_row = _read_times(body, _enter(body, at, _OPEN), row, time_us)
        elif key == _VALUES_KEY:
            at, value_row = _read_values(body, _enter(body, at, _OPEN), row, value)
        else:
            name_at = at
            at = _text_end(body, name_at)
            series[count, NAME_START], series[count, NAME_END] = name_at + 1, at - 1
            at = _skip(body, at)
        if not _is_at(body, at, _COMMA):
            break
        at = _enter(body, at, _COMMA)
    if seen != _ALL_KEYS or time_row != value_row:
        return -1, row
    series[count, ROW_END] = time_row
    return _enter(body, at, _CLOSE_OBJECT), time_row


@njit(cache=True, nogil=True)
def _read_times(body: Bytes, at: int, row: int, time_us: I64) -> tuple[int, int]:
    """The elements of a list and its bracket: behind it, and the next free row; -1 where one is not everyday."""
    end = len(body)
    if _is_at(body, at, _CLOSE):
        return _enter(body, at, _CLOSE), row
    while 0 <= at < end:
        if body[at] == _QUOTE:
            last = _text_end(body, at)
            time_us[row] = time_text.read_time(body, at + 1, last - 1) if last > 0 else time_text.UNREAD
            if time_us[row] == time_text.UNREAD:
                return -1, row
            at = last
        else:
            time_ms, size = 0, 0
            if at + 2 * text.WORD_ROOM <= end:
                first = text.load_word(body, at)
                time_ms, size = _read_long_time(first, text.load_word(body, at + 8))
            if size == 0:
                time_ms, size = _read_time(body, at)
            if size == 0 or time_ms > _TIME_MS_MAX:
                return -1, row
            time_us[row] = time_ms * 1000
            at += size
        row += 1
        if at < end and body[at] <= 32:
            at = _skip(body, at)
        if at >= end or body[at] != _COMMA:
            return _enter(body, at, _CLOSE), row
        at += 1
        if at < end and body[at] <= 32:
            at = _skip(body, at)
    return -1, row


@njit(cache=True, nogil=True)
def _read_values(body: Bytes, at: int, row: int, value: F64) -> tuple[int, int]:
    """The elements of a list and its bracket: behind it, and the next free row; -1 where one is not everyday."""
    end = len(body)
    if _is_at(body, at, _CLOSE):
        return _enter(body, at, _CLOSE), row
    while 0 <= at < end:
        size = 0
        if at + text.WORD_ROOM < end:
            word = text.load_word(body, at)
            value[row], size = _read_short_number(word, text.load_word(body, at + 1))
        if size == 0:
            value[row], size = _read_number(body, at)
            if size == 0:
                return -1, row
        at += size
        row += 1
        if at < end and body[at] <= 32:
            at = _skip(body, at)
        if at >= end or body[at] != _COMMA:
            return _enter(body, at, _CLOSE), row
        at += 1
        if at < end and body[at] <= 32:
            at = _skip(body, at)
    return -1, row


@njit(cache=True, nogil=True)
def _read_long_time(first: np.uint64, rest: np.uint64) -> tuple[int, int]:
    """A time of 9 to 15 digits and its size, 0 where it is another; `first` and `rest` are its 16 bytes."""
    high = text.eight_digits(text.digit_values(first))
    low, low_size, decimal_count, size, _ = text.read_short_number(rest)
    if high < 10_000_000 or size == 0 or decimal_count >= 0:  # too few, not whole or with a zero in front
        return 0, 0
    return high * _TENS[low_size] + low, 8 + size


@njit(cache=True, nogil=True)
def _read_time(body: Bytes, at: int) -> tuple[int, int]:
    """A whole number and its size, 0 where there is another thing."""
    start = at
    number = 0
    while at < len(body) and 48 <= body[at] <= 57 and number <= _TIME_MS_MAX:
        number = number * 10 + int(body[at]) - 48
        at += 1
    is_zero_led = at - start > 1 and body[start] == _ZERO
    is_whole = at >= len(body) or not (body[at] == _POINT or body[at] | 32 == 101)
    return (number, at - start) if is_whole and not is_zero_led else (0, 0)


@njit(cache=True, nogil=True)
def _read_short_number(word: np.uint64, next_word: np.uint64) -> tuple[float, int]:
    """A number of up to seven places and its size, 0 where it is longer or of another form.

    It stands in the eight bytes of `word`; `next_word` are those from its second one.
    """
    is_negative = word & _LOWEST_BYTE == np.uint64(_MINUS)
    first = next_word if is_negative else word
    digits, whole_count, decimal_count, size, mark = text.read_short_number(first)
    is_zero_led = whole_count > 1 and first & _LOWEST_BYTE == np.uint64(_ZERO)
    is_json = whole_count > 0 and decimal_count != 0 and not is_zero_led and mark in (_COMMA, _CLOSE, 32, 10)
    if size == 0 or not is_json:
        return 0.0, 0
    number = floats.scale_exactly(digits, -max(decimal_count, 0))
    if not is_negative:
        return number, size
    is_minus_zero = digits > 0 or decimal_count > 0  # a whole -0 is 0, as in Python
    return (-number if is_minus_zero else number), size + 1


@njit(cache=True, nogil=True)
def _read_number(body: Bytes, at: int) -> tuple[float, int]:
    """A number of any size and its size in bytes, 0 where it is none or its bits cannot be told."""
    start = at
    is_negative = _is_at(body, at, _MINUS)
    if is_negative:
        at += 1
    is_zero_led = _is_at(body, at, _ZERO)
    mantissa, whole_count = _read_digits(body, at, 0)
    at += whole_count
    is_whole = True
    decimal_count = 0
    if _is_at(body, at, _POINT):
        is_whole = False
        mantissa, decimal_count = _read_digits(body, at + 1, mantissa)
        at += 1 + decimal_count
    if (
        whole_count == 0
        or (is_zero_led and whole_count > 1)
        or not (is_whole or decimal_count)
        or mantissa < 0
    ):
        return 0.0, 0
    power = -decimal_count
    if at < len(body) and body[at] | 32 == 101:
        exponent, size = _read_exponent(body, at + 1)
        if size == 0:
            return 0.0, 0
        is_whole = False
        power += exponent
        at += 1 + size
    number = floats.nearest_float(mantissa, power)
    if np.isnan(number):
        return 0.0, 0
    return -number if is_negative and not (is_whole and mantissa == 0) else number, at - start


@njit(cache=True, nogil=True)
def _read_digits(body: Bytes, at: int, number: int) -> tuple[int, int]:
    """The number gone on with the digits from `at`, -1 where it grows too large, and how many they are."""
    start = at
    while at < len(body) and 48 <= body[at] <= 57:
        number = number * 10 + int(body[at]) - 48 if 0 <= number <= _MANTISSA_MAX else -1
        at += 1
    return number, at - start


@njit(cache=True, nogil=True)
def _read_exponent(body: Bytes, at: int) -> tuple[int, int]:
    """The power of ten from behind ``e`` and its size, 0 where it is none or absurd."""
    start = at
    is_negative = _is_at(body, at, _MINUS)
    if is_negative or _is_at(body, at, 43):
        at += 1
    exponent, count = _read_digits(body, at, 0)
    if count == 0 or count > _EXPONENT_DIGITS_MAX:
        return 0, 0
    return (-exponent if is_negative else exponent), at + count - start


@njit(cache=True, nogil=True)
def _read_key(body: Bytes, at: int) -> tuple[int, int]:
    """Which of the three keys is at `at`, 0 for none of them, and what stands behind its colon."""
    end = _key_end(body, at, b"times")
    if end >= 0:
        return _TIMES_KEY, end
    end = _key_end(body, at, b"values")
    if end >= 0:
        return _VALUES_KEY, end
    end = _key_end(body, at, b"point")
    return _POINT_KEY if end >= 0 else 0, end


@njit(cache=True, nogil=True)
def _key_end(body: Bytes, at: int, key: bytes) -> int:
    """What stands behind ``"key":`` and blanks; -1 where something else is at `at`."""
    if not _is_at(body, at, _QUOTE) or at + len(key) + 2 > len(body) or body[at + 1 + len(key)] != _QUOTE:
        return -1
    for i in range(len(key)):
        if body[at + 1 + i] != key[i]:
            return -1
    return _enter(body, _skip(body, at + len(key) + 2), _COLON)


@njit(cache=True, nogil=True)
def _text_end(body: Bytes, at: int) -> int:
    """Behind the closing quote of the string at `at`; -1 where there is none or it has escapes."""
    if not _is_at(body, at, _QUOTE):
        return -1
    at += 1
    while at < len(body) and body[at] != _QUOTE:
        if body[at] == _BACKSLASH or body[at] < 32:
            return -1
        at += 1
    return at + 1 if at < len(body) else -1


@njit(cache=True, nogil=True)
def _enter(body: Bytes, at: int, mark: int) -> int:
    """Behind `mark` and the blanks that follow it; -1 where something else is at `at`."""
    return _skip(body, at + 1) if _is_at(body, at, mark) else -1


@njit(cache=True, nogil=True)
def _is_at(body: Bytes, at: int, mark: int) -> bool:
    return bool(0 <= at < len(body) and body[at] == mark)


@njit(cache=True, nogil=True)
def _skip(body: Bytes, at: int) -> int:
    """Behind blanks; -1 stays -1."""
    while 0 <= at < len(body) and (body[at] == 32 or body[at] == 10 or body[at] == 13 or body[at] == 9):
        at += 1
    return at
