"""Rules that could never be looked for are refused, and the text says what to state."""

import pytest

from historian.errors import TermInvalid
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.rules import (
    DuplicateRule,
    RangeRule,
    RateOfChangeRule,
    Rules,
    SpikeRule,
    StuckRule,
    ZeroOnActiveRule,
    usual,
)
from historian.model.term import NO_TERMS, BillingTerm, MainPowerTerm, PointTerms, RulesTerm, Step
from historian.rollup import rule_check


def point_of(kind: PointKind = PointKind.MEAN_POWER, capacity: float | None = None) -> Point:
    unit = "kWh" if kind is PointKind.REGISTER else "kW"
    return Point(id=1, name="p", unit=unit, kind=kind, interval_us=15 * MINUTE_US, capacity=capacity)


@pytest.mark.parametrize(
    ("rules", "point", "text"),
    [
        (Rules(), point_of(), "rules: none is asked for"),
        (Rules(range=RangeRule()), point_of(), "range: .* state low or high, or give the point a capacity"),
        (Rules(spike=SpikeRule()), point_of(), "spike: .* state height, or give"),
        (Rules(range=RangeRule()), point_of(PointKind.REGISTER, 9.0), "range: nothing to look for of a register .* low or high$"),
        (Rules(rate_of_change=RateOfChangeRule()), point_of(capacity=9.0), "rate_of_change: .* max_per_hour$"),
        (Rules(stuck=StuckRule(samples=5000)), point_of(), "stuck: looks 209 days far at an interval of 900 s, 40 "),
        (Rules(zero_on_active=ZeroOnActiveRule(hours=8000)), point_of(), "zero_on_active: looks 334 days"),
    ],
)  # fmt: skip
def test_what_is_refused(rules: Rules, point: Point, text: str) -> None:
    with pytest.raises(TermInvalid, match=text):
        rule_check.check(RulesTerm(rules), point, NO_TERMS)


def test_what_can_be_looked_for_is_taken() -> None:
    rule_check.check(RulesTerm(usual(PointKind.MEAN_POWER)), point_of(capacity=10.0), NO_TERMS)
    rule_check.check(RulesTerm(Rules(range=RangeRule(high=5.0), spike=SpikeRule(1.0))), point_of(), NO_TERMS)
    rule_check.check(RulesTerm(Rules(duplicate=DuplicateRule())), point_of(), NO_TERMS)
    rule_check.check(BillingTerm(), point_of(), NO_TERMS)


def test_a_capacity_that_ever_was_known_suffices() -> None:
    terms = PointTerms(capacity=(Step(0, 0.0), Step(5, 100.0)))
    rule_check.check(RulesTerm(Rules(range=RangeRule())), point_of(), terms)


def test_main_power_is_of_points_of_active_power() -> None:
    rule_check.check(MainPowerTerm(), point_of(), NO_TERMS)
    for kind, unit in ((PointKind.REGISTER, "kWh"), (PointKind.INSTANTANEOUS, "kvar")):
        point = Point(id=1, name="Q1", unit=unit, kind=kind)
        with pytest.raises(TermInvalid, match=f"active power .* Q1 is of kind {kind.value} in {unit}"):
            rule_check.check(MainPowerTerm(), point, NO_TERMS)
