"""Computes a month of kept figures anew from the raw samples, and compares every field.

Not compared, and counted by cause: days marked to be made anew, days that samples still in the log may
change, figures of a definition the point no longer has, periods that end by the calendar (daily values), and
registers whose neighbouring reading lies far outside the month.
"""

import datetime
import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from historian.store import filenames
from historian.tools import database_file, day_sum
from historian.tools.day_sum import DAY_US, DaySum, PointRule
from historian.tools.finding import Finding
from historian.tools.log_file import LogSamples
from historian.tools.manifest_file import ListedSegment
from historian.tools.raw_reader import RawReader, RawRun

REGISTER_MARGIN_US: Final = 40 * DAY_US  # so far beyond the month the reading beside it is looked for
MARGIN_US: Final = 3 * DAY_US  # two intervals, and a zone's offset
GROUP_POINTS: Final = 512
FINDINGS_MAX: Final = 100
ROUNDING: Final = Fraction(1, 10**6)  # of the day's maximum, where shares of slots are rounded

_COUNTS: Final = (
    "expected_count", "received_count", "good_count", "measured_count", "estimated_count", "manual_count",
)  # fmt: skip
_POINT: Final = "SELECT id, name, kind, interval_us, multiplier, time_zone, unit FROM point"
_FIGURES: Final = "SELECT * FROM day_figure WHERE day >= ? AND day < ? ORDER BY point_id, day"
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

Row = Mapping[str, Any]  # a row of the table: whole numbers, floats, texts
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
        (day,) = connection.execute("SELECT max(day) FROM day_figure").fetchone()
    return None if day is None else datetime.date.fromordinal(day).isoformat()[:7]


def check(
    folder: Path, listed: Sequence[ListedSegment], unsealed: Sequence[LogSamples], month: str, tell: Tell
) -> FigureReport:
    """Compare the figures of a local month (``2026-10``). Raises CatalogueError, SegmentCorrupt."""
    first, last = _days_of(month)
    report = FigureReport(month, Counter(), Counter(), [])
    points = _points(folder)
    rows, dirty = _figures(folder, first, last)
    waiting = _last_unsealed(unsealed)
    has_registers = any(point.rule.kind == "register" for point in points.values())
    margin_us = REGISTER_MARGIN_US if has_registers else MARGIN_US
    reader = RawReader(folder, listed, _utc_us(first) - margin_us, _utc_us(last) + margin_us)
    try:
        done = 0
        for group in _groups(rows):
            runs = reader.read(group[0][0]["point_id"], group[-1][0]["point_id"])
            for figures in group:
                _compare_point(report, figures, points, runs, dirty, waiting)
            done += sum(map(len, group))
            tell("figures", done, len(rows))
    finally:
        reader.close()
    return report


def _compare_point(
    report: FigureReport,
    figures: Sequence[Row],
    points: Mapping[int, _Point],
    runs: Mapping[int, RawRun],
    dirty: set[tuple[int, int]],
    waiting: Mapping[int, tuple[int, int]],
) -> None:
    point_id = figures[0]["point_id"]
    point = points.get(point_id)
    run = runs.get(point_id, RawRun(np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint16)))
    for row in figures:
        cause = _why_not(row, point, dirty, waiting.get(point_id), run)
        if cause or point is None:
            report.skipped[cause] += 1
            continue
        report.compared[point.rule.kind] += 1
        near = _near(point.rule, run, row["start_us"], row["end_us"])
        ours = day_sum.sum_day(point.rule, row["start_us"], row["end_us"], *near)
        wrong = list(_differences(row, ours))
        if wrong and len(report.findings) < FINDINGS_MAX:
            day = datetime.date.fromordinal(row["day"])
            place = f"{filenames.ROLLUP} point {point_id} ({point.name}) {day}"
            report.findings.append(Finding(kind="figure_differs", place=place, problem="; ".join(wrong)))


