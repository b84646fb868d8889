"""What rollups answer, as columns: points × periods, each row with its evidence."""

import zoneinfo
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import calendar
from historian.energy.calendar import DateRange, PeriodName
from historian.energy.coverage import Coverage
from historian.model.point import Point
from historian.rollup import aggregate, fold_kernels, period_kernels
from historian.rollup.aggregate import Frame
from historian.rollup.found import Found
from historian.rollup.period_kernels import Calendar, Periods
from historian.rollup.point_unit import FigureUnits
from historian.rollup.row import RollupRow, RollupState

I64 = npt.NDArray[np.int64]

_EDGES_KEPT_MAX: Final = 64  # calendars of questions, of which the same come again and again
STATES: Final[tuple[RollupState, ...]] = ("open", "provisional", "complete", "final")
FINAL: Final = 3  # the state of a locked row
MAXIMUM: Final = frozenset({"max_value", "max_start_us", "max_end_us"})
MINIMUM: Final = frozenset({"min_value", "min_start_us", "min_end_us"})
EXTREMES: Final = MAXIMUM | MINIMUM
COUNTS: Final = frozenset({"received", "good", "measured", "estimated", "manual"})
RATIOS: Final = frozenset({"mean", "load_factor"})
STANDING: Final = frozenset({"state", "revision", "computed_at_us"})
ALL: Final = EXTREMES | COUNTS | RATIOS | STANDING | {"energy"}

_WHOLE: Final = frozenset(
    {"max_start_us", "max_end_us", "min_start_us", "min_end_us", "revision", "computed_at_us"}
)


class PeriodColumns(NamedTuple):
    """Rows point by point, in order of time: row ``p × period_count + k``.

    `columns` holds only what was wanted; numbers are NaN and times -1 where there is nothing to tell. `expected` counts the samples that each period promises. `starts_us` and `ends_us` are those of each zone's periods.
    """

    period: PeriodName
    point_id: I64
    period_count: int
    starts_us: I64
    ends_us: I64
    zone_of: I64
    units_number: I64
    units: Sequence[FigureUnits]
    expected: I64
    columns: Periods

    @property
    def row_count(self) -> int:
        return len(self.point_id) * self.period_count

    @property
    def period_start_us(self) -> I64:
        """Of each row."""
        return self._of_rows(self.starts_us)

    @property
    def period_end_us(self) -> I64:
        """Of each row."""
        return self._of_rows(self.ends_us)

    def _of_rows(self, edge_us: I64) -> I64:
        if len(edge_us) == 1:  # the everyday: one zone
            return np.tile(edge_us[0], len(self.point_id))
        return edge_us[self.zone_of].reshape(-1)


class Span(NamedTuple):
    """Whole periods of some days, by the clocks of the zones that `zone_of` numbers for each point."""

    period: PeriodName
    days: DateRange
    parts: list[DateRange]
    zones: Sequence[zoneinfo.ZoneInfo]
    zone_of: I64

    def frames_of(self, number: int) -> list[Frame]:
        """The periods in the zone of that number."""
        return [aggregate.frame_of(part, self.zones[number]) for part in self.parts]


class Asked(NamedTuple):
    """Of each point what decides its rows: units, demand blocks, interval; and the columns wanted of all."""

    units_number: I64
    units: Sequence[FigureUnits]
    block_us: I64
    interval_us: I64
    wanted: frozenset[str]


