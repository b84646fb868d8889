"""Prepared runs are read as far as rules reach, and registers up to readings that are of use."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.energy import calendar
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, Point, PointKind
from historian.model.rules import DuplicateRule, RangeRule, Rules, SentinelRule, StuckRule
from historian.model.sample import make_batch
from historian.model.term import NO_TERMS, PointTerms, RulesTerm, Span, Step
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US, load_zone
from historian.rollup import prepared_source
from historian.rollup.day_maker import Metered
from historian.rollup.service import RollupService
from tests.support.memory_store import MemoryDirectory
from tests.support.term_list import TermList
from tests.support.version_store import VersionStore

START_US = 1_790_812_800_000_000
STUCK = Rules(stuck=StuckRule(samples=6, neighbour_intervals=1))
SENTINEL = Rules(sentinel=SentinelRule((-99.0,)))


def metered(
    rules: Rules | None, point_id: int = 1, kind: PointKind = PointKind.MEAN_POWER, **more: object
) -> Metered:
    spans = {} if rules is None else {"rules": (Span(TIME_MIN_US, TIME_MAX_US, RulesTerm(rules)),)}
    unit = "kWh" if kind is PointKind.REGISTER else "kW"
    point = Point(id=point_id, name=f"p{point_id}", unit=unit, kind=kind, interval_us=HOUR_US, capacity=10.0)
    return Metered(point, PointTerms(spans, **more) if spans else NO_TERMS)  # type: ignore[arg-type]


async def store_of(samples: dict[int, list[tuple[int, float, int]]]) -> VersionStore:
    store = VersionStore(ManualClock(START_US))
    for point_id, some in samples.items():
        hours, values, bits = zip(*some, strict=True)
        times = START_US + np.array(hours, np.int64) * HOUR_US
        await store.append(make_batch(point_id, times, values, bits), source="meter")
    return store


async def test_marks_at_both_ends_are_those_of_the_whole_run() -> None:
    """Six in a row, of which one lies in the range."""
    store = await store_of({1: [(hour, 5.0 if hour < 6 else hour, 0) for hour in range(-3, 30)]})
    end_us = START_US + DAY_US
    (run,) = await prepared_source.read_prepared(store, [metered(STUCK)], START_US, end_us)
    assert (run.quality != 0).sum() == 8  # from two intervals before the range on
    (run,) = await prepared_source.read_prepared(store, [metered(STUCK)], START_US + 5 * HOUR_US, end_us)
    assert run.quality.tolist()[:4] == [1, 1, 1, 0]
    late = await store_of({1: [(hour, 5.0 if hour > 22 else hour, 0) for hour in range(31)]})
    (run,) = await prepared_source.read_prepared(late, [metered(STUCK)], START_US, end_us)
    assert run.quality.tolist()[22:24] == [0, 1]  # one in the range, five behind it


async def test_each_point_goes_by_its_own_rules() -> None:
    some = [(hour, 5.0, 0) for hour in range(12)]
    store = await store_of({number: some for number in (1, 2, 3, 4)})
    dated = metered(
        Rules(range=RangeRule(mark="bad")),
        3,
        capacity=(Step(TIME_MIN_US, 9.0), Step(START_US + 6 * HOUR_US, 1.0)),
    )
    wanted = [metered(STUCK), metered(None, 2), dated, metered(Rules(range=RangeRule(high=4.0)), 4)]
    runs = await prepared_source.read_prepared(store, wanted, START_US, START_US + DAY_US)
    assert [run.point_id for run in runs] == [1, 2, 3, 4]
    assert [set(run.quality.tolist()) for run in runs] == [{1}, {0}, {0, 2}, {1}]
    assert runs[2].quality.tolist() == [0] * 6 + [2] * 6


async def test_only_runs_that_need_it_are_read_again() -> None:
    some = [(hour, 5.0, 0) for hour in range(12)]
    store = await store_of({1: some, 2: [*some[:-1], (11, 1.0, quality.ESTIMATED)], 3: some})
    wanted = [metered(None, number) for number in (1, 2)] + [metered(STUCK, 3)]
    runs = await store.read([1, 2, 3], START_US, START_US + DAY_US)
    made = await prepared_source.prepare_runs(store, wanted, runs, START_US, START_US + DAY_US)
    assert made[0] is runs[0]
    assert made[1] is not runs[1]
    assert made[2].quality.tolist() == [1] * 12
    block = await store.read_block([1, 2, 3], START_US, START_US + DAY_US)
    assert prepared_source.rows_with_estimates(block).tolist() == [1]


async def test_duplicates_are_known_by_versions() -> None:
    store = await store_of({1: [(0, 1.0, 0), (1, 2.0, 0)]})
    await store.append(make_batch(1, [START_US], [7.0]), source="meter")
    rules = Rules(duplicate=DuplicateRule())
    (run,) = await prepared_source.read_prepared(store, [metered(rules)], START_US, START_US + DAY_US)
    assert run.quality.tolist() == [1, 0]


@pytest.mark.parametrize("bad_count", [1, 5, 300])
async def test_a_registers_run_goes_on_to_a_reading_that_no_rule_calls_bad(bad_count: int) -> None:
    bad = [(-hour, -99.0, 0) for hour in range(1, bad_count + 1)]
    late = [(24 + hour, -99.0, 0) for hour in range(bad_count)]
    ends = [(-bad_count - 500, 100.0, 0), (24 + bad_count + 500, 200.0, 0)]
    store = await store_of({1: [*bad, (5, 150.0, 0), *late, *ends]})
    of = metered(SENTINEL, kind=PointKind.REGISTER)
    (run,) = await prepared_source.read_prepared(store, [of], START_US, START_US + DAY_US)
    assert run.value[run.quality == 0].tolist() == [100.0, 150.0, 200.0]


async def test_a_register_without_readings_beyond_is_read_once() -> None:
    store = await store_of({1: [(5, 150.0, 0), (6, -99.0, 0)]})
    of = metered(SENTINEL, kind=PointKind.REGISTER)
    (run,) = await prepared_source.read_prepared(store, [of], START_US, START_US + DAY_US)
    assert run.quality.tolist() == [0, 2]


async def test_many_points_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared_source, "READ_SAMPLES_MAX", 100)
    store = await store_of({number: [(0, float(number), 0)] for number in range(1, 8)})
    wanted = [metered(STUCK, number) for number in range(1, 8)]
    runs = await prepared_source.read_prepared(store, wanted, START_US, START_US + DAY_US)
    assert [run.value.tolist() for run in runs] == [[float(number)] for number in range(1, 8)]


async def test_a_late_reading_moves_all_days_between_readings_that_count(tmp_path: Path) -> None:
    """The reading before it is bad by a rule: what it counts goes back to the one before that."""
    of = metered(SENTINEL, kind=PointKind.REGISTER)
    terms = TermList({1: of.terms.of_kind("rules")})
    store = await store_of({1: [(0, 100.0, 0), (30, -99.0, 0)]})
    clock = ManualClock(START_US + 9 * DAY_US)
    service = RollupService(store, MemoryDirectory(of.point), tmp_path / "figures.db", clock, terms=terms)
    await service.open()
    zone = load_zone(of.point.time_zone)
    first = calendar.local_date(START_US, zone)
    last = first + datetime.timedelta(days=5)
    assert [row.energy for row in await service.rows([of.point], "day", first, last)] == [None] * 5
    late_us = START_US + 60 * HOUR_US
    await store.append(make_batch(1, [late_us], [160.0]), source="meter")
    service.mark(np.array([1], np.uint32), np.array([late_us], np.int64))
    energies = [row.energy for row in await service.rows([of.point], "day", first, last)]
    await service.close()
    assert sum(energy or 0.0 for energy in energies) == 60.0
    assert energies[0] is not None
