"""A calendar of day and night, and terms and runs to make bills of."""

import datetime
import itertools
import zoneinfo

import numpy as np

from historian.energy import calendar, tariff
from historian.energy.calendar import DateRange
from historian.energy.holiday import NO_HOLIDAYS
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import SampleRun
from historian.model.tariff import Season, TariffCalendar
from historian.model.term import DemandTerm, PointTerms, Span, TariffTerm, Term
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US
from historian.rollup import bill
from historian.rollup.bill import Bill, DayBands, DayBandsOf

ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
QUARTER_US = 15 * MINUTE_US
MONDAY = datetime.date(2026, 1, 5)
CALENDAR = tariff.compile_tariff(
    TariffCalendar(id="t", version=3, seasons=(Season(peak=("08:00-20:00",), valley=("20:00-08:00",)),))
)
POWER = Point(id=1, name="P", unit="kW", kind=PointKind.MEAN_POWER)
BILLED = {"tariff": TariffTerm(calendar="t"), "demand": DemandTerm(period_s=900, slide_s=900)}


def bands_in(zone: zoneinfo.ZoneInfo) -> DayBandsOf:
    def bands_of(term: TariffTerm, day: int) -> DayBands:
        date = datetime.date.fromordinal(day)
        schedule = tariff.day_bands(CALENDAR, date, zone, NO_HOLIDAYS, frozenset(), frozenset(term.options))
        return DayBands(schedule, CALENDAR.label)

    return bands_of


def terms_of(*kinds: str, from_us: int = TIME_MIN_US, **more: Term) -> PointTerms:
    stated = {kind: BILLED[kind] for kind in kinds} | more
    return PointTerms({kind: (Span(from_us, TIME_MAX_US, term),) for kind, term in stated.items()})


def whole(one: Bill) -> list[int]:
    assert one.bands is not None
    return [int(band) for band in one.bands]


def days(count: int, first: datetime.date = MONDAY) -> list[DateRange]:
    starts = [first + datetime.timedelta(days=number) for number in range(count + 1)]
    return [DateRange(one, other) for one, other in itertools.pairwise(starts)]


def run_of(
    values: list[float],
    zone: zoneinfo.ZoneInfo = ZONE,
    first: datetime.date = MONDAY,
    step_us: int = QUARTER_US,
) -> SampleRun:
    start_us = calendar.day_start_us(first, zone)
    times = start_us + np.arange(len(values), dtype=np.int64) * step_us
    return SampleRun(1, times, np.array(values), np.zeros(len(values), np.uint16))


def made(
    run: SampleRun,
    terms: PointTerms,
    parts: list[DateRange],
    point: Point = POWER,
    zone: zoneinfo.ZoneInfo = ZONE,
) -> list[Bill]:
    return bill.make_bills(point, terms, run, zone, parts, bands_in(zone))
