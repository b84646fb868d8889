"""Laws of rules in service: figures follow samples and rules alone, however samples came and whenever one asked."""

import asyncio
import datetime
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.clock import ManualClock
from historian.energy import calendar
from historian.model import quality, term
from historian.model.point import DAY_US, HOUR_US, Point, PointKind
from historian.model.rules import (
    DuplicateRule,
    NegativeRule,
    RangeRule,
    RateOfChangeRule,
    Rules,
    SentinelRule,
    SpikeRule,
    StuckRule,
    ZeroOnActiveRule,
)
from historian.model.sample import SampleRun, make_batch
from historian.model.term import NO_TERMS, PointTerms, RulesTerm, Span, Step
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US, load_zone
from historian.rollup import day_figure, prepared
from historian.rollup.day_figure import DayFigure
from historian.rollup.row import RollupRow
from historian.rollup.service import RollupService
from historian.rollup.term_directory import TermDirectory
from tests.support.memory_store import MemoryDirectory
from tests.support.term_list import TermList
from tests.support.version_store import VersionStore

ZONE = load_zone("Asia/Shanghai")
DAYS = [datetime.date(2026, 11, day) for day in range(19, 30)]
START_US = calendar.day_start_us(DAYS[1], ZONE)
LATER_US = START_US + 30 * DAY_US
STEP_US = 6 * HOUR_US  # four a day, so that most things happen near midnight

