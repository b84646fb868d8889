"""Findings: stretches with their worst value, gaps with what they lack."""

import numpy as np

from historian.energy import finding
from historian.energy.finding import Finding
from historian.energy.validation import Span, Subject
from historian.model import quality
from historian.model.point import DAY_US, PointKind
from historian.model.rules import (
    MissingRule,
    NegativeRule,
    ProlongedEstimationRule,
    RangeRule,
    RateOfChangeRule,
    Rules,
    SentinelRule,
    SpikeRule,
    StuckRule,
    ZeroOnActiveRule,
)
from historian.model.sample import SampleRun

POWER = PointKind.MEAN_POWER


def run_of(values: dict[int, float], qualities: dict[int, int] | None = None) -> SampleRun:
    bits = [(qualities or {}).get(time_us, 0) for time_us in values]
    return SampleRun(
        1, np.array(list(values), np.int64), np.array(list(values.values())), np.array(bits, np.uint16)
    )


def found(rules: Rules, run: SampleRun, span: Span | None = None) -> list[Finding]:
    return finding.find(run, Subject(rules, POWER, 10), span)[1]


def test_neighbours_that_break_a_rule_are_one_finding_with_the_worst() -> None:
    run = run_of({0: 1, 10: -1, 20: -3, 30: -2, 40: 1, 50: -9})
    assert found(Rules(negative=NegativeRule()), run) == [
        Finding("negative", 10, 40, 3, -3.0, {"tolerance": 0.0}),
        Finding("negative", 50, 60, 1, -9.0, {"tolerance": 0.0}),
    ]


def test_a_finding_ends_at_the_next_sample_and_where_one_lacks() -> None:
    early = run_of({0: 1, 10: -1, 15: 1})
    assert [(one.start_us, one.end_us) for one in found(Rules(negative=NegativeRule()), early)] == [(10, 15)]
    apart = run_of({0: -1, 15: -1, 31: -1})
    told = [(one.start_us, one.end_us) for one in found(Rules(negative=NegativeRule()), apart)]
    assert told == [(0, 25), (31, 41)]


def test_a_spike_between_two_changes_does_not_part_them() -> None:
    rules = Rules(spike=SpikeRule(height=50), rate_of_change=RateOfChangeRule(max_per_hour=1.0))
    told = found(rules, run_of({0: 1, 10: 9, 20: 99, 30: 18}))
    assert [(one.rule, one.start_us, one.count, one.worst) for one in told] == [
        ("rate_of_change", 10, 2, 18.0),
        ("spike", 20, 1, 99.0),
    ]


def test_the_worst_of_a_range_is_the_furthest_outside() -> None:
    run = run_of({0: 12, 10: -7, 25: 13})
    rules = Rules(range=RangeRule(low=0, high=10))
    assert found(rules, run) == [Finding("range", 0, 35, 3, -7.0, {"low": 0.0, "high": 10.0})]


def test_the_worst_change_is_the_fastest() -> None:
    rules = Rules(rate_of_change=RateOfChangeRule(max_per_hour=1.0))
    assert [one.worst for one in found(rules, run_of({0: 1, 10: 2, 20: 9, 30: 10}))] == [9.0]


def test_a_sentinel_does_not_cut_a_stuck_stretch_in_two() -> None:
    rules = Rules(sentinel=SentinelRule((-99,)), stuck=StuckRule(4))
    run = run_of({0: 5, 10: 5, 20: -99, 30: 5, 40: 5})
    assert found(rules, run) == [
        Finding("stuck", 0, 50, 4, 5.0, {"samples": 4}),
        Finding("sentinel", 20, 30, 1, -99.0, {}),
    ]


def test_a_spike_and_zeros_tell_their_limits() -> None:
    run = run_of({0: 1, 10: 9, 20: 1, 30: 0, 40: 0})
    rules = Rules(spike=SpikeRule(height=5), zero_on_active=ZeroOnActiveRule(hours=10 / 3.6e9))
    assert found(rules, run) == [
        Finding("spike", 10, 20, 1, 9.0, {"height": 5.0}),
        Finding("zero_on_active", 30, 50, 2, 0.0, {"hours": 10 / 3.6e9}),
    ]


def test_a_gap_tells_how_many_it_lacks() -> None:
    rules = Rules(missing=MissingRule())
    run = run_of({0: 1, 10: 1, 40: 1, 50: 1}, {50: quality.DELETED})
    assert found(rules, run) == [Finding("missing", 20, 40, 2, None, {"gap_intervals": 1.5})]
    assert [(one.start_us, one.end_us, one.count) for one in found(rules, run, Span(-20, 70))] == [
        (-20, 0, 2),
        (20, 40, 2),
        (50, 70, 2),
    ]


def test_a_sample_before_the_span_explains_its_start() -> None:
    rules = Rules(missing=MissingRule())
    assert found(rules, run_of({8: 1, 23: 1}), Span(10, 30)) == []
    assert [one.count for one in found(rules, run_of({23: 1}), Span(10, 30))] == [1]


def test_with_a_span_only_what_touches_it_is_told() -> None:
    run = run_of({0: -1, 10: 1, 20: -1, 30: 1, 40: -1})
    assert [one.start_us for one in found(Rules(negative=NegativeRule()), run, Span(10, 40))] == [20]


def test_estimates_over_too_many_days_are_told() -> None:
    rules = Rules(prolonged_estimation=ProlongedEstimationRule(days=2.0))
    times = [day * DAY_US for day in range(7)]
    bits = {time_us: quality.ESTIMATED for time_us in times[1:5]}
    bits[times[3]] = quality.ESTIMATED | quality.BAD
    run = run_of(dict.fromkeys(times, 1.0), bits)
    subject = Subject(rules, POWER, DAY_US)
    assert finding.of_run(run, np.zeros(7, np.uint16), subject) == [
        Finding("prolonged_estimation", times[1], times[5], 3, None, {"days": 2.0})
    ]
    shorter = run_of(dict.fromkeys(times, 1.0), {time_us: quality.ESTIMATED for time_us in times[1:4]})
    assert finding.of_run(shorter, np.zeros(7, np.uint16), subject) == []
