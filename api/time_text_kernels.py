"""Kernel that reads the everyday forms of RFC 3339; whatever else there is, it leaves to the general reader."""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

UNREAD: Final = -(2**63)

_DAY_US: Final = 86_400_000_000


@njit(cache=True, nogil=True)
def read_times(text: npt.NDArray[np.uint8], end: npt.NDArray[np.int64], out: npt.NDArray[np.int64]) -> int:
    """µs UTC of each text (`end` has where each stops), UNREAD where it has another form; how many are UNREAD."""
    unread = 0
    start = 0
    for i in range(len(end)):
        out[i] = read_time(text, start, int(end[i]))
        if out[i] == UNREAD:
            unread += 1
        start = int(end[i])
    return unread


@njit(cache=True, nogil=True)
def read_time(text: npt.NDArray[np.uint8], start: int, end: int) -> int:
    """``2018-01-01T00:15:00[.fraction](Z|±hh:mm)`` in ``text[start:end]``, as µs UTC, or UNREAD."""
    if end - start < 20:
        return UNREAD
    year = _digits(text, start, 4)
    month = _digits(text, start + 5, 2)
    day = _digits(text, start + 8, 2)
    hour = _digits(text, start + 11, 2)
    minute = _digits(text, start + 14, 2)
    second = _digits(text, start + 17, 2)
    between = text[start + 10]
    has_marks = (
        text[start + 4] == 45 and text[start + 7] == 45 and text[start + 13] == 58 and text[start + 16] == 58
    )
    if not has_marks or not (between == 84 or between == 116 or between == 32):
        return UNREAD
    if min(hour, minute, second) < 0 or hour > 23 or minute > 59 or second > 59:
        return UNREAD
    if year < 1 or month < 1 or month > 12 or day < 1 or day > _month_days(year, month):
        return UNREAD
    at = start + 19
    fraction_us = 0
    if text[at] == 46:
        first = at + 1
        at = first
        while at < end and 48 <= text[at] <= 57:
            if at - first < 6:
                fraction_us = fraction_us * 10 + int(text[at]) - 48
            at += 1
        if at == first or at - first > 9:
            return UNREAD
        for _ in range(at - first, 6):
            fraction_us *= 10
    offset_min = _offset_min(text, at, end)
    if offset_min == UNREAD:
        return UNREAD
    in_day_s = hour * 3600 + minute * 60 + second - offset_min * 60
    return _days(year, month, day) * _DAY_US + in_day_s * 1_000_000 + fraction_us


@njit(cache=True, nogil=True)
def _offset_min(text: npt.NDArray[np.uint8], at: int, end: int) -> int:
    if end - at == 1 and (text[at] == 90 or text[at] == 122):
        return 0
    if end - at != 6 or not (text[at] == 43 or text[at] == 45) or text[at + 3] != 58:
        return UNREAD
    hours = _digits(text, at + 1, 2)
    minutes = _digits(text, at + 4, 2)
    if hours < 0 or minutes < 0 or hours > 23 or minutes > 59:
        return UNREAD
    size_min = hours * 60 + minutes
    return -size_min if text[at] == 45 else size_min


@njit(cache=True, nogil=True)
def _digits(text: npt.NDArray[np.uint8], at: int, count: int) -> int:
    """A number of that many digits, or -1."""
    number = 0
    for place in range(at, at + count):
        digit = int(text[place]) - 48
        if digit < 0 or digit > 9:
            return -1
        number = number * 10 + digit
    return number


@njit(cache=True, nogil=True)
def _month_days(year: int, month: int) -> int:
    if month == 2:
        is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if is_leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


@njit(cache=True, nogil=True)
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; the year is taken to begin in March, so that a leap day is its last."""
    shifted_year = year - 1 if month <= 2 else year
    era = shifted_year // 400
    year_of_era = shifted_year - era * 400
    shifted_month = month - 3 if month > 2 else month + 9
    day_of_year = (153 * shifted_month + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468
