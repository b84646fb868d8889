"""Carbon of periods: the exact energy of their days times the factors that hold, each of them named.

Where a factor changes within a period (with the year, or with what is stated), days multiply by their own; where it varies by
the hour, hours do. Nothing is kept: it can be told as of any moment, and a new factor needs nothing made anew.
"""

import asyncio
import datetime
import itertools
import zoneinfo
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from historian.clock import Clock
from historian.energy import calendar, carbon, fixed_point, sample_period, slot_sum
from historian.energy.calendar import DateRange
from historian.energy.carbon import Chosen, Emission
from historian.errors import FactorError, UnitError
from historian.model import timestamp
from historian.model.factor import HOURS, Factor
from historian.model.point import HOUR_US, MINUTE_US, Point
from historian.model.ports import SampleReader
from historian.model.sample import SampleRun
from historian.model.term import CarbonTerm, PointTerms
from historian.rollup import carbon_row, day_figure, day_source, point_metering, point_unit
from historian.rollup.billing import Asked, Billed, Billing
from historian.rollup.carbon_row import CarbonAsk, CarbonRow, Picked
from historian.rollup.factor_book import FactorBook
from historian.rollup.found import Figures
from historian.rollup.periods import FINAL, STATES
from historian.rollup.point_facts import RevisedDirectory
from historian.rollup.service import RollupService
from historian.rollup.term_directory import TermDirectory, TermsThen

_QUARTER_US: Final = 15 * MINUTE_US  # every zone's clock is a whole number of these away from UTC
_DAYS_AT_ONCE: Final = 31
_WANTED: Final = frozenset({"energy", "state"})


class _Stretch(NamedTuple):
    """Consecutive days of one period under the same factors."""

    days: DateRange
    picked: Picked
    medium: str


class _Part(NamedTuple):
    """What a stretch gives."""

    energy: Fraction
    has_energy: bool
    co2: list[Emission]
    coal: list[Emission]
    unmultiplied: Fraction


