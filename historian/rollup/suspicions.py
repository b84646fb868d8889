"""Points whose values look as if their magnitude were wrong, over a range: what `energy.suspicion` tells of them.

Each is held against its capacity or range, the time of the same length before, the steps of its counter, the unit of its item, the
power triangle and the energy it is checked against. Siblings are those that a term names, or the only ones of their items in
the station; where there are several nothing is compared. Nothing is changed and nothing is stored.
"""

import asyncio
import contextlib
import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.catalogue.registry import Registry
from historian.energy import calendar, cross_check, metering, suspicion
from historian.energy.calendar import DateRange
from historian.energy.suspicion import ADVICE, Looked, Suspicion
from historian.errors import UnitError
from historian.model import timestamp, unit
from historian.model.item import Item
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.quality import is_usable
from historian.model.sample import SampleRun, empty_run
from historian.model.term import CheckTerm, PointTerms, RatioTerm, RegisterTerm, TriangleTerm
from historian.model.timerange import TimeRange
from historian.query.engine import QueryEngine
from historian.rollup import point_metering
from historian.rollup.billing import Asked
from historian.rollup.check_maker import CheckMaker
from historian.rollup.term_directory import TermDirectory

F64 = npt.NDArray[np.float64]
ItemOf = Callable[[Point], Item | None]

ACTIVE, REACTIVE, VOLTAGE, CURRENT = "T5.06", "T5.07", "T5.04", "T5.05"  # of one bay
SLOT_US: Final = 15 * MINUTE_US
SIDE_SHARE_MIN: Final = (
    0.1  # of apparent power: what is left of a difference of squares below is the meters' last digits
)
_ONE_DAY: Final = datetime.timedelta(days=1)
_NOTHING: Final = np.empty(0)


class PointSuspicion(NamedTuple):
    """A suspicion about a point, by its samples in `span`."""

    point: Point
    span: TimeRange
    told: Suspicion


class _Triangle(NamedTuple):
    """Points of one circuit; `apparent` is one of apparent power, or voltage and current."""

    active: Point
    reactive: Point
    apparent: tuple[Point, ...]
    phases: int