def _why_not(
    row: Row,
    point: _Point | None,
    dirty: set[tuple[int, int]],
    waiting: tuple[int, int] | None,
    run: RawRun,
) -> str:
    """Why a figure is not compared; empty where it is."""
    if point is None or point.definition != _definition_of(row):
        return "of another definition of the point"
    if (row["point_id"], row["day"]) in dirty:
        return "to be made anew"
    if point.rule.is_by_calendar:
        return "of periods by the calendar"
    if (row["start_us"], row["end_us"]) != _edges(row["day"], point.zone):
        return "of a day without midnight"
    if point.rule.kind == "register":
        if waiting is not None:
            return "changed by samples in the log"
        is_bounded = (
            len(run.time_us) and run.time_us[0] <= row["start_us"] and run.time_us[-1] >= row["end_us"]
        )
        return "" if is_bounded else "of a register without near neighbours"
    reach_us = 2 * point.rule.interval_us
    if waiting and waiting[0] - reach_us < row["end_us"] and waiting[1] + reach_us >= row["start_us"]:
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


def _differences(row: Row, ours: DaySum) -> Iterator[str]:
    total = _kept_fraction(row, "total")
    ranked = _kept_fraction(row, "ranked") if row["ranked_us"] is not None else total
    ranked_us = row["known_us"] if row["ranked_us"] is None else row["ranked_us"]
    slack = ROUNDING * Fraction(max(abs(ours.max_value or 0.0), abs(ours.min_value or 0.0)))
    slack_of_sum = slack * ours.known_us / day_sum.HOUR_US
    if abs(total - ours.total) > (0 if ours.is_decimal else slack_of_sum):
        yield f"the total is {float(total)!r}, the samples give {float(ours.total)!r}"
    if abs(ranked - ours.ranked) > (0 if ours.is_exact else slack_of_sum):
        yield f"the total of ranked slots is {float(ranked)!r}, the samples give {float(ours.ranked)!r}"
    for name, kept, found in (
        ("known_us", row["known_us"], ours.known_us),
        ("ranked_us", ranked_us, ours.ranked_us),
    ):
        if kept != found:
            yield f"{name} is {kept}, the samples give {found}"
    for name in ("max_value", "min_value"):
        kept, found = row[name], getattr(ours, name)
        if (kept is None) != (found is None) or (
            kept is not None and abs(Fraction(kept) - Fraction(found)) > (0 if ours.is_exact else slack)
        ):
            yield f"{name} is {kept!r}, the samples give {found!r}"
    exact_names = ("max_start_us", "min_start_us") if ours.is_exact else ()
    for name in (*exact_names, *_COUNTS, "is_complete"):
        if row[name] != getattr(ours, name):
            yield f"{name} is {row[name]}, the samples give {int(getattr(ours, name) or 0)}"


def _kept_fraction(row: Row, name: str) -> Fraction:
    return Fraction(int(row[f"{name}_numerator"]), int(row[f"{name}_denominator"]))


def _definition_of(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in ("time_zone", "unit", "kind", "interval_us", "multiplier"))


def _points(folder: Path) -> dict[int, _Point]:
    with database_file.opened(folder / filenames.CATALOGUE) as connection:
        rows = connection.execute(_POINT).fetchall()
    return {
        row[0]: _Point(
            row[1], PointRule(row[2], row[3], row[4]), zoneinfo.ZoneInfo(row[5]), (row[5], row[6], *row[2:5])
        )
        for row in rows
    }


def _figures(
    folder: Path, first: datetime.date, last: datetime.date
) -> tuple[list[Row], set[tuple[int, int]]]:
    span = (first.toordinal(), last.toordinal())
    with database_file.opened(folder / filenames.ROLLUP) as connection:
        cursor = connection.execute(_FIGURES, span)
        names = [column[0] for column in cursor.description]
        rows: list[Row] = [dict(zip(names, row, strict=True)) for row in cursor]
        dirty = "SELECT point_id, day FROM dirty_day WHERE day >= ? AND day < ?"
        return rows, set(connection.execute(dirty, span))


def _groups(rows: Sequence[Row]) -> Iterator[list[list[Row]]]:
    """Figures by point, some points at a time, by rising id."""
    points: dict[int, list[Row]] = {}
    for row in rows:
        points.setdefault(row["point_id"], []).append(row)
    figures = list(points.values())
    return (figures[first : first + GROUP_POINTS] for first in range(0, len(figures), GROUP_POINTS))


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
