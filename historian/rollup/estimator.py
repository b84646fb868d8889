"""Plans estimates for the gaps of a point from what is stored beside them, and stores them: never over a measured sample.

Methods are those of `energy.estimate`; this finds what they rest on: the samples beside the gap, like days, another
meter, a register's readings at its ends.
"""

import asyncio
import datetime
import zoneinfo
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from historian.catalogue.estimate_book import EstimateBook, EstimateEntry
from historian.catalogue.registry import Registry
from historian.clock import Clock
from historian.energy import calendar, estimate, estimate_inputs, fixed_point, sample_period, slot_sum
from historian.energy.calendar import DateRange
from historian.energy.estimate_inputs import Estimate, Evidence, Gap, LikeDay, Register
from historian.energy.holiday import NO_HOLIDAYS, Holidays
from historian.errors import EditRefused
from historian.model import quality, timestamp
from historian.model.decision import Decision, make_decision
from historian.model.point import DAY_US, Point, PointKind
from historian.model.ports import Outcome, SampleReader, SampleSink
from historian.model.sample import SampleRun, make_batch
from historian.model.term import CheckTerm
from historian.model.unit import conversion_factor
from historian.rollup import day_figure, like_days, point_metering, prepared, prepared_source
from historian.rollup.day_maker import Metered
from historian.rollup.point_unit import units_of
from historian.rollup.service import RollupService
from historian.rollup.term_directory import TermDirectory

I64 = npt.NDArray[np.int64]

STAMPS_MAX: Final = 50_000
LIKE_DAYS_MAX: Final = 31  # named by hand
ALTERNATE_SIDE_US: Final = 7 * DAY_US  # on both sides of the gap the ratio to another meter is taken from
SOURCE: Final = "estimate"  # with the author behind a colon, where one is named

_KEPT: Final = "measured_kept"  # samples that stand there, but are of no use: bad, or marked so by a rule


class Asked(NamedTuple):
    """Fill ``[start_us, end_us)``. `like_days` instead of those of the weeks before; `outages` are stated, sorted."""

    point: Point
    start_us: int
    end_us: int
    like_days: Sequence[datetime.date] = ()
    alternate: Point | None = None
    register: Point | None = None
    outages: Sequence[tuple[int, int]] = ()


class Planned(NamedTuple):
    """What would be stored; `has_old`: in place of an earlier estimate or a deleted sample. Days by their dates.

    `unchanged_count` estimates are stored as they would be already.
    """

    asked: Asked
    estimate: Estimate
    has_old: npt.NDArray[np.bool_]
    days: list[datetime.date]
    unchanged_count: int


class Stored(NamedTuple):
    """What was stored; `overtaken_count` samples were measured in the meantime, and stand."""

    entry: EstimateEntry
    overtaken_count: int


