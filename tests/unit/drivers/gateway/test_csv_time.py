import numpy as np
import pytest

from drivers.gateway import csv_time
from drivers.gateway.csv_time import LocalTime, TimeFormat
from historian.model.timestamp import format_time, load_zone, parse_time_us


def civil(text: str) -> int:
    return parse_time_us(text + "Z")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("iso", "2018-01-02 03:04:05", "2018-01-02T03:04:05"),
        ("iso", "2018-01-02T03:04", "2018-01-02T03:04:00"),
        ("iso", "2018-1-2 3:04", "2018-01-02T03:04:00"),
        ("iso", "2018-01-02", "2018-01-02T00:00:00"),
        ("iso", " 2018-01-02 03:04 ", "2018-01-02T03:04:00"),
        ("iso", "2018-01-02T03:04:05.123456789", "2018-01-02T03:04:05.123456"),
        ("iso", "2018-01-31 24:00", "2018-02-01T00:00:00"),
        ("iso", "2016-02-29 00:00", "2016-02-29T00:00:00"),
        ("%d/%m/%Y %H:%M", "31/12/2018 23:45", "2018-12-31T23:45:00"),
        ("%d/%m/%Y %H:%M", "1/2/2018 3:4", "2018-02-01T03:04:00"),
        ("%d/%m/%Y %H:%M", "31/12/2018 24:00", "2019-01-01T00:00:00"),
        ("%Y年%m月%d日 %H时", "2018年01月02日 03时", "2018-01-02T03:00:00"),
        ("%Y%m%d%H%M%S", "20180102030405", "2018-01-02T03:04:05"),
        ("%Y-%m-%d %H:%M:%S.%f", "2018-01-02 03:04:05.5", "2018-01-02T03:04:05.5"),
        ("%m-%d-%Y", "12-31-1969", "1969-12-31T00:00:00"),
        ("100%% %Y-%m-%d", "100% 2018-01-02", "2018-01-02T00:00:00"),
    ],
)
def test_stamp_is_read(pattern: str, text: str, expected: str) -> None:
    stamps = TimeFormat(pattern).read([text])
    assert stamps.is_legible[0]
    assert stamps.civil_us[0] == civil(expected)
    assert stamps.offset_us[0] == csv_time.NO_OFFSET


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "x",
            "2018-13-01 00:00",
            "2018-00-01 00:00",
            "2018-02-30 00:00",
            "2017-02-29 00:00",
            "2018-01-00 00:00",
        ),
        *(
            "2018-01-01 25:00",
            "2018-01-01 24:01",
            "2018-01-01 23:60",
            "2018-01-01 23:59:60",
            "0000-01-01 00:00",
        ),
        *("2018-01-01 0a:00", "2018/01/01 00:00", "20180101", "1514764800000", "2018-01-01 00:00+25:00"),
        *("２０１８-01-01 00:00", "2018-01-01 00:00" + " " * 3 + "x" * 100, "2018-01-01 00:0\ud800"),
    ],
)
def test_what_is_no_stamp_is_told(text: str) -> None:
    stamps = TimeFormat("iso").read(["2018-01-01 00:00", text])
    assert stamps.is_legible.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2018-01-01T00:00Z", "2018-01-01T00:00:00Z"),
        ("2018-01-01 00:00:00+08:00", "2017-12-31T16:00:00Z"),
        ("2018-01-01 00:00:00 -0330", "2018-01-01T03:30:00Z"),
    ],
)
def test_written_offset_is_kept(text: str, utc: str) -> None:
    stamps = TimeFormat("iso").read([text])
    assert format_time(int(stamps.civil_us[0] - stamps.offset_us[0])) == utc


