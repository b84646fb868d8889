"""Edits against a store that keeps versions: planned, applied, repeated, undone, refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from historian.catalogue.journal import Journal
from historian.clock import ManualClock
from historian.edit.editor import Editor, NewValues
from historian.errors import EditRefused
from historian.model.decision import Decision
from historian.model.point import DAY_US, PointKind
from historian.model.quality import BAD, DELETED, ESTIMATED, MANUAL
from historian.model.sample import make_batch
from historian.model.timerange import TimeRange
from historian.model.timestamp import parse_time_us
from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from historian.settings import EditSettings, Settings
from tests.support.version_store import VersionStore
from tests.unit.query.samples import INTERVAL_US, make_point

T = INTERVAL_US
NOW_US = parse_time_us("2026-11-22T08:00:00Z")
START_US = NOW_US - 40 * T
POINT = make_point(PointKind.MEAN_POWER)
WHO = Decision("Wang", "misread")
SPAN = TimeRange(START_US, NOW_US)


class Bench:
    """An editor of at most 10 samples over a store with values 0 … 7 from START_US."""

    def __init__(self, journal: Journal, clock: ManualClock) -> None:
        self.clock = clock
        self.store = VersionStore(clock, time_max_us=NOW_US + 40 * DAY_US)
        self.query = QueryEngine(self.store, journal, clock, QueryLimits())
        settings = msgspec.structs.replace(Settings(), edit=EditSettings(samples_max=10))
        self.editor = Editor(self.query, self.store, clock, settings)

    async def shown(self) -> list[float]:
        return (await self.query.recorded(POINT, SPAN)).run.value.tolist()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock(NOW_US)
    journal = Journal(tmp_path / "journal.sqlite", clock)
    bench = Bench(journal, clock)
    await bench.store.append(make_batch(1, START_US + np.arange(8) * T, np.arange(8.0)), source="modbus")
    clock.advance(60)
    yield bench
    journal.close()


def at(*slots: int) -> np.ndarray:
    return START_US + np.array(slots, np.int64) * T


def values(slots: list[int], new: list[float], quality: int = MANUAL) -> NewValues:
    return NewValues(at(*slots), np.array(new), np.full(len(slots), quality, np.uint16))


async def test_a_correction_is_stored_with_who_and_why(bench: Bench) -> None:
    plan = await bench.editor.plan_values(POINT, values([2, 9], [2.5, 9.0]))
    assert plan.has_old.tolist() == [True, False]
    result = await bench.editor.apply(POINT, plan, WHO)
    assert result.sequence == 2
    assert await bench.shown() == [0, 1, 2.5, 3, 4, 5, 6, 7, 9]
    origin = bench.store.versions[1][int(at(2)[0])][-1].origin
    assert (origin.source, origin.reason) == ("edit:Wang", "misread")


async def test_planning_changes_nothing(bench: Bench) -> None:
    await bench.editor.plan_values(POINT, values([2], [2.5]))
    await bench.editor.plan_marks(POINT, SPAN, "delete")
    assert await bench.shown() == list(range(8))


async def test_an_edit_repeated_finds_nothing_to_change_and_writes_nothing(bench: Bench) -> None:
    for expected in (1, 0):
        plan = await bench.editor.plan_values(POINT, values([2], [2.5], ESTIMATED))
        assert plan.change_count == expected
        result = await bench.editor.apply(POINT, plan, WHO)
        assert (result.sequence > 0) == bool(expected)


async def test_a_deletion_marks_and_an_undeletion_brings_back(bench: Bench) -> None:
    await bench.editor.apply(POINT, await bench.editor.plan_marks(POINT, at(1, 2), "delete"), WHO)
    assert await bench.shown() == [0, 3, 4, 5, 6, 7]
    stored = await bench.query.stored(POINT, SPAN)
    assert stored.value.tolist() == list(range(8)), "the values are still there"
    plan = await bench.editor.plan_marks(POINT, SPAN, "undelete")
    assert (plan.change_count, plan.unchanged_count) == (2, 6)
    await bench.editor.apply(POINT, plan, WHO)
    assert await bench.shown() == list(range(8))


async def test_restoring_a_moment_undoes_what_came_after(bench: Bench) -> None:
    moment_us = bench.clock.now_us()
    bench.clock.advance(60)
    for plan in (
        await bench.editor.plan_values(POINT, values([2, 9], [2.5, 9.0])),
        await bench.editor.plan_marks(POINT, at(0), "delete"),
    ):
        await bench.editor.apply(POINT, plan, WHO)
    plan = await bench.editor.plan_restore(POINT, SPAN, moment_us)
    assert plan.quality.tolist() == [0, 0, DELETED | MANUAL]
    await bench.editor.apply(POINT, plan, WHO)
    assert await bench.shown() == list(range(8))


async def test_a_later_sample_replaces_a_mark(bench: Bench) -> None:
    await bench.editor.apply(POINT, await bench.editor.plan_marks(POINT, at(1), "delete"), WHO)
    await bench.store.append(make_batch(1, at(1), [1.0]), source="modbus", on_conflict="keep")
    assert await bench.shown() == [0, 2, 3, 4, 5, 6, 7], "who keeps what is stored keeps the mark"
    await bench.store.append(make_batch(1, at(1), [1.0]), source="modbus")
    assert await bench.shown() == list(range(8))


async def test_times_years_apart_do_not_read_the_years_between(bench: Bench) -> None:
    engine = QueryEngine(bench.store, bench.query._journal, bench.clock, QueryLimits(samples_max=2000))
    editor = Editor(engine, bench.store, bench.clock, Settings())
    times = np.array([START_US, START_US - 3000 * DAY_US])
    plan = await editor.plan_values(POINT, NewValues(times, np.ones(2), np.zeros(2, np.uint16)))
    assert plan.has_old.tolist() == [False, True]


async def test_the_figures_that_move_are_told(bench: Bench) -> None:
    plan = await bench.editor.plan_values(POINT, values([2], [2.5]))
    assert [str(day) for day in (await bench.editor.moved(POINT, plan)).days] == ["2026-11-22"]
    nothing = await bench.editor.plan_values(POINT, values([2], [2.0], 0))
    assert (await bench.editor.moved(POINT, nothing)).days == []


async def test_a_register_moves_days_up_to_its_usable_readings(bench: Bench) -> None:
    point = make_point(PointKind.REGISTER, id=2)
    days = NOW_US + np.arange(-5, 0) * DAY_US
    await bench.store.append(make_batch(2, days, np.arange(5.0), [0, BAD, 0, 0, 0]), source="iec104")
    plan = await bench.editor.plan_marks(point, days[2:3], "delete")
    moved = await bench.editor.moved(point, plan)
    assert [day.day for day in moved.days] == [17, 18, 19, 20]


@pytest.mark.parametrize(
    ("slots", "named"),
    [
        pytest.param([], "at least one", id="none"),
        pytest.param([3, 4, 3], "named twice", id="one twice"),
        pytest.param(list(range(11)), "11 samples, 10 may", id="too many"),
        pytest.param([40 + 97], "is not between", id="beyond the fence"),
        pytest.param([-(10**7)], "is not between", id="before the oldest year"),
    ],
)
async def test_times_that_are_refused(bench: Bench, slots: list[int], named: str) -> None:
    with pytest.raises(EditRefused, match=named):
        await bench.editor.plan_values(POINT, values(slots, [1.0] * len(slots)))


async def test_a_span_of_too_many_samples_is_refused(bench: Bench) -> None:
    await bench.store.append(make_batch(1, at(8, 9, 10), [1.0, 1.0, 1.0]), source="modbus")
    with pytest.raises(EditRefused, match="11 samples, 10 may"):
        await bench.editor.plan_marks(POINT, SPAN, "delete")


async def test_a_refusal_by_the_sink_is_no_success(bench: Bench) -> None:
    plan = await bench.editor.plan_values(POINT, values([2], [2.5]))
    beyond = plan._replace(time_us=np.array([NOW_US + 50 * DAY_US]))
    with pytest.raises(EditRefused, match="time_in_future"):
        await bench.editor.apply(POINT, beyond, WHO)
