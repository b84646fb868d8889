"""Which points are silent, since when and why."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from historian.model.point import MINUTE_US, PointKind
from historian.model.quality import DELETED
from historian.model.term import RetiredTerm
from historian.model.timestamp import parse_time_us
from historian.query import overdue
from historian.query.latest import latest_of
from tests.support.watch_kit import WatchKit, open_kit

NOW_US = parse_time_us("2026-11-22T08:00:00Z")
Q = 15 * MINUTE_US


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[WatchKit]:
    async with open_kit(tmp_path, NOW_US) as kit:
        yield kit


@pytest.mark.parametrize("kind", [PointKind.INSTANTANEOUS, PointKind.MEAN_POWER])
@pytest.mark.parametrize("age_us", [0, 2 * Q, 2 * Q + 1, 3 * Q, 3 * Q + 1])
async def test_a_point_is_overdue_when_its_newest_sample_is_stale(
    kit: WatchKit, kind: PointKind, age_us: int
) -> None:
    point = kit.point("p", kind=kind)
    await kit.arrive(point, [NOW_US - age_us])
    silence = await kit.watch.overdue.silence(np.array([point.id], np.uint32))
    [run] = await kit.store.last([point.id])
    assert bool(silence.is_overdue[0]) == latest_of(point, run, NOW_US).is_stale
    assert int(silence.due_us[0]) == NOW_US - age_us + (2 if point.has_period else 1) * Q


async def test_each_tells_since_when_what_is_missing_and_why(kit: WatchKit) -> None:
    never = kit.point("never")
    silent = kit.point("silent", source="modbus")
    alone = kit.point("alone")
    fresh = kit.point("fresh")
    for point, age in ((silent, 10), (alone, 4), (fresh, 0)):
        await kit.arrive(point, [NOW_US - age * Q])
    await kit.arrive(alone, [NOW_US], quality=DELETED)
    kit.journal.outage_began("modbus", NOW_US - 9 * Q - 1, "link_down", "connection refused")
    ids = np.array([point.id for point in (never, silent, alone, fresh)], np.uint32)
    silence = await kit.watch.overdue.silence(ids)
    assert silence.is_overdue.tolist() == [True, True, True, False]
    told = await kit.watch.overdue.told(silence, [0, 1, 2])
    assert [(one.point.name, one.missing_count, one.cause, one.detail) for one in told] == [
        ("never", None, "no_data_yet", ""),
        ("silent", 10, "link_down", "connection refused"),
        ("alone", 4, "unknown", ""),
    ]
    assert [one.since_us for one in told] == [None, NOW_US - 10 * Q, NOW_US - 4 * Q]
    assert [one.due_us for one in told] == [None, NOW_US - 9 * Q, NOW_US - 3 * Q]


async def test_a_look_at_all_points_is_taken_in_parts(kit: WatchKit, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [kit.point(f"p{number}") for number in range(5)]
    await kit.arrive(points[1], [NOW_US])
    monkeypatch.setattr(kit.watch.overdue, "_at_once", 2)
    await kit.watch.overdue.look()
    assert kit.watch.overdue.overdue_count == 4
    ids = np.array([point.id for point in points], np.uint32)
    silence = await kit.watch.overdue.silence(ids)
    assert silence.is_overdue.tolist() == [True, False, True, True, True]
    assert overdue.POINTS_AT_ONCE <= 10_000  # what a query may ask about by default
    assert (await kit.watch.overdue.silence(ids[:0])).overdue_count == 0


async def test_a_retired_point_is_silent_and_owes_nothing(kit: WatchKit) -> None:
    points = [kit.point(f"p{number}") for number in range(3)]
    for point in points[:2]:
        await kit.arrive(point, [NOW_US - 99 * Q])
    ids = np.array([point.id for point in points], np.uint32)
    for point in points[1:]:
        kit.terms.state(point.id, RetiredTerm(), NOW_US - 50 * Q, None, "", "feeder closed")
    assert (await kit.watch.overdue.silence(ids)).is_overdue.tolist() == [True, False, False]
    kit.terms.state(points[1].id, RetiredTerm(is_retired=False), NOW_US, None, "", "in use again")
    assert (await kit.watch.overdue.silence(ids)).is_overdue.tolist() == [True, True, False]
