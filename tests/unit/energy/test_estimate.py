"""Each method of estimation on a small case, what is recorded of it, and what gives way to what."""

import numpy as np
import pytest

from historian.energy import estimate
from historian.energy.estimate_inputs import Evidence, Gap, LikeDay, Register
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun

QUARTER_US = 15 * MINUTE_US
POWER, INTERVAL = PointKind.MEAN_POWER, PointKind.INTERVAL
ESTIMATED = quality.ESTIMATED


def run_of(values: dict[int, float], qualities: dict[int, int] | None = None, point_id: int = 1) -> SampleRun:
    """Samples by the number of their quarter."""
    bits = [(qualities or {}).get(place, 0) for place in values]
    times = np.array(list(values), np.int64) * QUARTER_US
    return SampleRun(point_id, times, np.array(list(values.values()), np.float64), np.array(bits, np.uint16))


def gap_of(first: int, end: int, kind: PointKind = POWER) -> Gap:
    return Gap(first * QUARTER_US, end * QUARTER_US, QUARTER_US, kind)


def like_day(name: str, values: dict[int, float], qualities: dict[int, int] | None = None) -> LikeDay:
    """A day whose quarters stand a day before those of the gap."""
    run = run_of(values, qualities)
    return LikeDay(name, -DAY_US, run._replace(time_us=run.time_us - DAY_US))


