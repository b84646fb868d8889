"""Local days, months and years in IANA zones, and the slots of a day.

A day runs from the first instant that carries its date to the first instant of the next date, so days tile
time without hole or overlap, whatever the zone does: 23 or 25 hours where clocks change, nothing at all where
a date was skipped (Apia, 2011-12-30). Where clocks fall back across midnight, the hour that is lived twice
belongs to the day that began first.
"""

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.errors import TimeError
from historian.model import timestamp
from historian.model.point import DAY_US, MINUTE_US, SECOND_US, TimeLabel

I64 = npt.NDArray[np.int64]

PeriodName = Literal["day", "month", "year", "billing"]

_EPOCH_ORDINAL: Final = timestamp.EPOCH.toordinal()
_DAY: Final = datetime.timedelta(days=1)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)


class DateRange(NamedTuple):
    """Local dates ``[first, last)``."""

    first: datetime.date
    last: datetime.date

    @property
    def day_count(self) -> int:
        return (self.last - self.first).days


def local_date(time_us: int, zone: datetime.tzinfo) -> datetime.date:
    """The date of the day that holds `time_us`, as `day_edges_us` draws it."""
    date = _local(time_us, zone).date()
    # Where clocks fell back across midnight, the wall shows yesterday's date again.
    return date + _DAY if day_edges_us(date, zone)[1] <= time_us else date


def local_hour(time_us: int, zone: datetime.tzinfo) -> int:
    """The hour, 0 to 23, that the clock of the zone shows."""
    return _local(time_us, zone).hour


@lru_cache(maxsize=65_536)
def day_start_us(date: datetime.date, zone: datetime.tzinfo) -> int:
    """The first instant of a local date; of a skipped date, the instant it was skipped.

    Raises TimeError where that is outside the years 1 to 9999 of UTC.
    """
    naive_us = (date.toordinal() - _EPOCH_ORDINAL) * DAY_US
    try:
        time_us = timestamp.local_to_utc_us(naive_us, zone)
        if _naive_us(time_us, zone) == naive_us:
            return time_us
        return _first_instant_after_gap(naive_us, time_us, zone)
    except OverflowError as error:
        raise TimeError(f"{date} begins outside the years 1 to 9999") from error


def day_edges_us(date: datetime.date, zone: datetime.tzinfo) -> tuple[int, int]:
    """``[start, end)`` of a local day; equal where the date was skipped. Raises TimeError for the last date."""
    if date == datetime.date.max:
        raise TimeError(f"{date} is the last date there is; its day has no end")
    return day_start_us(date, zone), day_start_us(date + _DAY, zone)


def day_starts_us(days: DateRange, zone: datetime.tzinfo) -> I64:
    """Starts of all days of a range and, last, its end: one more than there are days."""
    return np.array([day_start_us(date, zone) for date in (*iter_days(days), days.last)], np.int64)


def iter_days(days: DateRange) -> Iterator[datetime.date]:
    """Each date of a range in order."""
    return (days.first + datetime.timedelta(days=number) for number in range(days.day_count))


def slot_edges_us(date: datetime.date, zone: datetime.tzinfo, interval_us: int) -> I64:
    """Edges of a day's slots, one more than there are slots: 96 of 15 minutes, 92 or 100 where clocks change.

    Slots have equal length in elapsed time, from the day's first instant; where they do not divide the day
    the last one is shorter. A skipped date has one edge and no slot.
    """
    assert interval_us > 0, "a slot has a length"
    start_us, end_us = day_edges_us(date, zone)
    return np.append(np.arange(start_us, end_us, interval_us, dtype=np.int64), np.int64(end_us))


def slot_labels(edges_us: I64, zone: datetime.tzinfo, label: TimeLabel) -> list[str]:
    """Clock time of each slot, ``00:00`` … ``23:45`` for starts, ``00:15`` … ``24:00`` for period ends.

    A slot's end is told by the clock that ran in the slot, so the last one is always 24:00. A label that
    occurs twice, on the day clocks go back, carries its offset: ``02:15+02:00``.
    """
    starts = [_local(int(edge_us), zone) for edge_us in edges_us[:-1]]
    lengths_us = np.diff(edges_us) if label is TimeLabel.PERIOD_END else np.zeros(len(starts), np.int64)
    has_seconds = bool(np.any(edges_us % MINUTE_US))
    texts = [
        _clock_text(start, int(length_us), has_seconds)
        for start, length_us in zip(starts, lengths_us, strict=True)
    ]
    occurrences = Counter(texts)
    return [
        text + _offset_text(start) if occurrences[text] > 1 else text
        for text, start in zip(texts, starts, strict=True)
    ]


