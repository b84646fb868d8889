"""What quality octets and time stamps of IEC 60870-5-101/104 mean to the historian."""

import datetime
from enum import Enum
from typing import Final

from drivers.codec import cp56
from historian.model import quality
from historian.model.point import HOUR_US
from historian.model.timestamp import EPOCH, local_to_utc_us

_QDS_INVALID: Final = 0x80  # §7.2.6.3
_QDS_NOT_TOPICAL: Final = 0x40
_QDS_SUBSTITUTED: Final = 0x20
_QDS_BLOCKED: Final = 0x10
_QDS_OVERFLOW: Final = 0x01

_BCR_INVALID: Final = 0x80  # §7.2.6.9
_BCR_ADJUSTED: Final = 0x40
_BCR_CARRY: Final = 0x20

ARRIVAL_TIME_STEP_US: Final = 1_000  # CP56Time2a's own resolution, so that both kinds of stamp look alike
OFFSET_CACHE_HOURS_MAX: Final = 64


class SummerTimeBit(Enum):
    """What a device means by the SU bit of its stamps.

    IGNORE: the stamp is civil time of the zone, the bit says nothing.
    ADDED_HOUR: the stamp is the zone's standard time, plus one hour where the bit is set.
    """

    IGNORE = "ignore"
    ADDED_HOUR = "added_hour"


def _quality_of_measured(descriptor: int) -> int:
    result = quality.GOOD
    if descriptor & (_QDS_NOT_TOPICAL | _QDS_BLOCKED | _QDS_OVERFLOW):
        result = quality.SUSPECT  # a value, but an old one or one at the end of the range
    if descriptor & _QDS_INVALID:
        result = quality.BAD
    if descriptor & _QDS_SUBSTITUTED:
        result |= quality.SUBSTITUTED | quality.IEC_SUBSTITUTED
    result |= quality.INVALID if descriptor & _QDS_INVALID else 0
    result |= quality.NOT_TOPICAL if descriptor & _QDS_NOT_TOPICAL else 0
    result |= quality.BLOCKED if descriptor & _QDS_BLOCKED else 0
    result |= quality.OVERFLOW if descriptor & _QDS_OVERFLOW else 0
    return result


def _quality_of_counter(descriptor: int) -> int:
    result = quality.BAD | quality.INVALID if descriptor & _BCR_INVALID else quality.GOOD
    result |= quality.COUNTER_ADJUSTED if descriptor & _BCR_ADJUSTED else 0
    result |= quality.COUNTER_CARRY if descriptor & _BCR_CARRY else 0
    return result


# Every octet once: the receiving thread only looks up.
MEASURED_QUALITY: Final = tuple(_quality_of_measured(descriptor) for descriptor in range(256))
COUNTER_QUALITY: Final = tuple(_quality_of_counter(descriptor) for descriptor in range(256))


class DeviceTime:
    """Turns a device's local stamps into µs UTC; keeps the zone's offset of recent hours.

    A stamp is not believed where the device says so (IV), where it is no date, or where it lies
    more than `ahead_us_max` after or `behind_us_max` before its arrival (a clock never set says
    2000-01-01). Then the arrival time is taken and the quality says both.
    Owned by one thread.
    """

    def __init__(
        self, zone: datetime.tzinfo, summer_time_bit: SummerTimeBit, ahead_us_max: int, behind_us_max: int
    ) -> None:
        self._zone = zone
        self._summer_time_bit = summer_time_bit
        self._ahead_us_max = ahead_us_max
        self._behind_us_max = behind_us_max
        self._offset_us: dict[tuple[int, bool], int] = {}

    def resolve(self, time_octets: bytes, arrival_us: int) -> tuple[int, int]:
        """The sample's time in µs UTC and the quality flags that belong to it."""
        if not time_octets:
            return _rounded_arrival_us(arrival_us), quality.TIME_SUBSTITUTED
        if len(time_octets) == cp56.CP24_SIZE_BYTES:
            short = cp56.decode_cp24(time_octets)
            source_us = self._whole_time_us(short.in_hour_us, arrival_us)
            is_invalid, is_substituted = short.is_invalid, short.is_substituted
        else:
            stamp = cp56.decode_cp56(time_octets)
            source_us = stamp.local_us - self._offset_of(stamp.local_us, stamp.is_summer)
            is_invalid, is_substituted = stamp.is_invalid, stamp.is_substituted
        if is_invalid or not self._is_believable(source_us, arrival_us):
            return _rounded_arrival_us(arrival_us), quality.TIME_INVALID | quality.TIME_SUBSTITUTED
        return source_us, quality.TIME_SUBSTITUTED if is_substituted else 0

    def _is_believable(self, source_us: int, arrival_us: int) -> bool:
        return arrival_us - self._behind_us_max <= source_us <= arrival_us + self._ahead_us_max

    def _whole_time_us(self, in_hour_us: int, arrival_us: int) -> int:
        # The stamp lacks its hour: the newest one that does not put it too far into the future.
        arrival_local = (EPOCH + datetime.timedelta(microseconds=arrival_us)).astimezone(self._zone)
        offset_us = (arrival_local.utcoffset() or datetime.timedelta()) // datetime.timedelta(microseconds=1)
        latest_us = arrival_us + self._ahead_us_max
        hour_start_us = (latest_us + offset_us) // HOUR_US * HOUR_US - offset_us
        candidate_us = hour_start_us + in_hour_us
        return candidate_us if candidate_us <= latest_us else candidate_us - HOUR_US

    def _offset_of(self, local_us: int, is_summer: bool) -> int:
        # Zones change their offset at most at whole hours of local time, so an hour has one answer.
        key = (local_us // HOUR_US, is_summer)
        offset_us = self._offset_us.get(key)
        if offset_us is None:
            if len(self._offset_us) >= OFFSET_CACHE_HOURS_MAX:
                self._offset_us.clear()
            offset_us = self._offset_us[key] = self._computed_offset_us(local_us, is_summer)
        return offset_us

    def _computed_offset_us(self, local_us: int, is_summer: bool) -> int:
        if self._summer_time_bit is SummerTimeBit.IGNORE:
            return local_us - local_to_utc_us(local_us, self._zone)
        added_us = HOUR_US if is_summer else 0
        moment = (EPOCH + datetime.timedelta(microseconds=local_us)).replace(tzinfo=self._zone)
        civil = moment.utcoffset() or datetime.timedelta()
        standard = civil - (moment.dst() or datetime.timedelta())
        return standard // datetime.timedelta(microseconds=1) + added_us


def next_multiple_us(time_us: int, interval_us: int) -> int:
    """The first whole multiple of `interval_us` after `time_us`: readings are wanted on the quarter hour."""
    return (time_us // interval_us + 1) * interval_us


def _rounded_arrival_us(arrival_us: int) -> int:
    return arrival_us // ARRIVAL_TIME_STEP_US * ARRIVAL_TIME_STEP_US
