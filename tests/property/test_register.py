"""Laws of registers: the kernel for fleets says what the general way says, that says what plain Python says, and parts
make the whole, whatever meters were exchanged, reset or rolled over."""

import itertools
import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.energy import fixed_point, fleet, load_curve, metering, register, sample_period
from historian.energy.counter_event import CounterFlag
from historian.energy.fleet import Ask, Asked
from historian.energy.metering import Metering, RegisterEvent, Step
from historian.energy.steady_kernels import Figures
from historian.model import quality
from historian.model.point import HOUR_US, MINUTE_US, SECOND_US, PointKind
from historian.model.sample import SampleRun, block_of
from historian.model.timestamp import TIME_MIN_US
from tests.property.test_fleet import same_as_general

START_US = 1_790_812_800_000_000
QUARTER_US = 15 * MINUTE_US
DAY = START_US + np.arange(17, dtype=np.int64) * QUARTER_US  # days of four hours
DAYS = [DAY, DAY + 4 * HOUR_US, DAY + 8 * HOUR_US]
BITS = st.sampled_from([0] * 40 + [1, 4, 12, 128, 258, 256, quality.COUNTER_CARRY, quality.COUNTER_ADJUSTED])
RISES = st.integers(0, 5000)
STEPS = st.one_of(
    RISES,
    RISES,
    RISES,
    RISES,
    RISES,
    st.sampled_from(["zero", "fall", "spike", "end"]),
)


@st.composite
def runs(draw: st.DrawFn, is_calm: bool = False) -> SampleRun:
    """Readings on edges, beside them or anywhere, some missing, mostly rising; `is_calm`: always, in whole seconds."""
    jitter = draw(st.sampled_from([0, 0, 0, SECOND_US, MINUTE_US, *([] if is_calm else [1, 7 * SECOND_US])]))
    offset = draw(
        st.sampled_from([0, 0, 0, 3 * SECOND_US, 5 * MINUTE_US, *([] if is_calm else [1, 3_000_017])])
    )
    gone = st.sampled_from([False] * 8 + [True])
    slots = [n for n in range(-4, 54) if not draw(gone)]
    times = [START_US + offset + n * QUARTER_US + draw(st.integers(0, 9)) * jitter for n in slots]
    digits, number = draw(st.sampled_from([0, 2, 2, *([] if is_calm else [4])])), draw(st.integers(0, 10**7))
    values = []
    for _ in times:
        step = draw(RISES if is_calm else STEPS)
        shown = number = number + (step if isinstance(step, int) else 1)
        shown = {"zero": 0, "spike": number + 10**8}.get(step, shown)  # type: ignore[call-overload]
        if step == "fall":
            shown = number = number // 3
        if step == "end":
            shown = number = 10**8 - 1 if number < 10**7 else number % 100
        values.append(shown / 10**digits)
    bits = [0 if is_calm else draw(BITS) for _ in times]
    order = np.unique(times, return_index=True)[1]
    return SampleRun(
        1, np.array(times, np.int64)[order], np.array(values)[order], np.array(bits, np.uint16)[order]
    )


times_us = st.integers(-4 * 15, 54 * 15).map(lambda minute: START_US + minute * MINUTE_US)


@st.composite
def meterings(draw: st.DrawFn) -> Metering:
    factors = st.sampled_from([1.0, 80.0, 6000.0, 0.1, -1.0])
    noted = st.one_of(st.none(), st.integers(0, 10**6).map(float))
    kinds = st.sampled_from(["exchange", "reset"])
    events = draw(
        st.lists(
            st.builds(RegisterEvent, times_us, kinds, noted, noted), max_size=2, unique_by=lambda e: e.time_us
        )
    )
    moments = st.one_of(times_us, st.sampled_from([event.time_us for event in events] or [START_US]))
    later = draw(st.lists(st.tuples(moments, factors), max_size=2, unique_by=lambda pair: pair[0]))
    capacity = draw(
        st.sampled_from(
            [(), (), ((TIME_MIN_US, 300.0),), ((TIME_MIN_US, 1e6),), ((START_US + HOUR_US, 500.0),)]
        )
    )
    return Metering(
        PointKind.REGISTER,
        QUARTER_US,
        (Step(TIME_MIN_US, draw(factors)), *(Step(*pair) for pair in sorted(later))),
        tuple(Step(*pair) for pair in capacity),
        draw(st.sampled_from([None, None, 1e6, 1e8])),
        draw(st.sampled_from([None, 0.01])),
        draw(st.sampled_from([False, False, False, True])),
        tuple(sorted(events)),
    )  # fmt: skip


calm_meterings = st.one_of(
    st.builds(lambda factor: Metering.plain(PointKind.REGISTER, QUARTER_US, factor), st.sampled_from([1.0, 80.0, 1 / 3])),
    meterings(),
)  # fmt: skip


