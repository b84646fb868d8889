"""Bills: energy by band, demand and events of a period."""

import datetime

import numpy as np

from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.energy.counter_event import CounterFlag
from historian.model.point import Point, PointKind
from historian.model.sample import SampleRun
from historian.model.term import ExchangeTerm, PointTerms, Span, Step
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US
from historian.rollup import bill
from tests.support.bill_kit import (
    MONDAY,
    QUARTER_US,
    ZONE,
    days,
    made,
    run_of,
    terms_of,
    whole,
)


def test_the_energy_of_a_day_lies_in_its_bands() -> None:
    """The vector of 1760 kWh: 32 × 40 kW, 48 × 100 kW, 16 × 60 kW; what lies before 08:00 is 320 kWh."""
    [one] = made(run_of([40.0] * 32 + [100.0] * 48 + [60.0] * 16), terms_of("tariff", "demand"), days(1))
    assert one.total == 1760
    assert whole(one) == [0, 1200, 0, 320 + 240, 0]
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
    assert whole(both) == [0, 48, 0, 48, 0]
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
    assert whole(one) == [0, 3, 0, 2, 0]
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
