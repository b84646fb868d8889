"""Moments and dates as callers give them, as the texts that go into an address."""

import datetime

from historian.client.errors import InvalidArgument
from historian.errors import TimeError
from historian.model import timestamp

Moment = datetime.datetime | int | str
"""A datetime with a zone (a pandas Timestamp is one), epoch milliseconds, or RFC 3339 with an offset."""

Day = datetime.date | str
"""A date, or its text: YYYY-MM-DD; of months and years also YYYY-MM and YYYY."""


def moment_text(name: str, moment: Moment) -> str:
    """RFC 3339 in UTC, or digits for epoch milliseconds. Raises InvalidArgument for a stamp without zone."""
    if isinstance(moment, bool) or not isinstance(moment, datetime.datetime | int | str):
        raise InvalidArgument(f"{name}: {moment!r} is no moment; give a datetime with a zone, or epoch ms")
    if isinstance(moment, int):
        return str(moment)
    return timestamp.format_time(moment_us(name, moment))


def optional_text(name: str, moment: Moment | None) -> str | None:
    """The same; None stays None."""
    return None if moment is None else moment_text(name, moment)


def moment_us(name: str, moment: Moment) -> int:
    """µs UTC. Raises InvalidArgument."""
    if isinstance(moment, int):
        return moment * 1000
    if isinstance(moment, str):
        try:
            return timestamp.parse_time_us(moment)
        except TimeError as error:
            raise InvalidArgument(f"{name}: {error}") from error
    if moment.utcoffset() is None:
        raise InvalidArgument(
            f"{name}: {moment.isoformat()} has no zone; give it one, as in .replace(tzinfo=ZoneInfo('Asia/Shanghai'))"
        )
    return (moment - timestamp.EPOCH) // datetime.timedelta(microseconds=1)


def day_text(name: str, day: Day) -> str:
    """YYYY-MM-DD, or the caller's text. Raises InvalidArgument for a moment, whose day depends on a zone."""
    if isinstance(day, datetime.datetime) or not isinstance(day, datetime.date | str):
        raise InvalidArgument(f"{name}: {day!r} is no date; give a date or YYYY-MM-DD")
    return day if isinstance(day, str) else day.isoformat()


def bound_text(name: str, bound: Day | Moment) -> str:
    """Of what takes both: a date, or the moment at which one begins."""
    if isinstance(bound, datetime.datetime | int):
        return moment_text(name, bound)
    return day_text(name, bound)
