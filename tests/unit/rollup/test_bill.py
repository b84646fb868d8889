"""Bills: energy by band, demand and events of a period, the quick way and the plain one alike."""

import datetime
import itertools
import zoneinfo
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.energy import calendar, tariff
from historian.energy.calendar import DateRange
from historian.energy.counter_event import CounterFlag
from historian.energy.holiday import NO_HOLIDAYS
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.quality import BAD
from historian.model.sample import SampleRun, block_of
from historian.model.tariff import Season, TariffCalendar
from historian.model.term import DemandTerm, ExchangeTerm, PointTerms, Span, Step, TariffTerm, Term
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US
from historian.rollup import bill, bill_fleet
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


def test_the_energy_of_a_day_lies_in_its_bands() -> None:
    """The vector of 1760 kWh: 32 × 40 kW, 48 × 100 kW, 16 × 60 kW; what lies before 08:00 is 320 kWh."""
    [one] = made(run_of([40.0] * 32 + [100.0] * 48 + [60.0] * 16), terms_of("tariff", "demand"), days(1))
    assert one.total == 1760
    assert one.bands == (0, 1200, 0, 320 + 240, 0)
    assert (one.undivided, one.tariff, one.warnings, one.events) == (0, "t@3", (), 0)
    assert one.demand is not None
    assert (one.demand.value, one.demand.known_count, one.demand.window_count) == (100.0, 96, 96)


def test_without_a_tariff_there_are_no_bands_and_without_a_demand_none() -> None:
    [one] = made(run_of([4.0] * 96), terms_of(), days(1))
    assert (one.total, one.bands, one.undivided, one.demand) == (96, None, None, None)


def test_days_before_the_tariff_are_in_no_band_and_the_bill_says_so() -> None:
    from_us = calendar.day_start_us(MONDAY + datetime.timedelta(days=1), ZONE)
    run = run_of([4.0] * 192)
    [both] = made(
        run, terms_of("tariff", from_us=from_us), [DateRange(MONDAY, MONDAY + datetime.timedelta(days=2))]
    )
    assert both.bands == (0, 48, 0, 48, 0)
    assert (both.undivided, both.warnings) == (96, (bill.NO_TARIFF,))


def test_what_a_register_counted_across_a_gap_is_in_no_band_and_in_no_demand() -> None:
    point = Point(id=1, name="E", unit="kWh", kind=PointKind.REGISTER)
    start_us = calendar.day_start_us(MONDAY, ZONE)
    slots = np.array([0, 1, 2, 60, 61, 96], np.int64)
    run = SampleRun(
        1,
        start_us + slots * QUARTER_US,
        np.array([0.0, 1.0, 2.0, 500.0, 503.0, 600.0]),
        np.zeros(6, np.uint16),
    )
    [one] = made(run, terms_of("tariff", "demand"), days(1), point)
    assert one.total == 600
    assert one.bands == (0, 3, 0, 2, 0)
    assert one.undivided == 595
    assert one.events & CounterFlag.GAP_SPANNED
    assert one.demand is not None
    assert one.demand.value == 12.0


def test_an_exchange_is_told_among_the_events() -> None:
    point = Point(id=1, name="E", unit="kWh", kind=PointKind.REGISTER, multiplier=80.0)
    start_us = calendar.day_start_us(MONDAY, ZONE)
    middle_us = start_us + 48 * QUARTER_US
    terms = PointTerms(
        events=(Span(middle_us, TIME_MAX_US, ExchangeTerm(old_end=1010.0, new_start=0.0)),),
        multiplier=(Step(TIME_MIN_US, 80.0), Step(middle_us, 120.0)),
    )
    run = SampleRun(
        1,
        start_us + np.array([0, 96], np.int64) * QUARTER_US,
        np.array([1000.0, 5.0]),
        np.zeros(2, np.uint16),
    )
    [one] = made(run, terms, days(1), point)
    assert one.total == 1400
    assert "exchange" in bill.events_text(one.events)


