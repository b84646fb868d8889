"""A sample marked as deleted is as if it had never come: no answer and no figure is another with it."""

import asyncio
import datetime
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from historian.catalogue.journal import Journal
from historian.clock import ManualClock
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.quality import BAD, DELETED, ESTIMATED, SUSPECT
from historian.model.sample import make_batch
from historian.model.timerange import TimeRange
from historian.model.timestamp import parse_time_us
from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from historian.rollup.service import RollupService
from tests.support.memory_store import MemoryDirectory
from tests.support.version_store import VersionStore
from tests.unit.query.samples import make_point

T = 15 * MINUTE_US
ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")
START_US = parse_time_us("2026-03-01T00:00:00+08:00")
NOW_US = START_US + 300 * T
DATE = datetime.date(2026, 3, 1)

Row = tuple[int, float, int, bool]  # slot, value, quality, deleted
ROWS = st.lists(
    st.tuples(
        st.integers(-8, 200),
        st.sampled_from([0.0, 1.0, 2.5, 7.0]),
        st.sampled_from([0, 0, 0, SUSPECT, BAD, ESTIMATED]),
        st.booleans(),
    ),
    unique_by=lambda row: row[0],
    max_size=30,
)
KINDS = st.sampled_from(list(PointKind))
PLACE = st.integers(-10, 210)


class Twin(NamedTuple):
    """One of two stores, and what answers from it."""

    store: VersionStore
    query: QueryEngine
    rollup: RollupService


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite", ManualClock(NOW_US))
    yield journal
    journal.close()


def plain(answer: Any) -> Any:
    """As lists and numbers; a gap is equal to a gap."""
    if isinstance(answer, np.ndarray):
        return [None if value != value else value for value in answer.tolist()]
    if isinstance(answer, msgspec.Struct):
        return plain(list(msgspec.structs.asdict(answer).values()))
    if isinstance(answer, list | tuple):
        return [plain(part) for part in answer]
    return answer


async def answers(twin: Twin, point: Point, first: int, last: int) -> list[Any]:
    """Everything that can be asked about a span, and about the days it lies in."""
    start_us, end_us = START_US + min(first, last) * T, START_US + (max(first, last) + 1) * T
    span, query = TimeRange(start_us, end_us), twin.query
    found: list[Any] = [
        await query.recorded(point, span, boundary, order, limit)
        for boundary in ("inside", "outside", "interpolated")
        for order in ("asc", "desc")
        for limit in (None, 1, 4)
    ]
    found += [await query.at(point, start_us, mode) for mode in ("before", "after", "exact", "interpolated")]
    found += [await query.interpolated(point, span, T // 2, gaps) for gaps in ("break", "hold")]
    found += [await query.plot(point, span, 20), await query.gaps(point, span), await query.latest([point])]
    found += [await query.summary([point], span, 4 * T, basis) for basis in ("time", "event")]
    found.append(await twin.rollup.load_curve([point], DATE, T, ZONE))
    rows = await twin.rollup.rows([point], "day", DATE, DATE + datetime.timedelta(days=3))
    found += [msgspec.structs.replace(row, computed_at_us=None, revision=0) for row in rows]
    return [plain(answer) for answer in found]


async def compare(
    folder: Path, journal: Journal, point: Point, rows: list[Row], first: int, last: int
) -> None:
    twins = []
    for name in ("marked", "without"):
        clock = ManualClock(NOW_US)
        store = VersionStore(clock)
        rollup = RollupService(store, MemoryDirectory(point), folder / f"{name}.sqlite", clock)
        await rollup.open()
        twins.append(Twin(store, QueryEngine(store, journal, clock, QueryLimits()), rollup))
    for slot, value, quality, is_deleted in rows:
        times = [START_US + slot * T]
        await twins[0].store.append(make_batch(point.id, times, [value], quality), source="a")
        if is_deleted:
            await twins[0].store.append(make_batch(point.id, times, [value], quality | DELETED), source="b")
        else:
            await twins[1].store.append(make_batch(point.id, times, [value], quality), source="a")
    marked, without = [await answers(twin, point, first, last) for twin in twins]
    for twin in twins:
        await twin.rollup.close()
    assert marked == without


@given(rows=ROWS, kind=KINDS, first=PLACE, last=PLACE)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_shows_or_counts_a_deleted_sample(
    tmp_path_factory: pytest.TempPathFactory,
    journal: Journal,
    rows: list[Row],
    kind: PointKind,
    first: int,
    last: int,
) -> None:
    point = make_point(kind, unit="kWh" if kind is PointKind.REGISTER else "kW")
    asyncio.run(compare(tmp_path_factory.mktemp("twins"), journal, point, rows, first, last))
