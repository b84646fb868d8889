"""Computes a month of kept figures anew from the raw samples, and compares every field.

Not compared, and counted by cause: days with estimates, days marked to be made anew, days that samples still in the log may
change, figures of a definition the point no longer has, periods that end by the calendar (daily values), and
registers whose neighbouring reading lies far outside the month.
"""

import datetime
import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from historian.store import filenames
from historian.tools import database_file, day_sum, rollup_file
from historian.tools.day_sum import DAY_US, DaySum, PointRule
from historian.tools.finding import Finding
from historian.tools.log_file import LogSamples
from historian.tools.manifest_file import ListedSegment
from historian.tools.raw_reader import RawReader, RawRun
from historian.tools.rollup_file import KeptFigure

REGISTER_MARGIN_US: Final = 40 * DAY_US  # so far beyond the month the reading beside it is looked for
MARGIN_US: Final = 3 * DAY_US  # two intervals, and a zone's offset
GROUP_POINTS: Final = 512
FINDINGS_MAX: Final = 100
ROUNDING: Final = Fraction(1, 10**6)  # of the day's maximum, where shares of slots are rounded

_SAME: Final = (
    "known_us", "ranked_us", "received_count", "good_count", "measured_count", "estimated_count", "manual_count",
    "is_complete",
)  # fmt: skip
_SLOTS: Final = ("max_slot", "min_slot")
_POINTS: Final = "SELECT id, name, kind, interval_us, multiplier, time_zone, unit FROM point"
_POINTS_BY_DEFINITION: Final = """
    SELECT point.id, name, kind, interval_us, multiplier, time_zone, unit
    FROM point JOIN definition ON definition.id = definition_id
"""
_ESTIMATED: Final = 1  # the origin
_ATTRIBUTE_COUNT: Final = 5  # of a definition without terms
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

Tell = Callable[[str, int, int], None]


class FigureReport(NamedTuple):
    """What came of it. `compared` counts figures by the kind of their point, `skipped` by cause."""

    month: str
    compared: Counter[str]
    skipped: Counter[str]
    findings: list[Finding]


class _Point(NamedTuple):
    name: str
    rule: PointRule
    zone: zoneinfo.ZoneInfo
    definition: tuple[object, ...]


def newest_month(folder: Path) -> str | None:
    """The month of the newest kept figure; None where none is kept."""
    with database_file.opened(folder / filenames.ROLLUP) as connection:
        day = rollup_file.newest_day(connection)
    return None if day is None else datetime.date.fromordinal(day).isoformat()[:7]


def check(
    folder: Path,
    listed: Sequence[ListedSegment],
    unsealed: Sequence[LogSamples],
    month: str,
    tell: Tell,
    cold_folder: Path | None = None,
) -> FigureReport:
    """Compare the figures of a local month (``2026-10``). Raises CatalogueError, SegmentCorrupt."""
    first, last = _days_of(month)
    report = FigureReport(month, Counter(), Counter(), [])
    points = _points(folder)
    with database_file.opened(folder / filenames.ROLLUP) as connection:
        kept = rollup_file.figures(connection, first.toordinal(), last.toordinal())
        dirty = rollup_file.dirty_days(connection)
    waiting = _last_unsealed(unsealed)
    has_registers = any(point.rule.kind == "register" for point in points.values())
    margin_us = REGISTER_MARGIN_US if has_registers else MARGIN_US
    span = (_utc_us(first) - margin_us, _utc_us(last) + margin_us)
    reader = RawReader(folder, listed, *span, cold_folder)
    try:
        done = 0
        for group in _groups(kept):
            runs = reader.read(group[0][0].point_id, group[-1][0].point_id)
            for figures in group:
                _compare_point(report, figures, points, runs, dirty, waiting)
            done += sum(map(len, group))
            tell("figures", done, len(kept))
    finally:
        reader.close()
    return report


def _compare_point(
    report: FigureReport,
    kept: Sequence[KeptFigure],
    points: Mapping[int, _Point],
    runs: Mapping[int, RawRun],
    dirty: set[tuple[int, int]],
    waiting: Mapping[int, tuple[int, int]],
) -> None:
    point_id = kept[0].point_id
    point = points.get(point_id)
    run = runs.get(point_id, RawRun(np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint16)))
    for figure in kept:
        if len(figure.definition) > _ATTRIBUTE_COUNT:
            report.skipped["of a point with terms: a meter exchange, a dated multiplier, rules"] += 1
            continue
        if point is None or point.definition != figure.definition:
            report.skipped["of another definition of the point"] += 1
            continue
        edges = _edges(figure.day, point.zone)
        is_dirty = (point_id, figure.day) in dirty
        cause = _why_not(point.rule, edges, is_dirty, waiting.get(point_id), run)
        if cause:
            report.skipped[cause] += 1
            continue
        near = _near(point.rule, run, *edges)
        if bool((((near.quality >> 2) & 7) == _ESTIMATED).any()):
            report.skipped["with estimates, of which measured samples may have overtaken some"] += 1
            continue
        report.compared[point.rule.kind] += 1
        ours = day_sum.sum_day(point.rule, *edges, near.time_us, near.value, near.quality)
        wrong = list(_differences(figure, ours))
        if wrong and len(report.findings) < FINDINGS_MAX:
            day = datetime.date.fromordinal(figure.day)
            place = f"{filenames.ROLLUP} point {point_id} ({point.name}) {day}"
            report.findings.append(Finding(kind="figure_differs", place=place, problem="; ".join(wrong)))


