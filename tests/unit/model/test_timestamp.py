"""Time stamps: what is read, what is refused, both sides of a DST change."""

import zoneinfo

import pytest

from historian.errors import TimeError
from historian.model.timestamp import (
    TIME_MAX_US,
    TIME_MIN_US,
    format_local_time,
    format_time,
    has_even_days,
    load_zone,
    parse_local_time_us,
    parse_time_us,
)

NEW_YEAR_2018_US = 1_514_764_800_000_000
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
SEOUL = zoneinfo.ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2018-01-01T00:00:00Z", id="Z"),
        pytest.param("2018-01-01t00:00:00z", id="small letters"),
        pytest.param("2018-01-01 00:00Z", id="blank, no seconds"),
        pytest.param("2018-01-01T08:00:00+08:00", id="Shanghai"),
        pytest.param("2017-12-31T24:00:00Z", id="24:00 is the end of the day"),
        pytest.param("2017-12-31T19:00:00.000000-05:00", id="west"),
        pytest.param("1514764800000", id="epoch milliseconds"),
    ],
)
def test_the_same_instant_in_many_spellings(text: str) -> None:
    assert parse_time_us(text) == NEW_YEAR_2018_US


def test_digits_after_the_microsecond_are_cut() -> None:
    assert parse_time_us("2018-01-01T00:00:00.123456999Z") == NEW_YEAR_2018_US + 123_456


@pytest.mark.parametrize(
    "text",
    [
        "2018-01-01T00:00:00",
        "2018-01-01",
        "01.01.2018 00:00Z",
        "2018-02-30T00:00:00Z",
        "2018-01-01T24:01:00Z",
        "2018-01-01T25:00:00Z",
        "2018-01-01T00:60:00Z",
        "2018-01-01T00:00:60Z",
        "2018-01-01T00:00:00+24:00",
        "0000-01-01T00:00:00Z",
        "9999-12-31T24:00:00Z",
        "99999999999999999",
        "1.5e12",
        "",
    ],
)
def test_a_stamp_that_is_not_an_instant_is_refused(text: str) -> None:
    with pytest.raises(TimeError):
        parse_time_us(text)


def test_a_stamp_without_offset_is_local_only_where_a_zone_is_given() -> None:
    assert parse_local_time_us("2018-01-01 09:00", SEOUL) == NEW_YEAR_2018_US
    assert parse_local_time_us("2018-01-01T00:00Z", SEOUL) == NEW_YEAR_2018_US


def test_of_the_hour_that_occurs_twice_the_first_is_meant() -> None:
    assert format_time(parse_local_time_us("2026-10-25T02:30", BERLIN)) == "2026-10-25T00:30:00Z"


@pytest.mark.parametrize(
    ("time_us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (NEW_YEAR_2018_US + 500_000, "2018-01-01T00:00:00.5Z"),
        (TIME_MIN_US, "0001-01-01T00:00:00Z"),
        (TIME_MAX_US, "9999-12-31T23:59:59.999999Z"),
    ],
    ids=["epoch", "before", "fraction", "first", "last"],
)
def test_formatted_time_reads_back(time_us: int, text: str) -> None:
    assert format_time(time_us) == text
    assert parse_time_us(text) == time_us


def test_local_time_carries_its_offset() -> None:
    assert format_local_time(NEW_YEAR_2018_US, SEOUL) == "2018-01-01T09:00:00+09:00"


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_a_time_error(name: str) -> None:
    with pytest.raises(TimeError, match="IANA"):
        load_zone(name)


@pytest.mark.parametrize(
    ("name", "is_even"),
    [
        ("Asia/Shanghai", True),
        ("UTC", True),
        ("Asia/Kolkata", True),
        ("Europe/Berlin", False),
        ("Australia/Lord_Howe", False),
        ("Pacific/Apia", False),
    ],
)
def test_zones_whose_clocks_never_change_are_told(name: str, is_even: bool) -> None:
    assert has_even_days(load_zone(name)) is is_even
