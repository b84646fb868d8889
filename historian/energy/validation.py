"""Validation: samples that break a rule of their point get a worse validity, never another value.

A sample's mark depends on what lies within `reach_us` of it only: neither the order in which samples came nor where a
run was cut makes a difference. Samples of no use (bad, missing, deleted) are neither looked at nor compared with.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import validation_kernels as kernels
from historian.model.point import DAY_US, HOUR_US, PointKind
from historian.model.rules import NAMES, Rules
from historian.model.sample import RunBlock, SampleRun, block_of

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]

_NEVER: Final = np.iinfo(np.int64).max


class Subject(NamedTuple):
    """Whose samples are checked: the rules, and what of the point they refer to.

    `capacity` in the unit of the point's power (of a voltage, its nominal value), `multiplier` as the point has it:
    limits by capacity are compared with value × multiplier.
    """

    rules: Rules
    kind: PointKind
    interval_us: int
    capacity: float | None = None
    multiplier: float = 1.0

    @property
    def stored_capacity(self) -> float | None:
        """The capacity before the multiplier; None where it is not known."""
        if self.capacity is None or self.multiplier == 0:
            return None
        return self.capacity / abs(self.multiplier)


class Span(NamedTuple):
    """``[start_us, end_us)``, where a sample is expected each interval."""

    start_us: int
    end_us: int


class Limits(NamedTuple):
    """The limits of subjects as kernels read them: subject `i` goes by row ``row[i]``. Make it once, use it often."""

    row: I64
    real: F64
    whole: I64
    sentinel: F64

    @classmethod
    def of(cls, subjects: Sequence[Subject]) -> "Limits":
        """From one subject for each run."""
        distinct = {subject: place for place, subject in enumerate(dict.fromkeys(subjects))}
        real = np.empty((len(distinct), kernels.REAL_COUNT))
        whole = np.empty((len(distinct), kernels.WHOLE_COUNT), np.int64)
        sentinels: list[float] = []
        for subject, place in distinct.items():
            real[place] = _reals_of(subject)
            whole[place] = _wholes_of(subject, len(sentinels))
            sentinels += _sentinels_of(subject.rules)
        row = np.array([distinct[subject] for subject in subjects], np.int64)
        return cls(row, real, whole, np.array(sentinels, np.float64))


class Checked(NamedTuple):
    """What became of samples: their quality with marks, and which rules each breaks.

    `breach` has bit ``1 << NAMES.index(rule)`` for each. `run_breach` of each run joins those of its samples, and what
    is told of the run as a whole: missing, prolonged_estimation.
    """

    quality: U16
    breach: U16
    run_breach: U16


def check(run: SampleRun, subject: Subject, span: Span | None = None) -> Checked:
    """One run; see `check_block`."""
    return check_block(block_of([run]), Limits.of([subject]), span)


def check_block(block: RunBlock, limits: Limits, span: Span | None = None) -> Checked:
    """Marks of the samples of every run, each by its row of the limits; new columns.

    Samples near an end of a run are right if the run reaches `reach_us` beyond them. With a `span`, gaps are looked for
    inside of it, its ends included; without, between samples.
    """
    assert len(limits.row) == block.run_count, "one subject for each run"
    breach, marked = np.empty(block.sample_count, np.uint16), np.empty(block.sample_count, np.uint16)
    run_breach = np.empty(block.run_count, np.uint16)
    longest = int(np.max(np.diff(block.offset), initial=0))
    start_us, end_us = span or (kernels.NO_SPAN, kernels.NO_SPAN)
    kernels.check_runs(
        block.offset, block.time_us, block.value, block.quality, limits.row, limits.real, limits.whole,
        limits.sentinel, start_us, end_us, np.empty(longest, np.int64), breach, marked, run_breach,
    )  # fmt: skip
    return Checked(marked, breach, run_breach)


def reach_us(rules: Rules, interval_us: int) -> tuple[int, int]:
    """How far before and after its stamp others decide a sample's mark, exclusive at both ends."""
    before_us, after_us = [0], [0]
    spike_us = rules.spike.neighbour_intervals * interval_us if rules.spike else 0
    before_us.append(spike_us)
    after_us.append(spike_us)
    if rules.rate_of_change:
        # A spike is not compared with, and what is a spike is decided by its own neighbours.
        before_us.append(rules.rate_of_change.neighbour_intervals * interval_us + spike_us)
    if rules.stuck:
        stuck_us = (rules.stuck.samples - 1) * rules.stuck.neighbour_intervals * interval_us
        before_us.append(stuck_us)
        after_us.append(stuck_us)
    if rules.zero_on_active:
        zero_us = _us(rules.zero_on_active.hours, HOUR_US)
        zero_us += rules.zero_on_active.neighbour_intervals * interval_us
        before_us.append(zero_us)
        after_us.append(zero_us)
    return max(before_us) + 1, max(after_us) + 1


