"""Samples make days dirty: their own, and those their periods reach into."""

import datetime

import numpy as np
import pytest

from historian.energy import calendar
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, Point, PointKind
from historian.model.rules import Rules, ZeroOnActiveRule
from historian.model.term import RulesTerm, Span
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US, load_zone, parse_time_us
from historian.rollup import day_key
from historian.rollup.dirty import DirtyDays
from tests.support.memory_store import MemoryDirectory
from tests.support.term_list import TermList

SHANGHAI_DAY = datetime.date(2026, 11, 20)
START_US = calendar.day_start_us(SHANGHAI_DAY, load_zone("Asia/Shanghai"))
NOON_US = START_US + 12 * HOUR_US

MEAN, INSTANT, AMOUNT = PointKind.MEAN_POWER, PointKind.INSTANTANEOUS, PointKind.INTERVAL
QUARTER_US = 15 * MINUTE_US


def make_point(
    point_id: int = 1, kind: PointKind = MEAN, interval_us: int = QUARTER_US, zone: str = "Asia/Shanghai"
) -> Point:
    return Point(
        id=point_id, name=f"p{point_id}", unit="kWh", kind=kind, interval_us=interval_us, time_zone=zone
    )


def mark(days: DirtyDays, point_id: int | list[int], *times_us: int) -> None:
    ids = np.array(point_id if isinstance(point_id, list) else [point_id] * len(times_us), np.uint32)
    days.mark(ids, np.array(times_us, np.int64))


def found(days: DirtyDays) -> list[tuple[int, str]]:
    pairs = day_key.unpack_pairs(days.settle().to_column())
    return [(point_id, datetime.date.fromordinal(day).isoformat()) for point_id, day in pairs]


def days_after(point: Point, *times_us: int) -> list[str]:
    days = DirtyDays(MemoryDirectory(point))
    mark(days, point.id, *times_us)
    return [day for _, day in found(days)]