class Estimator:
    """Estimates of one point at a time."""

    def __init__(
        self,
        reader: SampleReader,
        sink: SampleSink,
        registry: Registry,
        terms: TermDirectory,
        rollup: RollupService,
        book: EstimateBook,
        clock: Clock,
        holidays: Holidays = NO_HOLIDAYS,
    ) -> None:
        self._reader = reader
        self._sink = sink
        self._registry = registry
        self._terms = terms
        self._rollup = rollup
        self._book = book
        self._clock = clock
        self._holidays = holidays

    @property
    def book(self) -> EstimateBook:
        """What was estimated before."""
        return self._book

    async def plan(self, asked: Asked) -> Planned:
        """What would be stored. Raises EditRefused before anything is read, PointNotFound for the point of a check."""
        self._check(asked)
        point, notes = asked.point, list[str]()
        side_us = ALTERNATE_SIDE_US if asked.alternate else estimate_inputs.LINEAR_US_MAX
        low_us, high_us = asked.start_us - side_us, asked.end_us + side_us
        run = await self._read(point, low_us, high_us)
        gap = Gap(*_on_grid(run, asked), point.interval_us, point.kind)
        alternate = None if asked.alternate is None else await self._read(asked.alternate, low_us, high_us)
        evidence = Evidence(
            await self._like_days(asked, gap, notes),
            await self._register(asked, gap, notes),
            alternate,
            asked.outages,
        )
        made = await asyncio.to_thread(estimate.plan, run, gap, evidence)
        stored = (await self._reader.read([point.id], gap.start_us, gap.end_us))[0]
        made, has_old, unchanged_count = _kept_out(made, stored, notes)
        record = msgspec.structs.replace(made.record, notes=(*made.record.notes, *notes))
        made = made._replace(record=record)
        return Planned(asked, made, has_old, self._days_of(point, made.time_us, run), unchanged_count)

    async def store(self, planned: Planned, decision: Decision) -> Stored:
        """Make the estimates durable, and how they came to be. Raises EditRefused, IngestError."""
        made, point = planned.estimate, planned.asked.point
        if len(made.time_us) == 0:
            raise EditRefused(f"nothing to store: {', '.join(made.record.notes) or 'no sample is missing'}")
        methods = ", ".join(f"{name} {count}" for name, count in made.record.methods.items())
        told = make_decision(decision.author, f"{decision.reason} [estimated: {methods}]")
        record = msgspec.json.encode(made.record).decode()
        span = made.record.gap_start_us, made.record.gap_end_us
        entry = await asyncio.to_thread(
            self._book.begin, point.id, span, len(made.time_us), record, told.author, told.reason
        )
        self._rollup.note_estimates([point.id])
        source = f"{SOURCE}:{told.author}" if told.author else SOURCE
        sequence = overtaken = 0
        for is_old in (False, True):
            chosen = planned.has_old == is_old
            if not chosen.any():
                continue
            columns = (column[chosen] for column in (made.time_us, made.value, made.quality))
            result = await self._sink.append(
                make_batch(point.id, *columns),
                source=source,
                on_conflict="replace" if is_old else "keep",
                reason=told.reason,
            )
            if result.rejected_count:
                raise EditRefused(f"{result.rejected_count} samples were refused; the rest was stored")
            sequence = max(sequence, result.sequence)
            overtaken += result.count(Outcome.CONFLICT)
        done = await asyncio.to_thread(self._book.complete, entry, sequence)
        return Stored(done, overtaken)

    def _check(self, asked: Asked) -> None:
        point = asked.point
        if point.interval_us % DAY_US == 0:
            raise EditRefused(
                f"{point.name} has one sample a day or less; estimate such values by hand (edits of kind estimate)"
            )
        if asked.end_us > self._clock.now_us():
            raise EditRefused("end lies in the future; what has not come yet is not missing")
        stamps = (asked.end_us - asked.start_us) // point.interval_us
        if stamps > STAMPS_MAX:
            raise EditRefused(f"{stamps} samples, {STAMPS_MAX} may be estimated at once; estimate in parts")
        if len(asked.like_days) > LIKE_DAYS_MAX:
            raise EditRefused(f"like_days: {len(asked.like_days)} days, {LIKE_DAYS_MAX} are taken")
        if asked.register is not None and asked.register.kind is not PointKind.REGISTER:
            raise EditRefused(f"register: {asked.register.name} is of kind {asked.register.kind.value}")

    async def _read(self, point: Point, start_us: int, end_us: int) -> SampleRun:
        metered = Metered(point, self._terms.of(point.id))
        return (await prepared_source.read_prepared(self._reader, [metered], start_us, end_us))[0]

    async def _like_days(self, asked: Asked, gap: Gap, notes: list[str]) -> list[LikeDay]:
        """Samples of like days, those of each date of the gap for that date only."""
        zone = timestamp.load_zone(asked.point.time_zone)
        first = calendar.local_date(gap.start_us, zone)
        last = calendar.local_date(max(gap.start_us, gap.end_us - 1), zone)
        dates = [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]
        is_known = self._holidays is NO_HOLIDAYS or all(
            like_days.are_holidays_known(date, self._holidays) for date in dates
        )
        if not asked.like_days and not is_known:
            notes.append("holidays_unknown")
        found: list[LikeDay] = []
        runs: dict[datetime.date, SampleRun] = {}
        for date in dates:
            for candidate in asked.like_days or like_days.like_days(date, self._holidays):
                if candidate not in runs:
                    runs[candidate] = await self._day_run(asked.point, candidate, zone)
                shift_us = calendar.day_start_us(candidate, zone) - calendar.day_start_us(date, zone)
                found.append(LikeDay(candidate.isoformat(), shift_us, runs[candidate]))
        return found

    async def _day_run(self, point: Point, date: datetime.date, zone: zoneinfo.ZoneInfo) -> SampleRun:
        """Samples of a local day; of a register up to the readings beside it."""
        start_us, end_us = calendar.day_edges_us(date, zone)
        run = await self._read(point, start_us, end_us)
        if point.kind is PointKind.REGISTER:
            return run.between(start_us - point.interval_us, end_us + point.interval_us + 1)
        return run.between(start_us, end_us)

    async def _register(self, asked: Asked, gap: Gap, notes: list[str]) -> Register | None:
        """What a register counted from the gap's start to its end, in the point's unit as stored; None without readings
        at both, or where it did more than count.
        """
        register = asked.register or self._checking_register(asked)
        if register is None or asked.point.kind is PointKind.REGISTER:
            return None
        unit, terms = units_of(asked.point).energy, self._terms.of(register.id)
        run = await self._read(register, gap.start_us, gap.end_us)
        usable = sample_period.readings(run)
        if unit is None or not np.isin([gap.start_us, gap.end_us], usable.time_us).all():
            notes.append("no_energy" if unit is None else "no_register_reading_at_both_ends")
            return None
        near = day_figure.near_day(register, run, gap.start_us, gap.end_us)
        metering = point_metering.metering_of(register, terms, gap.start_us)
        periods = sample_period.periods_of(near, metering)
        inside = (periods.start_us >= gap.start_us) & (periods.end_us <= gap.end_us)
        sums = slot_sum.sum_slots(periods.select(inside), True, _day_edges(gap.start_us, gap.end_us))
        own = point_metering.metering_of(asked.point, self._terms.of(asked.point.id), gap.start_us)
        factors = [step for step in own.factor if step.from_us < gap.end_us]
        if sums.known_us != gap.end_us - gap.start_us:
            notes.append("register_not_plausible")
            return None
        if factors[-1].from_us > gap.start_us or factors[-1].value == 0:
            notes.append("multiplier_changes_in_the_gap")
            return None
        notes.append(f"register_point_id:{register.id}")
        amount = sums.total * conversion_factor(register.unit, unit) / fixed_point.exact(factors[-1].value)
        return Register(0.0, fixed_point.to_float(amount))

    def _checking_register(self, asked: Asked) -> Point | None:
        """The register that a check of the point names."""
        check = self._terms.of(asked.point.id).at("check", asked.start_us)
        if not isinstance(check, CheckTerm):
            return None
        other = self._registry.get(check.point)
        return other if other.kind is PointKind.REGISTER else None

    def _days_of(self, point: Point, time_us: I64, run: SampleRun) -> list[datetime.date]:
        """Local days whose figures may move with samples at these times."""
        if len(time_us) == 0:
            return []
        zone = timestamp.load_zone(point.time_zone)
        before_us, after_us = sample_period.reach_us(point.kind, point.interval_us)
        reach = prepared.reach_of(point.interval_us, self._terms.of(point.id))
        from_us = time_us - max(0, before_us + reach.after_us - 1)
        to_us = time_us + max(0, after_us + reach.before_us - 1)
        if point.kind is PointKind.REGISTER:
            usable = sample_period.readings(run)
            from_us = np.append(from_us, usable.time_us[usable.time_us < time_us[0]][-1:])
            to_us = np.append(to_us, usable.time_us[usable.time_us > time_us[-1]][:1])
        days = range(
            calendar.local_date(int(from_us.min()), zone).toordinal(),
            calendar.local_date(int(to_us.max()), zone).toordinal() + 1,
        )
        if point.kind is PointKind.REGISTER:
            return [datetime.date.fromordinal(day) for day in days]
        starts_us = calendar.day_starts_us(
            DateRange(datetime.date.fromordinal(days.start), datetime.date.fromordinal(days.stop)), zone
        )
        is_touched = np.zeros(len(days), np.bool_)
        low = np.searchsorted(starts_us, from_us, side="right") - 1
        high = np.searchsorted(starts_us, to_us, side="right") - 1
        for first, last in np.unique(np.stack((low, high), axis=1), axis=0).tolist():
            is_touched[first : last + 1] = True
        return [
            datetime.date.fromordinal(days.start + place) for place in np.flatnonzero(is_touched).tolist()
        ]


