"""A period's figures, version by version."""

import datetime

from historian.energy import calendar
from historian.model.point import Point, PointKind
from historian.model.sample import empty_run
from historian.model.timestamp import load_zone
from historian.rollup import day_figure, revision
from historian.rollup.day_figure import DayFigure

ZONE = load_zone("Asia/Shanghai")
POINT = Point(id=1, name="p", unit="kWh", kind=PointKind.INTERVAL)
MONTH = calendar.period_of(datetime.date(2026, 2, 1), "month")


def make_version(number: int, energy: int, revision_number: int, computed_at_us: int) -> DayFigure:
    day = MONTH.first.toordinal() + number
    empty = day_figure.compute(POINT, day, ZONE, empty_run(1), computed_at_us)
    return empty._replace(total_numerator=energy, total_denominator=1, known_us=1, revision=revision_number)


def test_each_moment_of_change_is_a_row() -> None:
    versions = [
        make_version(0, 2, 2, 300),
        make_version(1, 10, 1, 100),
        make_version(0, 1, 1, 100),
        make_version(1, 20, 2, 400),
    ]
    rows = revision.rows_over_time(POINT, "month", MONTH, ZONE, versions, 0)
    assert [(row.energy, row.revision, row.computed_at_us) for row in rows] == [
        (11.0, 2, 100),
        (12.0, 3, 300),
        (22.0, 4, 400),
    ]


def test_nothing_known_has_no_versions() -> None:
    assert revision.rows_over_time(POINT, "month", MONTH, ZONE, [], 0) == []