@given(st.lists(st.tuples(st.booleans().flatmap(runs), calm_meterings), min_size=1, max_size=3))
@settings(deadline=None, max_examples=150)
def test_days_of_a_fleet_are_those_of_the_general_path(some: list[tuple[SampleRun, Metering]]) -> None:
    asks = [Ask(PointKind.REGISTER, QUARTER_US, of.factor[0].value, of) for _, of in some]
    figures, is_done = fleet.day_figures(block_of([run for run, _ in some]), Asked.of(asks), DAYS)
    for row, (run, _) in enumerate(some):
        for day, edges in enumerate(DAYS):
            if is_done[row, day]:
                made = Figures(*(column[row, day].item() for column in figures))
                same_as_general(run, asks[row], edges, made)


@given(runs(is_calm=True), st.sampled_from([1.0, 80.0, 0.1]), st.booleans())
@settings(deadline=None, max_examples=40)
def test_a_calm_register_is_done_by_the_kernel(run: SampleRun, factor: float, has_capacity: bool) -> None:
    of = Metering.plain(PointKind.REGISTER, QUARTER_US, factor)
    of = of._replace(capacity=(Step(TIME_MIN_US, 1e15),), modulus=1e12) if has_capacity else of
    asked = Asked.of([Ask(PointKind.REGISTER, QUARTER_US, factor, of)])
    assert fleet.day_figures(block_of([run]), asked, DAYS).is_done.all()


@given(runs(), meterings())
@settings(deadline=None, max_examples=300)
def test_slots_and_gaps_are_the_day_and_days_the_whole(run: SampleRun, of: Metering) -> None:
    whole_edges = np.unique(np.concatenate(DAYS))
    whole = load_curve.build(run, of, whole_edges)
    near = [
        run.between(first_us, last_us + 1)
        for first_us, last_us in (
            sample_period.register_span(sample_period.readings(run), int(edges[0]), int(edges[-1])) for edges in DAYS
        )
    ]  # fmt: skip
    days = [load_curve.build(one, of, edges) for one, edges in zip(near, DAYS, strict=True)]
    assert sum(day.total for day in days) == whole.total
    for day, edges in zip(days, DAYS, strict=True):
        again = load_curve.build(run, of, edges)
        for one, other in zip(day, again, strict=True):
            np.testing.assert_array_equal(one, other)
        periods = sample_period.periods_of(run, of)
        spanned = sum(
            share_of(periods, i, edges)
            for i in np.flatnonzero(periods.is_whole_only & periods.is_usable).tolist()
        )
        slots = Fraction()
        for i in np.flatnonzero(periods.is_usable & ~periods.is_whole_only).tolist():
            slots += share_of(periods, i, edges)
        assert day.total == slots + spanned
        if not of.is_signed:
            assert (
                not np.any(day.value * of.factor[0].value < 0) or len({step.value for step in of.factor}) > 1
            )
    assert whole.events == int(np.bitwise_or.reduce([day.events for day in days]))


def share_of(periods: sample_period.SamplePeriods, i: int, edges: np.ndarray) -> Fraction:
    """The exact part of an amount that falls into the day."""
    value, base, carry, factor = (
        fixed_point.exact(float(column[i]))
        for column in (periods.value, periods.base, periods.carry, periods.factor)
    )
    start_us, end_us = int(periods.start_us[i]), int(periods.end_us[i])
    inside = max(0, min(end_us, int(edges[-1])) - max(start_us, int(edges[0])))
    return (value - base + carry) * factor * Fraction(inside, end_us - start_us)


class Mark(NamedTuple):
    time_us: int
    value: float | None
    quality: int
    hints: int
    flag: CounterFlag


Told = tuple[int, int, CounterFlag, Fraction | None, int]


def plain_marks(run: SampleRun, of: Metering) -> list[Mark]:
    """The plain way to `register._marks_of`."""
    marks, hints = list[Mark](), 0
    for time_us, value, bits in zip(
        run.time_us.tolist(), run.value.tolist(), run.quality.tolist(), strict=True
    ):
        if bits & quality.DELETED:
            continue
        hints |= bits & (quality.COUNTER_ADJUSTED | quality.COUNTER_CARRY)
        if bits & quality.VALIDITY_MASK <= quality.SUSPECT and not bits & quality.INVALID:
            marks.append(Mark(time_us, value, bits, hints, CounterFlag(0)))
            hints = 0
    if not marks:
        return []
    first_us, last_us = marks[0].time_us, marks[-1].time_us
    before = [event for event in of.events if event.time_us < first_us][-1:]
    after = [event for event in of.events if event.time_us > last_us][:1]
    for event in (*before, *(one for one in of.events if first_us <= one.time_us <= last_us), *after):
        flag = CounterFlag.EXCHANGE if event.kind == "exchange" else CounterFlag.RESET
        at = [mark for mark in marks if mark.time_us == event.time_us]
        new_start = event.new_start if event.new_start is not None or not at else at[0].value
        two = [Mark(event.time_us, value, 0, 0, flag) for value in (event.old_end, new_start)]
        earlier = [mark for mark in marks if mark.time_us < event.time_us]
        marks = earlier + two + [mark for mark in marks if mark.time_us > event.time_us]
    return marks


