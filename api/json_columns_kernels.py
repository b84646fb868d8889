"""Kernels that write columns as JSON text, without a Python object for a sample."""

import math

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

Bytes = npt.NDArray[np.uint8]

WHOLE_BYTES_MAX = 21  # comma, sign, 19 digits
TIME_BYTES_MAX = 36  # comma, quotes, 0001-01-01T00:00:00.000000 and +00:00
DECIMAL_BYTES_MAX = 32  # comma, sign, 16 digits, leading zeros of a small fraction, point
DECIMALS_MAX = 9
EXACT_INTEGER_MAX = 9007199254740992.0  # 2^53: beyond it not every whole number is a float64

_DAY_US = 86_400_000_000
NO_TIME_US = -(2**63)
_NO_DAY = -(2**62)
_DATE_BYTES = 11
_ZERO = 48  # "0"
_10 = np.uint64(10)
_100 = np.uint64(100)
_PAIRS = np.frombuffer("".join(f"{number:02d}" for number in range(100)).encode(), np.uint8)


@njit(cache=True, nogil=True)
def write_times(
    time_us: npt.NDArray[np.int64], offset_min: npt.NDArray[np.int64], is_utc: bool, out: Bytes
) -> int:
    """``"2018-01-01T00:15:00Z","…"``: RFC 3339 text of each time, comma-separated; the bytes written.

    With `is_utc` every text ends in Z; else `offset_min` has the zone's offset of each time. The date is worked out
    where the day changes, else taken from the text before.
    """
    at, known_day, known_at = 0, _NO_DAY, 0
    for i in range(len(time_us)):
        if i > 0:
            out[at] = 44
            at += 1
        out[at] = 34
        at += 1
        local_us = time_us[i] + (0 if is_utc else offset_min[i] * 60_000_000)
        day = local_us // _DAY_US
        if day != known_day:
            write_date(day, out, at)
            known_day = day
        else:
            for place in range(_DATE_BYTES):
                out[at + place] = out[known_at + place]
        known_at = at
        at = write_clock(local_us - day * _DAY_US, out, at + _DATE_BYTES)
        if is_utc:
            out[at] = 90
            at += 1
        else:
            at = _write_offset(offset_min[i], out, at)
        out[at] = 34
        at += 1
    return at


