"""Which terms nobody may state of a point: main power of what is no active power, and rules that could never be looked for
or look too far.
"""

from typing import Final

import msgspec

from historian.energy import validation
from historian.errors import TermInvalid
from historian.model.point import DAY_US, Point, PointKind
from historian.model.rules import Rules
from historian.model.term import MainPowerTerm, PointTerms, RulesTerm, Term
from historian.rollup import point_unit, prepared

REACH_DAYS_MAX: Final = 40  # so many days before and after are made anew with each sample that changes

_MISSING: Final = {
    "range": "state low or high",
    "spike": "state height",
    "rate_of_change": "state max_per_hour",
}


def check(term: Term, point: Point, terms: PointTerms) -> None:
    """Raise TermInvalid, which says what to state instead."""
    if isinstance(term, MainPowerTerm) and not point_unit.is_active_power(point):
        raise TermInvalid(
            f"main_power is for points of active power (instantaneous or mean, in W, kW or MW); {point.name} is of kind "
            f"{point.kind.value} in {point.unit}: state it of the point that measures the station's power"
        )
    if not isinstance(term, RulesTerm):
        return
    rules = term.rules
    if not rules.names:
        raise TermInvalid(
            "rules: none is asked for; withdraw the statement that holds, or state at least one"
        )
    capacity = point.capacity or max((step.value for step in terms.capacity), default=0.0) or None
    subject = prepared.subject_of(point, terms, rules, 0)._replace(capacity=capacity)
    if not subject.multiplier:
        subject = subject._replace(multiplier=1.0)
    for name in validation.unchecked(subject):
        with_capacity = validation.unchecked(subject._replace(capacity=1.0))
        more = "" if name in with_capacity else ", or give the point a capacity"
        kind = " of a register" if point.kind is PointKind.REGISTER else ""
        raise TermInvalid(f"{name}: nothing to look for{kind} without a threshold: {_MISSING[name]}{more}")
    check_reach(rules, point)


def check_reach(rules: Rules, point: Point) -> None:
    """Raise TermInvalid for rules that look too far."""
    for name in rules.names:
        alone = msgspec.structs.replace(_NONE, **{name: getattr(rules, name)})
        reach_us = max(validation.reach_us(alone, point.interval_us))
        if reach_us > REACH_DAYS_MAX * DAY_US:
            days = -(-reach_us // DAY_US)
            raise TermInvalid(
                f"{name}: looks {days} days far at an interval of {point.interval_us // 1_000_000} s, {REACH_DAYS_MAX} are "
                "allowed; take fewer neighbour_intervals, samples or hours"
            )


_NONE: Final = Rules()
