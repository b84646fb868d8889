"""Completeness = a count by hand of what came, on days of 23, 24 and 25 hours, with late data; sums agree with their parts."""

import asyncio
import datetime
import zoneinfo
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.energy import completeness
from historian.energy.calendar import DateRange
from historian.model.point import HOUR_US, MINUTE_US, PointKind
from historian.model.quality import BAD, DELETED, ESTIMATED, GOOD
from historian.model.timestamp import parse_time_us
from tests.support.watch_kit import WatchKit, open_kit

SECOND_US = 1_000_000
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Kits:
    """One kit for all examples; each takes points of its own."""

    def __init__(self, runner: asyncio.Runner, kit: WatchKit) -> None:
        self.runner = runner
        self.kit = kit
        self._count = 0

    def point(self, **attributes: Any) -> Any:
        self._count += 1
        return self.kit.point(f"p{self._count}", **attributes)


@pytest.fixture(scope="module")
def kits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kits]:
    with asyncio.Runner() as runner:
        opening = open_kit(tmp_path_factory.mktemp("kit"), 0)
        kit = runner.run(opening.__aenter__())
        try:
            yield Kits(runner, kit)
        finally:
            runner.run(opening.__aexit__(None, None, None))


# Europe/Berlin: 2026-03-29 has 23 hours, 2026-10-25 has 25.
around_changes = st.sampled_from([datetime.date(2026, 3, 28), datetime.date(2026, 10, 24)])
samples = st.lists(
    st.tuples(
        st.integers(-30, 100),  # quarters of an hour from about the first day's start
        st.sampled_from([0, 0, 1, 7 * MINUTE_US]),
        st.sampled_from([GOOD, GOOD, BAD, ESTIMATED, DELETED]),
        st.integers(0, 40 * 60),  # minutes until it comes
    ),
    max_size=40,
)


def local_date(time_us: int, zone: zoneinfo.ZoneInfo) -> datetime.date:
    return (EPOCH + datetime.timedelta(microseconds=time_us)).astimezone(zone).date()


def due_by_hand(
    date: datetime.date, zone: zoneinfo.ZoneInfo, interval_us: int, lag_us: int, now_us: int
) -> int:
    """Steps over the day: a sample is due where at least half of its interval lies before the end, or now."""
    first = datetime.datetime.combine(date, datetime.time(), zone).timestamp()
    last = datetime.datetime.combine(date + datetime.timedelta(days=1), datetime.time(), zone).timestamp()
    at_us, count = round(first) * SECOND_US, 0
    end_us = min(round(last) * SECOND_US, now_us - lag_us)
    while 2 * (end_us - at_us) >= interval_us:
        at_us += interval_us
        count += 1
    return count


@settings(max_examples=60, deadline=None)
@given(
    first=around_changes, came=st.lists(samples, min_size=1, max_size=3), zone_name=st.sampled_from(["Europe/Berlin", "Asia/Shanghai"]),
    interval_us=st.sampled_from([15 * MINUTE_US, HOUR_US]), kind=st.sampled_from([PointKind.INSTANTANEOUS, PointKind.MEAN_POWER]),
    now_h=st.integers(0, 80),
)  # fmt: skip
def test_completeness_is_what_a_hand_would_count(
    kits: Kits,
    first: datetime.date,
    came: list[Any],
    zone_name: str,
    interval_us: int,
    kind: PointKind,
    now_h: int,
) -> None:
    kit, zone = kits.kit, zoneinfo.ZoneInfo(zone_name)
    begin_us = parse_time_us(f"{first}T00:00:00Z")
    points = [kits.point(time_zone=zone_name, interval_us=interval_us, kind=kind) for _ in came]
    newest: dict[tuple[int, int], tuple[int, int]] = {}  # quality and arrival of what counts
    for point, some in zip(points, came, strict=True):
        for quarter, aside_us, quality, minutes in sorted(some, key=lambda one: one[3]):
            time_us = begin_us + quarter * 15 * MINUTE_US + aside_us
            at_us = time_us + minutes * MINUTE_US
            kits.runner.run(kit.arrive(point, [time_us], quality=quality, at_us=at_us))
            key = (point.id, time_us)
            if key in newest and newest[key][0] == quality:
                continue  # the same again is a duplicate
            newest[key] = (quality, at_us)
    now_us = begin_us + now_h * HOUR_US
    kit.clock.set_wall(now_us)
    days = DateRange(first, first + datetime.timedelta(days=3))
    ids = np.array([point.id for point in points], np.int64)
    maker = kit.watch.completeness
    grid = kits.runner.run(maker.grid(ids, days))
    lag_us = interval_us if kind is PointKind.MEAN_POWER else 0
    for row, point in enumerate(points):
        for number in range(3):
            date = first + datetime.timedelta(days=number)
            own = [
                quality
                for (point_id, time_us), (quality, _) in newest.items()
                if point_id == point.id and local_date(time_us, zone) == date
            ]
            received = sum(quality in (GOOD, BAD) for quality in own)
            expected = due_by_hand(date, zone, interval_us, lag_us, now_us)
            assert grid.counts.expected[row, number] == expected
            assert grid.counts.received[row, number] == received
            assert grid.counts.good[row, number] == own.count(GOOD)
            assert grid.counts.missing[row, number] == max(0, expected - received)
    for by in ("point", "station", "item", "day"):  # each way of adding up gives the whole
        group, count = maker.grouping(ids, by).groups(3)
        summed = completeness.add(grid.counts, group, count)
        assert [column.sum() for column in summed] == [column.sum() for column in grid.counts]