@njit(cache=True, nogil=True)
def write_whole_ms(time_us: npt.NDArray[np.int64], out: Bytes) -> int:
    """``1514765700000,…``: whole milliseconds since 1970, cut downwards; the bytes written."""
    at = 0
    for i in range(len(time_us)):
        if i > 0:
            out[at] = 44
            at += 1
        at = write_whole(time_us[i] // 1000, out, at)
    return at


@njit(cache=True, nogil=True)
def write_decimals(value: npt.NDArray[np.float64], out: Bytes) -> int:
    """``1.5,null,0.0``: the shortest decimal text of each value; the bytes written, or -1.

    NaN is a gap and becomes null. -1 says that some value needs more digits than are exact here:
    the caller then takes the general way. Of m / 10^k with |m| < 2^53 and k ≤ 22 both are exact in
    float64 and the quotient is correctly rounded, so the text reads back to the same bits.
    """
    at = 0
    for i in range(len(value)):
        if i > 0:
            out[at] = 44
            at += 1
        if math.isnan(value[i]):
            out[at] = 110
            out[at + 1] = 117
            out[at + 2] = 108
            out[at + 3] = 108
            at += 4
            continue
        at = write_decimal(value[i], out, at)
        if at < 0:
            return -1
    return at


@njit(cache=True, nogil=True)
def write_decimal(value: float, out: Bytes, at: int) -> int:
    """The end of what was written, or -1 where `value` has no short exact decimal."""
    if value == 0.0 and math.copysign(1.0, value) < 0.0:
        return -1
    scale = 1.0
    size = abs(value)
    for decimals in range(DECIMALS_MAX + 1):
        scaled = np.rint(size * scale)
        if scaled >= EXACT_INTEGER_MAX:
            return -1
        if scaled / scale == size:
            if value < 0.0:
                out[at] = 45
                at += 1
            return _write_scaled(int(scaled), decimals, out, at)
        scale *= 10.0
    return -1


@njit(cache=True, nogil=True)
def _write_scaled(scaled: int, decimals: int, out: Bytes, at: int) -> int:
    """`scaled` / 10^`decimals`, always with a point: 5 and 0 gives 5.0."""
    fraction_count = max(decimals, 1)
    if decimals == 0:
        scaled *= 10
    power = 1
    for _ in range(fraction_count):
        power *= 10
    whole = int(np.int64(np.uint64(scaled) // np.uint64(power)))
    digit_count = _digit_count(whole)
    _write_digits(whole, digit_count, out, at)
    at += digit_count
    out[at] = 46
    _write_digits(scaled - whole * power, fraction_count, out, at + 1)
    return at + 1 + fraction_count


@njit(cache=True, nogil=True)
def write_whole(number: int, out: Bytes, at: int) -> int:
    """A whole number and where it ends."""
    if number < 0:
        out[at] = 45
        at += 1
        number = -number
    digit_count = _digit_count(number)
    _write_digits(number, digit_count, out, at)
    return at + digit_count


@njit(cache=True, nogil=True)
def _digit_count(number: int) -> int:
    """Of a number from 0."""
    count, power = 1, np.uint64(10)
    while np.uint64(number) >= power and count < 19:
        count += 1
        power *= _10
    return count


@njit(cache=True, nogil=True)
def write_time(time_us: int, out: Bytes, at: int) -> int:
    """``2018-01-01T00:15:00`` and where it ends; a fraction only where there is one."""
    day = time_us // _DAY_US
    write_date(day, out, at)
    return write_clock(time_us - day * _DAY_US, out, at + _DATE_BYTES)


@njit(cache=True, nogil=True)
def write_date(day: int, out: Bytes, at: int) -> None:
    """``2018-01-01T`` of a day counted from 1970."""
    # Days since 0000-03-01 in 400-year eras of 146 097 days; March first puts the leap day last.
    shifted = day + 719_468
    era = shifted // 146_097
    day_of_era = shifted - era * 146_097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    _write_digits(year, 4, out, at)
    out[at + 4] = 45
    _write_digits(month, 2, out, at + 5)
    out[at + 7] = 45
    _write_digits(day_of_year - (153 * shifted_month + 2) // 5 + 1, 2, out, at + 8)
    out[at + 10] = 84


@njit(cache=True, nogil=True)
def write_clock(in_day_us: int, out: Bytes, at: int) -> int:
    """``00:15:00`` and where it ends; a fraction only where there is one."""
    second = in_day_us // 1_000_000
    minute = second // 60
    _write_digits(minute // 60, 2, out, at)
    out[at + 2] = 58
    _write_digits(minute % 60, 2, out, at + 3)
    out[at + 5] = 58
    _write_digits(second % 60, 2, out, at + 6)
    return _write_fraction(in_day_us - second * 1_000_000, out, at + 8)


@njit(cache=True, nogil=True)
def _write_fraction(fraction_us: int, out: Bytes, at: int) -> int:
    if fraction_us == 0:
        return at
    digit_count = 6
    while fraction_us % 10 == 0:
        fraction_us //= 10
        digit_count -= 1
    out[at] = 46
    _write_digits(fraction_us, digit_count, out, at + 1)
    return at + 1 + digit_count


@njit(cache=True, nogil=True)
def _write_offset(offset_min: int, out: Bytes, at: int) -> int:
    out[at] = 45 if offset_min < 0 else 43
    size_min = abs(offset_min)
    _write_digits(size_min // 60, 2, out, at + 1)
    out[at + 3] = 58
    _write_digits(size_min % 60, 2, out, at + 4)
    return at + 6


@njit(cache=True, nogil=True)
def _write_digits(number: int, digit_count: int, out: Bytes, at: int) -> None:
    """So many digits of a number from 0, two at a time and without signs, which halves the divisions."""
    rest = np.uint64(number)
    place = at + digit_count
    while place - at >= 2:
        upper = rest // _100
        pair = np.int64(rest - upper * _100) << 1
        place -= 2
        out[place] = _PAIRS[pair]
        out[place + 1] = _PAIRS[pair + 1]
        rest = upper
    if place > at:
        out[at] = _ZERO + np.uint8(rest % _10)