class Folder:
    """Collects the rows of a question, part by part."""

    def __init__(
        self, point_id: I64, span: Span, asked: Asked, point_of: Callable[[int], Point], now_us: int
    ) -> None:
        self._span = span
        self._asked = asked
        self._point_of = point_of
        self._calendar = _calendar_of(span, now_us)
        count = len(span.parts)
        self.answer = PeriodColumns(
            span.period, point_id, count, self._calendar.period_start_us, self._calendar.period_end_us,
            span.zone_of, asked.units_number, asked.units, np.empty(0, np.int64),
            _allocate(len(point_id) * count, asked.wanted),
        )  # fmt: skip
        if asked.wanted & COUNTS:
            self.answer = self.answer._replace(expected=_expected(self.answer, asked.interval_us))

    def take(self, found: Found) -> None:
        """Make the rows of some of the points. For the worker thread."""
        asked, out, rows = self._asked, self.answer.columns, found.rows
        first_row = rows * self.answer.period_count
        place, cells = found.place, found.cells
        some = self._calendar._replace(zone=self._calendar.zone[rows])
        if asked.wanted & STANDING:
            period_kernels.fold_states(place, some, cells, first_row, out)
        if asked.wanted & EXTREMES:
            self._take_extremes(found, some, first_row)
        if asked.wanted & COUNTS:
            period_kernels.fold_counts(place, some, cells, first_row, out)
        if "energy" in asked.wanted or asked.wanted & RATIOS:
            self._take_sums(found, some, first_row)

    def _take_extremes(self, found: Found, some: Calendar, first_row: I64) -> None:
        out, cells, block_us = self.answer.columns, found.cells, self._asked.block_us[found.rows]
        sides = (
            (
                MAXIMUM,
                1.0,
                cells.max_slot,
                cells.max_value,
                (out.max_value, out.max_start_us, out.max_end_us),
            ),
            (
                MINIMUM,
                -1.0,
                cells.min_slot,
                cells.min_value,
                (out.min_value, out.min_start_us, out.min_end_us),
            ),
        )
        for names, sign, slot, value, columns in sides:
            if self._asked.wanted & names:
                fold_kernels.fold_extreme(
                    found.place, some.zone, some.day_edge_us, some.first_day, some.period_first, block_us, sign,
                    cells.state.reshape(-1), slot.reshape(-1), value.reshape(-1), first_row, *columns,
                )  # fmt: skip

    def _take_sums(self, found: Found, some: Calendar, first_row: I64) -> None:
        asked, out, place, cells = self._asked, self.answer.columns, found.place, found.cells
        is_summed = np.array([one.energy is not None for one in asked.units], np.uint8)
        is_summed = is_summed[asked.units_number[found.rows]]
        is_by_day = self._span.days.day_count == self.answer.period_count and not asked.wanted & RATIOS
        if is_by_day and fold_kernels.fold_single_days(
            place, some.first_day, self.answer.period_count, is_summed, cells.state.reshape(-1),
            cells.total_numerator.reshape(-1), cells.denominator.reshape(-1), cells.known_us.reshape(-1),
            first_row, out.energy,
        ):  # fmt: skip
            return
        period_kernels.fold_energy(place, some, is_summed, cells, first_row, out)
        if asked.wanted & RATIOS:
            period_kernels.fold_ratios(place, some, is_summed, cells, first_row, out)
        if not out.is_done.all():
            for number in np.flatnonzero(~self._is_done(first_row).all(axis=1)).tolist():
                self._take_one(found, number)

    def _is_done(self, first_row: I64) -> npt.NDArray[np.bool_]:
        rows = first_row[:, np.newaxis] + np.arange(self.answer.period_count)
        is_done: npt.NDArray[np.bool_] = self.answer.columns.is_done[rows] != 0
        return is_done

    def _take_one(self, found: Found, number: int) -> None:
        """The rows of one point by way of objects, where kernels did not suffice."""
        row = int(found.rows[number])
        made = aggregate.rows_of(
            self._point_of(int(self.answer.point_id[row])), self._span.period,
            self._span.frames_of(int(self._span.zone_of[row])),
            found.figures_of(number), self._calendar.now_us,
        )  # fmt: skip
        out = self.answer.columns
        for k, one in enumerate(made):
            i = row * self.answer.period_count + k
            for name in ("energy", "mean", "load_factor"):
                if len(getattr(out, name)):
                    value = getattr(one, name)
                    getattr(out, name)[i] = np.nan if value is None else value