class SuspicionMaker:
    """Answers for the points of a registry."""

    def __init__(
        self, query: QueryEngine, registry: Registry, terms: TermDirectory, checks: CheckMaker
    ) -> None:
        self._query = query
        self._registry = registry
        self._terms = terms
        self._checks = checks

    async def find(self, points: Sequence[Point], span: TimeRange, item_of: ItemOf) -> list[PointSuspicion]:
        """Of these points, in their order; `item_of` tells the item of a point. Raises QueryTooLarge."""
        if span.is_empty or not points:
            return []
        triangles = self._triangles(points, span.start_us)
        siblings = {one.id: one for it in triangles for one in (it.active, it.reactive, *it.apparent)}
        everyone = list({**siblings, **{one.id: one for one in points}}.values())
        before = TimeRange(max(timestamp.TIME_MIN_US, span.start_us - span.duration_us), span.start_us)
        runs = await self._query.recorded_many(everyone, span)
        pasts = await self._query.recorded_many(points, before)
        run_of = {run.point_id: run for run in runs}
        past_of = {run.point_id: run for run in pasts}
        found: dict[int, list[Suspicion]] = {point.id: [] for point in points}
        for point in points:
            found[point.id] += await self._of_checks(point, span, found)

        def look() -> None:
            for point in points:
                terms, item = self._terms.of(point.id), item_of(point)
                found[point.id] += _of_point(point, terms, run_of[point.id], past_of[point.id], item)
            for triangle in triangles:
                for point_id, told in _of_triangle(triangle, run_of, span, self._terms).items():
                    if point_id in found:
                        found[point_id] += told

        await asyncio.to_thread(look)
        return [PointSuspicion(point, span, told) for point in points for told in _distinct(found[point.id])]

    async def _of_checks(
        self, point: Point, span: TimeRange, found: Mapping[int, list[Suspicion]]
    ) -> list[Suspicion]:
        """By the other measurement of the same energy, over the whole local days of the range."""
        zone = timestamp.load_zone(point.time_zone)
        first = calendar.local_date(span.start_us, zone)
        days = DateRange(first, calendar.local_date(span.end_us - 1, zone) + _ONE_DAY)
        term = self._terms.of(point.id).at("check", calendar.day_start_us(first, zone))
        if not isinstance(term, CheckTerm):
            return []
        own: list[Suspicion] = []
        with contextlib.suppress(UnitError):  # what has no energy is not compared
            asked = Asked(np.array([point.id], np.int64), "day", [days])
            for row in await self._checks.rows(asked):
                for one in row.suggestions:
                    if one.kind in ADVICE:
                        is_own = one.side == point.name
                        told = suspicion.told_of(one, row.other.name if is_own else point.name)
                        (own if is_own else found.get(row.other.id, [])).append(told)
                if row.energy and row.other_energy:
                    ratio = float(row.energy / row.other_energy)
                    own += suspicion.of_heat(ratio, row.unit, row.other.name)
        return own

    def _triangles(self, points: Sequence[Point], time_us: int) -> list[_Triangle]:
        """Those in which any of these points may be a side."""
        known = self._terms.ids()
        active = {point.id: point for point in points}
        found: list[_Triangle] = []
        for station in sorted({point.station for point in points} - {""}):
            ids = self._registry.select_ids(None, station).tolist()
            active |= {one: self._registry.by_id(one) for one in ids if one in known}
        for point in active.values():
            term = self._terms.of(point.id).at("triangle", time_us) if point.id in known else None
            if isinstance(term, TriangleTerm):
                reactive, *apparent = (self._registry.get(name) for name in term.names)
                found.append(_Triangle(point, reactive, tuple(apparent), term.phases))
        stated = {one.active.id for one in found}
        for station in sorted({point.station for point in points} - {""}):
            bay = self._bay(station)
            found += [bay] if bay is not None and bay.active.id not in stated else []
        return found

    def _bay(self, station: str) -> _Triangle | None:
        """The points of the station's only bay; None where any item has none or several."""
        sides: list[Point] = []
        for item in (ACTIVE, REACTIVE, VOLTAGE, CURRENT):
            ids = self._registry.select_ids(None, station, item, 0, 2).tolist()
            if len(ids) != 1:
                return None
            sides.append(self._registry.by_id(ids[0]))
        return _Triangle(sides[0], sides[1], (sides[2], sides[3]), 3)


def _of_point(
    point: Point, terms: PointTerms, run: SampleRun, past: SampleRun, item: Item | None
) -> list[Suspicion]:
    """By the point alone."""
    found: list[Suspicion] = []
    if item is not None and item.unit and item.kind == point.kind.value:
        told = suspicion.of_unit(point.unit, item.unit)
        found += [told] if told is not None else []
    found += _of_counter(point, terms, run)
    times_us, values = _rates(point, terms, run)
    capacity, limit = _limits(point, terms, item, int(times_us[0]) if len(times_us) else 0)
    looked = Looked(
        point.name, point.unit, values, _rates(point, terms, past)[1], capacity or limit, (point.multiplier,)
    )
    told_of_point = suspicion.of_point(looked)
    return found + [one for one in told_of_point if capacity or one.kind != "over_capacity"]


def _of_counter(point: Point, terms: PointTerms, run: SampleRun) -> list[Suspicion]:
    """By the steps of what may be a number of 32 bits: registers of known resolution, and all that sends whole numbers."""
    values = run.value[_is_known(run)]
    if len(values) < suspicion.VALUES_MIN:
        return []
    stated = terms.at("register", int(run.time_us[0]))
    resolution = stated.resolution if isinstance(stated, RegisterTerm) else None
    if resolution is None and not np.all(values == np.rint(values)):
        return []
    return suspicion.of_counter(Looked(point.name, point.unit, values, _NOTHING), resolution or 1.0)


def _limits(
    point: Point, terms: PointTerms, item: Item | None, time_us: int
) -> tuple[float | None, float | None]:
    """The capacity, 100 % for a load ratio, and what the range allows; in the unit of `_rates`."""
    if point.kind is PointKind.RATIO:
        stated = terms.at("ratio", time_us)
        is_load = isinstance(stated, RatioTerm) and stated.formula == "load_ratio"
        is_load = is_load or (item is not None and item.slug.endswith("load_ratio"))
        return (unit.convert(100.0, "%", point.unit) if is_load else None), None
    capacity = metering.value_at(terms.capacity, time_us) if terms.capacity else point.capacity
    if point.range_high is None or point.kind is PointKind.REGISTER:
        return capacity, None
    per_hour = HOUR_US / point.interval_us if point.kind is PointKind.INTERVAL else 1.0
    return capacity, point.range_high * point.multiplier * per_hour