marks = st.sampled_from(["suspect", "bad"])
values = st.sampled_from([0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 5.0, 9.0, -1.0, -99.0, 50.0])
qualities = st.sampled_from([0] * 6 + [quality.BAD, quality.ESTIMATED, quality.ESTIMATED, quality.DELETED])
all_rules = st.builds(
    Rules,
    sentinel=st.none() | st.builds(SentinelRule, st.just((-99.0,)), marks),
    range=st.none() | st.builds(RangeRule, st.none(), st.just(9.5), st.just(1.2), marks),
    negative=st.none() | st.builds(NegativeRule, st.just(0.0), marks),
    spike=st.none() | st.builds(SpikeRule, st.just(2.0), st.none(), st.integers(1, 3), marks),
    rate_of_change=st.none() | st.builds(RateOfChangeRule, st.just(0.6), st.none(), st.integers(1, 3), marks),
    stuck=st.none() | st.builds(StuckRule, st.integers(3, 5), st.integers(1, 2), marks),
    zero_on_active=st.none() | st.builds(ZeroOnActiveRule, st.just(12.0), st.just(2), marks),
    duplicate=st.none() | st.builds(DuplicateRule, marks),
)
kinds = st.sampled_from(
    [PointKind.MEAN_POWER, PointKind.INTERVAL, PointKind.INSTANTANEOUS, PointKind.REGISTER]
)
Sample = tuple[int, float, int]


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    """Most stamps of some days, and some between them."""
    start = draw(st.integers(0, 8))
    places = range(start, start + draw(st.integers(4, 28)))
    kept = [place for place in places if draw(st.integers(0, 7))]
    shifts = [draw(st.sampled_from([0] * 9 + [STEP_US // 3])) for _ in kept]
    return [
        (START_US + place * STEP_US + shift, draw(values), draw(qualities))
        for place, shift in zip(kept, shifts, strict=True)
    ]


class World:
    """A service over a store that keeps versions."""

    def __init__(self, folder: Path, point: Point, terms: TermDirectory) -> None:
        self.point = point
        self.store = VersionStore(ManualClock(START_US))
        self.service = RollupService(
            self.store, MemoryDirectory(point), folder / f"{id(self)}.db", ManualClock(LATER_US), terms=terms
        )

    async def put(self, some: list[Sample]) -> None:
        if some:
            times, numbers, bits = zip(*some, strict=True)
            batch = make_batch(self.point.id, times, numbers, bits)
            await self.store.append(batch, source="meter")
            self.service.mark(batch.point_id, batch.time_us)

    async def rows(self) -> list[RollupRow]:
        return await self.service.rows([self.point], "day", DAYS[0], DAYS[-1])

    async def told(self) -> list[tuple[object, ...]]:
        return [told(row) for row in await self.rows()]


def told(row: RollupRow) -> tuple[object, ...]:
    return row.energy, row.max_demand, row.max_start_us, row.min, row.mean, row.coverage, row.state


def make_point(kind: PointKind) -> Point:
    unit = "kW" if kind in (PointKind.MEAN_POWER, PointKind.INSTANTANEOUS) else "kWh"
    return Point(id=1, name="p", unit=unit, kind=kind, interval_us=STEP_US, capacity=8.0, time_zone=ZONE.key)


def figures_of(point: Point, terms: PointTerms, run: SampleRun) -> list[DayFigure]:
    return [day_figure.compute(point, day.toordinal(), ZONE, run, LATER_US, terms) for day in DAYS[:-1]]


@given(kinds, samples(), all_rules, st.randoms(use_true_random=False), st.data())
@settings(max_examples=80)
def test_order_splits_repetitions_and_questions_between_change_nothing(
    kind: PointKind, given_samples: list[Sample], rules: Rules, random, data: st.DataObject
) -> None:
    split_us = START_US + data.draw(st.integers(0, 30)) * STEP_US
    terms = TermList(
        {
            1: [
                Span(TIME_MIN_US, split_us, RulesTerm(rules)),
                Span(split_us + 5 * STEP_US, TIME_MAX_US, RulesTerm(rules)),
            ]
        }
    )

    async def run(folder: Path) -> None:
        point = make_point(kind)
        late, once = World(folder, point, terms), World(folder, point, terms)
        await late.service.open()
        await once.service.open()
        left = given_samples + random.sample(given_samples, len(given_samples) // 3)
        random.shuffle(left)
        while left:
            size = random.randint(1, 6)
            some, left = left[:size], left[size:]
            await late.put(some)
            if random.random() < 0.8:
                await late.rows()
        await once.put(given_samples)
        assert await late.told() == await once.told()
        whole = (await once.store.read([1], TIME_MIN_US, TIME_MAX_US))[0]
        versions = await once.store.read_versions([1], TIME_MIN_US, TIME_MAX_US)
        expected = figures_of(point, terms.of(1), prepared.prepared(whole, point, terms.of(1), versions))
        for row, figure in zip(await once.rows(), expected, strict=True):
            assert row.coverage == figure.coverage
            if row.energy is not None:
                assert row.energy == float(figure.total)
        await late.service.close()
        await once.service.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


@given(kinds, samples(), all_rules, st.integers(0, 30), st.integers(1, 16))
@settings(max_examples=40)
def test_a_stated_rule_moves_the_days_it_concerns_and_withdrawing_it_brings_the_old_figures_back(
    kind: PointKind, given_samples: list[Sample], rules: Rules, first: int, length: int
) -> None:
    span = Span(START_US + first * STEP_US, START_US + (first + length) * STEP_US, RulesTerm(rules))

    async def run(folder: Path) -> None:
        point, terms = make_point(kind), TermList({})
        world = World(folder, point, terms)
        await world.service.open()
        await world.put(given_samples)
        before = await world.rows()
        terms.put(1, [span])
        after = await world.rows()
        whole = (await world.store.read([1], TIME_MIN_US, TIME_MAX_US))[0]
        versions = await world.store.read_versions([1], TIME_MIN_US, TIME_MAX_US)
        plain = figures_of(point, NO_TERMS, prepared.prepared(whole, point, NO_TERMS))
        marked = prepared.prepared(whole, point, terms.of(1), versions)
        ruled = figures_of(point, terms.of(1), marked)
        for old, new, one, other in zip(before, after, plain, ruled, strict=True):
            is_moved = not one.says_the_same(other)
            assert (told(old) != told(new)) <= is_moved
            assert (new.revision != old.revision) == is_moved
        terms.put(1, [])
        assert [told(row) for row in before] == await world.told()
        await world.service.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


@given(kinds, samples(), all_rules, st.integers(0, 40), st.integers(0, 40), st.data())
@settings(max_examples=200)
def test_what_becomes_of_a_sample_depends_on_its_reach_only(
    kind: PointKind, given_samples: list[Sample], rules: Rules, one: int, other: int, data: st.DataObject
) -> None:
    point = make_point(kind)
    spans = tuple(
        [
            Span(TIME_MIN_US, START_US + 20 * STEP_US, RulesTerm(rules)),
            Span(START_US + 20 * STEP_US, TIME_MAX_US, RulesTerm(rules)),
        ]
    )
    steps = Step(TIME_MIN_US, 8.0), Step(START_US + data.draw(st.integers(0, 60)) * STEP_US, 2.0)
    terms = PointTerms({"rules": spans}, capacity=steps, multiplier=steps)
    times, numbers, bits = ([sample[i] for sample in given_samples] for i in range(3))
    whole = SampleRun(1, np.array(times, np.int64), np.array(numbers), np.array(bits, np.uint16))
    start_us, end_us = sorted((START_US + one * STEP_US, START_US + other * STEP_US))
    reach = prepared.reach_of(point.interval_us, terms)
    near = whole.between(start_us - reach.before_us, end_us + reach.after_us)
    expected = prepared.prepared(whole, point, terms).between(start_us, end_us)
    found = prepared.prepared(near, point, terms).between(start_us, end_us)
    assert [column.tolist() for column in found[1:]] == [column.tolist() for column in expected[1:]]


def test_a_term_list_is_a_directory_of_terms() -> None:
    directory: TermDirectory = TermList({1: [Span(0, 5, RulesTerm(Rules(duplicate=DuplicateRule())))]})
    assert directory.ids() == {1}
    assert directory.of(2) is term.NO_TERMS
