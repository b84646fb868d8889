"""Months and years from days: exact sums, extremes with their times, evidence added up."""

import math
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from historian.energy import calendar, coverage, fixed_point
from historian.energy.calendar import DateRange, PeriodName
from historian.energy.coverage import Coverage
from historian.model.point import HOUR_US, Point
from historian.rollup.day_figure import DayFigure
from historian.rollup.point_unit import FigureUnits, units_of
from historian.rollup.row import RollupRow, RollupState


class Frame(NamedTuple):
    """One period by the clock of a zone; `day_count` leaves out dates that were skipped."""

    days: range
    start_us: int
    end_us: int
    day_count: int


class _Sum(NamedTuple):
    """An exact sum ``numerator / denominator`` and the time it speaks for."""

    numerator: int
    denominator: int
    known_us: int

    def mean(self) -> tuple[int, int]:
        return self.numerator * HOUR_US, self.denominator * self.known_us


def frame_of(days: DateRange, zone: zoneinfo.ZoneInfo) -> Frame:
    """The frame of the period that consists of these days."""
    starts_us = calendar.day_starts_us(days, zone)
    return Frame(
        range(days.first.toordinal(), days.last.toordinal()),
        int(starts_us[0]),
        int(starts_us[-1]),
        int((starts_us[1:] != starts_us[:-1]).sum()),
    )


def row_of(
    point: Point,
    period: PeriodName,
    days: DateRange,
    zone: zoneinfo.ZoneInfo,
    figures: Mapping[int, DayFigure],
    now_us: int,
) -> RollupRow:
    """The row of one period from the figures of its days, by ordinal; a day without figures knows nothing."""
    return rows_of(point, period, [frame_of(days, zone)], figures, now_us)[0]


def rows_of(
    point: Point,
    period: PeriodName,
    frames: Sequence[Frame],
    figures: Mapping[int, DayFigure],
    now_us: int,
) -> list[RollupRow]:
    """A row for each frame; see `row_of`."""
    units = units_of(point)
    return [
        _row_in(frame, point, period, units, [figures[day] for day in frame.days if day in figures], now_us)
        for frame in frames
    ]


def _row_in(
    frame: Frame, point: Point, period: PeriodName, units: FigureUnits, found: list[DayFigure], now_us: int
) -> RollupRow:
    total = _total_of(found)
    highest, lowest = _extremes_of(found)
    is_summed = units.energy is not None
    max_value = highest.max_value if highest else None
    return RollupRow(
        point_id=point.id,
        period=period,
        period_start_us=frame.start_us,
        period_end_us=frame.end_us,
        energy=_number(total.numerator, total.denominator) if is_summed and total.known_us else None,
        unit=units.energy,
        max_demand=max_value,
        max_demand_unit=units.rate,
        max_start_us=highest.max_start_us if highest else None,
        max_end_us=highest.max_end_us if highest else None,
        min=lowest.min_value if lowest else None,
        min_start_us=lowest.min_start_us if lowest else None,
        min_end_us=lowest.min_end_us if lowest else None,
        mean=_number(*total.mean()) if total.known_us else None,
        load_factor=_load_factor(found, max_value) if is_summed else None,
        coverage=_coverage_of(
            found, coverage.expected_count(frame.start_us, frame.end_us, point.interval_us)
        ),
        method=units.method,
        state=_state_of(frame, found, now_us),
        revision=sum(figure.revision for figure in found),
        computed_at_us=max((figure.computed_at_us for figure in found), default=now_us),
    )


def _extremes_of(found: Sequence[DayFigure]) -> tuple[DayFigure | None, DayFigure | None]:
    """The figures with the highest maximum and the lowest minimum, the first where several are equal."""
    ranked = [figure for figure in found if figure.max_value is not None]
    if not ranked:
        return None, None
    if len(ranked) == 1:
        return ranked[0], ranked[0]
    return max(ranked, key=_by_highest), min(ranked, key=_by_lowest)


def _total_of(found: Sequence[DayFigure]) -> _Sum:
    if len(found) == 1:
        return _Sum(found[0].total_numerator, found[0].total_denominator, found[0].known_us)
    return _add((one.total_numerator, one.total_denominator, one.known_us) for one in found)


def _add(parts: Iterable[tuple[int, int, int]]) -> _Sum:
    numerator, denominator, known_us = 0, 1, 0
    for part_numerator, part_denominator, part_us in parts:
        if part_denominator != denominator:
            common = math.lcm(denominator, part_denominator)
            numerator *= common // denominator
            part_numerator *= common // part_denominator
            denominator = common
        numerator += part_numerator
        known_us += part_us
    return _Sum(numerator, denominator, known_us)


def _load_factor(found: Sequence[DayFigure], max_value: float | None) -> float | None:
    """Mean over maximum, both of the slots that may be the maximum; never above 1 by a rounded maximum."""
    if max_value is None or max_value <= 0.0:
        return None
    ranked = _Sum(*found[0].ranked) if len(found) == 1 else _add(figure.ranked for figure in found)
    mean_numerator, mean_denominator = ranked.mean()
    max_numerator, max_denominator = fixed_point.exact_ratio(max_value)
    factor = _number(mean_numerator * max_denominator, mean_denominator * max_numerator)
    return None if factor is None else min(factor, 1.0)


def _coverage_of(found: Sequence[DayFigure], expected: int) -> Coverage:
    if len(found) == 1:
        one = found[0]
        return Coverage(
            expected,
            one.received_count,
            one.good_count,
            one.measured_count,
            one.estimated_count,
            one.manual_count,
        )
    return coverage.add([figure.coverage for figure in found], expected)


def _by_highest(figure: DayFigure) -> tuple[float, int]:
    assert figure.max_value is not None
    return figure.max_value, -figure.day


def _by_lowest(figure: DayFigure) -> tuple[float, int]:
    assert figure.min_value is not None
    return figure.min_value, figure.day


def _state_of(frame: Frame, found: Sequence[DayFigure], now_us: int) -> RollupState:
    if now_us < frame.end_us:
        return "open"
    complete_count = sum(figure.is_complete and figure.end_us > figure.start_us for figure in found)
    return "complete" if complete_count == frame.day_count else "provisional"


def _number(numerator: int, denominator: int) -> float | None:
    number = fixed_point.quotient(numerator, denominator)
    return None if number != number else number  # beyond all floats
