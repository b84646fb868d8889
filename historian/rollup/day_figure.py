"""The figures of one point and local day: what is kept, and from what months and years are made."""

import datetime
import zoneinfo
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from historian.energy import calendar, coverage, load_curve, sample_period
from historian.energy.coverage import Coverage
from historian.energy.fleet import Ask
from historian.model import timestamp
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, Point, PointKind
from historian.model.sample import SampleRun
from historian.model.term import NO_TERMS, PointTerms
from historian.rollup import point_metering

# Raised where the same samples give other figures, so that kept ones are made anew. Registers, 2: a lone reading near zero
# is set aside, a counter that was adjusted gives no amount.
ALGORITHMS: Final = {PointKind.REGISTER: 2}
DEMAND_BLOCK_US: Final = 15 * MINUTE_US
_EDGES_KEPT_MAX: Final = 1024
WHOLE_DAY_US: Final = 26 * HOUR_US  # longer than any local day


class Definition(NamedTuple):
    """What of a point decides its figures: where this differs, a kept figure is of another point.

    `terms` names what was stated about the point beside its attributes; see `terms_text`. `algorithm` is the version of
    the rules by which it was made; see `ALGORITHMS`.
    """

    time_zone: str
    unit: str
    kind: str
    interval_us: int
    multiplier: float
    terms: str = ""
    algorithm: int = 1


class DayFigure(NamedTuple):
    """One day; `day` is the proleptic ordinal of its date. Flat, as it lies in the table.

    The exact total, in unit·hours or the unit itself, is ``total_numerator / total_denominator`` in lowest
    terms; `known_us` is the time it speaks for. `ranked_…` are the same over the slots that may be the maximum
    or minimum, all three None in the everyday case that they equal the total's. `is_complete`: every slot of
    the day is covered.
    """

    point_id: int
    day: int
    start_us: int
    end_us: int
    total_numerator: int
    total_denominator: int
    known_us: int
    ranked_numerator: int | None
    ranked_denominator: int | None
    ranked_us: int | None
    max_value: float | None
    max_start_us: int | None
    max_end_us: int | None
    min_value: float | None
    min_start_us: int | None
    min_end_us: int | None
    expected_count: int
    received_count: int
    good_count: int
    measured_count: int
    estimated_count: int
    manual_count: int
    is_complete: bool
    input_digest: int
    time_zone: str
    unit: str
    kind: str
    interval_us: int
    multiplier: float
    terms: str = ""
    algorithm: int = 1
    revision: int = 0
    computed_at_us: int = 0

    @property
    def total(self) -> Fraction:
        """The exact sum."""
        return Fraction(self.total_numerator, self.total_denominator)

    @property
    def ranked(self) -> tuple[int, int, int]:
        """Numerator, denominator and time of the sum over the slots that may be the maximum."""
        if self.ranked_numerator is None or self.ranked_denominator is None or self.ranked_us is None:
            return self.total_numerator, self.total_denominator, self.known_us
        return self.ranked_numerator, self.ranked_denominator, self.ranked_us

    @property
    def coverage(self) -> Coverage:
        """The counts of samples."""
        return Coverage(
            self.expected_count,
            self.received_count,
            self.good_count,
            self.measured_count,
            self.estimated_count,
            self.manual_count,
        )

    @property
    def definition(self) -> Definition:
        """Of what point the figure is."""
        return Definition._make(self[_FIRST_OF_DEFINITION:_AFTER_DEFINITION])

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known of the day."""
        return self.known_us == 0 and self.received_count == 0

    def is_of(self, definition: Definition) -> bool:
        """Whether it is a figure of such a point."""
        return self[_FIRST_OF_DEFINITION:_AFTER_DEFINITION] == definition

    def says_the_same(self, other: "DayFigure") -> bool:
        """Whether figures and evidence are equal, whenever and under whatever terms they were computed."""
        return self[:_AFTER_FIGURES] == other[:_AFTER_FIGURES]


_FIRST_OF_DEFINITION: Final = DayFigure._fields.index("time_zone")
_AFTER_FIGURES: Final = DayFigure._fields.index("multiplier")
_AFTER_DEFINITION: Final = DayFigure._fields.index("algorithm") + 1


def definition_of(point: Point, terms_digest: str = "") -> Definition:
    """The definition that figures of `point` computed now would have."""
    return Definition(
        point.time_zone,
        point.unit,
        point.kind.value,
        point.interval_us,
        point.multiplier,
        terms_text(point, terms_digest),
        ALGORITHMS.get(point.kind, 1),
    )


def terms_text(point: Point, terms_digest: str) -> str:
    """The digest of the terms and, of a register, the capacity that decides which differences are plausible."""
    if point.kind is not PointKind.REGISTER or point.capacity is None:
        return terms_digest
    return f"{terms_digest} capacity={point.capacity!r}".lstrip()


def ask_of(point: Point, terms: PointTerms = NO_TERMS, at_us: int = timestamp.TIME_MIN_US) -> Ask:
    """What decides the point's curves beside its samples; `at_us`: about when."""
    metering = point_metering.metering_of(point, terms, at_us)
    if metering.is_plain:
        return Ask(point.kind, point.interval_us, metering.factor[0].value)
    return Ask(point.kind, point.interval_us, point.multiplier, metering)


