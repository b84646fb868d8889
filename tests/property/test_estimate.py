"""Laws of estimation: energy is kept, known samples are left alone, estimates give way whatever came first."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.energy import cross_check, estimate, fixed_point
from historian.energy.estimate_inputs import Evidence, Gap, LikeDay, Register
from historian.model import quality
from historian.model.point import DAY_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun

STEP_US = 15 * MINUTE_US
qualities = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 4, 4, 12, 128, 128 + 4])
decimals = st.integers(0, 10**6).map(lambda number: number / 100)
kinds = st.sampled_from(PointKind)


@st.composite
def runs(draw: st.DrawFn, step_us: int = STEP_US, size: int = 30) -> SampleRun:
    times = draw(st.lists(st.integers(0, 40 * (STEP_US // step_us)), unique=True, max_size=size).map(sorted))
    values = [draw(decimals) for _ in times]
    if draw(st.booleans()):
        values = np.round(np.cumsum(values), 2).tolist()
    return SampleRun(
        1,
        np.array(times, np.int64) * step_us,
        np.array(values, np.float64),
        np.array([draw(qualities) for _ in times], np.uint16),
    )


gaps = st.builds(
    lambda first, count, kind: Gap(first * STEP_US, (first + count) * STEP_US, STEP_US, kind),
    st.integers(0, 30),
    st.integers(1, 30),
    kinds,
)
outages = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=1).map(
    lambda found: [(first * STEP_US // 2, (first + length) * STEP_US // 2) for first, length in found]
)
like_days = st.lists(
    runs().map(lambda run: LikeDay("d", DAY_US, run._replace(time_us=run.time_us + DAY_US))), max_size=4
)
registers = st.builds(
    lambda before, rise, factor: Register(before, (round(before * 100) + rise) / 100, factor),
    decimals,
    st.integers(-10, 10**7),
    st.sampled_from([1.0, 80.0]),
)
evidences = st.builds(
    Evidence, like_days, st.one_of(st.none(), registers, registers), st.one_of(st.none(), runs()), outages
)


@given(runs(), gaps, evidences)
@settings(max_examples=150, deadline=None)
def test_nothing_is_proposed_where_known_samples_stand(run: SampleRun, gap: Gap, evidence: Evidence) -> None:
    made = estimate.plan(run, gap, evidence)
    known = quality.is_usable(run.quality) & ((run.quality >> 2 & 7) != 1)
    assert not np.isin(made.time_us, run.time_us[known]).any()
    assert np.all((made.time_us >= gap.start_us) & (made.time_us < gap.end_us))
    assert np.all(np.diff(made.time_us) > 0)
    assert np.all(made.quality == quality.ESTIMATED)
    assert np.isfinite(made.value).all()
    assert sum(made.record.methods.values()) == len(made.value)
    if gap.kind is not PointKind.REGISTER:
        dead = [
            time_us
            for time_us in made.time_us.tolist()
            if any(a <= time_us < time_us + STEP_US <= b for a, b in evidence.outages)
        ]
        assert np.all(made.value[np.isin(made.time_us, dead)] == 0)


@given(runs(), gaps, evidences)
@settings(max_examples=150, deadline=None)
def test_the_registers_energy_is_kept_exactly(run: SampleRun, gap: Gap, evidence: Evidence) -> None:
    made = estimate.plan(run, gap, evidence)
    if made.record.register_energy is None or evidence.register is None or not len(made.value):
        return
    known = quality.is_usable(run.quality) & ((run.quality >> 2 & 7) != 1)
    inside = run.value[known & (run.time_us >= gap.start_us) & (run.time_us < gap.end_us)]
    register = evidence.register
    energy = (fixed_point.exact(register.after) - fixed_point.exact(register.before)) * fixed_point.exact(
        register.factor
    )
    per_hour = 1 if gap.kind is PointKind.INTERVAL else 4
    assert (cross_check.exact_sum(made.value) + cross_check.exact_sum(inside)) / per_hour == energy
    assert np.all(made.value >= 0)


@given(runs(), gaps, evidences)
@settings(max_examples=200, deadline=None)
def test_readings_never_fall_nor_exceed_the_next(run: SampleRun, gap: Gap, evidence: Evidence) -> None:
    made = estimate.plan(run, gap._replace(kind=PointKind.REGISTER), evidence)
    known = quality.is_usable(run.quality) & ((run.quality >> 2 & 7) != 1)
    times = np.concatenate([run.time_us[known], made.time_us])
    values = np.concatenate([run.value[known], made.value])[np.argsort(times)]
    is_made = np.isin(np.sort(times), made.time_us)
    for place in np.flatnonzero(is_made).tolist():
        assert values[place - 1] <= values[place] <= values[place + 1]


@given(runs(step_us=MINUTE_US, size=40))
@settings(max_examples=150, deadline=None)
def test_what_estimates_stay_depends_on_known_samples_only(run: SampleRun) -> None:
    kept = estimate.without_outdated_estimates(run, STEP_US)
    again = estimate.without_outdated_estimates(kept, STEP_US)
    assert again.time_us.tolist() == kept.time_us.tolist()
    is_estimated = (run.quality >> 2 & 7) == 1
    known_us = run.time_us[~is_estimated & quality.is_usable(run.quality)].tolist()
    for time_us, estimated in zip(run.time_us.tolist(), is_estimated.tolist(), strict=True):
        before = max((one for one in known_us if one < time_us), default=None)
        after = min((one for one in known_us if one > time_us), default=None)
        no_gap = before is not None and after is not None and after - before <= STEP_US * 3 // 2
        beside = any(abs(one - time_us) * 2 < STEP_US for one in known_us)
        assert (time_us in kept.time_us) == (not estimated or not (no_gap or beside))
    # Without any other estimate, each has the same fate.
    for place in np.flatnonzero(is_estimated).tolist():
        alone = ~is_estimated
        alone[place] = True
        one = SampleRun(1, run.time_us[alone], run.value[alone], run.quality[alone])
        stays = run.time_us[place] in estimate.without_outdated_estimates(one, STEP_US).time_us
        assert stays == (run.time_us[place] in kept.time_us)


@given(gaps, decimals, decimals)
@settings(deadline=None)
def test_a_line_keeps_the_mean_of_its_ends(gap: Gap, first: float, last: float) -> None:
    """Symmetric stamps take values that are symmetric, to the rounding of one more digit."""
    count = min(8, (gap.end_us - gap.start_us) // STEP_US)
    end_us = gap.start_us + count * STEP_US
    run = SampleRun(
        1, np.array([gap.start_us - STEP_US, end_us]), np.array([first, last]), np.zeros(2, np.uint16)
    )
    made = estimate.plan(run, Gap(gap.start_us, end_us, STEP_US, PointKind.MEAN_POWER), Evidence())
    assert made.record.methods == {"linear": count}
    mean = cross_check.exact_sum(made.value) / count
    assert abs(mean - (fixed_point.exact(first) + fixed_point.exact(last)) / 2) <= Fraction(1, 2000)
