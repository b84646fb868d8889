"""Stations, one line each: what they take now and took today, how much of what was due came, and who is silent.

What a station takes is told by its main points of active power. Which those are is stated (`MainPowerTerm`), or follows from a
rule that leaves one; where it leaves several the line says so, and no point is guessed.
"""

import datetime
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from historian.catalogue.registry import Registry
from historian.clock import Clock
from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.model import timestamp, unit
from historian.model.point import MINUTE_US, SECOND_US, Point
from historian.model.quality import is_usable
from historian.model.term import MainPowerTerm
from historian.query.engine import QueryEngine
from historian.query.overdue import OverdueWatch, Silence
from historian.rollup import periods, point_unit
from historian.rollup.completeness import CompletenessMaker, DayGrid
from historian.rollup.periods import PeriodColumns
from historian.rollup.service import RollupService
from historian.rollup.term_directory import TermDirectory

I64 = npt.NDArray[np.int64]
MainBasis = Literal["stated", "item", "only", "ambiguous", "none"]

MAIN_ITEMS: Final = ("T2.06", "T5.06")  # the load of a power account, the active power of a bay
UNIT: Final = "kW"
CANDIDATES_TOLD_MAX: Final = 5
_SLOT_US: Final = 15 * MINUTE_US
_FIGURES: Final = frozenset({"energy"}) | periods.EXTREMES | periods.RATIOS


class StationFacts(Protocol):
    """What is known of stations beside their points."""

    def names_of(self, station: str) -> tuple[str, str]:
        """Its names in Chinese and English; empty where there are none."""
        ...

    def capacity_of(self, station: str, time_us: int) -> float | None:
        """Its rated power in kW at a time, None where nobody stated it."""
        ...


class NoFacts:
    """Nothing is known but the points."""

    def names_of(self, station: str) -> tuple[str, str]:
        return "", ""

    def capacity_of(self, station: str, time_us: int) -> float | None:
        return None


class MainPower(NamedTuple):
    """The points whose sum a station takes, and why these; none where `basis` is ambiguous or none.

    `candidates` names some of the points among which nobody chose.
    """

    points: tuple[Point, ...]
    basis: MainBasis
    candidates: tuple[str, ...] = ()


class StationLine(NamedTuple):
    """One station. Powers in kW, energy in kWh; None where nothing is known, and `reasons` say why.

    `age_s` is that of the newest sample of any point; `missing`, `expected` and `completeness` are those of today so far.
    """

    station: str
    name_zh: str
    name_en: str
    point_count: int
    main: MainPower
    power: float | None
    power_us: int | None
    max_power: float | None
    max_start_us: int | None
    mean_power: float | None
    energy: float | None
    capacity: float | None
    load_ratio: float | None
    age_s: float | None
    overdue_count: int
    expected: int
    missing: int
    completeness: float | None
    reasons: tuple[str, ...]


class _Today(NamedTuple):
    """Figures of main points today, in kW and kWh; None where nothing is known."""

    energy: float | None = None
    max_power: float | None = None
    max_start_us: int | None = None
    mean_power: float | None = None


