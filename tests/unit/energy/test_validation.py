"""Each rule marks what it should, and nothing beside it."""

import numpy as np
import pytest

from historian.energy import validation
from historian.energy.validation import Limits, Span, Subject
from historian.model import quality
from historian.model.point import HOUR_US, MINUTE_US, PointKind
from historian.model.rules import (
    NAMES,
    MissingRule,
    NegativeRule,
    RangeRule,
    RateOfChangeRule,
    Rules,
    SentinelRule,
    SpikeRule,
    StuckRule,
    ZeroOnActiveRule,
)
from historian.model.sample import SampleRun, block_of

QUARTER_US = 15 * MINUTE_US
POWER, REGISTER, INTERVAL = PointKind.MEAN_POWER, PointKind.REGISTER, PointKind.INTERVAL


def run_of(values: list[float], qualities: list[int] | None = None, step_us: int = QUARTER_US) -> SampleRun:
    times = np.arange(len(values), dtype=np.int64) * step_us
    return SampleRun(1, times, np.array(values), np.array(qualities or [0] * len(values), np.uint16))


def places(rules: Rules, kind: PointKind, values: list[float], **more: float) -> list[int]:
    subject = Subject(rules, kind, QUARTER_US, **more)
    return np.flatnonzero(validation.check(run_of(values), subject).breach).tolist()


@pytest.mark.parametrize(
    ("rules", "kind", "values", "broken"),
    [
        pytest.param(Rules(range=RangeRule(low=0, high=10)), POWER, [0, 10, 10.1, -0.1], [2, 3], id="range"),
        pytest.param(Rules(range=RangeRule()), POWER, [120, 120.1, -120, -121], [1, 3], id="1.2 capacity"),
        pytest.param(Rules(range=RangeRule()), INTERVAL, [30, 30.1], [1], id="1.2 capacity in a quarter"),
        pytest.param(Rules(range=RangeRule()), REGISTER, [0, 1e9], [], id="a register has no capacity"),
        pytest.param(Rules(negative=NegativeRule(0.5)), POWER, [-0.5, -0.6, 1], [1], id="negative"),
        pytest.param(Rules(sentinel=SentinelRule((-99, 6553.5))), POWER, [-99, -98, 6553.5], [0, 2], id="no value"),
        pytest.param(Rules(spike=SpikeRule(height=5)), POWER, [1, 1, 7.1, 2, 2], [2], id="spike"),
        pytest.param(Rules(spike=SpikeRule(height=5)), POWER, [1, 6, 1], [], id="not more than 5"),
        pytest.param(Rules(spike=SpikeRule(height=5)), POWER, [9, 9, 1, 9], [2], id="downward"),
        pytest.param(Rules(spike=SpikeRule(height=5)), POWER, [1, 1, 9, 9, 1], [], id="two are no spike"),
        pytest.param(Rules(spike=SpikeRule()), POWER, [1, 1, 52, 1], [2], id="half the capacity"),
        pytest.param(Rules(spike=SpikeRule()), REGISTER, [100, 0, 101, 102], [1], id="transient zero"),
        pytest.param(Rules(spike=SpikeRule()), REGISTER, [100, 99, 101, 102], [1], id="a dip of any depth"),
        pytest.param(Rules(spike=SpikeRule()), REGISTER, [99998, 99999, 3, 4], [], id="rollover is none"),
        pytest.param(Rules(rate_of_change=RateOfChangeRule(max_per_hour=4)), POWER, [1, 2, 4, 3, 0], [2, 4], id="rate"),
        pytest.param(Rules(rate_of_change=RateOfChangeRule()), REGISTER, [0, 30, 61, 5], [2], id="register's rate"),
        pytest.param(Rules(rate_of_change=RateOfChangeRule()), POWER, [0, 1e9], [], id="no rate by capacity"),
        pytest.param(
            Rules(spike=SpikeRule(height=5), rate_of_change=RateOfChangeRule(max_per_hour=4)), POWER,
            [1, 1, 99, 1, 1], [2], id="a spike is told once, its neighbour not at all",
        ),
        pytest.param(Rules(stuck=StuckRule(3)), POWER, [1, 2, 2, 2, 3, 3], [1, 2, 3], id="stuck"),
        pytest.param(Rules(stuck=StuckRule(3)), POWER, [0, 0, 0, 0], [], id="zero is not stuck"),
        pytest.param(Rules(zero_on_active=ZeroOnActiveRule(0.5)), POWER, [0, 0, 1, 0, 0, 0], [3, 4, 5], id="zero"),
        pytest.param(Rules(zero_on_active=ZeroOnActiveRule(0.5)), REGISTER, [7, 7, 7, 8, 8], [0, 1, 2], id="at rest"),
        pytest.param(Rules(), POWER, [0, 0, 1e30, -99], [], id="no rules"),
    ],
)  # fmt: skip
def test_a_rule_marks_what_breaks_it(
    rules: Rules, kind: PointKind, values: list[float], broken: list[int]
) -> None:
    assert places(rules, kind, values, capacity=100.0) == broken


