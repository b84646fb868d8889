"""Dual-energy checks: a point and the other one that measures the same, period by period. Both series are kept."""

import zoneinfo
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from historian.clock import Clock
from historian.energy import calendar, cross_check, fixed_point, metering, suggestion
from historian.energy.calendar import DateRange
from historian.energy.metering import Metering
from historian.energy.suggestion import Suggestion
from historian.errors import QueryError, UnitError
from historian.model import timestamp, unit
from historian.model.point import Point, PointKind
from historian.model.ports import PointDirectory, SampleReader
from historian.model.term import CheckTerm
from historian.rollup import day_source, point_metering, point_unit
from historian.rollup.billing import Asked
from historian.rollup.found import Figures
from historian.rollup.service import Past, RollupService, terms_at
from historian.rollup.term_directory import TermDirectory

COVER_SHARE: Final = 0.01  # by which the known times of the two may differ and still be compared


class CheckRow(NamedTuple):
    """Two energies of one period, in `unit`; None where nothing is known. `residual` is the point's less the other's.

    `is_exceeded` is None where the two do not speak for the same time. `suggestions` name the side by its point.
    """

    point: Point
    other: Point
    period_start_us: int
    period_end_us: int
    unit: str
    energy: Fraction | None
    other_energy: Fraction | None
    residual: Fraction | None
    limit: Fraction | None
    term: CheckTerm
    is_exceeded: bool | None
    suggestions: list[Suggestion]
    state: str
    warnings: tuple[str, ...]


class _Side(NamedTuple):
    """One of the two, over a period; `scale` brings its energy to the unit of the comparison."""

    point: Point
    metering: Metering
    scale: Fraction
    energy: Fraction | None
    known_us: int
    factor: float


class CheckMaker:
    """Answers for points of which a check is stated."""

    def __init__(
        self,
        rollup: RollupService,
        reader: SampleReader,
        directory: PointDirectory,
        terms: TermDirectory,
        clock: Clock,
    ) -> None:
        self._rollup = rollup
        self._reader = reader
        self._directory = directory
        self._terms = terms
        self._clock = clock

    async def rows(self, asked: Asked) -> list[CheckRow]:
        """A row for each point and period. Raises QueryError where no check is stated, UnitError."""
        rows: list[CheckRow] = []
        days = DateRange(asked.parts[0].first, asked.parts[-1].last)
        for point_id in asked.point_id.tolist():
            point = self._directory.by_id(point_id)
            zone = asked.zone or timestamp.load_zone(point.time_zone)
            known: dict[int, Figures] = {}
            for part in asked.parts:
                term = self._term_of(point, part, zone, asked.past)
                other = self._directory.get(term.point)
                for one in (point, other):
                    if one.id not in known:
                        known[one.id] = (await self._rollup.day_figures([one], days, zone, asked.past))[0]
                rows.append(await self._row((point, other), known, term, part, zone, asked.past))
        return rows

    def _term_of(
        self, point: Point, part: DateRange, zone: zoneinfo.ZoneInfo, past: Past | None
    ) -> CheckTerm:
        terms = terms_at(self._terms, past)
        found = terms.of(point.id).at("check", calendar.day_start_us(part.first, zone))
        if not isinstance(found, CheckTerm):
            raise QueryError(
                f"no check is stated of {point.name} on {part.first}; state which point measures the same "
                "(POST /points/{point}/terms)"
            )
        return found

    async def _row(
        self,
        pair: tuple[Point, Point],
        known: dict[int, Figures],
        term: CheckTerm,
        part: DateRange,
        zone: zoneinfo.ZoneInfo,
        past: Past | None,
    ) -> CheckRow:
        start_us, end_us = calendar.day_start_us(part.first, zone), calendar.day_start_us(part.last, zone)
        symbol = point_unit.units_of(pair[0]).energy
        if symbol is None:
            raise UnitError(f"{pair[0].name} ({pair[0].unit}) has no energy to be compared")
        sides = [self._side(one, known[one.id], symbol, part, start_us, past) for one in pair]
        suggestions = [
            found for side in sides if (found := await self._swapped(side, start_us, end_us, past))
        ]
        row = _compared(sides[0], sides[1], term, end_us - start_us)
        now_us = self._clock.now_us() if past is None else past.as_of_us
        return row._replace(
            period_start_us=start_us,
            period_end_us=end_us,
            unit=symbol,
            suggestions=row.suggestions + suggestions,
            state="open" if end_us > now_us else row.state,
        )

    def _side(
        self,
        point: Point,
        figures: Figures,
        symbol: str,
        part: DateRange,
        start_us: int,
        past: Past | None,
    ) -> _Side:
        terms = terms_at(self._terms, past)
        own = point_unit.units_of(point).energy
        if own is None:
            raise UnitError(f"{point.name} ({point.unit}) has no energy to be compared")
        scale = unit.conversion_factor(own, symbol)
        days = range(part.first.toordinal(), part.last.toordinal())
        some = [figures[day] for day in days if day in figures and figures[day].known_us]
        totals = [Fraction(one.total_numerator, one.total_denominator) for one in some]
        metered = point_metering.metering_of(point, terms.of(point.id), start_us)
        return _Side(
            point, metered, scale, fixed_point.sum_of(totals) * scale if totals else None,
            sum(one.known_us for one in some), metering.value_at(metered.factor, start_us) or 1.0,
        )  # fmt: skip

    async def _swapped(self, side: _Side, start_us: int, end_us: int, past: Past | None) -> Suggestion | None:
        """Whether the two words of a counter are read in the wrong order; only where one count of it is stated."""
        resolution = side.metering.resolution
        if side.point.kind is not PointKind.REGISTER or not resolution:
            return None
        reader = self._reader if past is None else past.reader
        run = (await day_source.read_runs(reader, [side.point], start_us, end_us))[0]
        near = run.between(start_us, end_us + 1)
        readings = near.value[np.isfinite(near.value)]
        return suggestion.swapped_words(readings, resolution, side.point.name)