def period_of(date: datetime.date, period: PeriodName) -> DateRange:
    """The day, month or year that holds `date`, as dates. Raises TimeError where it has no end."""
    first, years, months = date, 0, 0
    if period == "month":
        first, months = date.replace(day=1), 1
    elif period == "year":
        first, years = date.replace(month=1, day=1), 1
    try:
        if period == "day":
            return DateRange(first, first + _DAY)
        month = first.month + months
        return DateRange(first, datetime.date(first.year + years + month // 13, (month - 1) % 12 + 1, 1))
    except (ValueError, OverflowError) as error:
        raise TimeError(f"the {period} of {date} ends after the last date there is") from error


def periods_of(days: DateRange, period: PeriodName) -> list[DateRange]:
    """Every whole day, month or year that a range of dates touches, in order."""
    periods: list[DateRange] = []
    date = days.first
    while date < days.last:
        periods.append(period_of(date, period))
        date = periods[-1].last
    return periods


def billing_periods(days: DateRange, cutoff_day: int) -> list[DateRange]:
    """Every whole period from one cut-off day (抄表例日) to the next that a range of dates touches, in order.

    Raises TimeError where one begins before the first date there is, or ends after the last.
    """
    first = days.first if days.first.day >= cutoff_day else _month_before(days.first)
    periods: list[DateRange] = []
    start = first.replace(day=cutoff_day)
    while start < days.last:
        next_month = period_of(start, "month").last
        periods.append(DateRange(start, next_month.replace(day=cutoff_day)))
        start = periods[-1].last
    return periods


def in_groups(periods: Sequence[DateRange], day_count_max: int) -> list[list[DateRange]]:
    """Consecutive periods in groups of at most so many days, but at least one period."""
    groups: list[list[DateRange]] = []
    for period in periods:
        if groups and (period.last - groups[-1][0].first).days <= day_count_max:
            groups[-1].append(period)
        else:
            groups.append([period])
    return groups


def _month_before(date: datetime.date) -> datetime.date:
    try:
        return date.replace(day=1) - _DAY
    except OverflowError as error:
        raise TimeError(f"the billing period of {date} begins before the first date there is") from error


def period_ends_us(start_us: I64, interval_us: int, zone: datetime.tzinfo) -> I64:
    """Where the period that begins at each `start_us` ends.

    An interval of whole days means local days: a daily value covers 23 or 25 hours where clocks change.
    An interval of 28 to 31 days that begins with a month covers that month.
    """
    if interval_us % DAY_US != 0:
        return start_us + interval_us
    day_count = interval_us // DAY_US
    return np.array([_calendar_end_us(int(start), day_count, zone) for start in start_us], np.int64)


def _calendar_end_us(start_us: int, day_count: int, zone: datetime.tzinfo) -> int:
    date = local_date(start_us, zone)
    first_us = day_start_us(date, zone)
    if 28 <= day_count <= 31 and date.day == 1:
        return day_start_us(period_of(date, "month").last, zone) + start_us - first_us
    return day_start_us(date + day_count * _DAY, zone) + start_us - first_us


def _first_instant_after_gap(naive_us: int, time_us: int, zone: datetime.tzinfo) -> int:
    """Midnight lies in a gap of the clock: the first instant that shows a later wall time.

    `time_us` is midnight by the clock before the gap, hence at or after the leap.
    """
    low_us, high_us = time_us - 2 * DAY_US, time_us
    while low_us < high_us:
        middle_us = (low_us + high_us) // 2
        if _naive_us(middle_us, zone) >= naive_us:
            high_us = middle_us
        else:
            low_us = middle_us + 1
    return high_us


def _local(time_us: int, zone: datetime.tzinfo) -> datetime.datetime:
    return (timestamp.EPOCH + time_us * _MICROSECOND).astimezone(zone)


def _naive_us(time_us: int, zone: datetime.tzinfo) -> int:
    return (_local(time_us, zone).replace(tzinfo=datetime.UTC) - timestamp.EPOCH) // _MICROSECOND


def _clock_text(start: datetime.datetime, length_us: int, has_seconds: bool) -> str:
    second_of_day = start.hour * 3600 + start.minute * 60 + start.second + length_us // SECOND_US
    minute, second = divmod(second_of_day, 60)
    text = f"{minute // 60:02d}:{minute % 60:02d}"
    return f"{text}:{second:02d}" if has_seconds else text


def _offset_text(moment: datetime.datetime) -> str:
    offset = moment.strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"