def plausible(of: Metering, amount: float, start_us: int, end_us: int) -> bool:
    capacity, factor = metering.value_at(of.capacity, start_us), metering.value_at(of.factor, start_us)
    assert factor is not None
    if capacity is None:
        return True
    limit = capacity * 1.2 * ((end_us - start_us) / HOUR_US) + (of.resolution or 0.0) * abs(factor)
    return abs(amount * factor) <= limit


def is_lone_zero(of: Metering, before: Mark, mark: Mark, after: Mark) -> bool:
    if of.is_signed or before.flag or mark.flag or after.flag or mark.hints or after.hints:
        return False
    assert before.value is not None
    assert mark.value is not None
    assert after.value is not None
    if not (0 <= mark.value < 1 <= before.value <= after.value and mark.value <= before.value * 0.01):
        return False
    if metering.value_at(of.capacity, before.time_us) is None:
        return True
    is_leap = not plausible(of, after.value - mark.value, mark.time_us, after.time_us)
    return is_leap and plausible(of, after.value - before.value, before.time_us, after.time_us)


def plain_judgement(run: SampleRun, of: Metering) -> list[Told]:
    """The plain way to `register.judge`: one period after the other."""
    marks = plain_marks(run, of)
    lone = {
        i
        for i in range(1, len(marks) - 1)
        if is_lone_zero(of, marks[i - 1], marks[i], marks[i + 1])
    }  # fmt: skip
    kept = [i for i in range(len(marks)) if i not in lone]
    told: list[Told] = []
    for i, k in itertools.pairwise(kept):
        if marks[k].time_us > marks[i].time_us:
            told.append(plain_period(of, marks[i], marks[k], k > i + 1))
    return told


def plain_period(of: Metering, one: Mark, other: Mark, is_lone_between: bool) -> Told:
    flags = one.flag | other.flag | (CounterFlag.IMPLAUSIBLE if is_lone_between else CounterFlag(0))
    capacity = metering.value_at(of.capacity, one.time_us)
    is_guess, carry, is_known = is_lone_between and capacity is None, 0.0, True
    if any(one.time_us < time_us < other.time_us for time_us in metering.changes_us(of.factor).tolist()):
        flags, is_known = flags | CounterFlag.FACTOR_CHANGE, False
    if not one.flag and not other.flag and other.hints & quality.COUNTER_ADJUSTED:
        flags, is_known = flags | CounterFlag.RESET, False
    if one.value is None or other.value is None or math.isnan(one.value) or math.isnan(other.value):
        is_known = False
    elif is_known and other.value < one.value and not of.is_signed:
        modulus = of.modulus or math.nan
        can_roll = one.value <= modulus and other.value >= 0
        if capacity is not None:
            amount = other.value - one.value + modulus
            is_known = can_roll and plausible(of, amount, one.time_us, other.time_us)
        elif not other.hints & quality.COUNTER_CARRY:
            is_known = is_guess = can_roll and one.value >= 0.9 * modulus and other.value <= 0.1 * modulus
        else:
            is_known = can_roll
        flags |= CounterFlag.ROLLOVER if is_known else CounterFlag.DECREASE
        carry = modulus if is_known else 0.0
    elif is_known and not plausible(of, other.value - one.value, one.time_us, other.time_us):
        flags, is_known = flags | CounterFlag.IMPLAUSIBLE, False
    if is_known and other.time_us - one.time_us > 1.5 * of.interval_us:
        flags |= CounterFlag.GAP_SPANNED
    bits = quality.worst_of(np.array([one.quality, other.quality], np.uint16))
    if is_guess or not is_known:
        bits = quality.worst_of(np.array([bits, quality.SUSPECT], np.uint16))
    if not is_known or one.value is None or other.value is None:
        return one.time_us, other.time_us, flags, None, bits
    factor = metering.value_at(of.factor, one.time_us)
    assert factor is not None
    exact = [fixed_point.exact(value) for value in (other.value, one.value, carry, factor)]
    return one.time_us, other.time_us, flags, (exact[0] - exact[1] + exact[2]) * exact[3], bits


@given(runs(), meterings())
@settings(deadline=None, max_examples=500)
def test_readings_are_judged_as_in_plain_python(run: SampleRun, of: Metering) -> None:
    judged = register.judge(run, of)
    found = [
        (
            int(judged.start_us[i]), int(judged.end_us[i]), CounterFlag(int(judged.events[i])),
            amount_of(judged, i) if judged.is_usable[i] else None, int(judged.quality[i]),
        )
        for i in range(len(judged.start_us))
    ]  # fmt: skip
    assert found == plain_judgement(run, of)
    assert judged.is_whole_only.tolist() == [bool(one[2] & CounterFlag.GAP_SPANNED) for one in found]


def amount_of(judged: register.Judged, i: int) -> Fraction:
    value, base, carry, factor = (
        fixed_point.exact(float(column[i]))
        for column in (judged.value, judged.base, judged.carry, judged.factor)
    )
    return (value - base + carry) * factor
