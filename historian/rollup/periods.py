"""What rollups answer, as columns: points × periods, each row with its evidence."""

import zoneinfo
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import calendar
from historian.energy.calendar import DateRange, PeriodName
from historian.energy.coverage import Coverage
from historian.model.point import Point
from historian.rollup import aggregate, period_kernels
from historian.rollup.aggregate import Frame
from historian.rollup.day_keeper import Found
from historian.rollup.period_kernels import Calendar, Periods
from historian.rollup.point_unit import FigureUnits
from historian.rollup.row import RollupRow, RollupState

I64 = npt.NDArray[np.int64]

STATES: Final[tuple[RollupState, ...]] = ("open", "provisional", "complete")
EXTREMES: Final = frozenset(
    {"max_value", "max_start_us", "max_end_us", "min_value", "min_start_us", "min_end_us"}
)
COUNTS: Final = frozenset({"received", "good", "measured", "estimated", "manual"})
RATIOS: Final = frozenset({"mean", "load_factor"})
STANDING: Final = frozenset({"state", "revision", "computed_at_us"})
ALL: Final = EXTREMES | COUNTS | RATIOS | STANDING | {"energy"}

_WHOLE: Final = frozenset(
    {"max_start_us", "max_end_us", "min_start_us", "min_end_us", "revision", "computed_at_us"}
)


class PeriodColumns(NamedTuple):
    """Rows point by point, in order of time: row ``p × period_count + k``.

    `columns` holds only what was wanted; numbers are NaN and times -1 where there is nothing to tell. `expected` counts the samples that each period promises.
    """

    period: PeriodName
    point_id: I64
    period_count: int
    period_start_us: I64
    period_end_us: I64
    units_number: I64
    units: Sequence[FigureUnits]
    expected: I64
    columns: Periods

    @property
    def row_count(self) -> int:
        return len(self.point_id) * self.period_count


class Span(NamedTuple):
    """Whole periods of some days, by the clocks of the zones that `zone_of` numbers for each point."""

    period: PeriodName
    days: DateRange
    parts: list[DateRange]
    zones: Sequence[zoneinfo.ZoneInfo]
    zone_of: I64

    @property
    def frames(self) -> list[list[Frame]]:
        return [[aggregate.frame_of(part, zone) for part in self.parts] for zone in self.zones]


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
        self._frames = span.frames
        self._calendar = _calendar_of(span, self._frames, now_us)
        count = len(span.parts)
        start_us = self._calendar.period_start_us[span.zone_of].reshape(-1)
        end_us = self._calendar.period_end_us[span.zone_of].reshape(-1)
        self.answer = PeriodColumns(
            span.period, point_id, count, start_us, end_us, asked.units_number, asked.units,
            _expected(start_us, end_us, asked, count),
            _allocate(len(point_id) * count, asked.wanted),
        )  # fmt: skip

    def take(self, found: Found) -> None:
        """Make the rows of some of the points. For the worker thread."""
        asked, out, rows = self._asked, self.answer.columns, found.rows
        first_row = rows * self.answer.period_count
        place, cells = found.place, found.cells
        some = self._calendar._replace(zone=self._calendar.zone[rows])
        if asked.wanted & STANDING:
            period_kernels.fold_states(place, some, cells, first_row, out)
        if asked.wanted & EXTREMES:
            period_kernels.fold_extremes(place, some, asked.block_us[rows], cells, first_row, out)
        if asked.wanted & COUNTS:
            period_kernels.fold_counts(place, some, cells, first_row, out)
        if "energy" in asked.wanted or asked.wanted & RATIOS:
            is_summed = np.array([one.energy is not None for one in asked.units], np.uint8)
            is_summed = is_summed[asked.units_number[rows]]
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
            self._point_of(int(self.answer.point_id[row])), self._span.period, self._frames[int(self._span.zone_of[row])],
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
        period_start_us=joined([one.period_start_us for one in answers]),
        period_end_us=joined([one.period_end_us for one in answers]),
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


def _calendar_of(span: Span, frames: Iterable[list[Frame]], now_us: int) -> Calendar:
    by_zone = list(frames)
    firsts = [part.first.toordinal() - span.days.first.toordinal() for part in span.parts]
    return Calendar(
        zone=span.zone_of,
        day_edge_us=np.array([calendar.day_starts_us(span.days, zone) for zone in span.zones], np.int64),
        first_day=span.days.first.toordinal(),
        period_first=np.array([*firsts, span.days.day_count], np.int64),
        period_start_us=np.array([[frame.start_us for frame in one] for one in by_zone], np.int64),
        period_end_us=np.array([[frame.end_us for frame in one] for one in by_zone], np.int64),
        period_day_count=np.array([[frame.day_count for frame in one] for one in by_zone], np.int64),
        now_us=now_us,
    )


def _expected(start_us: I64, end_us: I64, asked: Asked, period_count: int) -> I64:
    """`coverage.expected_count`, row by row."""
    if not asked.wanted & COUNTS:
        return np.empty(0, np.int64)
    interval_us = np.repeat(asked.interval_us, period_count)
    expected: I64 = (2 * (end_us - start_us) + interval_us) // (2 * interval_us)
    return expected


def _allocate(count: int, wanted: frozenset[str]) -> Periods:
    """Room for what is wanted, and for what comes with it."""
    has_sums = bool("energy" in wanted or wanted & RATIOS)
    is_there = dict.fromkeys(("energy", *RATIOS), has_sums)
    for together in (EXTREMES, COUNTS, STANDING):
        is_there |= dict.fromkeys(together, bool(wanted & together))
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in Periods._fields:
        type_: type[np.generic] = np.int64 if name in _WHOLE or name in COUNTS else np.float64
        type_ = np.uint8 if name in ("state", "is_done") else type_
        columns[name] = np.ones(count if is_there.get(name, True) else 0, type_)
    return Periods._make(columns.values())
