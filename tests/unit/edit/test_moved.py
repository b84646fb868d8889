"""The figures an edit moves are those the rollup makes anew."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.edit.moved import moved_periods
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, PointKind
from historian.model.timerange import TimeRange
from historian.model.timestamp import parse_time_us
from historian.rollup import day_key
from historian.rollup.dirty import DirtyDays
from tests.support.memory_store import MemoryDirectory
from tests.unit.query.samples import make_point

NOWHERE = TimeRange(0, 0)
MIDNIGHT_US = parse_time_us("2026-03-01T00:00:00+08:00")


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def test_a_sample_at_noon_moves_its_day_month_and_year() -> None:
    moved = moved_periods(make_point(), np.array([MIDNIGHT_US + 12 * HOUR_US]), NOWHERE)
    assert moved.days == [date("2026-03-01")]
    assert (moved.months, moved.years) == ([date("2026-03-01")], [date("2026-01-01")])


def test_a_mean_power_before_midnight_reaches_no_further() -> None:
    point = make_point(PointKind.MEAN_POWER)
    assert moved_periods(point, np.array([MIDNIGHT_US - 15 * MINUTE_US]), NOWHERE).days == [
        date("2026-02-28")
    ]


def test_an_amount_at_midnight_presses_the_one_before() -> None:
    moved = moved_periods(make_point(PointKind.INTERVAL), np.array([MIDNIGHT_US]), NOWHERE)
    assert moved.days == [date("2026-02-28"), date("2026-03-01")]
    assert moved.months == [date("2026-02-01"), date("2026-03-01")]


def test_a_reading_moves_every_day_up_to_the_readings_beside_it() -> None:
    beside = TimeRange(MIDNIGHT_US - DAY_US, MIDNIGHT_US + 2 * DAY_US)
    moved = moved_periods(make_point(PointKind.REGISTER), np.array([MIDNIGHT_US]), beside)
    assert moved.days == [date("2026-02-28"), date("2026-03-01"), date("2026-03-02"), date("2026-03-03")]


def test_nothing_moves_without_a_change() -> None:
    assert moved_periods(make_point(), np.empty(0, np.int64), NOWHERE).days == []


@given(
    st.sampled_from([PointKind.INSTANTANEOUS, PointKind.MEAN_POWER, PointKind.INTERVAL, PointKind.RATIO]),
    st.sampled_from([MINUTE_US, 15 * MINUTE_US, HOUR_US, DAY_US]),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns"]),
    st.sets(st.integers(0, 40_000), min_size=1, max_size=30),
)
def test_the_days_are_those_that_become_dirty(
    kind: PointKind, interval_us: int, zone: str, minutes: set[int]
) -> None:
    point = make_point(kind, interval_us=interval_us, time_zone=zone)
    times = np.array(sorted(minutes), np.int64) * MINUTE_US + MIDNIGHT_US
    dirty = DirtyDays(MemoryDirectory(point))
    dirty.mark(np.full(len(times), point.id, np.uint32), times)
    expected = [day for _, day in sorted(day_key.unpack_pairs(dirty.settle().to_column()))]
    assert [day.toordinal() for day in moved_periods(point, times, NOWHERE).days] == expected


@pytest.mark.parametrize("count", [20_000])
def test_many_samples_close_together_are_looked_up_as_one(count: int) -> None:
    times = MIDNIGHT_US + np.arange(count, dtype=np.int64) * MINUTE_US
    assert len(moved_periods(make_point(interval_us=MINUTE_US), times, NOWHERE).days) == 15
