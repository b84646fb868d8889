"""Samples as figures see them: dated rules, dated capacity, estimates that give way."""

import numpy as np
import pytest

from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, Point, PointKind
from historian.model.rules import ClockRule, DuplicateRule, RangeRule, Rules, SentinelRule, StuckRule
from historian.model.sample import Origin, SampleRun, Versions
from historian.model.term import NO_TERMS, PointTerms, RulesTerm, Span, Step
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US
from historian.rollup import prepared
from historian.rollup.prepared import Reach

START_US = 1_790_812_800_000_000
SUSPECT, BAD = quality.SUSPECT, quality.BAD
POINT = Point(id=1, name="p", unit="kW", kind=PointKind.MEAN_POWER, interval_us=HOUR_US, capacity=100.0)


def run_of(values: list[float], bits: list[int] | None = None) -> SampleRun:
    times = START_US + np.arange(len(values), dtype=np.int64) * HOUR_US
    return SampleRun(1, times, np.array(values), np.array(bits or [0] * len(values), np.uint16))


def terms_of(rules: Rules, from_us: int = TIME_MIN_US, to_us: int = TIME_MAX_US) -> PointTerms:
    return PointTerms({"rules": (Span(from_us, to_us, RulesTerm(rules)),)})


def marks(values: list[float], terms: PointTerms, point: Point = POINT) -> list[int]:
    return prepared.prepared(run_of(values), point, terms).quality.tolist()


def test_without_rules_and_estimates_a_run_is_what_it_was() -> None:
    run = run_of([1.0, -99.0])
    assert prepared.prepared(run, POINT, NO_TERMS) is run


def test_rules_mark_the_samples_of_the_time_in_which_they_hold() -> None:
    terms = terms_of(Rules(sentinel=SentinelRule((-99.0,))), START_US + HOUR_US, START_US + 3 * HOUR_US)
    assert marks([-99.0, -99.0, 1.0, -99.0], terms) == [0, BAD, 0, 0]


def test_a_limit_by_capacity_is_that_of_the_capacity_and_multiplier_of_each_time() -> None:
    steps = Step(TIME_MIN_US, 100.0), Step(START_US + 2 * HOUR_US, 1000.0)
    terms = PointTerms(terms_of(Rules(range=RangeRule())).spans, capacity=steps)
    assert marks([500.0] * 3, terms) == [SUSPECT, SUSPECT, 0]
    factors = Step(TIME_MIN_US, 1.0), Step(START_US + HOUR_US, 10.0)
    dated = PointTerms(terms_of(Rules(range=RangeRule())).spans, multiplier=factors)
    assert marks([50.0] * 3, dated) == [0, SUSPECT, SUSPECT]


def test_a_capacity_of_zero_is_none() -> None:
    terms = PointTerms(terms_of(Rules(range=RangeRule())).spans, capacity=(Step(TIME_MIN_US, 0.0),))
    assert marks([1e9], terms) == [0]


def test_neighbours_beyond_the_rules_time_count() -> None:
    terms = terms_of(Rules(stuck=StuckRule(samples=3)), START_US + 2 * HOUR_US)
    assert marks([5.0, 5.0, 5.0, 6.0], terms) == [0, 0, SUSPECT, 0]


def test_estimates_give_way_before_rules_look() -> None:
    run = run_of([1.0, 2.0, 3.0], [0, quality.ESTIMATED, 0])
    run = run._replace(time_us=run.time_us + np.array([0, -HOUR_US // 2, -HOUR_US]))
    assert prepared.prepared(run, POINT, NO_TERMS).value.tolist() == [1.0, 3.0]


def test_the_reach_is_that_of_all_rules_that_ever_hold() -> None:
    assert prepared.reach_of(HOUR_US, NO_TERMS) == Reach(3 * HOUR_US // 2, 3 * HOUR_US // 2)
    near, far = Rules(stuck=StuckRule(samples=3)), Rules(stuck=StuckRule(samples=5))
    spans = Span(TIME_MIN_US, 0, RulesTerm(far)), Span(0, TIME_MAX_US, RulesTerm(near))
    reach = prepared.reach_of(HOUR_US, PointTerms({"rules": spans}))
    assert reach == Reach(*[3 * HOUR_US // 2 + 16 * HOUR_US + 1] * 2)


def versions_of(rows: list[tuple[int, float, int, int]]) -> Versions:
    """(hour, value, arrival hour, source)"""
    hours, values, arrivals, sources = zip(*rows, strict=True)
    return Versions(
        np.ones(len(rows), np.uint32),
        START_US + np.array(hours, np.int64) * HOUR_US,
        np.array(values),
        np.zeros(len(rows), np.uint16),
        np.arange(len(rows), dtype=np.int64),
        START_US + np.array(arrivals, np.int64) * HOUR_US,
        np.array(sources, np.int64),
        [Origin("a"), Origin("b")],
    )


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Rules(duplicate=DuplicateRule()), [0, SUSPECT, 0]),
        (Rules(clock=ClockRule(mark="bad")), [0, 0, BAD]),
        (Rules(stuck=StuckRule()), [0, 0, 0]),
    ],
)
def test_rules_on_arrival_look_at_versions(rules: Rules, expected: list[int]) -> None:
    versions = versions_of([(0, 1.0, 1, 0), (1, 9.0, 2, 0), (1, 2.0, 3, 0), (2, 3.0, 0, 0), (3, 4.0, 4, 0)])
    run = run_of([1.0, 2.0, 3.0])  # the last version is of no sample: an estimate that gave way
    found = prepared.prepared(run, POINT, terms_of(rules), versions)
    assert found.quality.tolist() == expected
    assert prepared.has_arrival_rules(terms_of(rules)) == (rules.stuck is None)


def test_versions_of_one_point_among_many() -> None:
    versions = versions_of([(0, 1.0, 0, 0), (1, 2.0, 1, 0)])._replace(point_id=np.array([3, 7], np.uint32))
    assert prepared.rows_of_versions(versions, 7).value.tolist() == [2.0]
    assert prepared.rows_of_versions(versions, 5).row_count == 0


def test_parts_are_cut_where_anything_changes() -> None:
    terms = PointTerms(
        terms_of(Rules(range=RangeRule()), START_US, START_US + DAY_US).spans,
        capacity=(Step(TIME_MIN_US, 1.0), Step(START_US + 2 * HOUR_US, 2.0)),
        multiplier=(Step(TIME_MIN_US, 1.0), Step(START_US + 5 * HOUR_US, 3.0)),
    )
    parts = prepared.parts_of(POINT, terms, START_US - DAY_US, START_US + 2 * DAY_US)
    told = [((part.to_us - part.from_us) // HOUR_US, *part.subject[3:]) for part in parts]
    assert told == [(2, 1.0, 1.0), (3, 2.0, 1.0), (19, 2.0, 3.0)]
