"""Daily, monthly and yearly figures that are never stale, and load curves of any day.

samples acknowledged → mark → dirty days → made anew in the background within a second
                                         → or at once, when somebody asks for them
"""

import asyncio
import datetime
import zoneinfo
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.energy import calendar
from historian.energy.calendar import DateRange, PeriodName
from historian.energy.fleet import Asked
from historian.energy.load_curve import LoadCurve
from historian.energy.packed import Needs
from historian.errors import QueryTooLarge
from historian.logs import EventLog
from historian.model import timestamp
from historian.model.point import DAY_US, Point
from historian.model.ports import PackedReader, SampleReader
from historian.query.as_of import MomentClock
from historian.rollup import curve, periods, revision
from historian.rollup.change_log import Page
from historian.rollup.curve import PointCurves, TermsOf
from historian.rollup.day_keeper import DayKeeper
from historian.rollup.day_table import DayTable
from historian.rollup.definitions import Definitions
from historian.rollup.foreign_days import ForeignDays
from historian.rollup.found import Figures, Found, Work
from historian.rollup.periods import Folder, PeriodColumns
from historian.rollup.point_facts import PointFacts, RevisedDirectory
from historian.rollup.point_unit import VARYING, common_units, medium_of
from historian.rollup.row import RollupLimits, RollupRow
from historian.rollup.term_directory import NoTerms, TermDirectory, TermsThen

BACKGROUND_INTERVAL_S: Final = 0.5  # so that figures follow an acknowledgement within a second
BACKGROUND_DAYS_MIN: Final = 64  # made between two looks at the clock, while nobody else can have a turn
BACKGROUND_DAYS_MAX: Final = 32_768
BUSY_WAIT_S: Final = 10.0  # so long at most does the background stand back behind samples that wait
BACKGROUND_TURN_S: Final = 0.03  # so many days are taken at once that they take about this long
SUM_SAMPLES_MAX: Final = 500_000  # added up in about a millisecond, on the loop
THREAD_CURVES_MIN: Final = 50  # adding up more takes longer than the loop may be held

_EARLIEST_US: Final = (
    timestamp.TIME_MIN_US + 400 * DAY_US
)  # no meter reads earlier, and dates have neighbours

_LOG: Final = EventLog("rollup")


class Past(NamedTuple):
    """A moment, and the store as it was known then. `terms`: what holds then, where that is not what was known."""

    as_of_us: int
    reader: SampleReader
    terms: TermDirectory | None = None


def terms_at(terms: TermDirectory, past: Past | None) -> TermDirectory:
    """What holds: as it is known now, or at the moment that is asked about."""
    return terms if past is None else past.terms or TermsThen(terms, past.as_of_us)


