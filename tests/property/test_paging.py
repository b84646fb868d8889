"""Pages while data arrive: what was there at the start comes exactly once, and nothing comes twice."""

import asyncio
import itertools
import sqlite3
from typing import Literal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from api import cursor
from historian.catalogue.journal import Journal
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import PointDraft, PointKind
from historian.model.timerange import TimeRange
from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from historian.rollup import change_log
from historian.rollup.change_log import Changes
from tests.unit.query.samples import MemoryReader, make_point, make_run

SPAN = TimeRange(0, 1_000)
times = st.sets(st.integers(0, 999), max_size=40)
steps = st.lists(st.tuples(st.integers(1, 7), times), min_size=1, max_size=12)


@given(times, steps, st.sampled_from(["asc", "desc"]))
def test_recorded(
    start: set[int], arriving: list[tuple[int, set[int]]], order: Literal["asc", "desc"]
) -> None:
    """Samples come before, in and behind the place where the reader stands."""
    reader = MemoryReader(make_run([(time, 0.0) for time in sorted(start)]))
    engine = QueryEngine(reader, _no_journal(), ManualClock(0), QueryLimits())
    there, seen, text = set(start), list[int](), None
    more = itertools.chain(arriving, itertools.repeat((50, set[int]())))
    for limit, new in more:
        resume_us = cursor.read(text, "q")
        page = asyncio.run(engine.recorded(make_point(), SPAN, "inside", order, limit, resume_us))
        seen += page.run.time_us.tolist()
        if page.next_time_us is None:
            break
        text = cursor.write(page.next_time_us, "q")
        there |= new
        reader._runs[1] = make_run([(time, 0.0) for time in sorted(there)])
    assert len(seen) == len(set(seen)), "nothing twice"
    assert set(seen) >= start, "all that was there"
    assert seen == sorted(seen, reverse=order == "desc")
    assert set(seen) <= there


@given(st.integers(0, 20), st.lists(st.tuples(st.integers(1, 7), st.integers(0, 5)), min_size=1, max_size=10))
def test_points(count: int, arriving: list[tuple[int, int]]) -> None:
    registry = Registry(":memory:", ManualClock(0), "UTC")  # type: ignore[arg-type]
    numbers = itertools.count()

    def make(how_many: int) -> None:
        names = [f"p{next(numbers)}" for _ in range(how_many)]
        registry.create_many(
            [PointDraft(name=name, unit="kW", kind=PointKind.INSTANTANEOUS) for name in names]
        )

    make(count)
    start = [point.id for point in registry.list(None, None, None, 0, 1_000)]
    seen: list[int] = []
    text = None
    for limit, new in itertools.chain(arriving, itertools.repeat((1_000, 0))):
        points = registry.list(None, None, None, cursor.read(text, "points") or 0, limit + 1)
        seen += [point.id for point in points[:limit]]
        if len(points) <= limit:
            break
        text = cursor.write(points[limit - 1].id, "points")
        make(new)
    registry.close()
    assert seen == sorted(set(seen))
    assert seen[: len(start)] == start


@given(
    st.lists(st.integers(1, 6), max_size=6),
    st.lists(st.tuples(st.integers(1, 7), st.integers(0, 5)), max_size=10),
)
def test_changes(sizes: list[int], arriving: list[tuple[int, int]]) -> None:
    """Of the log everything comes once, what arrived meanwhile too; each row's own place goes on behind it."""
    connection = sqlite3.connect(":memory:")
    connection.execute(change_log.SCHEMA)
    numbers = itertools.count()

    def log(size: int) -> None:
        days = np.array([next(numbers) for _ in range(size)], np.int32)
        ones = np.ones(size, np.uint32)
        change_log.write(connection, Changes(ones, days, ones, ones.astype(np.uint8)), 0)

    for size in sizes:
        log(size)
    seen: list[int] = []
    place = 0
    for limit, new in [*arriving, *[(3, 0)] * 40]:
        page = change_log.read(connection, place, limit)
        assert not page.is_reset
        days = page.changes.day.tolist()
        for row, after in enumerate(page.place_after.tolist()):
            assert change_log.read(connection, after, limit).changes.day.tolist()[:1] in ([days[row] + 1], [])
        seen += days
        place = page.next_place
        log(new)
    connection.close()
    assert seen == list(range(len(seen)))
    assert len(seen) == next(numbers)


class _NoJournal(Journal):
    def __init__(self) -> None:
        """No file: nothing here asks for causes."""


def _no_journal() -> Journal:
    return _NoJournal()
