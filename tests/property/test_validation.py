"""Laws of validation: the kernel says what the rules say, and neither order nor cuts nor more samples change a mark."""

import itertools
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.energy import finding, validation
from historian.energy.validation import Limits, Span, Subject
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, PointKind
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
from historian.model.sample import SampleRun, block_of

STEP_US = 15 * MINUTE_US
START_US = 1_790_812_800_000_000
OF_SAMPLES = ["sentinel", "range", "negative", "spike", "rate_of_change", "stuck", "zero_on_active"]

marks = st.sampled_from(["suspect", "bad"])
near = st.integers(1, 4)
values = st.sampled_from([0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 5.0, 9.0, -1.0, -99.0, 50.0])
qualities = st.sampled_from([0] * 8 + [1, 2, 3, 4, 4, 128, 32 + 1, 1024 + 12])


def optional(rule: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), rule, rule)


all_rules = st.builds(
    Rules,
    sentinel=optional(st.builds(SentinelRule, st.sampled_from([(-99.0,), (50.0, 9.0)]), marks)),
    range=optional(st.builds(RangeRule, st.none(), st.sampled_from([None, 5.0]), st.just(1.2), marks)),
    negative=optional(st.builds(NegativeRule, st.sampled_from([0.0, 1.0]), marks)),
    spike=optional(st.builds(SpikeRule, st.sampled_from([None, 2.0]), st.just(0.5), near, marks)),
    rate_of_change=optional(
        st.builds(RateOfChangeRule, st.sampled_from([None, 4.0, 20.0]), st.just(1.2), near, marks)
    ),
    stuck=optional(st.builds(StuckRule, st.integers(3, 5), near, marks)),
    zero_on_active=optional(st.builds(ZeroOnActiveRule, st.sampled_from([0.5, 1.0, 1.3]), near, marks)),
    missing=optional(st.builds(MissingRule, st.sampled_from([1.0, 1.5, 3.0]))),
    prolonged_estimation=optional(st.builds(ProlongedEstimationRule, st.sampled_from([0.01, 0.05]))),
)
subjects = st.builds(
    Subject, all_rules, st.sampled_from(PointKind), st.just(STEP_US), st.sampled_from([None, 8.0]),
    st.sampled_from([1.0, 2.0]),
)  # fmt: skip


@st.composite
def runs(draw: st.DrawFn) -> SampleRun:
    places = draw(st.lists(st.integers(0, 45), unique=True, max_size=40).map(sorted))
    jitter_us = draw(st.sampled_from([0, 0, MINUTE_US]))
    times = [START_US + place * STEP_US + jitter_us * draw(st.integers(0, 3)) for place in places]
    drawn = [draw(values) for _ in places]
    if draw(st.booleans()):
        drawn = np.cumsum(np.abs(drawn)).tolist()
    return SampleRun(
        1,
        np.array(times, np.int64),
        np.array(drawn, np.float64),
        np.array([draw(qualities) for _ in places], np.uint16),
    )


