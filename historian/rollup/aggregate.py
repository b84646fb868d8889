"""Months and years from days: exact sums, extremes with their times, evidence added up."""

import zoneinfo
from collections.abc import Mapping
from fractions import Fraction

from historian.energy import calendar, coverage, fixed_point, load_curve
from historian.energy.calendar import DateRange, PeriodName
from historian.model.point import HOUR_US, Point
from historian.rollup.day_figure import DayFigure
from historian.rollup.point_unit import units_of
from historian.rollup.row import RollupRow, RollupState


def row_of(
    point: Point,
    period: PeriodName,
    days: DateRange,
    zone: zoneinfo.ZoneInfo,
    figures: Mapping[int, DayFigure],
    now_us: int,
) -> RollupRow:
    """The row of one period from the figures of its days, by ordinal; a day without figures knows nothing."""
    start_us, end_us = calendar.day_start_us(days.first, zone), calendar.day_start_us(days.last, zone)
    ordinals = range(days.first.toordinal(), days.last.toordinal())
    found = [figures[day] for day in ordinals if day in figures]
    known_us = sum(figure.known_us for figure in found)
    total = sum((figure.total for figure in found), Fraction())
    mean = total * HOUR_US / known_us if known_us else None
    highest = max((figure for figure in found if figure.max_value is not None), key=_by_highest, default=None)
    lowest = min((figure for figure in found if figure.min_value is not None), key=_by_lowest, default=None)
    units = units_of(point)
    is_summed = units.energy is not None
    max_value = highest.max_value if highest else None
    return RollupRow(
        point_id=point.id,
        period=period,
        period_start_us=start_us,
        period_end_us=end_us,
        energy=_number(total) if is_summed and known_us else None,
        unit=units.energy,
        max_demand=max_value,
        max_demand_unit=units.rate,
        max_start_us=highest.max_start_us if highest else None,
        max_end_us=highest.max_end_us if highest else None,
        min=lowest.min_value if lowest else None,
        min_start_us=lowest.min_start_us if lowest else None,
        min_end_us=lowest.min_end_us if lowest else None,
        mean=_number(mean) if mean is not None else None,
        load_factor=load_curve.load_factor(mean, max_value) if is_summed and mean is not None else None,
        coverage=coverage.add(
            [figure.coverage for figure in found],
            coverage.expected_count(start_us, end_us, point.interval_us),
        ),
        method=units.method,
        state=_state_of(end_us, len(ordinals), found, now_us, _skipped_day_count(days, zone)),
        revision=sum(figure.revision for figure in found),
        computed_at_us=max((figure.computed_at_us for figure in found), default=now_us),
    )


def _by_highest(figure: DayFigure) -> tuple[float, int]:
    assert figure.max_value is not None
    return figure.max_value, -figure.day


def _by_lowest(figure: DayFigure) -> tuple[float, int]:
    assert figure.min_value is not None
    return figure.min_value, figure.day


def _state_of(
    end_us: int, day_count: int, found: list[DayFigure], now_us: int, skipped_count: int
) -> RollupState:
    if now_us < end_us:
        return "open"
    complete_count = sum(figure.is_complete and figure.end_us > figure.start_us for figure in found)
    return "complete" if complete_count == day_count - skipped_count else "provisional"


def _skipped_day_count(days: DateRange, zone: zoneinfo.ZoneInfo) -> int:
    starts_us = calendar.day_starts_us(days, zone)
    return int((starts_us[1:] == starts_us[:-1]).sum())


def _number(exact: Fraction) -> float | None:
    number = fixed_point.to_float(exact)
    return None if number != number else number  # beyond all floats