def margin_us(interval_us: int) -> int:
    """How far a sample's influence reaches: a period of 31 days may be cut short by its successor."""
    return 2 * interval_us


def demand_block_us(interval_us: int) -> int:
    """Over which blocks the maximum is taken: 15 minutes, or the interval where that is longer, or the day."""
    return WHOLE_DAY_US if interval_us >= DAY_US else max(DEMAND_BLOCK_US, interval_us)


@lru_cache(_EDGES_KEPT_MAX)
def slot_edges_us(day: int, zone: zoneinfo.ZoneInfo, interval_us: int) -> calendar.I64:
    """The blocks of a day over which points of that interval have their maximum; not to be written to."""
    return calendar.slot_edges_us(datetime.date.fromordinal(day), zone, demand_block_us(interval_us))


def compute(
    point: Point,
    day: int,
    zone: zoneinfo.ZoneInfo,
    run: SampleRun,
    now_us: int,
    terms: PointTerms = NO_TERMS,
) -> DayFigure:
    """Figures of a local day from a run that reaches `margin_us` (a register's: one reading) beyond it."""
    edges_us = slot_edges_us(day, zone, point.interval_us)
    start_us, end_us = int(edges_us[0]), int(edges_us[-1])
    near = near_day(point, run, start_us, end_us)
    metering = point_metering.metering_of(point, terms, start_us)
    curve = load_curve.build(near, metering, edges_us, period_ends_us(point, near, zone))
    summary = load_curve.summarise(curve, edges_us)
    counts = coverage.count(near, start_us, end_us, point.interval_us)
    has_own_rank = (curve.ranked_total, curve.ranked_us) != (curve.total, curve.known_us)
    return DayFigure(
        point_id=point.id,
        day=day,
        start_us=start_us,
        end_us=end_us,
        total_numerator=curve.total.numerator,
        total_denominator=curve.total.denominator,
        known_us=curve.known_us,
        ranked_numerator=curve.ranked_total.numerator if has_own_rank else None,
        ranked_denominator=curve.ranked_total.denominator if has_own_rank else None,
        ranked_us=curve.ranked_us if has_own_rank else None,
        max_value=summary.max_value,
        max_start_us=summary.max_start_us,
        max_end_us=summary.max_end_us,
        min_value=summary.min_value,
        min_start_us=summary.min_start_us,
        min_end_us=summary.min_end_us,
        expected_count=counts.expected,
        received_count=counts.received,
        good_count=counts.good,
        measured_count=counts.measured,
        estimated_count=counts.estimated,
        manual_count=counts.manual,
        is_complete=summary.complete_count == summary.slot_count,
        input_digest=0,
        time_zone=zone.key,
        unit=point.unit,
        kind=point.kind.value,
        interval_us=point.interval_us,
        multiplier=point.multiplier,
        computed_at_us=now_us,
    )


def near_day(point: Point, run: SampleRun, start_us: int, end_us: int) -> SampleRun:
    """The part of a run that a day's figures depend on."""
    if point.kind is not PointKind.REGISTER:
        margin = margin_us(point.interval_us)
        return run.between(start_us - margin, end_us + margin)
    first_us, last_us = sample_period.register_span(sample_period.readings(run), start_us, end_us)
    return run.between(first_us, last_us + 1)


def period_ends_us(point: Point, run: SampleRun, zone: zoneinfo.ZoneInfo) -> calendar.I64 | None:
    """Where each period ends by the calendar, for points with an interval of whole days."""
    if not point.has_period or point.interval_us % DAY_US != 0:
        return None
    return calendar.period_ends_us(run.time_us, point.interval_us, zone)
