"""Checks of a point against others, slot by slot: power triangle, sum of phases, level 1 against level 2.

What breaks is suspect: the slot's quality says so, its value stays as it is. Slots in which any side is not known are not
compared. Nothing is stored.
"""

import datetime
import zoneinfo
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import calendar, cross_check
from historian.energy.cross_check import SlotCheck
from historian.energy.finding import Finding
from historian.model import quality, timestamp, unit
from historian.model.point import MINUTE_US, Point
from historian.model.ports import PointDirectory
from historian.model.term import SLOT_CHECKS, PartsTerm, PhasesTerm, PointTerms, TriangleTerm
from historian.rollup.curve import PointCurves
from historian.rollup.service import Past, RollupService, terms_at
from historian.rollup.term_directory import TermDirectory

F64 = npt.NDArray[np.float64]

SLOT_US: Final = 15 * MINUTE_US
DAYS_MAX: Final = 62  # looked at for findings at once


class _Day(NamedTuple):
    """A local day and how it is read."""

    date: datetime.date
    interval_us: int
    zone: zoneinfo.ZoneInfo
    past: Past | None


class SlotChecker:
    """Reads the curves of the points that a term names, and compares."""

    def __init__(self, rollup: RollupService, directory: PointDirectory, terms: TermDirectory) -> None:
        self._rollup = rollup
        self._directory = directory
        self._terms = terms

    async def marked(
        self,
        point: Point,
        curves: PointCurves,
        date: datetime.date,
        interval_us: int,
        zone: zoneinfo.ZoneInfo,
        past: Past | None = None,
    ) -> PointCurves:
        """The curve of one point, with slots that break a check suspect. Raises UnitError where units do not fit."""
        terms = self._terms_of(point, past)
        if not has_checks(terms):
            return curves
        checks = await self._checks(point, terms, curves, _Day(date, interval_us, zone, past))
        is_broken = np.zeros(len(curves.total.quality), np.bool_)
        for check in checks:
            is_broken |= check.is_broken
        return curves._replace(total=curves.total._replace(quality=_suspect(curves.total.quality, is_broken)))

    async def findings(self, point: Point, start_us: int, end_us: int) -> list[Finding]:
        """What breaks in the quarters of an hour of the local days that ``[start_us, end_us)`` touches, within it."""
        terms = self._terms_of(point, None)
        if not has_checks(terms):
            return []
        zone = timestamp.load_zone(point.time_zone)
        first, last = calendar.local_date(start_us, zone), calendar.local_date(end_us - 1, zone)
        days = calendar.DateRange(first, min(last, first + datetime.timedelta(days=DAYS_MAX - 1)) + _ONE_DAY)
        found: list[Finding] = []
        for date in calendar.iter_days(days):
            curves = await self._rollup.load_curve([point], date, SLOT_US, zone)
            for check in await self._checks(point, terms, curves, _Day(date, SLOT_US, zone, None)):
                found += _findings_of(check, curves)
        return [one for one in found if one.start_us < end_us and one.end_us > start_us]

    def _terms_of(self, point: Point, past: Past | None) -> PointTerms:
        return terms_at(self._terms, past).of(point.id)

    async def _checks(
        self, point: Point, terms: PointTerms, curves: PointCurves, day: _Day
    ) -> list[SlotCheck]:
        at_us = int(curves.edges_us[0])
        made: list[SlotCheck] = []
        for kind in SLOT_CHECKS:
            term = terms.at(kind, at_us)
            if isinstance(term, TriangleTerm):
                made.append(await self._triangle(term, _in(curves, "kW"), day))
            elif isinstance(term, PhasesTerm):
                phases = [await self._values(name, curves.unit, day) for name in term.phases]
                made.append(cross_check.phase_sum(curves.total.value, phases, term.tolerance))
            elif isinstance(term, PartsTerm):
                parts = [await self._values(name, curves.unit, day) for name in term.parts]
                shares = term.loss_share_min, term.loss_share_max
                made.append(cross_check.hierarchy(curves.total.value, parts, *shares))
        return made

    async def _triangle(self, term: TriangleTerm, active: F64, day: _Day) -> SlotCheck:
        reactive = await self._values(term.reactive, "kvar", day)
        if term.apparent:
            apparent = await self._values(term.apparent, "kVA", day)
            return cross_check.power_triangle(active, reactive, apparent, term.tolerance, term.least)
        voltage, current = (
            await self._values(term.voltage, "V", day),
            await self._values(term.current, "A", day),
        )
        apparent = np.hypot(active, reactive)
        return cross_check.apparent_power(apparent, voltage, current, term.phases, term.tolerance, term.least)

    async def _values(self, name: str, symbol: str, day: _Day) -> F64:
        """Another point's slots, in that unit."""
        past = day.past
        curves = await self._rollup.load_curve(
            [self._directory.get(name)], day.date, day.interval_us, day.zone,
            past.reader if past else None, past.as_of_us if past else None,
        )  # fmt: skip
        return _in(curves, symbol)


_ONE_DAY: Final = datetime.timedelta(days=1)


def has_checks(terms: PointTerms) -> bool:
    """Whether any check against other points was stated."""
    return any(terms.of_kind(kind) for kind in SLOT_CHECKS)


def _in(curves: PointCurves, symbol: str) -> F64:
    values: F64 = unit.convert(curves.total.value, curves.unit, symbol)
    return values


def _suspect(column: npt.NDArray[np.uint16], is_broken: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint16]:
    """Validity raised to suspect where a check is broken, never lowered."""
    is_good = is_broken & ((column & quality.VALIDITY_MASK) == quality.GOOD)
    return np.where(is_good, column | np.uint16(quality.SUSPECT), column).astype(np.uint16)


def _findings_of(check: SlotCheck, curves: PointCurves) -> list[Finding]:
    """Broken slots in a row as one finding; `worst` is the greatest difference."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], check.is_broken.astype(np.int8), [0]))))
    found: list[Finding] = []
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        residual, limit = check.residual[first:last], check.limit[first:last]
        place = int(np.argmax(np.abs(residual) - limit))
        limits = {"limit": float(limit[place])}
        start_us, end_us = int(curves.edges_us[first]), int(curves.edges_us[last])
        found.append(Finding(check.name, start_us, end_us, last - first, float(residual[place]), limits))
    return found