def test_capacity_is_compared_after_the_multiplier() -> None:
    assert places(Rules(range=RangeRule()), POWER, [1.2, 1.3], capacity=100.0, multiplier=100.0) == [1]


def test_marks_raise_validity_and_keep_the_rest() -> None:
    rules = Rules(range=RangeRule(high=5.0, mark="bad"), negative=NegativeRule())
    before = [
        quality.ESTIMATED | quality.LATE,
        quality.SUSPECT | quality.MANUAL,
        quality.BAD,
        quality.DELETED,
        0,
    ]
    checked = validation.check(run_of([-1.0, 6.0, 6.0, 6.0, 6.0], before), Subject(rules, POWER, QUARTER_US))
    assert checked.quality.tolist() == [
        quality.ESTIMATED | quality.LATE | quality.SUSPECT,
        quality.MANUAL | quality.BAD,
        quality.BAD,
        quality.DELETED,
        quality.BAD,
    ]
    assert checked.breach.tolist() == [4, 2, 0, 0, 2]


@pytest.mark.parametrize("useless", [quality.BAD, quality.MISSING, quality.DELETED])
def test_samples_of_no_use_are_no_neighbours(useless: int) -> None:
    rules = Rules(spike=SpikeRule(height=5), stuck=StuckRule(3))
    run = run_of([1, 99, 1, 1, 2], [0, useless, 0, 0, 0])
    assert validation.check(run, Subject(rules, POWER, QUARTER_US)).breach.tolist() == [32, 0, 32, 32, 0]


def test_a_sentinel_is_nobodys_neighbour() -> None:
    rules = Rules(sentinel=SentinelRule((-99,)), rate_of_change=RateOfChangeRule(max_per_hour=4))
    assert places(rules, POWER, [5, -99, 5, 5]) == [1]


def test_neighbours_that_are_too_far_are_not_compared() -> None:
    rules = Rules(rate_of_change=RateOfChangeRule(max_per_hour=1, neighbour_intervals=2), stuck=StuckRule(3))
    run = run_of([1, 9, 9, 9], step_us=3 * QUARTER_US)
    assert validation.check(run, Subject(rules, POWER, QUARTER_US)).breach.tolist() == [0, 32, 32, 32]
    run = run_of([1, 9, 9, 9], step_us=5 * QUARTER_US)
    assert validation.check(run, Subject(rules, POWER, QUARTER_US)).breach.tolist() == [0, 0, 0, 0]


def test_a_run_without_samples_lacks_them_all() -> None:
    subject = Subject(Rules(missing=MissingRule()), POWER, QUARTER_US)
    assert validation.check(run_of([]), subject, Span(0, HOUR_US)).run_breach.tolist() == [128]
    assert validation.check(run_of([]), subject).run_breach.tolist() == [0]


def test_each_run_goes_by_its_own_subject() -> None:
    small, large = (
        Subject(Rules(range=RangeRule()), POWER, QUARTER_US, capacity) for capacity in (1.0, 100.0)
    )
    limits = Limits.of([small, large, small])
    assert len(limits.real) == 2
    checked = validation.check_block(block_of([run_of([2.0]), run_of([2.0]), run_of([])]), limits)
    assert checked.run_breach.tolist() == [2, 0, 0]


def test_rules_that_lack_a_threshold_are_told() -> None:
    rules = Rules(range=RangeRule(), spike=SpikeRule(), rate_of_change=RateOfChangeRule(), stuck=StuckRule())
    assert validation.unchecked(Subject(rules, POWER, QUARTER_US)) == ("range", "spike", "rate_of_change")
    assert validation.unchecked(Subject(rules, POWER, QUARTER_US, 5.0)) == ("rate_of_change",)
    assert validation.unchecked(Subject(rules, REGISTER, QUARTER_US, 5.0)) == ("range",)
    assert validation.unchecked(Subject(rules, POWER, QUARTER_US, 5.0, 0.0)) == (
        "range",
        "spike",
        "rate_of_change",
    )


def test_the_reach_is_that_of_the_rules() -> None:
    assert validation.reach_us(Rules(range=RangeRule()), QUARTER_US) == (1, 1)
    spike, rate = SpikeRule(neighbour_intervals=2), RateOfChangeRule(neighbour_intervals=3)
    assert validation.reach_us(Rules(spike=spike, rate_of_change=rate), 10) == (51, 21)
    assert validation.reach_us(Rules(stuck=StuckRule(5, 2)), 10) == (81, 81)
    assert validation.reach_us(Rules(zero_on_active=ZeroOnActiveRule(1.0, 1)), 10) == (HOUR_US + 11,) * 2


def test_bits_are_places_of_names() -> None:
    assert [validation.bit_of(name) for name in NAMES] == [1 << place for place in range(len(NAMES))]
