"""Local days tile time, slots tile days, labels say what the clock on the wall said."""

import datetime

import numpy as np
import pytest

from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.errors import TimeError
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, TimeLabel
from historian.model.timestamp import format_time, load_zone, parse_time_us

QUARTER_US = 15 * MINUTE_US


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        pytest.param("Asia/Shanghai", "2026-11-21", 24, id="Shanghai today"),
        pytest.param("Asia/Shanghai", "1986-05-04", 23, id="Shanghai begins its summer of 1986"),
        pytest.param("Asia/Shanghai", "1986-09-14", 25, id="Shanghai ends its summer of 1986"),
        pytest.param("Europe/Berlin", "2026-03-29", 23, id="Berlin spring"),
        pytest.param("Europe/Berlin", "2026-10-25", 25, id="Berlin autumn"),
        pytest.param("Australia/Lord_Howe", "2026-10-04", 23.5, id="Lord Howe moves half an hour"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", 24.5, id="and back"),
        pytest.param("Asia/Kathmandu", "1986-01-01", 23.75, id="Kathmandu moves a quarter"),
        pytest.param("Pacific/Apia", "2011-12-30", 0, id="Apia skips a date"),
        pytest.param("Pacific/Apia", "2011-12-29", 24, id="Apia the day before"),
        pytest.param("Pacific/Apia", "2011-12-31", 24, id="Apia the day after"),
        pytest.param("America/Sao_Paulo", "2018-11-04", 23, id="Sao Paulo has no midnight"),
        pytest.param("America/Toronto", "1919-03-31", 23.5, id="midnight inside the gap"),
        pytest.param("America/Toronto", "1919-03-30", 23.5, id="the other half of that gap"),
        pytest.param("America/Havana", "2018-11-04", 25, id="Havana has two midnights"),
    ],
)
def test_length_of_a_day(zone: str, day: str, hours: float) -> None:
    start_us, end_us = calendar.day_edges_us(date(day), load_zone(zone))
    assert (end_us - start_us) / HOUR_US == hours


def test_a_day_begins_at_local_midnight() -> None:
    start_us, end_us = calendar.day_edges_us(date("2026-11-21"), load_zone("Asia/Shanghai"))
    assert (format_time(start_us), format_time(end_us)) == ("2026-11-20T16:00:00Z", "2026-11-21T16:00:00Z")


def test_the_last_date_has_no_end() -> None:
    with pytest.raises(TimeError, match="9999-12-31"):
        calendar.day_edges_us(datetime.date.max, load_zone("Asia/Shanghai"))


def test_the_first_date_begins_before_time_in_the_east() -> None:
    with pytest.raises(TimeError, match="0001-01-01"):
        calendar.day_edges_us(datetime.date.min, load_zone("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        pytest.param("Asia/Shanghai", "2026-11-20T16:00:00Z", "2026-11-21", id="midnight opens the day"),
        pytest.param("Asia/Shanghai", "2026-11-20T15:59:59.999999Z", "2026-11-20", id="before it closes"),
        pytest.param("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29", id="before the skipped date"),
        pytest.param("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31", id="after the skipped date"),
        pytest.param("America/St_Johns", "2010-11-07T02:31:30Z", "2010-11-07", id="second run of an hour"),
    ],
)
def test_date_of_an_instant(zone: str, moment: str, expected: str) -> None:
    assert calendar.local_date(parse_time_us(moment), load_zone(zone)) == date(expected)


def test_starts_of_many_days_include_the_end_of_the_last() -> None:
    zone = load_zone("Europe/Berlin")
    starts = calendar.day_starts_us(DateRange(date("2026-03-28"), date("2026-03-31")), zone)
    assert (np.diff(starts) / HOUR_US).tolist() == [24, 23, 24]


@pytest.mark.parametrize(
    ("zone", "day", "interval_us", "count"),
    [
        pytest.param("Asia/Shanghai", "2026-11-21", QUARTER_US, 96, id="96 points"),
        pytest.param("Asia/Shanghai", "2026-11-21", 5 * MINUTE_US, 288, id="288 points"),
        pytest.param("Europe/Berlin", "2026-03-29", QUARTER_US, 92, id="92 in spring"),
        pytest.param("Europe/Berlin", "2026-10-25", QUARTER_US, 100, id="100 in autumn"),
        pytest.param("Australia/Lord_Howe", "2026-10-04", HOUR_US, 24, id="a half slot at the end"),
        pytest.param("Pacific/Apia", "2011-12-30", QUARTER_US, 0, id="none on a skipped date"),
        pytest.param("Asia/Shanghai", "2026-11-21", 31 * DAY_US, 1, id="never longer than the day"),
    ],
)
def test_number_of_slots(zone: str, day: str, interval_us: int, count: int) -> None:
    edges_us = calendar.slot_edges_us(date(day), load_zone(zone), interval_us)
    assert len(edges_us) - 1 == count
    assert (edges_us[0], edges_us[-1]) == calendar.day_edges_us(date(day), load_zone(zone))


