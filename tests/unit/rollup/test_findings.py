"""Findings of a range: told where they touch it, by the rules of each time."""

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.errors import QueryTooLarge
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, Point, PointKind
from historian.model.rules import (
    ClockRule,
    DuplicateRule,
    MissingRule,
    ProlongedEstimationRule,
    RangeRule,
    Rules,
    SentinelRule,
    SpikeRule,
    StuckRule,
)
from historian.model.sample import make_batch
from historian.model.term import NO_TERMS, PointTerms, RulesTerm, Span, Step
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US
from historian.rollup import findings
from historian.rollup.day_maker import Metered
from historian.rollup.findings import Findings, Unchecked
from tests.support.version_store import VersionStore

START_US = 1_790_812_800_000_000
POINT = Point(id=1, name="p", unit="kW", kind=PointKind.MEAN_POWER, interval_us=HOUR_US)
ALWAYS = (TIME_MIN_US, TIME_MAX_US)


async def find(
    values: list[float],
    *spans: Span,
    first: int = 0,
    last: int = 24,
    bits: list[int] | None = None,
    **more: object,
) -> Findings:
    store = VersionStore(ManualClock(START_US))
    times = START_US + np.arange(len(values), dtype=np.int64) * HOUR_US
    is_there = ~np.isnan(values)
    quality_column = np.array(bits or [0] * len(values), np.uint16)
    await store.append(
        make_batch(1, times[is_there], np.array(values)[is_there], quality_column[is_there]), source="meter"
    )
    await store.append(make_batch(1, times[:1], [values[0] + 1]), source="meter")
    terms = PointTerms({"rules": spans}, **more) if spans else NO_TERMS  # type: ignore[arg-type]
    return await findings.find(
        store, Metered(POINT, terms), START_US + first * HOUR_US, START_US + last * HOUR_US
    )


def told(found: Findings) -> list[tuple[str, int, int, int, str]]:
    hours = [
        ((one.finding.start_us - START_US) // HOUR_US, (one.finding.end_us - START_US) // HOUR_US)
        for one in found.told
    ]
    return [
        (one.finding.rule, *hour, one.finding.count, one.mark)
        for one, hour in zip(found.told, hours, strict=True)
    ]


async def test_what_rules_find_and_how_they_mark() -> None:
    rules = Rules(
        sentinel=SentinelRule((-99.0,)),
        stuck=StuckRule(samples=3),
        missing=MissingRule(),
        duplicate=DuplicateRule(),
    )
    values = [1.0, -99.0, 2.0, 5.0, 5.0, 5.0, 3.0, np.nan, np.nan, *range(9, 24)]
    found = await find(values, Span(*ALWAYS, RulesTerm(rules)))
    assert told(found) == [
        ("duplicate", 0, 1, 1, "suspect"),
        ("sentinel", 1, 2, 1, "bad"),
        ("stuck", 3, 6, 3, "suspect"),
        ("missing", 7, 9, 2, ""),
    ]
    assert (found.sample_count, found.suspect_count, found.bad_count) == (22, 4, 1)
    assert not found.unchecked
    assert not found.is_cut


async def test_a_stretch_that_touches_the_range_is_told_as_far_as_rules_reach() -> None:
    rules = Rules(stuck=StuckRule(samples=3, neighbour_intervals=1))
    found = await find([1.0, *[5.0] * 8, *range(20)], Span(*ALWAYS, RulesTerm(rules)), first=8, last=12)
    assert told(found) == [("stuck", 5, 9, 4, "suspect")]
    assert (found.sample_count, found.suspect_count) == (4, 1)


async def test_rules_are_those_of_each_time_and_what_cannot_be_looked_for_is_told() -> None:
    early = Span(TIME_MIN_US, START_US + 6 * HOUR_US, RulesTerm(Rules(range=RangeRule(mark="bad"))))
    late = Span(START_US + 6 * HOUR_US, TIME_MAX_US, RulesTerm(Rules(sentinel=SentinelRule((50.0,)))))
    capacity = Step(TIME_MIN_US, 0.0), Step(START_US + 3 * HOUR_US, 10.0)
    found = await find([1.0, *[50.0] * 7], early, late, capacity=capacity)
    assert told(found) == [("range", 3, 6, 3, "bad"), ("sentinel", 6, 8, 2, "bad")]
    assert found.told[0].finding.limits == {"low": -12.0, "high": 12.0}
    assert found.unchecked == [Unchecked("range", START_US, START_US + 3 * HOUR_US)]


async def test_a_stretch_ends_where_other_rules_begin() -> None:
    early = Span(TIME_MIN_US, START_US + 3 * HOUR_US, RulesTerm(Rules(sentinel=SentinelRule((50.0,)))))
    late = Span(START_US + 3 * HOUR_US, TIME_MAX_US, RulesTerm(Rules(sentinel=SentinelRule((50.0, 9.0)))))
    found = await find([1.0, *[50.0] * 5, 1.0], early, late)
    assert told(found) == [("sentinel", 1, 3, 2, "bad"), ("sentinel", 3, 6, 3, "bad")]


async def test_long_estimates_and_clocks() -> None:
    rules = Rules(
        prolonged_estimation=ProlongedEstimationRule(days=0.25), clock=ClockRule(ahead_s=4 * 3600, mark="bad")
    )
    bits = [0] + [quality.ESTIMATED] * 12 + [0] * 3
    found = await find([*range(16)], Span(*ALWAYS, RulesTerm(rules)), first=8, bits=bits)
    assert told(found) == [("prolonged_estimation", 1, 13, 12, ""), ("clock", 7, 16, 9, "bad")]
    assert found.told[1].finding.limits == {"ahead_s": 14_400.0, "year_min": 2001}
    assert (found.sample_count, found.bad_count) == (8, 8)


async def test_without_rules_nothing_is_found() -> None:
    found = await find([1.0, -99.0])
    assert (found.told, found.unchecked, found.sample_count) == ([], [], 2)


async def test_too_much_is_refused_and_too_many_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    term = RulesTerm(Rules(spike=SpikeRule(height=1.0)))
    monkeypatch.setattr(findings, "FINDINGS_MAX", 2)
    found = await find([0.0, 9.0, 0.0] * 6, Span(*ALWAYS, term))
    assert (len(found.told), found.is_cut) == (2, True)
    monkeypatch.setattr(findings, "SAMPLES_MAX", 30)
    with pytest.raises(QueryTooLarge, match="samples may have to be looked at, 30 are allowed"):
        await find([0.0], Span(*ALWAYS, term), last=25 * DAY_US // HOUR_US)