def _compared(one: _Side, other: _Side, term: CheckTerm, length_us: int) -> CheckRow:
    """The comparison; the register is the side that the tolerance is a share of."""
    row = CheckRow(
        one.point, other.point, 0, 0, "", one.energy, other.energy, None, None, term, None, [], "provisional", ()
    )  # fmt: skip
    if one.energy is None or other.energy is None:
        return row._replace(warnings=("nothing_known_of_one",))
    is_register_first = one.point.kind is PointKind.REGISTER or other.point.kind is not PointKind.REGISTER
    register, power = (one, other) if is_register_first else (other, one)
    step = fixed_point.exact(register.metering.resolution or 0.0) * fixed_point.exact(register.factor)
    assert register.energy is not None, "both are known here"
    assert power.energy is not None, "both are known here"
    # Amounts of intervals are the register's own differences: they agree to its last digits (sum check).
    is_sum_check = power.point.kind is PointKind.INTERVAL and bool(step)
    made = cross_check.dual_energy(
        register.energy,
        power.energy,
        step * register.scale,
        0.0 if is_sum_check else term.tolerance,
        cross_check.SUM_STEPS if is_sum_check else term.steps,
        (register.factor, power.factor),
    )
    named = {"register": register.point.name, "power": power.point.name}
    residual = made.residual if is_register_first else -made.residual
    is_same_time = abs(one.known_us - other.known_us) <= COVER_SHARE * length_us
    is_whole = min(one.known_us, other.known_us) >= (1 - COVER_SHARE) * length_us
    return row._replace(
        residual=residual,
        limit=made.limit,
        is_exceeded=made.is_broken if is_same_time else None,
        suggestions=[Suggestion(it.kind, named.get(it.side, it.side), it.numbers) for it in made.suggestions],
        state="complete" if is_same_time and is_whole else "provisional",
        warnings=() if is_same_time else ("known_times_differ",),
    )