@pytest.mark.parametrize(
    ("kind", "time_us", "expected"),
    [
        pytest.param(MEAN, NOON_US, ["20"], id="noon is one day"),
        pytest.param(MEAN, START_US, ["20"], id="a mean at midnight opens its day"),
        pytest.param(MEAN, START_US - QUARTER_US, ["19"], id="the last mean closes its day"),
        pytest.param(MEAN, START_US - QUARTER_US + 1, ["19", "20"], id="a mean across midnight"),
        pytest.param(AMOUNT, START_US, ["19", "20"], id="an amount presses the one before"),
        pytest.param(AMOUNT, START_US + QUARTER_US, ["20"], id="but not further"),
        pytest.param(INSTANT, START_US + QUARTER_US // 2, ["20"], id="an instant with a gap before"),
        pytest.param(
            INSTANT, START_US + QUARTER_US // 2 - 1, ["19", "20"], id="an instant that held midnight"
        ),
        pytest.param(INSTANT, START_US - QUARTER_US, ["19", "20"], id="an instant that may be held long"),
        pytest.param(PointKind.REGISTER, START_US, ["20"], id="a reading marks its day"),
    ],
)
def test_days_that_a_sample_reaches(kind: PointKind, time_us: int, expected: list[str]) -> None:
    assert days_after(make_point(kind=kind), time_us) == [f"2026-11-{day}" for day in expected]


def test_a_daily_amount_reaches_two_days_each_way() -> None:
    days = days_after(make_point(kind=AMOUNT, interval_us=DAY_US), START_US)
    assert days == [f"2026-11-{day}" for day in (18, 19, 20, 21)]


def test_a_monthly_amount_reaches_over_its_month() -> None:
    days = days_after(make_point(kind=AMOUNT, interval_us=31 * DAY_US), START_US)
    assert (days[0], days[-1], len(days)) == ("2026-10-19", "2026-12-21", 64)


def test_each_point_has_the_days_of_its_zone() -> None:
    points = [make_point(1), make_point(2, zone="America/New_York"), make_point(3, zone="Pacific/Apia")]
    days = DirtyDays(MemoryDirectory(*points))
    mark(days, [3, 2, 1], *[parse_time_us("2026-11-20T04:59:00Z")] * 3)
    mark(days, 2, parse_time_us("2026-11-20T05:00:00Z"))
    expected = [(1, "2026-11-20"), (2, "2026-11-19"), (2, "2026-11-20"), (3, "2026-11-20")]
    assert found(days) == expected


def test_days_around_a_skipped_date() -> None:
    apia = make_point(zone="Pacific/Apia", interval_us=HOUR_US)
    assert days_after(apia, parse_time_us("2011-12-30T09:00:00Z")) == ["2011-12-29"]
    assert days_after(apia, parse_time_us("2011-12-30T10:00:00Z")) == ["2011-12-31"]


def test_a_year_of_samples_marks_each_day_once() -> None:
    times = range(START_US, START_US + 365 * DAY_US, HOUR_US)
    assert len(days_after(make_point(interval_us=HOUR_US), *times)) == 365


def test_a_day_marked_again_and_again_is_one_day() -> None:
    days = DirtyDays(MemoryDirectory(make_point(), make_point(2)))
    for _ in range(3):
        mark(days, [1, 2, 1], NOON_US, NOON_US + 1, NOON_US + 2)
    assert found(days) == [(1, "2026-11-20"), (2, "2026-11-20")]


def test_a_clean_day_is_marked_by_the_next_sample_of_a_scan() -> None:
    days = DirtyDays(MemoryDirectory(make_point(), make_point(2)))
    mark(days, [1, 2], NOON_US, NOON_US)
    days.discard(day_key.pack_days(2, [SHANGHAI_DAY.toordinal()]))
    assert found(days) == [(1, "2026-11-20")]
    mark(days, [1, 2], NOON_US + 1, NOON_US + 1)
    assert found(days) == [(1, "2026-11-20"), (2, "2026-11-20")]


def test_a_mark_that_waits_is_not_cleaned_by_what_was_taken_before() -> None:
    days = DirtyDays(MemoryDirectory(make_point()))
    mark(days, 1, NOON_US)
    keys = days.settle().to_column().copy()
    days.discard(keys)
    mark(days, 1, NOON_US + 1)
    days.discard(keys)
    assert found(days) == [(1, "2026-11-20")]


def test_marks_at_midnight_after_those_at_noon_touch_both_days() -> None:
    point = make_point(kind=INSTANT)
    days = DirtyDays(MemoryDirectory(point))
    mark(days, 1, NOON_US)
    days.discard(days.settle().to_column())
    mark(days, 1, START_US + DAY_US - 1)
    assert found(days) == [(1, "2026-11-20"), (1, "2026-11-21")]


def test_a_scan_of_many_zones_and_reaches_marks_what_each_sample_alone_would() -> None:
    points = [
        make_point(1),
        make_point(2, INSTANT, HOUR_US, "Europe/Berlin"),
        make_point(3, AMOUNT, DAY_US),
        make_point(4, PointKind.REGISTER, zone="America/New_York"),
        make_point(5, AMOUNT, 31 * DAY_US),
    ]
    together, alone = (DirtyDays(MemoryDirectory(*points)) for _ in range(2))
    for hour in range(0, 60, 5):
        times = [START_US + hour * HOUR_US] * len(points)
        mark(together, [1, 2, 3, 4, 5], *times)
        for point in points:
            mark(alone, point.id, times[0])
            alone.settle()
    assert found(together) == found(alone)


def test_marks_of_unknown_points_are_ignored() -> None:
    days = DirtyDays(MemoryDirectory(make_point()))
    mark(days, [9, 1, 500], NOON_US, NOON_US, NOON_US)
    assert found(days) == [(1, "2026-11-20")]


def test_a_point_made_later_is_known_then() -> None:
    directory = MemoryDirectory()
    days = DirtyDays(directory)
    mark(days, 1, NOON_US)
    assert found(days) == []
    directory.replace(make_point())
    mark(days, 1, NOON_US)
    assert found(days) == [(1, "2026-11-20")]


def test_a_point_that_moves_is_marked_in_its_new_zone() -> None:
    directory = MemoryDirectory(make_point())
    days = DirtyDays(directory)
    mark(days, 1, START_US)
    days.settle()
    directory.replace(make_point(zone="UTC"))
    mark(days, 1, START_US)
    assert found(days) == [(1, "2026-11-19"), (1, "2026-11-20")]


@pytest.mark.parametrize("time_us", [TIME_MIN_US, TIME_MAX_US])
def test_impossible_times_do_no_harm(time_us: int) -> None:
    assert len(days_after(make_point(), time_us)) == 1


def test_what_is_made_anew_is_clean_until_marked_again() -> None:
    days = DirtyDays(MemoryDirectory(make_point()))
    mark(days, 1, NOON_US)
    days.discard(days.settle().to_column())
    assert found(days) == []
    mark(days, 1, NOON_US)
    assert found(days) == [(1, "2026-11-20")]


def test_only_days_not_yet_saved_are_given_to_be_saved() -> None:
    days = DirtyDays(MemoryDirectory(make_point()))
    mark(days, 1, NOON_US)
    assert len(days.take_unsaved()) == 1
    assert len(days.take_unsaved()) == 0
    mark(days, 1, NOON_US + DAY_US, NOON_US + 2 * DAY_US)
    days.discard(
        day_key.pack_days(1, [SHANGHAI_DAY.toordinal() + 1]) if days.settle() else days.take_unsaved()
    )
    assert day_key.unpack_pairs(days.take_unsaved()) == [(1, SHANGHAI_DAY.toordinal() + 2)]


def test_restored_days_are_dirty_and_saved_already() -> None:
    days = DirtyDays(MemoryDirectory(make_point(kind=PointKind.REGISTER)))
    days.restore(day_key.pack_days(1, [5, 6]))
    assert days.settle().days_of(1) == [5, 6]
    assert len(days.take_unsaved()) == 0
    assert days.take_register_days(1) == [5, 6]


def test_days_of_a_register_are_given_once_to_look_for_neighbours() -> None:
    directory = MemoryDirectory(make_point(1, PointKind.REGISTER), make_point(2))
    days = DirtyDays(directory)
    mark(days, [1, 2], NOON_US, NOON_US)
    days.settle()
    assert days.take_register_days(1) == [SHANGHAI_DAY.toordinal()]
    assert days.take_register_days(1) == []
    assert days.take_register_days(2) == []


def test_keep_only_forgets_the_others() -> None:
    days = DirtyDays(MemoryDirectory(make_point()))
    mark(days, 1, NOON_US, NOON_US + DAY_US)
    days.settle()
    days.keep_only(day_key.pack_days(1, [SHANGHAI_DAY.toordinal()]))
    assert found(days) == [(1, "2026-11-20")]
    assert len(days.take_unsaved()) == 1


@pytest.mark.parametrize("order", ["scans", "runs", "shuffled"])
def test_a_batch_marks_what_its_samples_mark_one_by_one(order: str) -> None:
    points = [
        make_point(
            number, kind=(MEAN, INSTANT, AMOUNT)[number % 3], zone=("Asia/Shanghai", "UTC")[number % 2]
        )
        for number in range(1, 9)
    ]
    times = START_US - 6 * HOUR_US + 37 * MINUTE_US * np.arange(60)
    ids, times_us = np.tile(np.arange(1, 9), len(times)), np.repeat(times, 8)
    places = np.arange(len(ids))
    if order == "runs":
        places = np.argsort(ids, kind="stable")
    elif order == "shuffled":
        places = np.random.default_rng(1).permutation(places)
    batch, single = DirtyDays(MemoryDirectory(*points)), DirtyDays(MemoryDirectory(*points))
    batch.mark(ids[places].astype(np.uint32), times_us[places])
    for point_id, time_us in zip(ids.tolist(), times_us.tolist(), strict=True):
        mark(single, point_id, time_us)
    assert found(batch) == found(single)


def test_points_that_reach_far_do_not_keep_a_day_from_being_hot() -> None:
    """A rule that looks back a day reaches further than a hot day's samples may."""
    term = RulesTerm(Rules(zero_on_active=ZeroOnActiveRule(hours=24)))
    terms = TermList({2: [Span(TIME_MIN_US, TIME_MAX_US, term)]})
    days = DirtyDays(MemoryDirectory(make_point(1), make_point(2)), terms=terms)
    mark(days, [1, 2], NOON_US, NOON_US)
    assert days._hot[0].low_us == START_US
    assert found(days) == [
        (1, "2026-11-20"), *((2, f"2026-11-{day}") for day in (19, 20, 21)),
    ]  # fmt: skip