class CarbonMaker:
    """Answers with carbon and coal equivalent."""

    def __init__(
        self,
        rollup: RollupService,
        billing: Billing,
        reader: SampleReader,
        directory: RevisedDirectory,
        terms: TermDirectory,
        factors: FactorBook,
        clock: Clock,
    ) -> None:
        self._rollup = rollup
        self._billing = billing
        self._reader = reader
        self._directory = directory
        self._terms = terms
        self._factors = factors
        self._clock = clock

    async def make(self, asked: Asked, ask: CarbonAsk) -> list[CarbonRow]:
        """Rows by point, period and direction. Raises FactorError with what there is, UnitError, QueryTooLarge."""
        as_of_us = asked.past.as_of_us if asked.past else None
        factors = self._factors.factors(as_of_us)
        terms = self._terms if as_of_us is None else TermsThen(self._terms, as_of_us)
        points = [self._directory.by_id(one) for one in asked.point_id.tolist()]
        zones = [asked.zone or timestamp.load_zone(point.time_zone) for point in points]
        stretches = [
            [
                _stretches(point, terms.of(point.id), zone, part, factors, ask, self._clock.now_us())
                for part in asked.parts
            ]
            for point, zone in zip(points, zones, strict=True)
        ]
        billed = await self._billing.answer(asked, _WANTED, has_bills=False)
        days = DateRange(asked.parts[0].first, asked.parts[-1].last)
        rows: list[CarbonRow] = []
        for place, (point, zone) in enumerate(zip(points, zones, strict=True)):
            figures = (await self._rollup.day_figures([point], days, zone, asked.past))[0]
            for number, some in enumerate(stretches[place]):
                row = place * len(asked.parts) + number
                rows += await self._rows_of(
                    asked, point, terms.of(point.id), zone, some, figures, billed, row
                )
        return rows

    async def _rows_of(
        self,
        asked: Asked,
        point: Point,
        terms: PointTerms,
        zone: zoneinfo.ZoneInfo,
        stretches: Sequence[_Stretch],
        figures: Figures,
        billed: Billed,
        row: int,
    ) -> list[CarbonRow]:
        """Of one period: a row for each direction and carrier that it saw."""
        unit = _energy_unit(point)
        state = int(billed.rows.columns.state[row])
        locked = float(billed.rows.columns.energy[row]) if state == FINAL else None
        made: list[CarbonRow] = []
        for _, group in itertools.groupby(sorted(stretches, key=_kind_of), key=_kind_of):
            some = list(group)
            is_one = len(stretches) == 1 and locked is not None and not np.isnan(locked)
            given = fixed_point.exact(locked) if is_one and locked is not None else None
            parts = [await self._part(asked, point, terms, zone, one, figures, given) for one in some]
            made.append(_put_together(point, unit, some, parts, STATES[state]))
            if locked is not None and not is_one:
                made[-1] = _with_warning(made[-1], "lock_spans_several_factors")
        start_us, end_us = int(billed.rows.period_start_us[row]), int(billed.rows.period_end_us[row])
        return [one._replace(period_start_us=start_us, period_end_us=end_us) for one in made]

    async def _part(
        self,
        asked: Asked,
        point: Point,
        terms: PointTerms,
        zone: zoneinfo.ZoneInfo,
        stretch: _Stretch,
        figures: Figures,
        given: Fraction | None,
    ) -> _Part:
        unit, picked = _energy_unit(point), stretch.picked
        days = range(stretch.days.first.toordinal(), stretch.days.last.toordinal())
        known = [figures[day] for day in days if day in figures and figures[day].known_us]
        energy = given
        if energy is None:
            totals = [Fraction(one.total_numerator, one.total_denominator) for one in known]
            energy = fixed_point.sum_of(totals) if totals else Fraction()
        has_energy = bool(known) or given is not None
        coal = [carbon.convert(energy, unit, picked.coal, picked.direction)] if picked.coal else []
        if picked.co2 is None or not has_energy:
            return _Part(energy, has_energy, [], coal if has_energy else [], Fraction())
        if not picked.co2.factor.hours:
            co2 = [carbon.convert(energy, unit, picked.co2, picked.direction)]
            return _Part(energy, has_energy, co2, coal, Fraction())
        reader = asked.past.reader if asked.past else self._reader
        by_hour = await _energies_by_hour(reader, point, terms, zone, stretch.days)
        emission = carbon.convert_intervals(
            by_hour, unit, [_at_hour(picked.co2, hour) for hour in range(HOURS)], picked.direction
        )
        return _Part(energy, has_energy, [emission], coal, energy - sum(by_hour, Fraction()))


def _at_hour(chosen: Chosen, hour: int) -> Chosen:
    return chosen._replace(factor=chosen.factor.at_hour(hour))


def _energy_unit(point: Point) -> str:
    unit = point_unit.units_of(point).energy
    if unit is None:
        raise UnitError(f"{point.name} ({point.unit}) has no energy that a factor could multiply")
    return unit


def _stretches(
    point: Point,
    terms: PointTerms,
    zone: zoneinfo.ZoneInfo,
    part: DateRange,
    factors: Sequence[Factor],
    ask: CarbonAsk,
    now_us: int,
) -> list[_Stretch]:
    """The days of a period by the factors that hold. Raises FactorError; days to come have no need of any yet."""
    found: list[_Stretch] = []
    picked_of: dict[tuple[CarbonTerm, str, int], Picked] = {}
    for date in calendar.iter_days(part):
        start_us = calendar.day_start_us(date, zone)
        if start_us >= now_us and found:
            break
        stated = terms.at("carbon", start_us)
        if not isinstance(stated, CarbonTerm):
            raise FactorError(
                f"nothing says which factors hold for {point.name} on {date}; state a carbon term with its region "
                "(POST /points/{point}/terms)"
            )
        medium = point_unit.medium_of(terms, start_us)
        key = stated, medium, date.year
        if key not in picked_of:
            picked_of[key] = carbon_row.pick(factors, stated, medium, date.year, ask, point.name)
        picked, next_date = picked_of[key], date + datetime.timedelta(days=1)
        last = found[-1] if found else None
        if last is not None and (last.picked, last.medium) == (picked, medium):
            found[-1] = last._replace(days=DateRange(last.days.first, next_date))
        else:
            found.append(_Stretch(DateRange(date, next_date), picked, medium))
    return found


