"""Laws of time stamps."""

import datetime
import zoneinfo

from hypothesis import given
from hypothesis import strategies as st

from historian.model.timestamp import (
    EPOCH,
    TIME_MAX_US,
    TIME_MIN_US,
    format_local_time,
    format_time,
    load_zone,
    local_to_utc_us,
    parse_local_time_us,
    parse_time_us,
)

DAY_US = 86_400_000_000

times_us = st.integers(TIME_MIN_US, TIME_MAX_US)
# Local time may lie a day beyond what datetime can hold, and zones of 1900 had offsets with seconds.
modern_us = st.integers(-1_000_000 * 3600 * 24 * 365, TIME_MAX_US - DAY_US)
zones = st.sampled_from(sorted(zoneinfo.available_timezones())).map(load_zone)


@given(times_us)
def test_what_is_written_reads_back(time_us: int) -> None:
    assert parse_time_us(format_time(time_us)) == time_us


@given(modern_us, zones)
def test_local_time_with_its_offset_reads_back(time_us: int, zone: zoneinfo.ZoneInfo) -> None:
    moment = (EPOCH + datetime.timedelta(microseconds=time_us)).astimezone(zone)
    offset = moment.utcoffset()
    assert offset is not None
    if offset % datetime.timedelta(minutes=1):
        return  # RFC 3339 has no seconds in an offset; Africa/Monrovia had until 1972
    assert parse_time_us(format_local_time(time_us, zone)) == time_us


@given(st.integers(TIME_MIN_US // 1000, TIME_MAX_US // 1000))
def test_epoch_milliseconds_are_a_thousandth(time_ms: int) -> None:
    assert parse_time_us(str(time_ms)) == time_ms * 1000


@given(st.dates(datetime.date(2, 1, 1), datetime.date(9998, 12, 31)))
def test_hour_24_is_the_next_midnight(date: datetime.date) -> None:
    next_day = date + datetime.timedelta(days=1)
    assert parse_time_us(f"{date.isoformat()}T24:00:00Z") == parse_time_us(
        f"{next_day.isoformat()}T00:00:00Z"
    )


@given(modern_us, zones)
def test_a_local_stamp_is_the_instant_or_its_twin_in_the_repeated_hour(
    time_us: int, zone: zoneinfo.ZoneInfo
) -> None:
    moment = (EPOCH + datetime.timedelta(microseconds=time_us)).astimezone(zone)
    naive = moment.replace(tzinfo=None, fold=0)
    expected_us = (moment.replace(fold=0) - EPOCH) // datetime.timedelta(microseconds=1)
    assert parse_local_time_us(naive.isoformat(), zone) == expected_us
    if moment.fold == 0:
        assert expected_us == time_us
    naive_us = (naive.replace(tzinfo=datetime.UTC) - EPOCH) // datetime.timedelta(microseconds=1)
    assert local_to_utc_us(naive_us, zone) == expected_us