class StationMaker:
    """Answers for the stations of a registry."""

    def __init__(
        self,
        rollup: RollupService,
        query: QueryEngine,
        registry: Registry,
        terms: TermDirectory,
        clock: Clock,
        parts: tuple[CompletenessMaker, OverdueWatch],
        facts: StationFacts | None = None,
    ) -> None:
        self._rollup = rollup
        self._query = query
        self._registry = registry
        self._terms = terms
        self._clock = clock
        self._completeness, self._overdue = parts
        self._facts = facts or NoFacts()
        self._candidates: dict[str, tuple[Point, ...]] = {}
        self._seen_revision = -1

    async def lines(self, stations: Sequence[str], points_at_once: int) -> list[StationLine]:
        """A line for each of these stations, which all have points; read in parts of about so many points."""
        found: list[StationLine] = []
        group: list[tuple[str, I64]] = []
        count = 0
        for station in stations:
            ids = self._registry.select_ids(None, station).astype(np.int64)
            if group and count + len(ids) > points_at_once:
                found += await self._lines(group)
                group, count = [], 0
            group.append((station, ids))
            count += len(ids)
        return found + (await self._lines(group) if group else [])

    def main_power(self, station: str, ids: I64, time_us: int) -> MainPower:
        """The stated points; else the only one of `MAIN_ITEMS`, else the only one of active power."""
        candidates = self._candidates_of(station, ids)
        known = self._terms.ids()
        stated = tuple(
            point for point in candidates if point.id in known and _is_main(self._terms, point.id, time_us)
        )
        if stated:
            return MainPower(stated, "stated")
        of_items = tuple(point for point in candidates if point.item in MAIN_ITEMS)
        if len(of_items) == 1:
            return MainPower(of_items, "item")
        if len(candidates) == 1:
            return MainPower(candidates, "only")
        if not candidates:
            return MainPower((), "none")
        names = tuple(point.name for point in (of_items or candidates)[:CANDIDATES_TOLD_MAX])
        return MainPower((), "ambiguous", names)

    def _candidates_of(self, station: str, ids: I64) -> tuple[Point, ...]:
        """Points of active power that is measured, remembered until a point changes."""
        if self._registry.revision != self._seen_revision:
            self._candidates.clear()
            self._seen_revision = self._registry.revision
        found = self._candidates.get(station)
        if found is None:
            points = self._registry.points(ids.astype(np.uint32))
            found = self._candidates[station] = tuple(
                point for point in points if point_unit.is_active_power(point)
            )
        return found

    async def _lines(self, group: Sequence[tuple[str, I64]]) -> list[StationLine]:
        now_us = self._clock.now_us()
        everyone = np.concatenate([ids for _, ids in group])
        zone = timestamp.load_zone(self._registry.by_id(int(everyone[0])).time_zone)
        date = calendar.local_date(now_us, zone)
        today = DateRange(date, date + datetime.timedelta(days=1))
        silence = await self._overdue.silence(everyone.astype(np.uint32))
        grid = await self._completeness.grid(everyone, today)
        mains = [self.main_power(station, ids, now_us) for station, ids in group]
        figures = await self._figures(mains, today)
        powers = await self._powers(mains)
        edges = np.cumsum([0, *(len(ids) for _, ids in group)]).tolist()
        return [
            self._line(station, main, (silence, grid), slice(first, last), power, figure)
            for (station, _), main, first, last, power, figure in zip(
                group, mains, edges[:-1], edges[1:], powers, figures, strict=True
            )
        ]

    async def _powers(self, mains: Sequence[MainPower]) -> list[tuple[float, int] | None]:
        """The newest power of each station and the oldest stamp it is made of; None where any main point has none."""
        points = [point for main in mains for point in main.points]
        if not points:
            return [None] * len(mains)
        block = await self._query.latest_block(np.array([point.id for point in points], np.uint32))
        usable = block.newest.is_found & is_usable(block.newest.quality)
        values, times_us = block.newest.value.tolist(), block.newest.time_us.tolist()
        found: list[tuple[float, int] | None] = []
        first = 0
        for main in mains:
            rows = range(first, first + len(main.points))
            first = rows.stop
            if not main.points or not all(usable[row] for row in rows):
                found.append(None)
                continue
            power = sum(_in_kw(values[row] * points[row].multiplier, points[row]) for row in rows)
            found.append((power, min(times_us[row] for row in rows)))
        return found

    async def _figures(self, mains: Sequence[MainPower], today: DateRange) -> list[_Today]:
        """Of single points from the kept figures of all of them at once; of sums from their curve."""
        single = [main.points[0] for main in mains if len(main.points) == 1]
        of_point: dict[int, _Today] = {}
        if single:
            ids = np.array([point.id for point in single], np.int64)
            rows = await self._rollup.columns(ids, "day", *today, wanted=_FIGURES)
            of_point = {point.id: _today_of(point, rows, row) for row, point in enumerate(single)}
        return [
            of_point[main.points[0].id]
            if len(main.points) == 1
            else await self._sum_of(main.points, today)
            if main.points
            else _Today()
            for main in mains
        ]

    async def _sum_of(self, points: Sequence[Point], today: DateRange) -> _Today:
        """The maximum of a sum is not the sum of maxima: it is made of the curves."""
        made = await self._rollup.load_curve(points, today.first, _SLOT_US)
        summary, first = made.summary, points[0]
        return _Today(
            None
            if summary.energy is None or made.energy_unit is None
            else unit.convert(summary.energy, made.energy_unit, "kWh"),
            None if summary.max_value is None else _in_kw(summary.max_value, first),
            summary.max_start_us,
            None if summary.mean is None else _in_kw(summary.mean, first),
        )

    def _line(
        self,
        station: str,
        main: MainPower,
        watched: tuple[Silence, DayGrid],
        part: slice,
        power: tuple[float, int] | None,
        today: _Today,
    ) -> StationLine:
        silence, grid = watched
        newest_us = silence.newest_us[part][silence.has_any[part]]
        expected, missing = (
            int(column[part].sum()) for column in (grid.counts.expected, grid.counts.missing)
        )
        capacity = self._capacity(station, main, silence.now_us)
        reasons = [f"{main.basis}_main_power"] if not main.points else []
        reasons += ["no_usable_value"] if main.points and power is None else []
        reasons += ["no_capacity"] if capacity is None else []
        name_zh, name_en = self._facts.names_of(station)
        return StationLine(
            station=station,
            name_zh=name_zh,
            name_en=name_en,
            point_count=part.stop - part.start,
            main=main,
            power=power[0] if power else None,
            power_us=power[1] if power else None,
            max_power=today.max_power,
            max_start_us=today.max_start_us,
            mean_power=today.mean_power,
            energy=today.energy,
            capacity=capacity,
            load_ratio=power[0] / capacity if power and capacity else None,
            age_s=max(0, silence.now_us - int(newest_us.max())) / SECOND_US if len(newest_us) else None,
            overdue_count=int(np.count_nonzero(silence.is_overdue[part])),
            expected=expected,
            missing=missing,
            completeness=(expected - missing) / expected if expected else None,
            reasons=tuple(reasons),
        )

    def _capacity(self, station: str, main: MainPower, time_us: int) -> float | None:
        """The station's own, else the sum of those of its main points, as they hold at that time; in kW."""
        own = self._facts.capacity_of(station, time_us)
        if own is not None or not main.points:
            return own
        parts = [self._capacity_of_point(point, time_us) for point in main.points]
        known = [part for part in parts if part]
        return sum(known) if len(known) == len(parts) else None

    def _capacity_of_point(self, point: Point, time_us: int) -> float | None:
        steps = [step for step in self._terms.of(point.id).capacity if step.from_us <= time_us]
        capacity = steps[-1].value if steps else point.capacity
        return _in_kw(capacity, point) if capacity and np.isfinite(capacity) else None


def _is_main(terms: TermDirectory, point_id: int, time_us: int) -> bool:
    term = terms.of(point_id).at("main_power", time_us)
    return isinstance(term, MainPowerTerm) and term.is_main


def _in_kw(value: float, point: Point) -> float:
    return _converted(value, point.unit, UNIT)


def _converted(value: float, symbol: str, wanted: str) -> float:
    # Nearly every point is in the wanted unit, and exact conversion is most of what a line costs.
    return float(value) if symbol == wanted else unit.convert(float(value), symbol, wanted)


def _today_of(point: Point, rows: PeriodColumns, row: int) -> _Today:
    units, columns = rows.units[rows.units_number[row]], rows.columns

    def number(value: float, symbol: str | None, wanted: str) -> float | None:
        return None if symbol is None or np.isnan(value) else _converted(value, symbol, wanted)

    start_us = int(columns.max_start_us[row])
    return _Today(
        number(columns.energy[row], units.energy, "kWh"),
        number(columns.max_value[row], units.rate, UNIT),
        None if start_us < 0 else start_us,
        number(columns.mean[row], units.rate, UNIT),
    )