def by_quarter(made: estimate.Estimate) -> dict[int, float]:
    assert made.quality.tolist() == [ESTIMATED] * len(made.time_us)
    assert made.quality.dtype == np.uint16
    return dict(zip((made.time_us // QUARTER_US).tolist(), made.value.tolist(), strict=True))


def test_a_short_gap_is_bridged_by_a_line() -> None:
    made = estimate.plan(run_of({0: 10.0, 3: 11.0}), gap_of(1, 3), Evidence())
    assert by_quarter(made) == {1: 10.3, 2: 10.7}
    assert made.record.methods == {"linear": 2}
    assert made.record.end_points_us == (0, 3 * QUARTER_US)
    assert made.record.notes == ()


def test_two_hours_are_the_longest_line() -> None:
    days = [like_day("w1", dict.fromkeys(range(1, 10), 5.0))]
    made = estimate.plan(run_of({0: 1.0, 9: 1.0}), gap_of(1, 9), Evidence(days))
    assert made.record.methods == {"linear": 8}
    made = estimate.plan(run_of({0: 1.0, 10: 1.0}), gap_of(1, 10), Evidence(days))
    assert made.record.methods == {"like_days": 9}


@pytest.mark.parametrize(
    ("qualities", "outages"),
    [
        pytest.param({0: quality.SUSPECT}, [], id="suspect"),
        pytest.param({2: quality.ESTIMATED}, [], id="an estimate"),
        pytest.param({2: quality.BAD}, [], id="bad"),
        pytest.param({2: quality.DELETED}, [], id="deleted"),
        pytest.param({}, [(10 * MINUTE_US, QUARTER_US)], id="an outage in the interval before"),
        pytest.param({}, [(2 * QUARTER_US + 1, 2 * QUARTER_US + 2)], id="an outage in the interval after"),
    ],
)
def test_what_may_be_no_end_point(qualities: dict[int, int], outages: list[tuple[int, int]]) -> None:
    made = estimate.plan(run_of({0: 10.0, 2: 11.0}, qualities), gap_of(1, 2), Evidence(outages=outages))
    assert by_quarter(made) == {}
    assert made.record.notes == ("nothing_to_rest_on:1",)
    days = [like_day("w1", {1: 7.0})]
    made = estimate.plan(run_of({0: 10.0, 2: 11.0}, qualities), gap_of(1, 2), Evidence(days, outages=outages))
    assert by_quarter(made) == {1: 7.0}


def test_the_first_three_like_days_with_a_good_sample_are_taken() -> None:
    days = [
        like_day("w1", {1: 1.0, 2: 1.0}, {2: quality.SUSPECT}),
        like_day("w2", {1: 2.0, 2: 2.0}, {1: quality.ESTIMATED}),
        like_day("w3", {1: 4.0}),
        like_day("w4", {1: 8.0, 2: 8.0}),
        like_day("w5", {1: 16.0, 2: 17.0}),
    ]
    made = estimate.plan(run_of({}), gap_of(1, 3), Evidence(days))
    assert by_quarter(made) == {1: 4.3, 2: 9.0}  # 13 / 3 and 27 / 3
    assert made.record.like_days == {"w1": 1, "w2": 1, "w3": 1, "w4": 2, "w5": 1}


def test_deleted_samples_of_a_like_day_do_not_count() -> None:
    days = [like_day("w1", {1: 1.0}, {1: quality.DELETED})]
    assert by_quarter(estimate.plan(run_of({}), gap_of(1, 2), Evidence(days))) == {}


def test_an_outage_is_zero_and_part_of_one_is_part_of_the_value() -> None:
    days = [like_day("w1", dict.fromkeys(range(1, 5), 8.0))]
    outages = [(QUARTER_US, 2 * QUARTER_US), (2 * QUARTER_US, 2 * QUARTER_US + 5 * MINUTE_US)]
    made = estimate.plan(run_of({}), gap_of(1, 4), Evidence(days, outages=outages))
    assert by_quarter(made) == {1: 0.0, 2: 5.3, 3: 8.0}
    assert made.record.methods == {"like_days": 2, "outage": 1}


def test_an_instant_is_in_an_outage_or_not_and_a_ratio_says_nothing_then() -> None:
    days, outages = [like_day("w1", {1: 8.0, 2: 8.0})], [(QUARTER_US, 2 * QUARTER_US - 1)]
    instant = estimate.plan(
        run_of({}), gap_of(1, 3, PointKind.INSTANTANEOUS), Evidence(days, outages=outages)
    )
    assert by_quarter(instant) == {1: 0.0, 2: 8.0}
    ratio = estimate.plan(run_of({}), gap_of(1, 3, PointKind.RATIO), Evidence(days, outages=outages))
    assert by_quarter(ratio) == {2: 8.0}


def test_good_samples_in_the_gap_stay_and_bad_ones_get_a_proposal() -> None:
    run = run_of({0: 1.0, 1: 9.0, 2: 2.0, 3: 9.0, 4: 3.0}, {1: quality.BAD, 3: ESTIMATED})
    assert by_quarter(estimate.plan(run, gap_of(0, 5), Evidence())) == {1: 1.5, 3: 2.5}


def test_a_sample_a_little_beside_its_stamp_holds_the_place() -> None:
    run = run_of({0: 1.0, 1: 1.0, 2: 1.0})._replace(
        time_us=np.array([0, QUARTER_US - MINUTE_US, 2 * QUARTER_US])
    )
    assert by_quarter(estimate.plan(run, gap_of(0, 3), Evidence())) == {}


def test_another_meter_stands_in_by_the_ratio_of_the_sums() -> None:
    own = run_of(dict.fromkeys(range(8), 3.0))
    other = run_of(dict.fromkeys(range(30), 2.0), {1: quality.BAD}, point_id=7)
    gap = gap_of(8, 30)
    too_few = estimate.plan(own, gap, Evidence(alternate=other))
    assert too_few.record.notes == ("alternate_shares_too_little", "nothing_to_rest_on:22")
    made = estimate.plan(
        run_of(dict.fromkeys([*range(8), 40], 3.0)),
        gap,
        Evidence(alternate=run_of(dict.fromkeys(range(30), 2.0), point_id=7)),
    )
    assert set(by_quarter(made).values()) == {3.0}
    assert (made.record.alternate_point_id, made.record.alternate_ratio) == (7, 1.5)
    assert made.record.methods == {"alternate": 22}


def test_another_meter_of_zeros_has_no_ratio() -> None:
    own = run_of(dict.fromkeys(range(8), 3.0))
    other = run_of(dict.fromkeys(range(30), 0.0))
    assert estimate.plan(own, gap_of(8, 9), Evidence(alternate=other)).record.methods == {}


@pytest.mark.parametrize(
    ("kind", "after", "values"),
    [
        pytest.param(POWER, 101.0, {1: 0.5, 2: 0.5, 3: 3.0}, id="power: 1 kWh over three quarters"),
        pytest.param(INTERVAL, 104.0, {1: 0.5, 2: 0.5, 3: 3.0}, id="amounts"),
        pytest.param(INTERVAL, 100.1, {1: 0.01, 2: 0.01, 3: 0.08}, id="the last takes the rounding"),
        pytest.param(INTERVAL, 100.0, {1: 0.0, 2: 0.0, 3: 0.0}, id="no use"),
    ],
)
def test_a_register_gives_the_sum_and_like_days_the_course(
    kind: PointKind, after: float, values: dict[int, float]
) -> None:
    days = [like_day("w1", {1: 1.0, 2: 1.0, 3: 6.0})]
    made = estimate.plan(run_of({}), gap_of(1, 4, kind), Evidence(days, Register(100.0, after)))
    assert by_quarter(made) == values
    assert made.record.register_energy == pytest.approx(after - 100.0)


def test_the_registers_factor_is_applied_and_known_samples_are_taken_off() -> None:
    made = estimate.plan(
        run_of({1: 4.0}), gap_of(1, 4, INTERVAL), Evidence(register=Register(100.0, 100.1, 80.0))
    )
    assert by_quarter(made) == {2: 2.0, 3: 2.0}
    assert made.record.methods == {"even": 2}
    assert made.record.register_energy == 8.0


def test_with_a_register_no_stamp_may_lack() -> None:
    days = [like_day("w1", {1: 1.0, 3: 3.0})]
    made = estimate.plan(run_of({}), gap_of(1, 4, INTERVAL), Evidence(days, Register(0.0, 12.0)))
    assert by_quarter(made) == {1: 2.0, 2: 4.0, 3: 6.0}
    assert made.record.methods == {"even": 1, "like_days": 2}


@pytest.mark.parametrize(
    ("like", "values"),
    [
        pytest.param({1: 8.0}, {1: 4.0, 2: 8.0, 3: 8.0}, id="the mean of whole quarters"),
        pytest.param({2: 8.0}, {1: 4.0, 2: 8.0, 3: 8.0}, id="half of it for half a quarter"),
    ],
)
def test_what_fills_a_gap_of_the_course_heeds_outages(
    like: dict[int, float], values: dict[int, float]
) -> None:
    evidence = Evidence(
        [like_day("w1", like)], Register(0.0, 20.0), outages=[(QUARTER_US, QUARTER_US * 3 // 2)]
    )
    assert by_quarter(estimate.plan(run_of({}), gap_of(1, 4, INTERVAL), evidence)) == values


def test_a_course_of_zeros_or_below_is_spread_evenly_where_there_is_power() -> None:
    days = [like_day("w1", {1: 0.0, 2: -5.0, 3: 0.0})]
    evidence = Evidence(days, Register(0.0, 4.0), outages=[(QUARTER_US, 2 * QUARTER_US)])
    made = estimate.plan(run_of({}), gap_of(1, 4, INTERVAL), evidence)
    assert by_quarter(made) == {1: 0.0, 2: 2.0, 3: 2.0}
    assert made.record.methods == {"even": 2, "outage": 1}


@pytest.mark.parametrize(
    ("register", "outages", "known", "kind", "note"),
    [
        pytest.param(Register(5.0, 4.0), [], {}, INTERVAL, "register_fell", id="fell"),
        pytest.param(Register(0.0, 1.0), [], {3: 2.0}, INTERVAL, "known_samples_exceed_register", id="known"),
        pytest.param(Register(0.0, 1.0), [(0, DAY_US)], {}, INTERVAL, "energy_in_outage", id="outage"),
        pytest.param(Register(0.0, 1.0), [], {}, PointKind.RATIO, "a_ratio_is_not_scaled", id="ratio"),
    ],
)
def test_a_register_that_does_not_fit_scales_nothing(
    register: Register, outages: list[tuple[int, int]], known: dict[int, float], kind: PointKind, note: str
) -> None:
    days = [like_day("w1", {1: 7.0})]
    made = estimate.plan(run_of(known), gap_of(1, 4, kind), Evidence(days, register, outages=outages))
    assert note in made.record.notes
    assert made.record.register_energy is None
    assert by_quarter(made)[1] == (0.0 if outages else 7.0)


def test_nothing_counted_in_an_outage_is_no_contradiction() -> None:
    evidence = Evidence(register=Register(1.0, 1.0), outages=[(0, DAY_US)])
    assert estimate.plan(run_of({}), gap_of(1, 4), evidence).record.notes == ()


def test_estimates_between_measured_samples_that_leave_no_gap_are_outdated() -> None:
    run = run_of({0: 1, 1: 2, 2: 3, 3: 4, 8: 5}, {1: ESTIMATED, 2: ESTIMATED, 3: ESTIMATED})
    kept = estimate.without_outdated_estimates(run, QUARTER_US)
    assert kept.value.tolist() == [1, 2, 3, 4, 5]
    late = run._replace(time_us=run.time_us - np.array([0, 0, 0, 0, 6 * QUARTER_US + 2 * MINUTE_US]))
    order = np.argsort(late.time_us)
    late = SampleRun(1, late.time_us[order], late.value[order], late.quality[order])
    # Measured now at 0 and 28 min: no estimate stands between these or beside the later one.
    assert estimate.without_outdated_estimates(late, 2 * QUARTER_US).value.tolist() == [1, 5, 4]


def test_an_estimate_in_the_middle_of_a_late_step_is_outdated() -> None:
    run = SampleRun(1, np.array([0, 7, 14]), np.ones(3), np.array([0, ESTIMATED, 0], np.uint16))
    assert estimate.without_outdated_estimates(run, 10).time_us.tolist() == [0, 14]
    run = run._replace(time_us=np.array([0, 8, 16]))
    assert estimate.without_outdated_estimates(run, 10).time_us.tolist() == [0, 8, 16]


@pytest.mark.parametrize(
    ("measured_quality", "kept"),
    [
        pytest.param(0, False, id="good"),
        pytest.param(quality.SUSPECT, False, id="suspect"),
        pytest.param(quality.MANUAL, False, id="by hand"),
        pytest.param(quality.BAD, True, id="bad"),
        pytest.param(quality.DELETED, True, id="deleted"),
    ],
)
def test_only_samples_of_use_outdate_an_estimate(measured_quality: int, kept: bool) -> None:
    times = np.array([0, 2 * MINUTE_US], np.int64)
    run = SampleRun(1, times, np.array([1.0, 2.0]), np.array([ESTIMATED, measured_quality], np.uint16))
    left = estimate.without_outdated_estimates(run, QUARTER_US)
    assert (left.sample_count == 2) == kept


def test_runs_without_estimates_or_without_others_stay() -> None:
    for bits in (0, ESTIMATED):
        run = run_of({0: 1, 1: 2}, {0: bits, 1: bits})
        assert estimate.without_outdated_estimates(run, HOUR_US) is run