def labels(zone: str, day: str, label: TimeLabel, interval_us: int = QUARTER_US) -> list[str]:
    edges_us = calendar.slot_edges_us(date(day), load_zone(zone), interval_us)
    return calendar.slot_labels(edges_us, load_zone(zone), label)


def test_period_ends_run_from_0015_to_2400() -> None:
    texts = labels("Asia/Shanghai", "2026-11-21", TimeLabel.PERIOD_END)
    assert (texts[0], texts[1], texts[-1], len(texts)) == ("00:15", "00:30", "24:00", 96)


def test_period_starts_run_from_0000_to_2345() -> None:
    texts = labels("Asia/Shanghai", "2026-11-21", TimeLabel.PERIOD_START)
    assert (texts[0], texts[-1], len(texts)) == ("00:00", "23:45", 96)


def test_the_hour_that_is_left_out_has_no_label() -> None:
    texts = labels("Europe/Berlin", "2026-03-29", TimeLabel.PERIOD_START)
    assert texts[7:9] == ["01:45", "03:00"]
    assert labels("Europe/Berlin", "2026-03-29", TimeLabel.PERIOD_END)[7:9] == ["02:00", "03:15"]


def test_the_hour_that_comes_twice_names_its_offset() -> None:
    texts = labels("Europe/Berlin", "2026-10-25", TimeLabel.PERIOD_END)
    assert texts[8] == "02:15+02:00"
    assert texts[12] == "02:15+01:00"
    assert (texts[11], texts[15], texts[-1]) == ("03:00+02:00", "03:00+01:00", "24:00")
    assert len(set(texts)) == 100


def test_the_first_label_after_a_missing_midnight() -> None:
    assert labels("America/Sao_Paulo", "2018-11-04", TimeLabel.PERIOD_END)[0] == "01:15"


def test_slots_under_a_minute_show_seconds() -> None:
    texts = labels("Asia/Shanghai", "2026-11-21", TimeLabel.PERIOD_END, 30_000_000)
    assert texts[:2] == ["00:00:30", "00:01:00"]


@pytest.mark.parametrize(
    ("period", "day", "first", "last"),
    [
        pytest.param("day", "2018-02-28", "2018-02-28", "2018-03-01", id="day"),
        pytest.param("month", "2018-02-14", "2018-02-01", "2018-03-01", id="month"),
        pytest.param("month", "2018-12-31", "2018-12-01", "2019-01-01", id="December"),
        pytest.param("year", "2020-02-29", "2020-01-01", "2021-01-01", id="year"),
    ],
)
def test_period_of_a_date(period: calendar.PeriodName, day: str, first: str, last: str) -> None:
    assert calendar.period_of(date(day), period) == DateRange(date(first), date(last))


@pytest.mark.parametrize("period", ["day", "month", "year"])
def test_the_last_period_there_is_has_no_end(period: calendar.PeriodName) -> None:
    with pytest.raises(TimeError, match="last date"):
        calendar.period_of(datetime.date.max, period)


def test_periods_of_a_range_are_whole() -> None:
    months = calendar.periods_of(DateRange(date("2018-01-15"), date("2018-03-02")), "month")
    assert [months[0].first, months[-1].last, len(months)] == [date("2018-01-01"), date("2018-04-01"), 3]


@pytest.mark.parametrize(
    ("start", "interval_us", "end"),
    [
        pytest.param("2026-03-28T23:00:00Z", HOUR_US, "2026-03-29T00:00:00Z", id="an hour is an hour"),
        pytest.param("2026-03-28T23:00:00Z", DAY_US, "2026-03-29T22:00:00Z", id="a day of 23 hours"),
        pytest.param("2026-10-24T22:00:00Z", DAY_US, "2026-10-25T23:00:00Z", id="a day of 25 hours"),
        pytest.param("2026-01-31T23:00:00Z", 31 * DAY_US, "2026-02-28T23:00:00Z", id="February"),
        pytest.param("2026-02-28T23:00:00Z", 30 * DAY_US, "2026-03-31T22:00:00Z", id="March"),
        pytest.param("2026-03-27T05:00:00Z", 7 * DAY_US, "2026-04-03T04:00:00Z", id="a week"),
    ],
)
def test_end_of_a_period_in_berlin(start: str, interval_us: int, end: str) -> None:
    starts = np.array([parse_time_us(start)])
    ends = calendar.period_ends_us(starts, interval_us, load_zone("Europe/Berlin"))
    assert [format_time(int(end_us)) for end_us in ends] == [end]


def test_the_hour_that_the_clock_shows() -> None:
    kathmandu = load_zone("Asia/Kathmandu")
    assert [calendar.local_hour(us, kathmandu) for us in (0, 15 * MINUTE_US)] == [5, 5]
    assert calendar.local_hour(30 * MINUTE_US, kathmandu) == 6
