import pytest

from drivers.iec104_value import (
    COUNTER_QUALITY,
    MEASURED_QUALITY,
    OFFSET_CACHE_HOURS_MAX,
    DeviceTime,
    SummerTimeBit,
    next_multiple_us,
)
from historian.model import quality
from historian.model.point import DAY_US, MINUTE_US, SECOND_US
from historian.model.timestamp import load_zone, parse_time_us

ARRIVAL = "2013-07-04T00:30:00.123456Z"


def device_time(
    zone: str = "Asia/Shanghai", summer_time_bit: SummerTimeBit = SummerTimeBit.IGNORE
) -> DeviceTime:
    return DeviceTime(load_zone(zone), summer_time_bit, 300 * SECOND_US, 30 * DAY_US)


def resolved(octets: str, arrival: str = ARRIVAL, **settings: object) -> tuple[int, int]:
    return device_time(**settings).resolve(bytes.fromhex(octets), parse_time_us(arrival))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("descriptor", "expected"),
    [
        pytest.param(0x00, quality.GOOD, id="good"),
        pytest.param(0x80, quality.BAD | quality.INVALID, id="IV"),
        pytest.param(0x40, quality.SUSPECT | quality.NOT_TOPICAL, id="NT"),
        pytest.param(0x20, quality.SUBSTITUTED | quality.IEC_SUBSTITUTED, id="SB"),
        pytest.param(0x10, quality.SUSPECT | quality.BLOCKED, id="BL"),
        pytest.param(0x01, quality.SUSPECT | quality.OVERFLOW, id="OV"),
        pytest.param(0xC0, quality.BAD | quality.INVALID | quality.NOT_TOPICAL, id="IV is worse than NT"),
    ],
)
def test_descriptor_of_a_measured_value(descriptor: int, expected: int) -> None:
    assert MEASURED_QUALITY[descriptor] == expected


@pytest.mark.parametrize(
    ("descriptor", "expected"),
    [
        pytest.param(0x1F, quality.GOOD, id="a sequence number is no quality"),
        pytest.param(0x20, quality.COUNTER_CARRY, id="CY"),
        pytest.param(0x40, quality.COUNTER_ADJUSTED, id="CA"),
        pytest.param(0x85, quality.BAD | quality.INVALID, id="IV"),
    ],
)
def test_descriptor_of_a_counter(descriptor: int, expected: int) -> None:
    assert COUNTER_QUALITY[descriptor] == expected


def test_no_quality_bit_of_a_measured_value_is_lost() -> None:
    kept = {MEASURED_QUALITY[descriptor] for descriptor in range(256)}
    assert len(kept) == 2**5  # IV NT SB BL OV; the other three bits are reserved


def test_no_quality_bit_of_a_counter_is_lost() -> None:
    assert len({COUNTER_QUALITY[descriptor] for descriptor in range(256)}) == 2**3  # CY CA IV


def test_stamp_is_local_time_of_the_device() -> None:
    assert resolved("c75d170884070d") == (parse_time_us("2013-07-04T00:23:24.007Z"), 0)


def test_stamp_of_a_device_that_keeps_utc() -> None:
    arrival = "2013-07-04T08:23:25Z"
    assert resolved("c75d170884070d", arrival, zone="UTC") == (parse_time_us("2013-07-04T08:23:24.007Z"), 0)


def test_value_without_stamp_gets_its_arrival_in_whole_milliseconds() -> None:
    assert resolved("") == (parse_time_us("2013-07-04T00:30:00.123Z"), quality.TIME_SUBSTITUTED)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param("c75d970884070d", id="IV"),
        pytest.param("c75d1708800f0d", id="no date"),
        pytest.param("552a0000010100", id="clock never set"),
        pytest.param("00002408" + "84070d", id="six minutes ahead"),
        pytest.param("c75d170884050d", id="two months behind"),
    ],
)
def test_stamp_that_cannot_be_believed_gives_way_to_the_arrival(octets: str) -> None:
    time_us, flags = resolved(octets)
    assert time_us == parse_time_us("2013-07-04T00:30:00.123Z")
    assert flags == quality.TIME_INVALID | quality.TIME_SUBSTITUTED