def _kind_of(stretch: _Stretch) -> tuple[str, str, str]:
    return stretch.picked.direction, stretch.picked.carrier, stretch.medium


def _put_together(
    point: Point, unit: str, stretches: Sequence[_Stretch], parts: Sequence[_Part], state: str
) -> CarbonRow:
    has_energy = any(one.has_energy for one in parts)
    co2 = [emission for one in parts for emission in one.co2]
    coal = [emission for one in parts for emission in one.coal]
    unmultiplied = fixed_point.sum_of([one.unmultiplied for one in parts])
    picked = [one.picked for one in stretches]
    whole_co2 = carbon.add(co2) if co2 else None
    warnings: list[str] = []
    if any(one.coal is None for one in picked):
        warnings.append("no_coal_factor")
    if unmultiplied:
        warnings.append("energy_in_no_hour")
    if stretches[0].medium.startswith("gas") or picked[0].carrier == "natural_gas":
        warnings.append("gas_volume_taken_as_that_of_the_factor")
    if picked[0].carrier == carbon.WATER and unit in {"m3", "L"}:
        warnings.append("one_m3_of_water_taken_as_one_t")
    is_provisional = bool(unmultiplied) or any(one.co2.is_provisional for one in picked if one.co2)
    first = picked[0]
    return CarbonRow(
        point, 0, 0, first.direction, first.carrier, stretches[0].medium,
        fixed_point.sum_of([one.energy for one in parts]) if has_energy else None, unit, whole_co2,
        _distinct([one.co2 for one in picked]),
        carbon.add(coal) if coal and len(coal) == len(parts) else None, _distinct([one.coal for one in picked]),
        unmultiplied, "provisional" if is_provisional and state != "open" else state, tuple(warnings),
    )  # fmt: skip


def _with_warning(row: CarbonRow, warning: str) -> CarbonRow:
    return row._replace(warnings=(*row.warnings, warning), state="provisional")


def _distinct(chosen: Sequence[Chosen | None]) -> tuple[Factor, ...]:
    return tuple({one.factor.label: one.factor for one in chosen if one is not None}.values())


async def _energies_by_hour(
    reader: SampleReader, point: Point, terms: PointTerms, zone: zoneinfo.ZoneInfo, days: DateRange
) -> list[Fraction]:
    """What was used in each hour of the local clock; energy across a gap lies in none."""
    if point.interval_us > HOUR_US:
        raise FactorError(
            f"{point.name} has a value every {point.interval_us // HOUR_US} h; a factor that varies by the hour cannot "
            "multiply it; use one that does not"
        )
    found = [Fraction()] * HOURS
    dates = [calendar.period_of(date, "day") for date in calendar.iter_days(days)]
    for some in calendar.in_groups(dates, _DAYS_AT_ONCE):
        group = DateRange(some[0].first, some[-1].last)
        starts_us = calendar.day_starts_us(group, zone)
        run = (await day_source.read_runs(reader, [point], int(starts_us[0]), int(starts_us[-1])))[0]
        made = await asyncio.to_thread(_by_hour, point, terms, zone, group, run)
        found = [before + more for before, more in zip(found, made, strict=True)]
    return found


def _by_hour(
    point: Point, terms: PointTerms, zone: zoneinfo.ZoneInfo, days: DateRange, run: SampleRun
) -> list[Fraction]:
    per_day = [calendar.slot_edges_us(date, zone, _QUARTER_US) for date in calendar.iter_days(days)]
    edges_us = np.concatenate([*(one[:-1] for one in per_day), per_day[-1][-1:]])
    start_us, end_us = int(edges_us[0]), int(edges_us[-1])
    near = day_figure.near_day(point, run, start_us, end_us)
    metering = point_metering.metering_of(point, terms, start_us)
    periods = sample_period.periods_of(near, metering, day_figure.period_ends_us(point, near, zone))
    periods = periods.select((periods.end_us > start_us) & (periods.start_us < end_us))
    sums = slot_sum.sum_slots(periods, point.kind in sample_period.AMOUNT_KINDS, edges_us)
    hour_of = np.array([calendar.local_hour(int(edge_us), zone) for edge_us in edges_us[:-1]], np.int64)
    return [slot_sum.sum_of(sums, hour_of == hour) for hour in range(HOURS)]