def _why_not(
    rule: PointRule, edges: tuple[int, int], is_dirty: bool, waiting: tuple[int, int] | None, run: RawRun
) -> str:
    """Why a figure is not compared; empty where it is."""
    start_us, end_us = edges
    if is_dirty:
        return "to be made anew"
    if rule.is_by_calendar:
        return "of periods by the calendar"
    if start_us >= end_us:
        return "of a day without midnight"
    if rule.kind == "register":
        if waiting is not None:
            return "changed by samples in the log"
        is_bounded = len(run.time_us) and run.time_us[0] <= start_us and run.time_us[-1] >= end_us
        return "" if is_bounded else "of a register without near neighbours"
    reach_us = 2 * rule.interval_us
    if waiting and waiting[0] - reach_us < end_us and waiting[1] + reach_us >= start_us:
        return "changed by samples in the log"
    return ""


def _near(rule: PointRule, run: RawRun, start_us: int, end_us: int) -> RawRun:
    """The samples that a day's figures may depend on."""
    if rule.kind == "register":
        usable = (run.quality & 3 <= 1) & (run.quality & (1 << 7) == 0)
        times = run.time_us[usable]
        before, after = times[times <= start_us], times[times >= end_us]
        first = int(before[-1]) if len(before) else start_us
        last = int(after[0]) if len(after) else end_us
    else:
        first, last = start_us - 2 * rule.interval_us, end_us + 2 * rule.interval_us - 1
    begin, end = np.searchsorted(run.time_us, [first, last + 1]).tolist()
    return RawRun(run.time_us[begin:end], run.value[begin:end], run.quality[begin:end])


def _differences(kept: KeptFigure, ours: DaySum) -> Iterator[str]:
    slack = ROUNDING * Fraction(max(abs(ours.max_value or 0.0), abs(ours.min_value or 0.0)))
    slack_of_sum = slack * ours.known_us / day_sum.HOUR_US
    if abs(kept.total - ours.total) > (0 if ours.is_decimal else slack_of_sum):
        yield f"the total is {float(kept.total)!r}, the samples give {float(ours.total)!r}"
    if abs(kept.ranked - ours.ranked) > (0 if ours.is_exact else slack_of_sum):
        yield f"the total of ranked slots is {float(kept.ranked)!r}, the samples give {float(ours.ranked)!r}"
    for name in ("max_value", "min_value"):
        told, found = getattr(kept, name), getattr(ours, name)
        if (told is None) != (found is None) or (
            told is not None and abs(Fraction(told) - Fraction(found)) > (0 if ours.is_exact else slack)
        ):
            yield f"{name} is {told!r}, the samples give {found!r}"
    for name in (*_SAME, *(_SLOTS if ours.is_exact else ())):
        if getattr(kept, name) != getattr(ours, name):
            yield f"{name} is {getattr(kept, name)}, the samples give {getattr(ours, name)}"


def _points(folder: Path) -> dict[int, _Point]:
    with database_file.opened(folder / filenames.CATALOGUE) as connection:
        by_definition = connection.execute(
            "SELECT 1 FROM pragma_table_info('point') WHERE name = 'definition_id'"
        ).fetchone()
        rows = connection.execute(_POINTS_BY_DEFINITION if by_definition else _POINTS).fetchall()
    return {
        row[0]: _Point(row[1], PointRule(*row[2:5]), zoneinfo.ZoneInfo(row[5]), (row[5], row[6], *row[2:5]))
        for row in rows
    }


def _groups(kept: Sequence[KeptFigure]) -> Iterator[list[list[KeptFigure]]]:
    """Figures by point, some points at a time, by rising id."""
    points: dict[int, list[KeptFigure]] = {}
    for figure in kept:
        points.setdefault(figure.point_id, []).append(figure)
    found = list(points.values())
    return (found[first : first + GROUP_POINTS] for first in range(0, len(found), GROUP_POINTS))


def _last_unsealed(unsealed: Sequence[LogSamples]) -> dict[int, tuple[int, int]]:
    """First and last time of each point's samples in the log."""
    found: dict[int, tuple[int, int]] = {}
    for samples in unsealed:
        for point_id in np.unique(samples.point_id).tolist():
            times = samples.time_us[samples.point_id == point_id]
            first, last = found.get(point_id, (int(times[0]), int(times[0])))
            found[point_id] = min(first, int(times.min())), max(last, int(times.max()))
    return found


def _days_of(month: str) -> tuple[datetime.date, datetime.date]:
    first = datetime.date.fromisoformat(f"{month}-01")
    return first, (first.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)


def _edges(day: int, zone: zoneinfo.ZoneInfo) -> tuple[int, int]:
    """Local midnights of a day; (0, 0) where one of them does not exist."""
    found = []
    for date in (datetime.date.fromordinal(day), datetime.date.fromordinal(day + 1)):
        midnight = datetime.datetime.combine(date, datetime.time(), zone).astimezone(datetime.UTC)
        if midnight.astimezone(zone).time() != datetime.time():
            return 0, 0
        found.append((midnight - _EPOCH) // datetime.timedelta(microseconds=1))
    return found[0], found[1]


def _utc_us(date: datetime.date) -> int:
    return (date.toordinal() - _EPOCH.toordinal()) * DAY_US
