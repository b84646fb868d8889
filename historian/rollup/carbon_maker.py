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
from historian.rollup import carbon_row, day_figure, day_source, point_metering, point_unit, prepared_source
from historian.rollup.billing import Asked, Billed, Billing
from historian.rollup.carbon_row import CarbonAsk, CarbonRow, Picked
from historian.rollup.day_maker import Metered
from historian.rollup.factor_book import FactorBook
from historian.rollup.found import Figures
from historian.rollup.periods import FINAL, STATES
from historian.rollup.point_facts import RevisedDirectory
from historian.rollup.service import RollupService, terms_at
from historian.rollup.term_directory import TermDirectory

_QUARTER_US: Final = 15 * MINUTE_US  # every zone's clock is a whole number of these away from UTC
_DAYS_AT_ONCE: Final = 31
_POINT_DAYS_AT_ONCE: Final = 20_000
_DAY: Final = datetime.timedelta(days=1)
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


class _Planned(NamedTuple):
    """A point with the stretches of each of its periods."""

    point: Point
    unit: str
    terms: PointTerms
    zone: zoneinfo.ZoneInfo
    stretches: list[list[_Stretch]]


_HoursOf = dict[DateRange, list[Fraction]]  # of stretches by their days


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
        terms = terms_at(self._terms, asked.past)
        factors, now_us = self._factors.factors(as_of_us), self._clock.now_us()
        points = [self._directory.by_id(one) for one in asked.point_id.tolist()]
        zones = [asked.zone or timestamp.load_zone(point.time_zone) for point in points]
        days = DateRange(asked.parts[0].first, asked.parts[-1].last)
        self._rollup.check_size(len(points), days.day_count)

        def plan() -> list[_Planned]:
            picker = _Picker(factors, ask)
            return [
                _plan(point, terms.of(point.id), zone, asked.parts, picker, now_us)
                for point, zone in zip(points, zones, strict=True)
            ]

        planned = await asyncio.to_thread(plan)
        billed = await self._billing.answer(asked, _WANTED, has_bills=False)
        rows: list[CarbonRow] = []
        for first in range(0, len(planned), size := max(1, _POINT_DAYS_AT_ONCE // days.day_count)):
            some = planned[first : first + size]
            figures = await self._figures(some, days, asked)
            hours = [await self._hours(one, asked) for one in some]
            rows += await asyncio.to_thread(_rows_of, some, figures, hours, billed, first * len(asked.parts))
        return rows

    async def _figures(self, planned: Sequence[_Planned], days: DateRange, asked: Asked) -> list[Figures]:
        """The days of each point, read together where they have one zone."""
        found: list[Figures] = [{} for _ in planned]
        places: dict[str, list[int]] = {}
        for place, one in enumerate(planned):
            places.setdefault(one.zone.key, []).append(place)
        for alike in places.values():
            zone, points = planned[alike[0]].zone, [planned[place].point for place in alike]
            made = await self._rollup.day_figures(points, days, zone, asked.past)
            for place, figures in zip(alike, made, strict=True):
                found[place] = figures
        return found

    async def _hours(self, planned: _Planned, asked: Asked) -> _HoursOf:
        """The energy of each hour of the clock, for the stretches whose factors go by the hour."""
        reader = asked.past.reader if asked.past else self._reader
        return {
            stretch.days: await _energies_by_hour(
                reader, planned.point, planned.terms, planned.zone, stretch.days
            )
            for stretches in planned.stretches
            for stretch in stretches
            if stretch.picked.co2 is not None and stretch.picked.co2.factor.hours
        }


class _Picker:
    """Factors by what is stated, looked up once for each year."""

    def __init__(self, factors: Sequence[Factor], ask: CarbonAsk) -> None:
        self._factors = factors
        self._ask = ask
        self._known: dict[tuple[CarbonTerm, str, int], Picked] = {}

    def pick(self, stated: CarbonTerm, medium: str, year: int, name: str) -> Picked:
        """Raises FactorError that says what there is, with the name of the point that asked."""
        key = stated, medium, year
        if key not in self._known:
            self._known[key] = carbon_row.pick(self._factors, stated, medium, year, self._ask, name)
        return self._known[key]


def _plan(
    point: Point,
    terms: PointTerms,
    zone: zoneinfo.ZoneInfo,
    parts: Sequence[DateRange],
    picker: _Picker,
    now_us: int,
) -> _Planned:
    stretches = [_stretches(point, terms, zone, part, picker, now_us) for part in parts]
    return _Planned(point, _energy_unit(point), terms, zone, stretches)


def _rows_of(
    planned: Sequence[_Planned],
    figures: Sequence[Figures],
    hours: Sequence[_HoursOf],
    billed: Billed,
    first_row: int,
) -> list[CarbonRow]:
    """For a thread: the rows of some points, each period by direction and carrier."""
    rows: list[CarbonRow] = []
    starts_us, ends_us = billed.rows.period_start_us, billed.rows.period_end_us
    states, energies = billed.rows.columns.state, billed.rows.columns.energy
    row = first_row
    for one, some, by_hour in zip(planned, figures, hours, strict=True):
        for stretches in one.stretches:
            state, energy = int(states[row]), float(energies[row])
            locked = energy if state == FINAL and not np.isnan(energy) else None
            made = _rows_of_period(one, stretches, some, by_hour, STATES[state], locked)
            start_us, end_us = int(starts_us[row]), int(ends_us[row])
            rows += [each._replace(period_start_us=start_us, period_end_us=end_us) for each in made]
            row += 1
    return rows


def _rows_of_period(
    planned: _Planned,
    stretches: Sequence[_Stretch],
    figures: Figures,
    by_hour: _HoursOf,
    state: str,
    locked: float | None,
) -> list[CarbonRow]:
    made: list[CarbonRow] = []
    is_one = len(stretches) == 1
    for _, group in itertools.groupby(sorted(stretches, key=_kind_of), key=_kind_of):
        some = list(group)
        given = fixed_point.exact(locked) if is_one and locked is not None else None
        parts = [_part_of(planned.unit, one, figures, by_hour.get(one.days), given) for one in some]
        made.append(_put_together(planned.point, planned.unit, some, parts, state))
        if locked is not None and not is_one:
            made[-1] = _with_warning(made[-1], "lock_spans_several_factors")
    return made


def _part_of(
    unit: str, stretch: _Stretch, figures: Figures, by_hour: list[Fraction] | None, given: Fraction | None
) -> _Part:
    """What the days of a stretch give; `given` is the energy that was locked for them."""
    picked = stretch.picked
    days = range(stretch.days.first.toordinal(), stretch.days.last.toordinal())
    known = [figures[day] for day in days if day in figures and figures[day].known_us]
    if not known and given is None:
        return _Part(Fraction(), False, [], [], Fraction())
    energy = given
    if energy is None:
        energy = fixed_point.sum_of([Fraction(one.total_numerator, one.total_denominator) for one in known])
    coal = [carbon.convert(energy, unit, picked.coal, picked.direction)] if picked.coal else []
    if picked.co2 is None:
        return _Part(energy, True, [], coal, Fraction())
    if by_hour is None:
        return _Part(
            energy, True, [carbon.convert(energy, unit, picked.co2, picked.direction)], coal, Fraction()
        )
    emission = carbon.convert_intervals(
        by_hour, unit, [_at_hour(picked.co2, hour) for hour in range(HOURS)], picked.direction
    )
    return _Part(energy, True, [emission], coal, energy - sum(by_hour, Fraction()))


def _at_hour(chosen: Chosen, hour: int) -> Chosen:
    return chosen._replace(factor=chosen.factor.at_hour(hour))


def _energy_unit(point: Point) -> str:
    unit = point_unit.units_of(point).energy
    if unit is None:
        raise UnitError(f"{point.name} ({point.unit}) has no energy that a factor could multiply")
    return unit


def _stretches(
    point: Point, terms: PointTerms, zone: zoneinfo.ZoneInfo, part: DateRange, picker: _Picker, now_us: int
) -> list[_Stretch]:
    """The days of a period by the factors that hold. Raises FactorError; days to come have no need of any yet."""
    found: list[_Stretch] = []
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
        picked, next_date = picker.pick(stated, medium, date.year, point.name), date + _DAY
        last = found[-1] if found else None
        if last is not None and last.picked is picked and last.medium == medium:
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
        span = int(starts_us[0]), int(starts_us[-1])
        stored = await day_source.read_runs(reader, [point], *span)
        run = (await prepared_source.prepare_runs(reader, [Metered(point, terms)], stored, *span))[0]
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