def join(answers: Sequence[PeriodColumns]) -> PeriodColumns:
    """Answers about the same points in consecutive periods, as one."""
    first, count = answers[0], len(answers[0].point_id)

    def joined(columns: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        if not any(map(len, columns)):
            return columns[0]
        return np.concatenate([column.reshape(count, -1) for column in columns], axis=1).reshape(-1)

    return first._replace(
        period_count=sum(one.period_count for one in answers),
        starts_us=np.concatenate([one.starts_us for one in answers], axis=1),
        ends_us=np.concatenate([one.ends_us for one in answers], axis=1),
        expected=joined([one.expected for one in answers]),
        columns=Periods(
            *(joined(columns) for columns in zip(*(one.columns for one in answers), strict=True))
        ),
    )


def rows_of(answer: PeriodColumns) -> list[RollupRow]:
    """One object a row, from an answer that has all columns."""
    lists = {name: _listed(name, getattr(answer.columns, name)) for name in Periods._fields}
    ids = answer.point_id.tolist()
    starts, ends, expected = (
        column.tolist() for column in (answer.period_start_us, answer.period_end_us, answer.expected)
    )

    def row(number: int, i: int) -> RollupRow:
        units = answer.units[answer.units_number[number]]
        return RollupRow(
            point_id=ids[number],
            period=answer.period,
            period_start_us=starts[i],
            period_end_us=ends[i],
            energy=lists["energy"][i],
            unit=units.energy,
            max_demand=lists["max_value"][i],
            max_demand_unit=units.rate,
            max_start_us=lists["max_start_us"][i],
            max_end_us=lists["max_end_us"][i],
            min=lists["min_value"][i],
            min_start_us=lists["min_start_us"][i],
            min_end_us=lists["min_end_us"][i],
            mean=lists["mean"][i],
            load_factor=lists["load_factor"][i],
            coverage=Coverage(expected[i], *(lists[name][i] for name in Coverage.__struct_fields__[1:])),
            method=units.method,
            state=STATES[lists["state"][i]],
            revision=lists["revision"][i],
            computed_at_us=lists["computed_at_us"][i],
        )

    count = answer.period_count
    return [row(i // count, i) for i in range(answer.row_count)]


def _listed(name: str, column: npt.NDArray[Any]) -> list[Any]:
    values: list[Any] = column.tolist()
    if name in EXTREMES or name in RATIOS or name == "energy":
        absent = column == -1 if name in _WHOLE else np.isnan(column)
        for i in np.flatnonzero(absent).tolist():
            values[i] = None
    return values


class _Edges(NamedTuple):
    """The part of a calendar that depends on days and zones only; not to be written to."""

    day_edge_us: I64
    period_first: I64
    period_start_us: I64
    period_end_us: I64
    period_day_count: I64


def _calendar_of(span: Span, now_us: int) -> Calendar:
    edges = _edges_of(tuple(span.parts), tuple(span.zones))
    return Calendar(
        zone=span.zone_of, first_day=span.days.first.toordinal(), now_us=now_us, **edges._asdict()
    )


@lru_cache(_EDGES_KEPT_MAX)
def _edges_of(parts: tuple[DateRange, ...], zones: tuple[zoneinfo.ZoneInfo, ...]) -> _Edges:
    days = DateRange(parts[0].first, parts[-1].last)
    firsts = [part.first.toordinal() - days.first.toordinal() for part in parts]
    period_first = np.array([*firsts, days.day_count], np.int64)
    day_edge_us = np.array([calendar.day_starts_us(days, zone) for zone in zones], np.int64)
    is_there = np.zeros(day_edge_us.shape, np.int64)  # before each day: how many were not skipped
    np.cumsum(np.diff(day_edge_us) > 0, axis=1, out=is_there[:, 1:])
    return _Edges(
        day_edge_us,
        period_first,
        np.ascontiguousarray(day_edge_us[:, period_first[:-1]]),
        np.ascontiguousarray(day_edge_us[:, period_first[1:]]),
        np.ascontiguousarray(np.diff(is_there[:, period_first])),
    )


def _expected(answer: PeriodColumns, interval_us: I64) -> I64:
    """`coverage.expected_count`, row by row."""
    interval_us = np.repeat(interval_us, answer.period_count)
    length_us = answer.period_end_us - answer.period_start_us
    expected: I64 = (2 * length_us + interval_us) // (2 * interval_us)
    return expected


def _allocate(count: int, wanted: frozenset[str]) -> Periods:
    """Room for what is wanted, and for what comes with it."""
    is_there = {"energy": bool("energy" in wanted or wanted & RATIOS)}
    for together in (MAXIMUM, MINIMUM, COUNTS, STANDING, RATIOS):
        is_there |= dict.fromkeys(together, bool(wanted & together))
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in Periods._fields[:-1]:
        type_: type[np.generic] = np.int64 if name in _WHOLE or name in COUNTS else np.float64
        columns[name] = np.empty(count if is_there[name] else 0, np.uint8 if name == "state" else type_)
    return Periods(**columns, is_done=np.ones(count, np.uint8))
