"""Samples as figures see them: estimates that measured data have overtaken give way, then rules mark what is left.

Nothing of it is stored: it follows from the samples, and from the rules in force at each sample's time. What becomes of
a sample depends on what lies within the reach of the rules only, so neither the order of arrival nor where a run was
cut makes a difference.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import arrival_check, estimate, sample_period, validation
from historian.energy.validation import U16, Subject
from historian.model import quality
from historian.model.point import Point
from historian.model.rules import Rules
from historian.model.sample import SampleRun, Versions
from historian.model.term import PointTerms, RulesTerm, Step

I64 = npt.NDArray[np.int64]

KIND: Final = "rules"


class Reach(NamedTuple):
    """How far before and after its stamp others decide what becomes of a sample, exclusive at both ends."""

    before_us: int
    after_us: int


class Part(NamedTuple):
    """A stretch ``[from_us, to_us)`` of time in which one subject holds for the samples of a point."""

    from_us: int
    to_us: int
    subject: Subject


class Looked(NamedTuple):
    """The quality of samples with marks, and which rules each breaks; see `validation.Checked`."""

    quality: U16
    breach: U16


def has_rules(terms: PointTerms) -> bool:
    """Whether rules are in force for any of the point's time."""
    return bool(terms.of_kind(KIND))


def has_arrival_rules(terms: PointTerms) -> bool:
    """Whether any of the rules asks when the versions of samples arrived."""
    return any(rules.duplicate or rules.clock for rules in _all_rules(terms))


def reach_of(interval_us: int, terms: PointTerms) -> Reach:
    """The reach of all rules that ever hold for the point, and of the samples by which estimates give way."""
    reaches = [validation.reach_us(rules, interval_us) for rules in _all_rules(terms)]
    own_us = sample_period.longest_gap_us(interval_us)
    return Reach(
        own_us + max((before_us for before_us, _ in reaches), default=0),
        own_us + max((after_us for _, after_us in reaches), default=0),
    )


def prepared(run: SampleRun, point: Point, terms: PointTerms, versions: Versions | None = None) -> SampleRun:
    """A run as figures are to see it. Samples nearer to its ends than the reach may be marked otherwise than they should.

    `versions` are those of the run's samples, where the rules ask for them.
    """
    run = without_outdated(run, point)
    if run.sample_count == 0 or not has_rules(terms):
        return run
    parts = parts_of(point, terms, int(run.time_us[0]), int(run.time_us[-1]) + 1)
    return run._replace(quality=look(run, parts, versions).quality)


def without_outdated(run: SampleRun, point: Point) -> SampleRun:
    """The run without estimates that measured data have overtaken."""
    return estimate.without_outdated_estimates(run, point.interval_us)


def parts_of(point: Point, terms: PointTerms, start_us: int, end_us: int) -> list[Part]:
    """Stretches of ``[start_us, end_us)`` in which rules hold, each with capacity and multiplier of that time."""
    parts: list[Part] = []
    for span in terms.of_kind(KIND):
        from_us, to_us = max(span.from_us, start_us), min(span.to_us, end_us)
        if from_us >= to_us or not isinstance(span.term, RulesTerm):
            continue
        steps = [step.from_us for step in (*terms.capacity, *terms.multiplier)]
        edges = sorted({from_us, to_us, *(time_us for time_us in steps if from_us < time_us < to_us)})
        parts += [
            Part(first, last, subject_of(point, terms, span.term.rules, first))
            for first, last in itertools.pairwise(edges)
        ]
    return parts


def subject_of(point: Point, terms: PointTerms, rules: Rules, time_us: int) -> Subject:
    """What the samples of a time are looked at by."""
    capacity = _value_at(terms.capacity, time_us, point.capacity)
    multiplier = _value_at(terms.multiplier, time_us, point.multiplier)
    return Subject(rules, point.kind, point.interval_us, capacity or None, multiplier or 0.0)


def look(run: SampleRun, parts: Sequence[Part], versions: Versions | None = None) -> Looked:
    """Marks and breaches of a run's samples, each by the part that its stamp lies in; none in no part."""
    marked, breach = run.quality.copy(), np.zeros(run.sample_count, np.uint16)
    for part in parts:
        first, last = np.searchsorted(run.time_us, (part.from_us, part.to_us)).tolist()
        if first == last:
            continue
        arrived = look_at_arrivals(run, part.subject.rules, versions)
        found = validation.check(run._replace(quality=arrived.quality), part.subject)
        marked[first:last] = found.quality[first:last]
        breach[first:last] = (found.breach | arrived.breach)[first:last]
    return Looked(marked, breach)


def look_at_arrivals(run: SampleRun, rules: Rules, versions: Versions | None) -> Looked:
    """What the rules on duplicates and clocks say of a run's samples; the last version of each is in the run."""
    marked, breach = run.quality.copy(), np.zeros(run.sample_count, np.uint16)
    if versions is None or versions.row_count == 0 or not (rules.duplicate or rules.clock):
        return Looked(marked, breach)
    found = arrival_check.check(versions, rules)
    is_newest = np.append(np.diff(versions.time_us) != 0, True)
    time_us, bits, broken = (column[is_newest] for column in (versions.time_us, found.quality, found.breach))
    at = np.minimum(np.searchsorted(run.time_us, time_us), run.sample_count - 1)
    # An estimate that gave way is not in the run.
    is_there = (run.time_us[at] == time_us) & quality.is_usable(run.quality[at])
    marked[at[is_there]] = bits[is_there]
    breach[at[is_there]] = broken[is_there]
    return Looked(marked, breach)


def rows_of_versions(versions: Versions, point_id: int) -> Versions:
    """Those of one point."""
    first, last = np.searchsorted(versions.point_id, (point_id, point_id + 1)).tolist()
    return versions.take(np.arange(first, last))


def _all_rules(terms: PointTerms) -> Iterator[Rules]:
    return (span.term.rules for span in terms.of_kind(KIND) if isinstance(span.term, RulesTerm))


def _value_at(steps: Sequence[Step], time_us: int, always: float | None) -> float | None:
    value = always
    for step in steps:
        if step.from_us <= time_us:
            value = step.value
    return value
