"""Time stamps: int64 µs UTC inside, RFC 3339 at the edges; ``24:00`` is the end of its day."""

import datetime
import re
import zoneinfo
from functools import lru_cache
from typing import Final

from historian.errors import TimeError
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, SECOND_US

EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
TIME_MIN_US: Final = -62_135_596_800_000_000  # 0001-01-01
TIME_MAX_US: Final = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z

_EVERYDAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_EVERYDAY_LENGTH: Final = 20
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|z|[+-]\d{2}:\d{2})?"
)


def parse_time_us(text: str) -> int:
    """RFC 3339 with an offset, or integer epoch milliseconds, to µs UTC.

    Digits after the sixth of a second are cut. Raises TimeError, for a stamp without offset too:
    the product never guesses a zone.
    """
    if len(text) == _EVERYDAY_LENGTH and _EVERYDAY.fullmatch(text):
        try:
            return int(datetime.datetime.fromisoformat(text).timestamp()) * SECOND_US
        except ValueError:
            pass  # an impossible date or hour, or 24:00: below is who knows
    if re.fullmatch(r"-?\d{1,17}", text):
        return _checked(int(text) * 1000, text)
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise TimeError(f"time {text!r} is neither RFC 3339 nor integer epoch milliseconds")
    if match[8] is None:
        raise TimeError(f"time {text!r} has no offset; add Z or an offset such as +08:00")
    naive_us = _naive_us(match, text)
    return _checked(naive_us - _offset_us(match[8], text), text)


def parse_local_time_us(text: str, zone: datetime.tzinfo) -> int:
    """As `parse_time_us`, but a stamp without offset is taken as local time in `zone`.

    In the hour that occurs twice the first one is meant. Accepts ``24:00`` as the day's end.
    """
    match = _RFC3339.fullmatch(text)
    if match is None or match[8] is not None:
        return parse_time_us(text)
    return _checked(local_to_utc_us(_naive_us(match, text), zone), text)


def local_to_utc_us(naive_us: int, zone: datetime.tzinfo) -> int:
    """Local civil µs (as if UTC) to µs UTC; first occurrence of a repeated hour."""
    local = (EPOCH + datetime.timedelta(microseconds=naive_us)).replace(tzinfo=zone)
    return (local - EPOCH) // datetime.timedelta(microseconds=1)


def format_time(time_us: int) -> str:
    """``2018-01-01T00:15:00Z``; a fraction only where there is one."""
    return _format(EPOCH + datetime.timedelta(microseconds=time_us)) + "Z"


def format_local_time(time_us: int, zone: datetime.tzinfo) -> str:
    """``2018-01-01T09:15:00+09:00`` in the given zone."""
    local = (EPOCH + datetime.timedelta(microseconds=time_us)).astimezone(zone)
    offset = local.strftime("%z")
    return f"{_format(local)}{offset[:3]}:{offset[3:5]}"


@lru_cache(maxsize=256)
def has_even_days(zone: datetime.tzinfo) -> bool:
    """Whether every day since 1992 has 24 hours: the clock of the zone is never changed.

    China had summer time until 1991; of the days of that time this says nothing.
    """
    offsets: set[datetime.timedelta | None] = set()
    moment, end = datetime.datetime(1992, 1, 1), datetime.datetime(2038, 1, 1)
    while moment < end:
        offsets.add(moment.replace(tzinfo=zone).utcoffset())
        moment += datetime.timedelta(days=7)  # no change of clocks lasts less
    return len(offsets) == 1


@lru_cache(maxsize=256)
def load_zone(name: str) -> zoneinfo.ZoneInfo:
    """The IANA zone of that name. Raises TimeError for an unknown one."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimeError(f"time zone {name!r} is not an IANA zone such as Asia/Shanghai") from error


def _format(moment: datetime.datetime) -> str:
    text = moment.isoformat()[:19]  # what follows is the fraction and the offset
    return f"{text}.{moment.microsecond:06d}".rstrip("0") if moment.microsecond else text


def _naive_us(match: re.Match[str], text: str) -> int:
    year, month, day, hour, minute = (int(match[group]) for group in range(1, 6))
    second = int(match[6] or 0)
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second)):
        raise TimeError(f"time {text!r} has an impossible hour, minute or second")
    try:
        midnight = datetime.datetime(year, month, day, tzinfo=datetime.UTC)
    except ValueError as error:
        raise TimeError(f"time {text!r} has an impossible date") from error
    day_us = (midnight - EPOCH).days * DAY_US
    fraction_us = int((match[7] or "0").ljust(6, "0")[:6])
    return day_us + hour * HOUR_US + minute * MINUTE_US + second * SECOND_US + fraction_us


def _offset_us(offset: str, text: str) -> int:
    if offset in ("Z", "z"):
        return 0
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours > 23 or minutes > 59:
        raise TimeError(f"time {text!r} has an impossible offset")
    size_us = hours * HOUR_US + minutes * MINUTE_US
    return -size_us if offset[0] == "-" else size_us


def _checked(time_us: int, text: str) -> int:
    if not TIME_MIN_US <= time_us <= TIME_MAX_US:
        raise TimeError(f"time {text!r} is outside the years 1 to 9999")
    return time_us