def test_columns_have_nothing_to_tell_where_there_is_no_bill() -> None:
    [one] = made(run_of([40.0] * 96), terms_of("tariff", "demand"), days(1))
    columns = bill.columns_of([None, one])
    assert np.isnan(columns.tou[1][0])
    assert [columns.tariffs[place] for place in columns.tariff] == ["", "t@3"]
    assert columns.tou[1][1] == 480.0
    assert columns.demand_slide_s.tolist() == [-1, 900]
    assert columns.demand.tolist()[1] == 40.0
    assert np.isnan(bill.empty(2).undivided).all()


values = st.lists(st.integers(-(10**5), 10**5).map(lambda one: one / 100), min_size=0, max_size=220)


@settings(max_examples=60)
@given(
    values, st.sets(st.integers(0, 219), max_size=9), st.sampled_from([ZONE, BERLIN]),
    st.sampled_from([PointKind.MEAN_POWER, PointKind.INTERVAL, PointKind.INSTANTANEOUS]), st.booleans(),
)  # fmt: skip
def test_kernels_make_the_same_bills_or_none(
    some: list[float], gone: set[int], zone: zoneinfo.ZoneInfo, kind: PointKind, is_bad: bool
) -> None:
    first = datetime.date(2026, 3, 28)  # clocks change in Berlin on the next day
    run = run_of(some, zone, first)
    keep = np.array([place not in gone for place in range(len(some))], np.bool_)
    if is_bad:
        run = run._replace(quality=np.where(keep, 0, BAD).astype(np.uint16))
    else:
        run = SampleRun(1, run.time_us[keep], run.value[keep], run.quality[keep])
    point = Point(
        id=1, name="P", unit="kWh" if kind is PointKind.INTERVAL else "kW", kind=kind, multiplier=1.5
    )
    terms, parts = terms_of("tariff", "demand"), days(2, first)
    ask = bill_fleet.quick_ask(
        point,
        terms,
        int(calendar.day_start_us(first, zone)),
        int(calendar.day_start_us(parts[-1].last, zone)),
    )
    assert ask is not None
    for pieces in (parts, [DateRange(parts[0].first, parts[-1].last)]):
        [quick] = bill_fleet.make_bills(block_of([run]), [ask], [terms], zone, pieces, bands_in(zone))
        plain = made(run, terms, pieces, point, zone)
        if quick is not None:
            assert [one._replace(demand=None) for one in quick] == [
                one._replace(demand=None) for one in plain
            ]
            for one, other in zip(quick, plain, strict=True):
                assert one.demand is not None
                assert other.demand is not None
                assert one.demand[:3] == other.demand[:3]
    assert sum((one.total for one in plain), Fraction()) == sum(
        (one.total for one in made(run, terms, parts, point, zone)), Fraction()
    )


@pytest.mark.parametrize(
    ("point", "terms"),
    [
        (Point(id=1, name="E", unit="kWh", kind=PointKind.REGISTER), terms_of("tariff")),
        (POWER, terms_of("tariff", demand=DemandTerm(period_s=1800, slide_s=900))),
        (
            Point(id=1, name="P", unit="kW", kind=PointKind.MEAN_POWER, interval_us=MINUTE_US),
            terms_of("tariff"),
        ),
        (POWER, PointTerms(multiplier=(Step(TIME_MIN_US, 1.0), Step(50, 2.0)))),
    ],
)
def test_kernels_are_not_asked_for_what_they_cannot_do(point: Point, terms: PointTerms) -> None:
    assert bill_fleet.quick_ask(point, terms, 0, 100) is None


def test_a_multiplier_that_holds_for_all_of_the_time_is_quick() -> None:
    terms = PointTerms(multiplier=(Step(TIME_MIN_US, 1.0), Step(50, 2.0)))
    ask = bill_fleet.quick_ask(POWER, terms, 50, 100)
    assert ask is not None
    assert ask.factor == 2.0