def test_clock_a_little_ahead_is_believed() -> None:
    assert resolved("00002208" + "84070d") == (parse_time_us("2013-07-04T00:34:00Z"), 0)


def test_stamp_put_by_a_station_on_the_way_is_marked() -> None:
    expected = (parse_time_us("2013-07-04T00:23:24.007Z"), quality.TIME_SUBSTITUTED)
    assert resolved("c75d570884070d") == expected


@pytest.mark.parametrize(
    ("arrival", "expected"),
    [
        pytest.param("2013-07-04T00:30:00Z", "2013-07-04T00:23:24.007Z", id="same hour"),
        pytest.param("2013-07-04T01:05:00Z", "2013-07-04T00:23:24.007Z", id="the hour before"),
        pytest.param("2013-07-04T00:20:00Z", "2013-07-04T00:23:24.007Z", id="a little ahead"),
        pytest.param("2013-07-04T00:10:00Z", "2013-07-03T23:23:24.007Z", id="too far ahead: an hour old"),
    ],
)
def test_stamp_without_hour_is_the_newest_that_fits(arrival: str, expected: str) -> None:
    assert resolved("c75d17", arrival) == (parse_time_us(expected), 0)


def test_stamp_without_hour_in_a_zone_with_half_an_hour() -> None:
    # 00:20 UTC is 05:50 in India; minute 40 was ten minutes ago
    assert resolved("000028", "2013-07-04T00:20:00Z", zone="Asia/Kolkata")[0] == parse_time_us(
        "2013-07-04T00:10:00Z"
    )


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        # 02:30 happens twice on 2013-10-27 in Berlin
        pytest.param("00001e821b0a0d", "2013-10-27T00:30:00Z", id="SU: the first"),
        pytest.param("00001e021b0a0d", "2013-10-27T01:30:00Z", id="no SU: the second"),
    ],
)
def test_summer_time_bit_tells_the_repeated_hour_apart(octets: str, expected: str) -> None:
    time_us, _ = resolved(
        octets, "2013-10-27T01:31:00Z", zone="Europe/Berlin", summer_time_bit=SummerTimeBit.ADDED_HOUR
    )
    assert time_us == parse_time_us(expected)


def test_summer_time_bit_is_ignored_unless_asked_for() -> None:
    with_bit = resolved("00001e821b0a0d", "2013-10-27T01:31:00Z", zone="Europe/Berlin")
    without_bit = resolved("00001e021b0a0d", "2013-10-27T01:31:00Z", zone="Europe/Berlin")
    assert with_bit == without_bit == (parse_time_us("2013-10-27T00:30:00Z"), 0)


def test_one_device_may_tell_of_summer_and_of_winter() -> None:
    time = device_time("Europe/Berlin")
    arrival_us = parse_time_us("2013-10-27T12:00:00Z")
    stamps = {"00000000 1b0a0d": "2013-10-26T22:00:00Z", "00000005 1b0a0d": "2013-10-27T04:00:00Z"}
    for octets, expected in stamps.items():
        assert time.resolve(bytes.fromhex(octets), arrival_us) == (parse_time_us(expected), 0)


def test_offsets_of_many_hours_stay_right_and_few() -> None:
    time = device_time()
    for hour in [*range(24)] * 5:
        for day in range(1, 5):
            octets = bytes([0, 0, 0, hour, day, 7, 13])
            arrival_us = parse_time_us("2013-07-05T00:00:00Z")
            expected_us = parse_time_us(f"2013-07-0{day}T{hour:02d}:00:00+08:00")
            assert time.resolve(octets, arrival_us) == (expected_us, 0)
    assert len(time._offset_us) <= OFFSET_CACHE_HOURS_MAX


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        pytest.param("2026-11-22T10:01:00Z", "2026-11-22T10:15:00Z", id="within"),
        pytest.param("2026-11-22T10:15:00Z", "2026-11-22T10:30:00Z", id="exactly on one"),
    ],
)
def test_next_quarter_hour(time: str, expected: str) -> None:
    assert next_multiple_us(parse_time_us(time), 15 * MINUTE_US) == parse_time_us(expected)
