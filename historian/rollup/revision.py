"""What the figures of a period were, version by version."""

import zoneinfo
from collections.abc import Sequence

from historian.energy.calendar import DateRange, PeriodName
from historian.model.point import Point
from historian.rollup import aggregate
from historian.rollup.day_figure import DayFigure
from historian.rollup.row import RollupRow


def rows_over_time(
    point: Point,
    period: PeriodName,
    days: DateRange,
    zone: zoneinfo.ZoneInfo,
    versions: Sequence[DayFigure],
    now_us: int,
) -> list[RollupRow]:
    """One row for each moment at which a day of the period got other figures, oldest first.

    `versions` are all known versions of all days. Versions of a running day are not kept once the next is made.
    """
    rows: list[RollupRow] = []
    figures: dict[int, DayFigure] = {}
    ordered = sorted(versions, key=lambda version: (version.computed_at_us, version.day, version.revision))
    for index, version in enumerate(ordered):
        figures[version.day] = version
        is_last_of_moment = (
            index + 1 == len(ordered) or ordered[index + 1].computed_at_us != version.computed_at_us
        )
        if is_last_of_moment:
            rows.append(aggregate.row_of(point, period, days, zone, figures, now_us))
    return rows