class Plain:
    """Every rule as its sentence says it, one sample at a time, nothing carried along."""

    def __init__(self, run: SampleRun, subject: Subject) -> None:
        self.run, self.subject, self.rules = run, subject, subject.rules
        self.time: list[int] = run.time_us.tolist()
        self.value: list[float] = run.value.tolist()
        self.used = [i for i, q in enumerate(run.quality.tolist()) if q & 3 < 2 and not q & quality.DELETED]
        own_bad = {i for i in self.used for name in self.own(i) if getattr(self.rules, name).mark == "bad"}
        self.near = [i for i in self.used if i not in own_bad]

    @property
    def is_register(self) -> bool:
        return self.subject.kind is PointKind.REGISTER

    def by_capacity(self, share: float) -> float:
        if self.subject.capacity is None:
            return math.inf
        amount = share * (self.subject.capacity / self.subject.multiplier)
        return amount * STEP_US / HOUR_US if self.subject.kind is PointKind.INTERVAL else amount

    def own(self, i: int) -> set[str]:
        rules, value, found = self.rules, self.value[i], set()
        if rules.sentinel and value in rules.sentinel.values:
            found.add("sentinel")
        if rules.range:
            bound = math.inf if self.is_register else self.by_capacity(1.2)
            high = bound if rules.range.high is None else rules.range.high
            found |= {"range"} if not -bound <= value <= high else set()
        if rules.negative and value < -rules.negative.tolerance:
            found.add("negative")
        return found

    def is_spike(self, k: int) -> bool:
        rule = self.rules.spike
        if rule is None or not 0 < k < len(self.near) - 1:
            return False
        before, i, after = self.near[k - 1 : k + 2]
        if (
            max(self.time[i] - self.time[before], self.time[after] - self.time[i])
            > rule.neighbour_intervals * STEP_US
        ):
            return False
        a, v, b = self.value[before], self.value[i], self.value[after]
        height = rule.height
        if height is None:
            height = 0.0 if self.is_register else self.by_capacity(0.5)
        if self.is_register and a > b:
            return False
        return v - max(a, b) > height or min(a, b) - v > height

    def is_fast(self, k: int) -> bool:
        rule = self.rules.rate_of_change
        if rule is None or self.is_spike(k):
            return False
        before = [self.near[j] for j in range(k) if not self.is_spike(j)]
        limit = rule.max_per_hour
        if limit is None:
            limit = self.by_capacity(1.2) if self.is_register else math.inf
        if not before:
            return False
        passed_us = self.time[self.near[k]] - self.time[before[-1]]
        change = self.value[self.near[k]] - self.value[before[-1]]
        if not self.is_register:
            change = abs(change)
        return passed_us <= rule.neighbour_intervals * STEP_US and change * HOUR_US > limit * passed_us

    def equal_stretch(self, k: int, neighbour_intervals: int) -> list[int]:
        """Places in `near` of all around k that have its value without a break."""

        def goes_on(j: int) -> bool:
            one, other = self.near[j], self.near[j + 1]
            close = self.time[other] - self.time[one] <= neighbour_intervals * STEP_US
            return close and self.value[one] == self.value[other]

        first = last = k
        while first > 0 and goes_on(first - 1):
            first -= 1
        while last < len(self.near) - 1 and goes_on(last):
            last += 1
        return list(range(first, last + 1))

    def of_neighbours(self, k: int) -> set[str]:
        found, value = set(), self.value[self.near[k]]
        found |= {"spike"} if self.is_spike(k) else set()
        found |= {"rate_of_change"} if self.is_fast(k) else set()
        if self.rules.stuck and value != 0:
            stretch = self.equal_stretch(k, self.rules.stuck.neighbour_intervals)
            found |= {"stuck"} if len(stretch) >= self.rules.stuck.samples else set()
        rule = self.rules.zero_on_active
        if rule and (value == 0 or self.is_register):
            stretch = self.equal_stretch(k, rule.neighbour_intervals)
            length_us = self.time[self.near[stretch[-1]]] - self.time[self.near[stretch[0]]]
            found |= {"zero_on_active"} if length_us >= round(rule.hours * HOUR_US) else set()
        return found

    def breaches(self) -> list[set[str]]:
        found: list[set[str]] = [set() for _ in self.time]
        for i in self.used:
            found[i] |= self.own(i)
        for k, i in enumerate(self.near):
            found[i] |= self.of_neighbours(k)
        return found

    def marked(self) -> list[int]:
        out: list[int] = self.run.quality.tolist()
        for i, names in enumerate(self.breaches()):
            validity = max(
                [quality.BAD if getattr(self.rules, n).mark == "bad" else 1 for n in names], default=0
            )
            out[i] = out[i] & ~3 | max(out[i] & 3, validity)
        return out

    def has_gap(self, span: Span | None) -> bool:
        if self.rules.missing is None:
            return False
        times = [
            t for t, q in zip(self.time, self.run.quality.tolist(), strict=True) if not q & 128 and q & 3 < 3
        ]
        if span is not None:
            earlier = [t for t in times if t < span.start_us]
            before = max([span.start_us - STEP_US, *earlier])
            times = [before, *[t for t in times if span.start_us <= t < span.end_us], span.end_us]
        longest_us = round(self.rules.missing.gap_intervals * STEP_US)
        return any(after - before > longest_us for before, after in itertools.pairwise(times))

    def has_prolonged_estimation(self) -> bool:
        rule = self.rules.prolonged_estimation
        if rule is None:
            return False
        is_estimate = [int(self.run.quality[i]) >> 2 & 7 == 1 for i in self.used]
        return any(
            self.time[self.used[b]] - self.time[self.used[a]] > round(rule.days * DAY_US)
            for a in range(len(self.used))
            for b in range(a, len(self.used))
            if all(is_estimate[a : b + 1])
        )


spans = st.one_of(
    st.none(),
    st.tuples(st.integers(-5, 30), st.integers(1, 30)).map(
        lambda two: Span(START_US + two[0] * STEP_US, START_US + (two[0] + two[1]) * STEP_US)
    ),
)