def unchecked(subject: Subject) -> tuple[str, ...]:
    """Rules that are asked for but cannot be looked for: a threshold is missing, in the rule or with the capacity."""
    rules, reals = subject.rules, _reals_of(subject)
    no_range = math.isinf(reals[kernels.LOW]) and math.isinf(reals[kernels.HIGH])
    found = {
        "range": rules.range is not None and no_range,
        "spike": rules.spike is not None and math.isinf(reals[kernels.SPIKE_HEIGHT]),
        "rate_of_change": rules.rate_of_change is not None and math.isinf(reals[kernels.MAX_PER_HOUR]),
    }
    return tuple(name for name in NAMES if found.get(name))


def bit_of(name: str) -> int:
    """The bit of a rule in `Checked.breach`."""
    return 1 << NAMES.index(name)


def _reals_of(subject: Subject) -> list[float]:
    rules, reals = subject.rules, [math.inf] * kernels.REAL_COUNT
    reals[kernels.LOW], reals[kernels.HIGH] = _bounds_of(subject)
    reals[kernels.NEGATIVE_LOW] = -rules.negative.tolerance if rules.negative else -math.inf
    reals[kernels.SPIKE_HEIGHT] = _spike_height_of(subject)
    reals[kernels.MAX_PER_HOUR] = _max_per_hour_of(subject)
    return reals


def _bounds_of(subject: Subject) -> tuple[float, float]:
    rule = subject.rules.range
    if rule is None:
        return -math.inf, math.inf
    bound = _by_capacity(subject, rule.capacity_share)
    if subject.kind is PointKind.REGISTER:
        bound = math.inf
    return -bound if rule.low is None else rule.low, bound if rule.high is None else rule.high


def _spike_height_of(subject: Subject) -> float:
    rule = subject.rules.spike
    if rule is None:
        return math.inf
    if rule.height is not None:
        return rule.height
    return 0.0 if subject.kind is PointKind.REGISTER else _by_capacity(subject, rule.capacity_share)


def _max_per_hour_of(subject: Subject) -> float:
    rule = subject.rules.rate_of_change
    if rule is None:
        return math.inf
    if rule.max_per_hour is not None:
        return rule.max_per_hour
    return _by_capacity(subject, rule.capacity_share) if subject.kind is PointKind.REGISTER else math.inf


def _by_capacity(subject: Subject, share: float | None) -> float:
    """The share of the capacity in the unit as stored; of interval amounts, what it makes in one interval."""
    capacity = subject.stored_capacity
    if capacity is None or share is None:
        return math.inf
    bound = share * capacity
    return bound * subject.interval_us / HOUR_US if subject.kind is PointKind.INTERVAL else bound


def _wholes_of(subject: Subject, sentinel_first: int) -> list[int]:
    rules, interval_us = subject.rules, subject.interval_us
    wholes = [_NEVER] * kernels.WHOLE_COUNT
    wholes[kernels.IS_REGISTER] = int(subject.kind is PointKind.REGISTER)
    wholes[kernels.BAD_MASK] = _bad_mask_of(rules)
    wholes[kernels.SENTINEL_FIRST] = sentinel_first
    wholes[kernels.SENTINEL_END] = sentinel_first + len(_sentinels_of(rules))
    wholes[kernels.INTERVAL_US] = interval_us
    if rules.spike:
        wholes[kernels.SPIKE_NEAR_US] = rules.spike.neighbour_intervals * interval_us
    if rules.rate_of_change:
        wholes[kernels.RATE_NEAR_US] = rules.rate_of_change.neighbour_intervals * interval_us
    if rules.stuck:
        wholes[kernels.STUCK_NEAR_US] = rules.stuck.neighbour_intervals * interval_us
        wholes[kernels.STUCK_COUNT] = rules.stuck.samples
    if rules.zero_on_active:
        wholes[kernels.ZERO_NEAR_US] = rules.zero_on_active.neighbour_intervals * interval_us
        wholes[kernels.ZERO_US] = _us(rules.zero_on_active.hours, HOUR_US)
    if rules.missing:
        wholes[kernels.GAP_US] = _us(rules.missing.gap_intervals, interval_us)
    if rules.prolonged_estimation:
        wholes[kernels.PROLONGED_US] = _us(rules.prolonged_estimation.days, DAY_US)
    return wholes


def _bad_mask_of(rules: Rules) -> int:
    """Bits of the rules that mark as bad."""
    marks = ((bit_of(name), getattr(getattr(rules, name), "mark", None)) for name in NAMES)
    return sum(bit for bit, mark in marks if mark == "bad")


def _sentinels_of(rules: Rules) -> tuple[float, ...]:
    return rules.sentinel.values if rules.sentinel else ()


def _us(count: float, unit_us: int) -> int:
    return round(count * unit_us)