def _rates(point: Point, terms: PointTerms, run: SampleRun) -> tuple[npt.NDArray[np.int64], F64]:
    """Usable values after the multiplier; amounts and the rises of registers as rates an hour."""
    is_known = _is_known(run)
    times_us, values = run.time_us[is_known], run.value[is_known]
    if point.kind is PointKind.REGISTER:
        steps, spans_us = np.diff(values), np.diff(times_us)
        is_rise = steps > 0
        times_us, values = times_us[:-1][is_rise], steps[is_rise] / (spans_us[is_rise] / HOUR_US)
    elif point.kind is PointKind.INTERVAL:
        values = values / (point.interval_us / HOUR_US)
    if not len(values):
        return times_us, values
    factor = point_metering.metering_of(point, terms, int(times_us[0])).factor
    return times_us, values * metering.column_at(factor, times_us)


def _of_triangle(
    triangle: _Triangle, run_of: Mapping[int, SampleRun], span: TimeRange, terms: TermDirectory
) -> dict[int, list[Suspicion]]:
    """Which side is out of scale by what the other two make of it, by the id of its point."""
    with contextlib.suppress(UnitError), np.errstate(invalid="ignore"):

        def slots(point: Point, symbol: str) -> F64:
            run = run_of.get(point.id, empty_run(point.id))
            return unit.convert(_slots(point, terms.of(point.id), run, span), point.unit, symbol)

        active, reactive = slots(triangle.active, "kW"), slots(triangle.reactive, "kvar")
        if len(triangle.apparent) == 1:
            apparent = slots(triangle.apparent[0], "kVA")
        else:
            voltage, current = (
                slots(one, symbol) for one, symbol in zip(triangle.apparent, ("V", "A"), strict=True)
            )
            apparent = cross_check.product_kva(voltage, current, triangle.phases)
        sides = (
            ((triangle.active,), active, _left(apparent, reactive)),
            ((triangle.reactive,), reactive, _left(apparent, active)),
            (triangle.apparent, apparent, np.hypot(active, reactive)),
        )
        names = [one.name for one in (triangle.active, triangle.reactive, *triangle.apparent)]
        return {
            point.id: _of_side(point, measured, made, [one for one in names if one != point.name])
            for points, measured, made in sides
            for point in points
        }
    return {}


def _left(apparent: F64, side: F64) -> F64:
    """The third side; NaN where it would be made of the last digits of the other two."""
    square = apparent * apparent - side * side
    left: F64 = np.sqrt(np.where(square >= (SIDE_SHARE_MIN * apparent) ** 2, square, np.nan))
    return left


def _of_side(point: Point, measured: F64, made: F64, others: list[str]) -> list[Suspicion]:
    if np.count_nonzero(np.isfinite(measured) & np.isfinite(made)) < suspicion.VALUES_MIN:
        return []
    one = Looked(point.name, point.unit, np.abs(measured), _NOTHING, None, (point.multiplier,))
    return suspicion.of_pair(one, Looked(", ".join(others), point.unit, made, _NOTHING))


def _slots(point: Point, terms: PointTerms, run: SampleRun, span: TimeRange) -> F64:
    """The mean of each quarter of an hour, after the multiplier; NaN where nothing came."""
    times_us, values = _rates(point, terms, run)
    count = -(-span.duration_us // SLOT_US)
    slot = (times_us - span.start_us) // SLOT_US
    sums, counts = np.bincount(slot, values, count), np.bincount(slot, minlength=count)
    means: F64 = np.divide(sums, counts, out=np.full(count, np.nan), where=counts > 0)
    return means


def _is_known(run: SampleRun) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = is_usable(run.quality) & np.isfinite(run.value)
    return found


def _distinct(found: Sequence[Suspicion]) -> list[Suspicion]:
    """Each kind against each other side once."""
    return list({(one.kind, one.against): one for one in found}.values())
