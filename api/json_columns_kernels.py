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
_ALIKE_MAX = 2.0**51
_POWERS = 10.0 ** np.arange(DECIMALS_MAX + 1)
_13_DIGITS_US = 10**15
_14_DIGITS_US = 10**16
_0 = np.uint64(0)
_1 = np.uint64(1)
_2 = np.uint64(2)
_3 = np.uint64(3)
_11 = np.uint64(11)
_13 = np.uint64(13)
_10 = np.uint64(10)
_100 = np.uint64(100)
_60 = np.uint64(60)
_1000 = np.uint64(1000)
_SECOND_US = np.uint64(1_000_000)
_10_000 = np.uint64(10_000)
_BETWEEN = np.frombuffer(b'],"values":[', np.uint8)
_PAIRS = np.frombuffer("".join(f"{number:02d}" for number in range(100)).encode(), np.uint8)


@njit(cache=True, nogil=True)
def write_times(
    time_us: npt.NDArray[np.int64], offset_min: npt.NDArray[np.int64], is_utc: bool, out: Bytes
) -> int:
    """``"2018-01-01T00:15:00Z","…"``: RFC 3339 text of each time, comma-separated; the bytes written.

    With `is_utc` every text ends in Z; else `offset_min` has the zone's offset of each time. The date is worked out
    where the day changes, else taken from the text before.
    """
    at, known_day, date = _0, _NO_DAY, np.empty(_DATE_BYTES, np.uint8)
    for i in range(len(time_us)):
        if i > 0:
            out[at] = 44
            at += _1
        out[at] = 34
        at += _1
        local_us = time_us[i] + (0 if is_utc else offset_min[i] * 60_000_000)
        day = local_us // _DAY_US
        if day != known_day:
            write_date(day, date, 0)
            known_day = day
        for place in range(np.uint64(_DATE_BYTES)):
            out[at + np.uint64(place)] = date[np.uint64(place)]
        at += np.uint64(_DATE_BYTES)
        in_day_us = np.uint64(local_us - day * _DAY_US)
        second = in_day_us // _SECOND_US
        minute = second // _60
        for part in (minute // _60, minute - minute // _60 * _60, second - minute * _60):
            out[at] = _PAIRS[part + part]
            out[at + _1] = _PAIRS[part + part + _1]
            out[at + _2] = 58
            at += _3
        at -= _1
        if in_day_us != second * _SECOND_US:
            end = _write_fraction(int(np.int64(in_day_us - second * _SECOND_US)), out, int(np.int64(at)))
            at = np.uint64(end)
        if is_utc:
            out[at] = 90
            at += _1
        else:
            at = np.uint64(_write_offset(offset_min[i], out, int(np.int64(at))))
        out[at] = 34
        at += _1
    return int(np.int64(at))


@njit(cache=True, nogil=True)
def write_samples(
    time_us: npt.NDArray[np.int64], value: npt.NDArray[np.float64], is_epoch_ms: bool, out: Bytes
) -> int:
    """``…],"values":[…``, times before and values behind it; the bytes written, or -1, see `write_decimals`."""
    if is_epoch_ms:
        at = write_whole_ms(time_us, out)
    else:
        at = write_times(time_us, np.empty(0, np.int64), True, out)
    for sign in _BETWEEN:
        out[at] = sign
        at += 1
    size = write_decimals(value, out[at:])
    return at + size if size >= 0 else -1


@njit(cache=True, nogil=True)
def write_whole_ms(time_us: npt.NDArray[np.int64], out: Bytes) -> int:
    """``1514765700000,…``: whole milliseconds since 1970, cut downwards; the bytes written.

    Those of the years 2001 to 2286 have 13 digits, which are written right here.
    """
    at = _0
    for i in range(len(time_us)):
        if i > 0:
            out[at] = 44
            at += _1
        if not _13_DIGITS_US <= time_us[i] < _14_DIGITS_US:
            at = np.uint64(write_whole(time_us[i] // 1000, out, int(np.int64(at))))
            continue
        rest, place = np.uint64(time_us[i]) // _1000, at + _11
        for _ in range(6):
            upper = rest // _100
            pair = (rest - upper * _100) << _1
            out[place] = _PAIRS[pair]
            out[place + _1] = _PAIRS[pair + _1]
            rest, place = upper, place - _2
        out[at] = _ZERO + np.uint8(rest)
        at += _13
    return int(np.int64(at))


@njit(cache=True, nogil=True)
def write_decimals(value: npt.NDArray[np.float64], out: Bytes) -> int:  # noqa: C901 see below
    """``1.5,null,0.0``: the shortest decimal text of each value; the bytes written, or -1.

    NaN is a gap and becomes null. -1 says that some value needs more digits than are exact here: the caller then
    takes the general way. Of m / 10^k with |m| < 2^53 and k ≤ 22 both are exact in float64 and the quotient is
    correctly rounded, so the text reads back to the same bits. As many decimals as the value before are tried first:
    below 2^51 two decimals of so many digits are never the same double: without its zeros the text is the shortest.
    Short numbers are written right here, at places without a sign: calls would take three times as long.
    """
    at, decimals, power = _0, 0, 1.0
    for i in range(len(value)):
        if i > 0:
            out[at] = 44
            at += _1
        size = abs(value[i])
        scaled = np.rint(size * power)
        if not (scaled > 0.0 and scaled < _ALIKE_MAX and scaled / power == size):
            end, decimals = _write_any(value[i], out, int(np.int64(at)))
            if end < 0:
                return -1
            at, power = np.uint64(end), _POWERS[decimals]
            continue
        if value[i] < 0.0:
            out[at] = 45
            at += _1
        whole = np.uint64(np.int64(size))
        rest = np.uint64(np.int64(scaled)) - whole * np.uint64(np.int64(power))
        if whole < _10:
            out[at] = _ZERO + np.uint8(whole)
            at += _1
        elif whole < _100:
            out[at] = _PAIRS[whole + whole]
            out[at + _1] = _PAIRS[whole + whole + _1]
            at += _2
        elif whole < _1000:
            hundreds = whole // _100
            pair = (whole - hundreds * _100) << _1
            out[at] = _ZERO + np.uint8(hundreds)
            out[at + _1] = _PAIRS[pair]
            out[at + _2] = _PAIRS[pair + _1]
            at += _3
        else:
            at = np.uint64(write_whole(int(np.int64(whole)), out, int(np.int64(at))))
        out[at] = 46
        at += _1
        digit_count = decimals
        while digit_count > 1 and rest == rest // _10 * _10:
            rest //= _10
            digit_count -= 1
        if digit_count <= 1:
            out[at] = _ZERO + np.uint8(rest)
            at += _1
        elif digit_count == 2:
            out[at] = _PAIRS[rest + rest]
            out[at + _1] = _PAIRS[rest + rest + _1]
            at += _2
        elif digit_count == 3:
            hundreds = rest // _100
            pair = (rest - hundreds * _100) << _1
            out[at] = _ZERO + np.uint8(hundreds)
            out[at + _1] = _PAIRS[pair]
            out[at + _2] = _PAIRS[pair + _1]
            at += _3
        else:
            _write_digits(int(np.int64(rest)), digit_count, out, int(np.int64(at)))
            at += np.uint64(digit_count)
    return int(np.int64(at))


@njit(cache=True, nogil=True)
def _write_any(value: float, out: Bytes, at: int) -> tuple[int, int]:
    """A number or null: where it ends (-1 where it has no short exact decimal) and how many decimals it has."""
    if math.isnan(value):
        return _write_null(out, at), 0
    return _write_shortest(value, out, at)


@njit(cache=True, nogil=True)
def _write_null(out: Bytes, at: int) -> int:
    out[at] = 110
    out[at + 1] = 117
    out[at + 2] = 108
    out[at + 3] = 108
    return at + 4


@njit(cache=True, nogil=True)
def write_decimal(value: float, out: Bytes, at: int) -> int:
    """The end of what was written, or -1 where `value` has no short exact decimal."""
    return _write_shortest(value, out, at)[0]


@njit(cache=True, nogil=True)
def _write_shortest(value: float, out: Bytes, at: int) -> tuple[int, int]:
    """As `write_decimal`, and how many decimals that took."""
    if value == 0.0 and math.copysign(1.0, value) < 0.0:
        return -1, 0
    scale = 1.0
    size = abs(value)
    for decimals in range(DECIMALS_MAX + 1):
        scaled = np.rint(size * scale)
        if scaled >= EXACT_INTEGER_MAX:
            return -1, 0
        if scaled / scale == size:
            if value < 0.0:
                out[at] = 45
                at += 1
            return _write_scaled(int(scaled), decimals, out, at), decimals
        scale *= 10.0
    return -1, 0


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
