"""The engine: limits first, then one read, then the figures."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from historian.catalogue.journal import Journal
from historian.clock import ManualClock
from historian.errors import QueryError, QueryTooLarge
from historian.model.point import DAY_US, HOUR_US, PointKind
from historian.model.quality import BAD, DELETED, DERIVED, MISSING, SUSPECT
from historian.model.quarantine import Rejected
from historian.model.sample import make_batch
from historian.model.timerange import TimeRange
from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from historian.query.page import Order
from historian.query.retrieve import Boundary
from tests.support.version_store import VersionStore
from tests.unit.query.samples import INTERVAL_US, MemoryReader, Sample, make_point, make_run

T = INTERVAL_US
NOW_US = 1000 * T
POINT = make_point(source="modbus")
LIMITS = QueryLimits(samples_max=1000, scanned_samples_max=5000, points_max=3, slots_max=500, width_max=100)
EVER = TimeRange(-(10**17), 10**17)


class MakeEngine(Protocol):
    def __call__(self, *runs: Sequence[Sample]) -> QueryEngine: ...


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite", ManualClock(NOW_US))
    journal.process_started(0)
    yield journal
    journal.close()


@pytest.fixture
def engine_of(journal: Journal) -> MakeEngine:
    def make(*runs: Sequence[Sample]) -> QueryEngine:
        reader = MemoryReader(*(make_run(samples, index + 1) for index, samples in enumerate(runs)))
        return QueryEngine(reader, journal, ManualClock(NOW_US), LIMITS)

    return make


def every(start: int, end: int) -> list[Sample]:
    return [(k * T, float(k)) for k in range(start, end)]


@pytest.mark.parametrize(
    ("start", "end", "boundary", "expected"),
    [
        pytest.param(1, 4, "inside", [1, 2, 3], id="inside"),
        pytest.param(1, 4, "outside", [1, 2, 3, 4], id="outside: an edge sample needs none beside it"),
        pytest.param(1.5, 3.5, "outside", [1, 2, 3, 4], id="outside: one on each side"),
        pytest.param(1.5, 3.5, "interpolated", [1.5, 2, 3, 3.5], id="interpolated: values on the edges"),
        pytest.param(1, 4, "interpolated", [1, 2, 3, 4], id="interpolated: samples on the edges"),
        pytest.param(-2, 0.5, "outside", [0, 1], id="outside: nothing before the first"),
        pytest.param(8.5, 12, "interpolated", [8.5, 9], id="interpolated: nothing after the last"),
        pytest.param(3.2, 3.4, "outside", [3, 4], id="outside: nothing inside"),
        pytest.param(3.25, 3.5, "interpolated", [3.25, 3.5], id="interpolated: nothing inside"),
        pytest.param(3.5, 3.5, "outside", [], id="an empty span"),
    ],
)
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_boundaries(
    engine_of: MakeEngine, start: float, end: float, boundary: Boundary, expected: list[float], order: Order
) -> None:
    span = TimeRange(round(start * T), round(end * T))
    page = await engine_of(every(0, 10)).recorded(POINT, span, boundary, order)
    assert page.run.value.tolist() == (expected if order == "asc" else expected[::-1])
    assert page.next_time_us is None


@pytest.mark.parametrize("boundary", ["inside", "outside", "interpolated"])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_with_any_boundary_make_the_whole(
    engine_of: MakeEngine, boundary: Boundary, order: Order
) -> None:
    engine = engine_of(every(0, 30))
    span = TimeRange(T + 1, 25 * T + 1)
    whole = (await engine.recorded(POINT, span, boundary, order)).run
    found: list[float] = []
    resume_us = None
    while True:
        page = await engine.recorded(POINT, span, boundary, order, limit=7, resume_us=resume_us)
        found += page.run.value.tolist()
        resume_us = page.next_time_us
        if resume_us is None:
            break
    assert found == whole.value.tolist()


async def test_an_edge_that_no_value_reaches_gets_none(engine_of: MakeEngine) -> None:
    engine = engine_of([(0, 1.0), (T, 2.0, BAD), (2 * T, 3.0), (9 * T, 4.0)])
    page = await engine.recorded(POINT, TimeRange(T // 2, 5 * T), "interpolated")
    assert page.run.value.tolist() == [2.0, 3.0]


async def test_deleted_samples_show_nowhere(engine_of: MakeEngine) -> None:
    engine = engine_of([(0, 1.0), (T, 99.0, DELETED), (2 * T, 3.0), (3 * T, 99.0, DELETED)])
    assert (await engine.recorded(POINT, EVER, limit=10)).run.value.tolist() == [1.0, 3.0]
    assert (await engine.at(POINT, T, "before")).value.tolist() == [1.0]
    assert (await engine.at(POINT, T, "exact")).sample_count == 0
    assert (await engine.latest([POINT]))[0].value == 3.0
    assert (await engine.plot(POINT, TimeRange(0, 4 * T), 1)).max.tolist() == [3.0]
    assert (await engine.summary([POINT], TimeRange(0, 4 * T)))[0].count == 2
    assert (await engine.interpolated(POINT, TimeRange(0, 2 * T), T)).value.tolist() == [1.0, 2.0]


async def test_a_span_of_all_time_is_cut_to_where_there_are_samples(engine_of: MakeEngine) -> None:
    engine = engine_of(every(0, 10))
    assert (await engine.recorded(POINT, EVER)).run.sample_count == 10
    assert (await engine.plot(POINT, EVER, 10)).sample_count.tolist() == [10]
    assert (await engine.summary([POINT], EVER))[0].count == 10
    assert (await engine_of([]).recorded(POINT, EVER)).run.sample_count == 0


@pytest.mark.parametrize(
    ("mode", "time", "expected"),
    [
        ("before", 1.5, [1.0]),
        ("before", 1, [1.0]),
        ("before", -1, []),
        ("after", 1.5, [2.0]),
        ("after", 1, [1.0]),
        ("after", 99, []),
        ("exact", 1, [1.0]),
        ("exact", 1.5, []),
        ("interpolated", 1, [1.0]),
        ("interpolated", 1.25, [1.25]),
        ("interpolated", 99, []),
    ],
)
async def test_value_at_a_time(engine_of: MakeEngine, mode: str, time: float, expected: list[float]) -> None:
    run = await engine_of(every(0, 3)).at(POINT, round(time * T), mode)  # type: ignore[arg-type]
    assert run.value.tolist() == expected


async def test_interpolation_sees_the_neighbours_of_the_span(engine_of: MakeEngine) -> None:
    columns = await engine_of(every(0, 10)).interpolated(POINT, TimeRange(T // 2, T // 2 + 3 * T), T)
    assert columns.value.tolist() == [0.5, 1.5, 2.5]
    assert columns.quality.tolist() == [DERIVED] * 3


async def test_gaps_break_or_hold_as_asked(engine_of: MakeEngine) -> None:
    engine = engine_of([(0, 1.0), (10 * T, 11.0)])
    span = TimeRange(4 * T, 7 * T)
    broken = await engine.interpolated(POINT, span, T)
    assert np.isnan(broken.value).all()
    assert broken.quality.tolist() == [MISSING] * 3
    held = await engine.interpolated(POINT, span, T, gaps="hold")
    assert held.value.tolist() == [1.0] * 3
    assert held.quality.tolist() == [DERIVED | SUSPECT] * 3
    bridged = await engine.interpolated(POINT, span, T, max_gap_us=10 * T)
    assert bridged.value.tolist() == [5.0, 6.0, 7.0]


async def test_hold_looks_back_past_bad_samples_and_stops_now(engine_of: MakeEngine) -> None:
    engine = engine_of([(0, 1.0), (T, 2.0, BAD), (2 * T, 3.0, BAD)])
    columns = await engine.interpolated(POINT, TimeRange(999 * T, 1002 * T), T, gaps="hold")
    np.testing.assert_array_equal(columns.value, [1.0, 1.0, np.nan])


async def test_hold_with_only_a_later_sample_in_reach_still_looks_back(engine_of: MakeEngine) -> None:
    engine = engine_of([(0, 1.0), (10 * T, 11.0)])
    columns = await engine.interpolated(POINT, TimeRange(9 * T, 11 * T), T, gaps="hold")
    assert columns.value.tolist() == [1.0, 11.0]


async def test_an_empty_span_gives_no_slot(engine_of: MakeEngine) -> None:
    engine = engine_of(every(0, 10))
    assert len((await engine.interpolated(POINT, TimeRange(5, 5), T)).value) == 0
    assert len((await engine.plot(POINT, TimeRange(5, 4), 10)).first) == 0
    assert await engine.summary([POINT], TimeRange(5, 5)) == []
    assert await engine.gaps(POINT, TimeRange(5, 5)) == []


async def test_summaries_of_many_points_come_point_by_point(engine_of: MakeEngine) -> None:
    engine = engine_of(every(0, 96), every(0, 48))
    points = [make_point(PointKind.MEAN_POWER, id=2), make_point(PointKind.MEAN_POWER, id=1)]
    summaries = await engine.summary(points, TimeRange(0, DAY_US), interval_us=12 * HOUR_US)
    assert [(s.point_id, s.start_us // HOUR_US, s.count) for s in summaries] == [
        (2, 0, 48),
        (2, 12, 0),
        (1, 0, 48),
        (1, 12, 48),
    ]
    assert summaries[3].max == 95.0


async def test_the_last_slot_of_a_summary_may_be_shorter(engine_of: MakeEngine) -> None:
    summaries = await engine_of(every(0, 96)).summary([POINT], TimeRange(0, DAY_US), interval_us=10 * HOUR_US)
    assert [(s.end_us - s.start_us) // HOUR_US for s in summaries] == [10, 10, 4]


async def test_a_value_that_still_holds_at_the_start_counts_by_time(engine_of: MakeEngine) -> None:
    engine = engine_of([(0, 8.0), (T, 2.0)])
    span = TimeRange(T // 2, 3 * T // 2)
    [by_time] = await engine.summary([POINT], span)
    [by_event] = await engine.summary([POINT], span, basis="event")
    assert (by_time.mean, by_time.max_time_us, by_time.count) == (5.0, T // 2, 1)
    assert (by_event.mean, by_event.count) == (2.0, 1)


async def test_gaps_name_the_outage_of_their_driver(engine_of: MakeEngine, journal: Journal) -> None:
    journal.outage_began("modbus", 2 * T + 1, "link_down", "connection refused")
    journal.outage_ended("modbus", 5 * T - 1)
    journal.outage_began("another", 0, "link_down", "")
    engine = engine_of([*every(0, 3), *every(5, 7)])
    gaps = await engine.gaps(POINT, TimeRange(0, 7 * T))
    assert [(gap.start_us, gap.end_us, gap.missing_count, gap.cause) for gap in gaps] == [
        (3 * T, 5 * T, 2, "link_down")
    ]
    assert gaps[0].detail == "connection refused"


class SetAside:
    """Implements RejectedSamples."""

    async def rejected(self, point_ids: Sequence[int], start_us: int, end_us: int) -> list[Rejected]:
        assert start_us < 3 * T < end_us
        return [Rejected(one, at * T, "time_in_future") for one in point_ids for at in (3, 4)]


async def test_gaps_of_many_points_come_with_the_causes_of_each(journal: Journal) -> None:
    journal.outage_began("modbus", 2 * T + 1, "link_down", "")
    journal.outage_ended("modbus", 5 * T - 1)
    reader = MemoryReader(make_run([*every(0, 3), *every(5, 7)], 1), make_run(every(0, 3), 2))
    engine = QueryEngine(reader, journal, ManualClock(NOW_US), LIMITS, SetAside())
    others = make_point(id=2)
    found = await engine.gaps_of_many([POINT, others], TimeRange(0, 5 * T))
    assert [[(gap.missing_count, gap.cause) for gap in gaps] for gaps in found] == [
        [(2, "link_down")],
        [(2, "rejected_by_rule")],
    ]
    with pytest.raises(QueryTooLarge):
        await engine.gaps_of_many([POINT] * 4, TimeRange(0, 5 * T))


async def test_gaps_end_now(engine_of: MakeEngine) -> None:
    gaps = await engine_of(every(0, 990)).gaps(POINT, TimeRange(980 * T, 2000 * T))
    assert [(gap.start_us, gap.end_us, gap.missing_count) for gap in gaps] == [(990 * T, NOW_US, 10)]


@pytest.mark.parametrize(
    ("samples", "cause"),
    [
        pytest.param([], "no_data_yet", id="never"),
        pytest.param([(500 * T, 1.0)], "no_data_yet", id="only later"),
        pytest.param([(-500 * T, 1.0)], "unknown", id="long before"),
    ],
)
async def test_an_empty_range_tells_no_data_yet_from_lost_data(
    engine_of: MakeEngine, samples: list[Sample], cause: str
) -> None:
    gaps = await engine_of(samples).gaps(POINT, TimeRange(0, 10 * T))
    assert [(gap.cause, gap.missing_count) for gap in gaps] == [(cause, 10)]


async def test_latest_in_columns_is_the_same(engine_of: MakeEngine) -> None:
    engine = engine_of(every(0, 1000), [(0, 1.0), (T, 2.0, DELETED)], [(0, 1.0, DELETED)])
    ids = [2, 3, 1]
    one_by_one = await engine.latest([make_point(id=point_id) for point_id in ids])
    newest, now_us = await engine.latest_block(np.array(ids, np.uint32))
    assert newest.is_found.tolist() == [True, False, True]
    for place, answer in enumerate(one_by_one):
        if answer.time_us is not None:
            found = newest.time_us[place], newest.value[place], newest.quality[place]
            assert found == (answer.time_us, answer.value, answer.quality)
            assert (now_us - newest.time_us[place]) / 1e6 == answer.age_s


async def test_latest_comes_in_the_order_asked(engine_of: MakeEngine) -> None:
    engine = engine_of(every(0, 1000), every(0, 10))
    answers = await engine.latest([make_point(id=2), make_point(id=3), make_point(id=1)])
    assert [(answer.point_id, answer.value, answer.is_stale) for answer in answers] == [
        (2, 9.0, True),
        (3, None, True),
        (1, 999.0, False),
    ]


async def test_too_much_is_refused_before_any_read(journal: Journal) -> None:
    reader = MemoryReader()
    engine = QueryEngine(reader, journal, ManualClock(NOW_US), LIMITS)
    two, four = [make_point(id=n) for n in (1, 2)], [make_point(id=n) for n in (1, 2, 3, 4)]
    for refused in (
        engine.recorded_many(four, TimeRange(0, T)),
        engine.recorded_many(two, TimeRange(0, 501 * T)),
        engine.recorded(POINT, EVER, limit=1001),
        engine.interpolated(POINT, TimeRange(0, 501 * T), T),
        engine.plot(POINT, TimeRange(0, T), 101),
        engine.summary(four, TimeRange(0, T)),
        engine.summary(two, TimeRange(0, 251 * T), T),
        engine.summary(two, TimeRange(0, 2501 * T)),
        engine.latest(four),
    ):
        with pytest.raises(QueryTooLarge):
            await refused
    assert reader.read_count == 0


async def test_more_samples_than_one_point_may_give_are_refused(engine_of: MakeEngine) -> None:
    engine = engine_of(every(0, 1001))
    assert (await engine.recorded(POINT, TimeRange(0, 1000 * T))).run.sample_count == 1000
    with pytest.raises(QueryTooLarge, match="page with a limit"):
        await engine.recorded(POINT, TimeRange(0, 1001 * T))


async def test_questions_without_sense_are_refused(engine_of: MakeEngine) -> None:
    engine = engine_of(every(0, 10))
    for refused in (
        engine.recorded(POINT, EVER, limit=0),
        engine.interpolated(POINT, TimeRange(0, T), 0),
        engine.summary([POINT], TimeRange(0, T), -1),
        engine.plot(POINT, TimeRange(0, T), 0),
    ):
        with pytest.raises(QueryError):
            await refused


async def test_heavy_work_gives_the_same_answer_off_the_loop(journal: Journal) -> None:
    count = 30_000
    reader = MemoryReader(make_run([(k * T, 1.0) for k in range(count)]))
    engine = QueryEngine(reader, journal, ManualClock(count * T), QueryLimits())
    [summary] = await engine.summary([POINT], TimeRange(0, count * T))
    assert (summary.count, summary.mean, summary.good_share) == (count, 1.0, 1.0)


async def test_as_of_a_moment_the_figures_and_the_clock_are_those_of_then(journal: Journal) -> None:
    clock = ManualClock(10 * T)
    store = VersionStore(clock)
    await store.append(make_batch(1, np.arange(10) * T, np.arange(10.0)), source="a")
    clock.set_wall(NOW_US)
    await store.append(make_batch(1, [5 * T, 11 * T], [50.0, 11.0]), source="b", reason="misread")
    engine = QueryEngine(store, journal, clock, LIMITS)
    then, span = engine.as_of(10 * T, 0), TimeRange(0, 12 * T)
    assert (await then.summary([POINT], span))[0].max == 9.0
    assert (await engine.summary([POINT], span))[0].max == 50.0
    latest = (await then.latest([POINT]))[0]
    assert (latest.time_us, latest.age_s, latest.is_stale) == (9 * T, 900.0, False)


async def test_deleted_samples_are_given_to_who_edits_alone(engine_of: MakeEngine) -> None:
    engine = engine_of([(0, 1.0), (T, 2.0, DELETED)])
    assert (await engine.stored(POINT, TimeRange(0, 2 * T))).value.tolist() == [1.0, 2.0]
    with pytest.raises(QueryTooLarge):
        await engine.stored(POINT, TimeRange(0, 1001 * T))


async def test_a_point_whose_only_earlier_sample_was_deleted_has_no_data_yet(engine_of: MakeEngine) -> None:
    gaps = await engine_of([(0, 1.0, DELETED), (9 * T, 2.0)]).gaps(POINT, TimeRange(4 * T, 9 * T))
    assert [gap.cause for gap in gaps] == ["no_data_yet"]