@given(st.lists(st.tuples(runs(), subjects), max_size=3), spans)
@settings(max_examples=200, deadline=None)
def test_the_kernel_says_what_the_rules_say(
    asked: list[tuple[SampleRun, Subject]], span: Span | None
) -> None:
    block = block_of([run for run, _ in asked])
    checked = validation.check_block(block, Limits.of([subject for _, subject in asked]), span)
    assert checked.quality.dtype == np.uint16
    for place, (run, subject) in enumerate(asked):
        plain, rows = Plain(run, subject), slice(int(block.offset[place]), int(block.offset[place + 1]))
        expected = plain.breaches()
        bits = [sum(validation.bit_of(name) for name in names) for names in expected]
        assert checked.breach[rows].tolist() == bits
        assert checked.quality[rows].tolist() == plain.marked()
        told = validation.bit_of("missing") if plain.has_gap(span) else 0
        told |= validation.bit_of("prolonged_estimation") if plain.has_prolonged_estimation() else 0
        assert checked.run_breach[place] == told | int(
            np.bitwise_or.reduce(np.array(bits, np.int64), initial=0)
        )


@st.composite
def regular_runs(draw: st.DrawFn) -> SampleRun:
    """Few values and hardly a hole, so that stretches are long."""
    palette = draw(st.lists(values, min_size=1, max_size=3))
    drawn = draw(st.lists(st.sampled_from(palette), min_size=20, max_size=40))
    holes = draw(st.sets(st.integers(0, len(drawn) - 1), max_size=6))
    kept = [place for place in range(len(drawn)) if place not in holes]
    times = START_US + np.array(kept, np.int64) * STEP_US
    return SampleRun(1, times, np.array(drawn)[kept], np.zeros(len(kept), np.uint16))


@given(st.one_of(runs(), regular_runs()), subjects, st.data())
@settings(max_examples=400, deadline=None)
def test_a_longer_run_says_the_same_inside(run: SampleRun, subject: Subject, data: st.DataObject) -> None:
    # One rule or two at a time: the reach of one does not hide that of another.
    some = st.sets(st.sampled_from(OF_SAMPLES), max_size=2)
    wanted = data.draw(st.one_of(some, some, st.just({"spike", "rate_of_change"})))
    rules = Rules(**{name: getattr(subject.rules, name) for name in wanted})
    subject = subject._replace(rules=rules)
    before_us, after_us = validation.reach_us(rules, subject.interval_us)
    of_all = validation.check(run, subject).quality
    for place, time_us in enumerate(run.time_us.tolist()):
        part = run.between(time_us - before_us + 1, time_us + after_us)
        of_part = validation.check(part, subject).quality
        assert of_part[part.time_us == time_us].tolist() == [of_all[place]]


@given(runs(), subjects)
@settings(deadline=None)
def test_validity_is_only_ever_lowered_and_all_else_is_kept(run: SampleRun, subject: Subject) -> None:
    columns = run.time_us, run.value, run.quality
    before = [column.copy() for column in columns]
    checked = validation.check(run, subject)
    assert np.all(checked.quality & 3 >= run.quality & 3)
    assert np.array_equal(checked.quality >> 2, run.quality >> 2)
    useless = ~quality.is_usable(run.quality)
    assert np.array_equal(checked.quality[useless], run.quality[useless])
    for one, other in zip(before, columns, strict=True):
        assert np.array_equal(one, other)


@given(runs(), subjects, spans)
@settings(deadline=None)
def test_findings_tell_every_breach_once(run: SampleRun, subject: Subject, span: Span | None) -> None:
    checked, found = finding.find(run, subject)
    for name in OF_SAMPLES:
        broken = run.time_us[(checked.breach & validation.bit_of(name)) != 0].tolist()
        told = [one for one in found if one.rule == name]
        assert sum(one.count for one in told) == len(broken)
        for time_us in broken:
            assert sum(one.start_us <= time_us < one.end_us for one in told) == 1
    for name in ("missing", "prolonged_estimation"):
        bit = validation.bit_of(name)
        assert any(one.rule == name for one in found) == bool(checked.run_breach[0] & bit)
    _, inside = finding.find(run, subject, span)
    if span is not None:
        told_gap = any(one.rule == "missing" for one in inside)
        assert told_gap == bool(
            validation.check(run, subject, span).run_breach[0] & validation.bit_of("missing")
        )
