"""Which figures an edit moves: the local days of the point that its samples reach into, and their months and years."""

import datetime
import zoneinfo
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from historian.energy import calendar, sample_period
from historian.model import timestamp
from historian.model.point import HOUR_US, Point, PointKind
from historian.model.sample import TimeColumn
from historian.model.timerange import TimeRange

_CLOSE_US: Final = 12 * HOUR_US  # between samples this close lies no whole local day


class MovedPeriods(NamedTuple):
    """Local periods of the point's zone, each by its first day, rising."""

    days: list[datetime.date]
    months: list[datetime.date]
    years: list[datetime.date]


def moved_periods(point: Point, time_us: TimeColumn, readings_beside: TimeRange) -> MovedPeriods:
    """Periods whose figures change with samples at these rising times.

    `readings_beside` are the usable readings before the first and after the last, for registers: a reading changes
    every day up to those.
    """
    if len(time_us) == 0:
        return MovedPeriods([], [], [])
    zone = timestamp.load_zone(point.time_zone)
    if point.kind is PointKind.REGISTER:
        spans = [readings_beside]
    else:
        spans = list(_joined_spans(time_us, *sample_period.reach_us(point.kind, point.interval_us)))
    days = sorted({day for span in spans for day in _days_of(span, zone)})
    return MovedPeriods(
        days,
        sorted({day.replace(day=1) for day in days}),
        sorted({day.replace(month=1, day=1) for day in days}),
    )


def _joined_spans(time_us: TimeColumn, before_us: int, after_us: int) -> Iterator[TimeRange]:
    """Where samples reach, those that come close to each other as one; both ends inside."""
    first = np.append(0, np.flatnonzero(np.diff(time_us) > _CLOSE_US) + 1)
    last = np.append(first[1:], len(time_us)) - 1
    for start_us, end_us in zip(time_us[first].tolist(), time_us[last].tolist(), strict=True):
        yield TimeRange(start_us - max(0, before_us - 1), end_us + max(0, after_us - 1))


def _days_of(span: TimeRange, zone: zoneinfo.ZoneInfo) -> Iterator[datetime.date]:
    """Local days from that of the start to that of the end, both included."""
    first = calendar.local_date(span.start_us, zone).toordinal()
    last = calendar.local_date(span.end_us, zone).toordinal()
    return (datetime.date.fromordinal(day) for day in range(first, last + 1))