class RollupService:
    """Implements `ports.DirtyMarker`; keeps its figures in the SQLite file `path`.

    `mark` must be called from the thread of the loop that runs everything else here. While `is_busy` says that
    samples wait to be taken in, figures are made only for those who ask.
    """

    def __init__(
        self,
        reader: SampleReader,
        directory: RevisedDirectory,
        path: Path,
        clock: Clock,
        limits: RollupLimits | None = None,
        is_busy: Callable[[], bool] = lambda: False,
        terms: TermDirectory | None = None,
    ) -> None:
        self._reader = reader
        self._directory = directory
        self._clock = clock
        self._limits = limits or RollupLimits()
        self._is_busy = is_busy
        self._terms = terms or NoTerms()
        self._days = DayKeeper(
            reader, directory, DayTable(path), clock, self._limits.figures_bytes_max, self._terms
        )
        self._touched = np.zeros(1024, np.uint32)  # by point id
        self._touch_count = 0
        self._packed = reader if isinstance(reader, PackedReader) else None
        self._foreign = ForeignDays(reader, directory, self._days.dirty.facts, clock)

    @property
    def pending_count(self) -> int:
        """Days whose figures are out of date."""
        return self._days.dirty.count + self._days.making_count

    async def open(self) -> None:
        """Take up where the last run ended."""
        await self._days.open()
        _LOG.info("opened", dirty_days=self.pending_count)

    async def close(self) -> None:
        """Save what is dirty and release the file; the background task must have ended."""
        await self._days.close()

    def mark(self, point_id: npt.NDArray[np.uint32], time_us: npt.NDArray[np.int64]) -> None:
        """See `ports.DirtyMarker`; the columns must not be written to afterwards."""
        self._days.dirty.mark(point_id, time_us)
        if len(point_id) == 0:
            return
        missing = int(point_id.max()) + 1 - len(self._touched)
        if missing > 0:
            self._touched = np.append(self._touched, np.zeros(max(missing, len(self._touched)), np.uint32))
        self._touch_count += 1
        self._touched[point_id] = self._touch_count

    def touched(self, point_id: npt.NDArray[np.uint32]) -> int:
        """A greater number whenever samples of one of these points became visible."""
        known = point_id[point_id < len(self._touched)]
        return int(self._touched[known].max(initial=0))

    def note_estimates(self, point_ids: Iterable[int]) -> None:
        """These points have estimates, or will have: say so before they are stored."""
        self._days.dirty.facts.note_estimates(point_ids)

    async def flush_dirty(self) -> None:
        """Put every mark on disk. The store calls this before it forgets the log that could repeat them."""
        await self._days.flush()

    async def run_background(self) -> None:
        """Make dirty days anew until cancelled, point after point, within a bounded share of the time."""
        day_count, waited_s = BACKGROUND_DAYS_MIN, 0.0
        while True:
            await self._clock.sleep(BACKGROUND_INTERVAL_S)
            if self.pending_count > self._limits.pending_days_max:
                await self._days.forget_unkept()
            if self._is_busy() and waited_s < BUSY_WAIT_S:
                waited_s += BACKGROUND_INTERVAL_S
                continue
            waited_s = 0.0
            deadline_s = self._clock.monotonic_s() + BACKGROUND_INTERVAL_S * self._limits.background_share
            while self.pending_count and self._clock.monotonic_s() < deadline_s:
                day_count = await self._refresh_for_a_turn(day_count)
                if self._is_busy():
                    break

    async def _refresh_for_a_turn(self, day_count: int) -> int:
        """Make so many days anew; returns how many it should be next, so that a turn takes its time."""
        start_s = self._clock.monotonic_s()
        taken_count = await self._days.refresh(day_count)
        if self._clock.monotonic_s() - start_s > BACKGROUND_TURN_S:
            return max(BACKGROUND_DAYS_MIN, day_count // 2)
        return min(BACKGROUND_DAYS_MAX, day_count * 2) if 2 * taken_count > day_count else day_count

    async def rows(
        self,
        points: Sequence[Point],
        period: PeriodName,
        first: datetime.date,
        last: datetime.date,
        zone: zoneinfo.ZoneInfo | None = None,
    ) -> list[RollupRow]:
        """`columns` as one object a row, with everything."""
        if first >= last or not points:
            return []
        ids = np.fromiter((point.id for point in points), np.int64, len(points))
        answer = await self.columns(ids, period, first, last, zone)
        return await asyncio.to_thread(periods.rows_of, answer)

    async def columns(
        self,
        point_id: npt.NDArray[np.int64],
        period: PeriodName,
        first: datetime.date,
        last: datetime.date,
        zone: zoneinfo.ZoneInfo | None = None,
        wanted: frozenset[str] = periods.ALL,
    ) -> PeriodColumns:
        """Rows of every whole period that ``[first, last)`` touches, point by point, in order of time.

        Periods are those of each point's own zone; those of another `zone` are computed each time. `wanted` names
        columns of `Periods`. At least one point, all known, and first < last. Raises QueryTooLarge before any work, TimeError
        for dates without end.
        """
        self.check_size(len(point_id), (last - first).days)
        days = _whole_periods(DateRange(first, last), period)
        self.check_size(len(point_id), days.day_count)
        return await self.columns_of(point_id, period, calendar.periods_of(days, period), zone, wanted)

    async def columns_of(
        self,
        point_id: npt.NDArray[np.int64],
        period: PeriodName,
        parts: Sequence[DateRange],
        zone: zoneinfo.ZoneInfo | None = None,
        wanted: frozenset[str] = periods.ALL,
        past: Past | None = None,
    ) -> PeriodColumns:
        """As `columns`, of consecutive periods given by their days; `past`: as it was known at a moment."""
        self.check_size(len(point_id), (parts[-1].last - parts[0].first).days)
        answers = [
            await self._fold(point_id, period, some, zone, wanted, past)
            for some in calendar.in_groups(parts, max(1, self._days.days_max))
        ]
        return answers[0] if len(answers) == 1 else periods.join(answers)

    async def _fold(
        self,
        point_id: npt.NDArray[np.int64],
        period: PeriodName,
        parts: list[DateRange],
        zone: zoneinfo.ZoneInfo | None,
        wanted: frozenset[str],
        past: Past | None,
    ) -> PeriodColumns:
        days = DateRange(parts[0].first, parts[-1].last)
        facts = self._days.dirty.facts
        facts.refresh(point_id)
        numbers, zone_of = _distinct(facts.zone_number[point_id])
        own = [facts.zones[number] for number in numbers.tolist()]
        # Kept figures are those of own days, as known now.
        is_kept = np.full(len(point_id), past is None)
        if zone is not None:
            is_kept &= np.array([one.key == zone.key for one in own], np.bool_)[zone_of]
            own, zone_of = [zone], np.zeros(len(point_id), np.int64)
        asked = periods.Asked(
            facts.units_number[point_id].astype(np.int64), list(facts.units), facts.block_us[point_id],
            facts.interval_us[point_id], wanted,
        )  # fmt: skip
        span = periods.Span(period, days, parts, own, zone_of)
        now_us = self._clock.now_us() if past is None else past.as_of_us
        folder = periods.Folder(point_id, span, asked, self._directory.by_id, now_us)
        if is_kept.all():
            await self._days.look(point_id, days, folder.take)
            return folder.answer
        needs = Needs(bool(wanted & (periods.EXTREMES | periods.RATIOS)), wanted != {"energy"})
        made = self._foreign if past is None else self._days_then(past)
        chosen = np.flatnonzero(is_kept)
        if len(chosen):
            await self._days.look(point_id[chosen], days, _renumbered(folder, chosen))
        for number, one in enumerate(own):
            chosen = np.flatnonzero(~is_kept & (zone_of == number))
            if len(chosen):
                await made.look(point_id[chosen], days, one, _renumbered(folder, chosen), needs)
        return folder.answer

    def _days_then(self, past: Past) -> ForeignDays:
        """Days made from what was known at a moment."""
        facts = PointFacts(self._directory, Definitions(), terms_at(self._terms, past))
        return ForeignDays(past.reader, self._directory, facts, MomentClock(self._clock, past.as_of_us))

    async def revisions(self, point: Point, period: PeriodName, date: datetime.date) -> list[RollupRow]:
        """Every version of the period that holds `date`, oldest first; the last is the present one."""
        days = calendar.period_of(date, period)
        newest = (await self._days.figures([point], days))[0]
        versions = [*await self._days.history(point, days), *newest.values()]
        zone = timestamp.load_zone(point.time_zone)
        return revision.rows_over_time(point, period, days, zone, versions, self._clock.now_us())

    async def restated(self, point_id: int, from_us: int, to_us: int | None = None) -> int:
        """What holds of a point for ``[from_us, to_us)`` was stated anew: its kept days there are made anew soon.

        They would be when somebody asks for them; this way those who follow the changes hear of it. Returns how many.
        """
        zone = timestamp.load_zone(self._directory.by_id(point_id).time_zone)
        now_us = self._clock.now_us()
        last_us = now_us if to_us is None else min(to_us, now_us)
        first = calendar.local_date(min(max(from_us, _EARLIEST_US), now_us), zone).toordinal() - 1
        last = calendar.local_date(max(last_us, _EARLIEST_US), zone).toordinal() + 2
        return await self._days.mark_kept(point_id, first, last)

    async def changes(self, place: int | None, limit: int) -> Page:
        """Which days that were over got other figures, from a place on; none and the end where none is given."""
        return await self._days.changes(place, limit)

    def next_change(self) -> "asyncio.Future[None]":
        """Done when changes were logged after this call; shared by all who ask, so it must not be cancelled."""
        return self._days.told.next_ring()

    async def day_figures(
        self, points: Sequence[Point], days: DateRange, zone: zoneinfo.ZoneInfo, past: Past | None = None
    ) -> list[Figures]:
        """The exact figures of the days of `zone` for each point, by ordinal; days of which nothing is known are left out.

        Raises QueryTooLarge before any work.
        """
        self.check_size(len(points), days.day_count)
        own = [place for place, one in enumerate(points) if past is None and one.time_zone == zone.key]
        found: list[Figures] = [{} for _ in points]
        kept = await self._days.figures([points[place] for place in own], days) if own else []
        for place, figures in zip(own, kept, strict=True):
            found[place] = figures
        other = np.array([place for place in range(len(points)) if place not in set(own)], np.int64)
        if len(other):

            def work(part: Found) -> None:
                for number, row in enumerate(part.rows.tolist()):
                    found[int(other[row])] = part.figures_of(number)

            ids = np.array([points[place].id for place in other.tolist()], np.int64)
            made = self._foreign if past is None else self._days_then(past)
            await made.look(ids, days, zone, work)
        return found

    async def single_curves(
        self,
        points: Sequence[Point],
        edges_us: npt.NDArray[np.int64],
        zone: zoneinfo.ZoneInfo,
        past: Past | None = None,
    ) -> list[LoadCurve]:
        """The curve of each point over these slots, of whatever units; they are not added up. Raises QueryTooLarge."""
        self._check_slots(len(points), int(edges_us[1] - edges_us[0]) if len(edges_us) > 1 else DAY_US)
        as_of_us = None if past is None else past.as_of_us
        reader = self._reader if past is None else past.reader
        return await curve.read_curves(reader, points, edges_us, zone, self._terms_of(as_of_us))

    async def load_curve(
        self,
        points: Sequence[Point],
        date: datetime.date,
        interval_us: int,
        zone: zoneinfo.ZoneInfo | None = None,
        reader: SampleReader | None = None,
        as_of_us: int | None = None,
    ) -> PointCurves:
        """Curves of at least one point over a local day of `zone` (default: the first point's), and their sum.

        `reader`: from what is read instead of the store, such as the store as of a moment; `as_of_us` is that moment. Raises QueryTooLarge before any work, UnitError where several points do not add up.
        """
        assert points, "a curve has at least one point"
        zone = zone or timestamp.load_zone(points[0].time_zone)
        self._check_slots(len(points), interval_us)
        edges_us = calendar.slot_edges_us(date, zone, interval_us)
        terms_of = self._terms_of(as_of_us)
        units = common_units(points, [medium_of(terms_of(one.id), int(edges_us[0])) for one in points])
        curves = await curve.read_curves(reader or self._reader, points, edges_us, zone, terms_of)
        if len(points) < THREAD_CURVES_MIN:
            return curve.put_together(curves, edges_us, units)
        return await asyncio.to_thread(curve.put_together, curves, edges_us, units)

    async def sum_curve(
        self,
        point_id: npt.NDArray[np.int64],
        date: datetime.date,
        interval_us: int,
        zone: zoneinfo.ZoneInfo | None = None,
        reader: SampleReader | None = None,
        as_of_us: int | None = None,
    ) -> PointCurves:
        """The sum of known points as `load_curve` tells it, quicker: `curves` may be left out.

        Raises as `load_curve` does.
        """
        self._check_slots(len(point_id), interval_us)
        facts = self._days.dirty.facts
        facts.refresh(point_id)
        zone = zone or facts.zones[facts.zone_number[point_id[0]]]
        edges_us = calendar.slot_edges_us(date, zone, interval_us)
        start_us, end_us = int(edges_us[0]), int(edges_us[-1])
        interval = facts.interval_us[point_id]
        expected = int(((2 * (end_us - start_us) + interval) // (2 * interval)).sum())
        number = facts.units_number[point_id]
        units = facts.units[int(number[0])]
        is_sum = len(point_id) > 1 and units.energy is not None and bool((number == number[0]).all())
        sample_count = len(point_id) * ((end_us - start_us) // max(1, int(interval.min())) + 4)
        is_sum = is_sum and (as_of_us is None or not self._terms.ids())  # facts are those of today
        is_sum = is_sum and units.medium != VARYING and not bool(facts.has_rules[point_id].any())
        if is_sum and sample_count <= SUM_SAMPLES_MAX and (interval == interval_us).all():
            used, code = np.unique(facts.ask[point_id], return_inverse=True)
            asked = Asked([facts.asks[number] for number in used.tolist()], code.astype(np.int64))
            packed = self._packed if reader is None or reader is self._reader else None
            total = await curve.read_sum(
                reader or self._reader, packed, point_id, asked, edges_us, units, expected
            )
            if total is not None:
                return total
        points = [self._directory.by_id(one) for one in point_id.tolist()]
        curves = await self.load_curve(points, date, interval_us, zone, reader, as_of_us)
        return curves._replace(expected_count=expected)

    def _terms_of(self, as_of_us: int | None) -> TermsOf:
        """What holds of a point, as it is known now or was known then."""
        return self._terms.of if as_of_us is None else TermsThen(self._terms, as_of_us).of

    def check_size(self, point_count: int, day_count: int) -> None:
        limits = self._limits
        if point_count > limits.points_max:
            raise QueryTooLarge(f"{point_count} points asked for at once, {limits.points_max} allowed")
        if point_count * day_count > limits.point_days_max:
            raise QueryTooLarge(
                f"{point_count} points over {day_count} days are {point_count * day_count} point-days, "
                f"{limits.point_days_max} allowed; ask for fewer points or a shorter time"
            )

    def _check_slots(self, point_count: int, interval_us: int) -> None:
        slot_count = point_count * -(-DAY_US // interval_us)
        if point_count > self._limits.points_max or slot_count > self._limits.slots_max:
            raise QueryTooLarge(
                f"{point_count} points with {slot_count} slots asked for at once, {self._limits.points_max} points "
                f"and {self._limits.slots_max} slots allowed; take a longer interval or fewer points"
            )


def _whole_periods(days: DateRange, period: PeriodName) -> DateRange:
    """From the first day of the first period that `days` touches to the last day of the last."""
    last = days.first + datetime.timedelta(days=days.day_count - 1)
    return DateRange(calendar.period_of(days.first, period).first, calendar.period_of(last, period).last)


def _distinct(number: npt.NDArray[np.int16]) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """`np.unique` with inverse; without sorting in the everyday case that all are equal."""
    if (number == number[0]).all():
        return number[:1], np.zeros(len(number), np.int64)
    distinct, place = np.unique(number, return_inverse=True)
    return distinct, place.astype(np.int64)


def _renumbered(folder: Folder, chosen: npt.NDArray[np.int64]) -> Work:
    """The folder's work for a question about the chosen ones of its points."""
    return lambda found: folder.take(found._replace(rows=chosen[found.rows]))