def _on_grid(run: SampleRun, asked: Asked) -> tuple[int, int]:
    """The range from its first stamp to behind its last, on the grid of the samples beside it; else of local midnight."""
    interval_us, sure = asked.point.interval_us, estimate_inputs.known(run)
    place = int(np.searchsorted(sure.time_us, asked.start_us))
    if place > 0:
        anchor_us = int(sure.time_us[place - 1])
    elif sure.sample_count:
        anchor_us = int(sure.time_us[0])
    else:
        zone = timestamp.load_zone(asked.point.time_zone)
        anchor_us = calendar.day_start_us(calendar.local_date(asked.start_us, zone), zone)
    start_us = asked.start_us + (anchor_us - asked.start_us) % interval_us
    return start_us, start_us + max(0, -(-(asked.end_us - start_us) // interval_us)) * interval_us


def _kept_out(
    made: Estimate, stored: SampleRun, notes: list[str]
) -> tuple[Estimate, npt.NDArray[np.bool_], int]:
    """The estimate without stamps at which something measured stands, of whatever validity, and without those that are
    stored so already, which are counted; and where anything stood.
    """
    at = np.searchsorted(stored.time_us, made.time_us)
    is_there = np.isin(made.time_us, stored.time_us)
    bits = np.zeros(len(made.time_us), np.uint16)
    bits[is_there] = stored.quality[at[is_there]]
    gives_way = ((bits & quality.ORIGIN_MASK) == quality.ESTIMATED) | ((bits & quality.DELETED) != 0)
    gives_way |= (bits & quality.VALIDITY_MASK) == quality.MISSING
    stands = is_there & ~gives_way
    if stands.any():
        notes.append(f"{_KEPT}:{int(stands.sum())}")
    values = np.full(len(made.time_us), np.nan)
    values[is_there] = stored.value[at[is_there]]
    is_same = is_there & (values == made.value) & (bits == made.quality)
    keep = ~stands & ~is_same
    kept = Estimate(made.time_us[keep], made.value[keep], made.quality[keep], made.record)
    return kept, is_there[keep], int(is_same.sum())


def _day_edges(start_us: int, end_us: int) -> I64:
    """The range in pieces of at most a day."""
    edges = np.arange(start_us, end_us, DAY_US, dtype=np.int64)
    return np.append(edges, end_us)
