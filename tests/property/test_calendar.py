"""Days tile time in every zone."""

import datetime
import itertools
import zoneinfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.model.point import MINUTE_US
from historian.model.timestamp import load_zone

NAMED = [
    "Asia/Shanghai",
    "Asia/Seoul",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
]
zones = st.sampled_from(NAMED + sorted(zoneinfo.available_timezones())).map(load_zone)
dates = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))


@given(zones, dates)
def test_every_instant_of_a_day_has_its_date(zone: zoneinfo.ZoneInfo, date: datetime.date) -> None:
    start_us, end_us = calendar.day_edges_us(date, zone)
    assert start_us <= end_us
    for time_us in (start_us, (start_us + end_us) // 2, end_us - 1):
        if start_us <= time_us < end_us:
            assert calendar.local_date(time_us, zone) == date


@given(zones, dates)
def test_the_instant_before_a_day_is_another_days(zone: zoneinfo.ZoneInfo, date: datetime.date) -> None:
    start_us, end_us = calendar.day_edges_us(date, zone)
    if start_us < end_us:
        assert calendar.local_date(start_us - 1, zone) < date
        assert calendar.local_date(end_us, zone) > date


@given(zones, dates, st.sampled_from([1, 5, 15, 30, 60]))
def test_slots_tile_the_day(zone: zoneinfo.ZoneInfo, date: datetime.date, minutes: int) -> None:
    edges_us = calendar.slot_edges_us(date, zone, minutes * MINUTE_US)
    assert (edges_us[0], edges_us[-1]) == calendar.day_edges_us(date, zone)
    lengths_us = np.diff(edges_us)
    assert np.all(lengths_us > 0)
    assert np.all(lengths_us[:-1] == minutes * MINUTE_US)


@given(zones, dates)
def test_labels_of_a_day_are_unique(zone: zoneinfo.ZoneInfo, date: datetime.date) -> None:
    edges_us = calendar.slot_edges_us(date, zone, 15 * MINUTE_US)
    for label in calendar.TimeLabel:
        texts = calendar.slot_labels(edges_us, zone, label)
        assert len(set(texts)) == len(texts) == len(edges_us) - 1


@given(dates, dates, st.sampled_from(["month", "year"]))
def test_months_and_years_tile_dates(
    one: datetime.date, other: datetime.date, period: calendar.PeriodName
) -> None:
    days = DateRange(min(one, other), max(one, other))
    periods = calendar.periods_of(days, period)
    assert all(before.last == after.first for before, after in itertools.pairwise(periods))
    if periods:
        assert periods[0].first <= days.first
        assert periods[-1].last >= days.last