def test_midnight_may_be_the_end_of_its_date() -> None:
    texts = ["01/01/2018 23:45", "01/01/2018 00:00", "01/01/2018 24:00", "02/01/2018 00:15", "2/1/2018 0:0"]
    stamps = TimeFormat("%d/%m/%Y %H:%M", is_midnight_date_end=True).read(texts)
    expected = ["2018-01-01T23:45:00", "2018-01-02T00:00:00", "2018-01-02T00:00:00", "2018-01-02T00:15:00"]
    assert stamps.civil_us.tolist() == [civil(text) for text in [*expected, "2018-01-03T00:00:00"]]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("%d.%m.%y", "%y in .* is not known; allowed: iso"),
        ("%Y-%m", "must have each of %Y %m %d once"),
        ("%Y-%m-%d %d", "must have each of %Y %m %d once"),
        ("%Y-%m-%d %M", "%M needs %H"),
        ("%Y-%m-%d %H:%M.%f", "%f needs %S"),
        ("%Y-%m-%d %", "% in .* is not known"),
    ],
)
def test_pattern_that_cannot_be_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TimeFormat(pattern)


def to_utc(zone: str, texts: list[str], is_period_end: bool = False) -> list[str]:
    local_time = LocalTime(load_zone(zone), is_period_end)
    time_us, is_time = local_time.to_utc(np.array([civil(text) for text in texts], np.int64))
    return [
        format_time(int(time)) if good else "no time" for time, good in zip(time_us, is_time, strict=True)
    ]


def test_local_time_becomes_utc() -> None:
    assert to_utc("Asia/Shanghai", ["2018-01-01T08:00:00"]) == ["2018-01-01T00:00:00Z"]
    assert to_utc("Asia/Shanghai", ["1988-07-01T09:00:00"]) == ["1988-07-01T00:00:00Z"]  # summer time then
    assert to_utc("Europe/Paris", ["2018-07-01T02:00:00", "2018-12-01T01:00:00"]) == [
        "2018-07-01T00:00:00Z",
        "2018-12-01T00:00:00Z",
    ]


def test_repeated_hour_is_first_pass_then_second() -> None:
    assert to_utc("Europe/Paris", ["2018-10-28T01:30:00", "2018-10-28T02:00:00", "2018-10-28T02:30:00"]) == [
        "2018-10-27T23:30:00Z",
        "2018-10-28T00:00:00Z",
        "2018-10-28T00:30:00Z",
    ]
    twice = ["2018-10-28T02:00:00", "2018-10-28T02:30:00", "2018-10-28T02:00:00", "2018-10-28T02:30:00"]
    assert to_utc("Europe/Paris", [*twice, "2018-10-28T03:00:00"]) == [
        "2018-10-28T00:00:00Z",
        "2018-10-28T00:30:00Z",
        "2018-10-28T01:00:00Z",
        "2018-10-28T01:30:00Z",
        "2018-10-28T02:00:00Z",
    ]


def test_period_ends_of_the_repeated_hour_are_shifted_by_their_period() -> None:
    ends = ["2018-10-28T02:00:00", "2018-10-28T02:30:00", "2018-10-28T03:00:00"]
    assert to_utc("Europe/Paris", [*ends, *ends[1:], "2018-10-28T03:30:00"], is_period_end=True) == [
        "2018-10-28T00:00:00Z",
        "2018-10-28T00:30:00Z",
        "2018-10-28T01:00:00Z",
        "2018-10-28T01:30:00Z",
        "2018-10-28T02:00:00Z",
        "2018-10-28T02:30:00Z",
    ]


def test_left_out_hour_has_no_time_but_the_period_before_it_has_an_end() -> None:
    spring = ["2018-03-25T01:45:00", "2018-03-25T02:00:00", "2018-03-25T02:30:00", "2018-03-25T03:00:00"]
    assert to_utc("Europe/Paris", spring) == [
        "2018-03-25T00:45:00Z",
        "no time",
        "no time",
        "2018-03-25T01:00:00Z",
    ]
    assert to_utc("Europe/Paris", spring[:3], is_period_end=True) == [
        "2018-03-25T00:45:00Z",
        "2018-03-25T01:00:00Z",
        "no time",
    ]


def test_stamps_at_the_ends_of_the_calendar_are_no_times() -> None:
    texts = ["0001-01-01T00:00:00", "9999-12-31T23:59:59", "2018-01-01T00:00:00"]
    assert to_utc("UTC", texts) == ["no time", "no time", "2018-01-01T00:00:00Z"]
