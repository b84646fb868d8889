"""Plans how to read the samples of many days, and makes the figures from them."""

import datetime
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import calendar, fleet
from historian.model import timestamp
from historian.model.point import DAY_US, Point, PointKind
from historian.model.sample import SampleRun
from historian.rollup import day_figure
from historian.rollup.day_figure import DayFigure

READ_SAMPLES_MAX: Final = 500_000  # asked of the store at once, as far as intervals tell
POINT_DAYS_MAX: Final = 256  # made at once, so that a month of one point does not wait for a year of all

Figures = dict[int, DayFigure]


class DayTask(NamedTuple):
    """Consecutive days (ordinals) of one point that must be made, by the clock of `zone`."""

    point: Point
    zone: zoneinfo.ZoneInfo
    days: range


class Reading(NamedTuple):
    """Points of one interval that are read over the same days of one zone."""

    points: list[Point]
    zone: zoneinfo.ZoneInfo
    days: range

    @property
    def span(self) -> tuple[int, int]:
        """``[start_us, end_us)`` of the days."""
        return _start_us(self.days.start, self.zone), _start_us(self.days.stop, self.zone)


def tasks_of(point: Point, days: Sequence[int]) -> Iterator[DayTask]:
    """Ascending days of a point as tasks of consecutive days."""
    zone = timestamp.load_zone(point.time_zone)
    first = 0
    for index in range(1, len(days) + 1):
        if index == len(days) or days[index] != days[index - 1] + 1:
            yield DayTask(point, zone, range(days[first], days[index - 1] + 1))
            first = index


def plan_readings(tasks: Sequence[DayTask]) -> list[Reading]:
    """Few readings that cover all tasks, none larger than the limits."""
    shared: dict[tuple[int, zoneinfo.ZoneInfo, range], list[Point]] = {}
    for task in tasks:
        interval_us = task.point.interval_us
        day_count = max(1, min(POINT_DAYS_MAX, READ_SAMPLES_MAX * interval_us // DAY_US))
        for start in range(task.days.start, task.days.stop, day_count):
            days = range(start, min(start + day_count, task.days.stop))
            shared.setdefault((interval_us, task.zone, days), []).append(task.point)
    readings: list[Reading] = []
    for (interval_us, zone, days), points in shared.items():
        samples = max(1, len(days) * DAY_US // interval_us)
        size = max(1, min(READ_SAMPLES_MAX // samples, POINT_DAYS_MAX // len(days)))
        readings += [
            Reading(points[first : first + size], zone, days) for first in range(0, len(points), size)
        ]
    return readings


def make_days(
    reading: Reading, runs: Sequence[SampleRun], kept: Mapping[int, Figures], now_us: int
) -> list[DayFigure]:
    """Figures of every day of which samples in or near it tell anything, or that had figures before."""
    starts_us = np.array(
        [_start_us(day, reading.zone) for day in (*reading.days, reading.days.stop)], np.int64
    )
    edges_us = [
        day_figure.slot_edges_us(day, reading.zone, reading.points[0].interval_us) for day in reading.days
    ]
    sums = fleet.day_sums(runs, [day_figure.ask_of(point) for point in reading.points], edges_us)
    slots = [
        day_figure.day_slots(day, edges, reading.points[0].interval_us)
        for day, edges in zip(reading.days, edges_us, strict=True)
    ]
    made: list[DayFigure] = []
    for row, (point, run) in enumerate(zip(reading.points, runs, strict=True)):
        known = kept.get(point.id, {})
        fast = day_figure.of_sums(point, slots, reading.zone, sums, row, now_us)
        made += [figure for day, figure in fast.items() if not figure.is_empty or day in known]
        if len(fast) == len(slots):
            continue
        for day, has in zip(reading.days, _has_samples(point, run, starts_us), strict=True):
            if day not in fast and (has or day in known):
                made.append(day_figure.compute(point, day, reading.zone, run, now_us))
    return made


def _has_samples(point: Point, run: SampleRun, starts_us: npt.NDArray[np.int64]) -> list[bool]:
    """For each day whether a sample may speak for a part of it; of a register, from reading to reading."""
    if run.sample_count == 0:
        return [False] * (len(starts_us) - 1)
    if point.kind is PointKind.REGISTER:
        has = (starts_us[1:] > run.time_us[0]) & (starts_us[:-1] <= run.time_us[-1])
    else:
        margin_us = day_figure.margin_us(point.interval_us)
        first = np.searchsorted(run.time_us, starts_us[:-1] - margin_us)
        has = np.searchsorted(run.time_us, starts_us[1:] + margin_us) > first
    answer: list[bool] = has.tolist()
    return answer


def _start_us(day: int, zone: zoneinfo.ZoneInfo) -> int:
    return calendar.day_start_us(datetime.date.fromordinal(day), zone)
