"""The load curve: always every slot, each honest about how it came to its value."""

import datetime
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from historian.energy import calendar, load_curve
from historian.energy.load_curve import LoadCurve, SlotState
from historian.energy.metering import Metering
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun
from historian.model.timestamp import load_zone

I64 = npt.NDArray[np.int64]

QUARTER_US = 15 * MINUTE_US
HOUR_EDGES: I64 = np.arange(5, dtype=np.int64) * QUARTER_US
DAY_EDGES: I64 = np.arange(97, dtype=np.int64) * QUARTER_US
NAN = pytest.approx(float("nan"), nan_ok=True)

COMPLETE, PARTIAL, MISSING = SlotState.COMPLETE, SlotState.PARTIAL, SlotState.MISSING
SUSPECT, SPREAD, SPANNED = SlotState.SUSPECT, SlotState.SPREAD, SlotState.SPANNED


def curve_of(
    samples: dict[int, float],
    kind: PointKind,
    interval_min: int = 15,
    edges_us: I64 = HOUR_EDGES,
    factor: float = 1.0,
    qualities: dict[int, int] | None = None,
) -> LoadCurve:
    """A curve from samples given by minute."""
    times = sorted(samples)
    run = SampleRun(
        1,
        np.array(times, np.int64) * MINUTE_US,
        np.array([samples[time] for time in times], np.float64),
        np.array([(qualities or {}).get(time, 0) for time in times], np.uint16),
    )
    return load_curve.build(run, Metering.plain(kind, interval_min * MINUTE_US, factor), edges_us)


def states(curve: LoadCurve) -> list[int]:
    return curve.state.tolist()


@pytest.mark.parametrize("kind", PointKind)
def test_a_curve_without_samples_has_all_its_slots(kind: PointKind) -> None:
    curve = curve_of({}, kind, edges_us=DAY_EDGES)
    assert [len(column) for column in curve[:5]] == [96] * 5
    assert np.isnan(curve.value).all()
    assert set(states(curve)) == {MISSING}
    assert set(curve.quality.tolist()) == {quality.MISSING}
    assert (curve.total, curve.known_us) == (0, 0)


def test_interval_energy_times_slots_per_hour() -> None:
    curve = curve_of({0: 157.18, 15: 0.0, 45: 3.17}, PointKind.INTERVAL)
    assert curve.value.tolist() == [628.72, 0.0, NAN, 12.68]
    assert states(curve) == [COMPLETE, COMPLETE, MISSING, COMPLETE]
    assert curve.total == Fraction(16035, 100)


def test_mean_power_is_its_own_mean() -> None:
    assert curve_of({0: 40.5, 15: 41.0}, PointKind.MEAN_POWER).value.tolist() == [40.5, 41.0, NAN, NAN]


def test_short_means_are_averaged_over_the_slot() -> None:
    curve = curve_of({minute: float(minute) for minute in range(15)}, PointKind.MEAN_POWER, 1)
    assert (curve.value[0], curve.sample_count[0], states(curve)[0]) == (7.0, 15, COMPLETE)


def test_instants_are_weighted_by_the_time_they_hold() -> None:
    curve = curve_of({0: 10.0, 3: 40.0, 5: 10.0, 10: 10.0}, PointKind.INSTANTANEOUS, 5)
    assert curve.value[0] == (10 * 13 + 40 * 2) / 15
    assert states(curve)[0] == COMPLETE


def test_an_instant_holds_across_an_edge() -> None:
    curve = curve_of({-2: 6.0, 3: 9.0, 8: 9.0, 13: 9.0}, PointKind.INSTANTANEOUS, 5)
    assert curve.value[:2].tolist() == [(6 * 3 + 9 * 12) / 15, 9.0]
    assert curve.sample_count[:2].tolist() == [3, 0]
    assert states(curve)[:3] == [COMPLETE, PARTIAL, MISSING]


def test_nothing_is_carried_across_a_gap() -> None:
    curve = curve_of({0: 10.0, 5: 20.0, 45: 30.0}, PointKind.INSTANTANEOUS, 5)
    assert curve.value.tolist() == [15.0, NAN, NAN, 30.0]
    assert states(curve) == [PARTIAL, MISSING, MISSING, PARTIAL]
    assert (curve.covered_us / MINUTE_US).tolist() == [10, 0, 0, 5]


def test_a_sliver_of_jitter_leaves_a_slot_complete() -> None:
    run = SampleRun(
        1,
        np.array([2_000_000, 902_000_000]),
        np.ones(2),
        np.zeros(2, np.uint16),
    )
    curve = load_curve.build(run, Metering.plain(PointKind.MEAN_POWER, QUARTER_US), HOUR_EDGES)
    assert states(curve)[:2] == [COMPLETE, COMPLETE]


def test_bad_samples_give_no_value() -> None:
    curve = curve_of({0: 1.0, 15: 2.0}, PointKind.MEAN_POWER, qualities={0: quality.BAD, 15: quality.SUSPECT})
    assert curve.value.tolist() == [NAN, 2.0, NAN, NAN]
    assert states(curve) == [SUSPECT, COMPLETE, MISSING, MISSING]
    assert curve.quality.tolist() == [quality.BAD, quality.SUSPECT, quality.MISSING, quality.MISSING]
    assert curve.sample_count.tolist() == [1, 1, 0, 0]


def test_quality_of_a_slot_is_the_worst_of_what_was_used() -> None:
    qualities = {0: quality.MANUAL, 5: quality.BAD, 10: quality.LATE}
    curve = curve_of({0: 1.0, 5: 2.0, 10: 3.0}, PointKind.MEAN_POWER, 5, qualities=qualities)
    assert curve.quality[0] == quality.MANUAL | quality.LATE
    assert (curve.value[0], states(curve)[0]) == (2.0, PARTIAL)


@pytest.mark.parametrize("kind", [PointKind.MEAN_POWER, PointKind.INTERVAL, PointKind.INSTANTANEOUS])
def test_an_interval_longer_than_the_slot_is_spread_and_says_so(kind: PointKind) -> None:
    curve = curve_of({0: 8.0}, kind, 60)
    assert curve.value.tolist() == [8.0] * 4
    assert states(curve) == [SPREAD] * 4
    assert curve.sample_count.tolist() == [1, 0, 0, 0]
    assert curve.total == 8


def test_register_differences_become_power() -> None:
    curve = curve_of({0: 100.01, 15: 100.11, 30: 100.11, 45: 101.0, 60: 102.0}, PointKind.REGISTER)
    assert curve.value.tolist() == [0.4, 0.0, 3.56, 4.0]
    assert curve.total == Fraction(199, 100)
    assert curve.sample_count.tolist() == [1, 1, 1, 1]


def test_register_readings_between_edges_are_shared() -> None:
    curve = curve_of({-5: 0.0, 10: 3.0, 25: 9.0, 40: 9.0}, PointKind.REGISTER)
    assert curve.value.tolist() == [(2.0 + 2.0) * 4, (4.0 + 0.0) * 4, 0.0, NAN]
    assert curve.total == 8


def test_a_register_that_falls_gives_no_value_and_nothing_negative() -> None:
    curve = curve_of({0: 50.0, 15: 51.0, 30: 3.0, 45: 4.5, 60: 5.0}, PointKind.REGISTER)
    assert curve.value.tolist() == [4.0, NAN, 6.0, 2.0]
    assert states(curve) == [COMPLETE, SUSPECT, COMPLETE, COMPLETE]
    assert curve.quality[1] == quality.SUSPECT
    assert curve.total == 3


def test_a_register_that_falls_across_a_gap_is_suspect() -> None:
    curve = curve_of({0: 50.0, 60: 3.0}, PointKind.REGISTER)
    assert states(curve) == [SUSPECT] * 4
    assert (curve.total, curve.known_us) == (0, 0)


def test_a_register_difference_across_a_gap_counts_in_the_total_only() -> None:
    curve = curve_of({0: 10.0, 15: 11.0, 60: 41.0}, PointKind.REGISTER)
    assert curve.value.tolist() == [4.0, NAN, NAN, NAN]
    assert states(curve) == [COMPLETE, SPANNED, SPANNED, SPANNED]
    assert (curve.total, curve.known_us) == (31, HOUR_US)


@pytest.mark.parametrize("kind", [PointKind.MEAN_POWER, PointKind.INTERVAL, PointKind.INSTANTANEOUS])
def test_the_multiplier_is_applied_once(kind: PointKind) -> None:
    plain, multiplied = curve_of({0: 0.07}, kind), curve_of({0: 0.07}, kind, factor=80.0)
    assert multiplied.total == plain.total * 80
    assert multiplied.value[0] == float(Fraction(plain.value[0]).limit_denominator(100) * 80)


def test_the_multiplier_of_a_register_applies_to_its_difference() -> None:
    curve = curve_of({0: 1000.0, 15: 1010.0}, PointKind.REGISTER, factor=80.0)
    assert (curve.total, curve.value[0]) == (800, 3200.0)


def test_a_daily_amount_fills_a_day_of_23_hours() -> None:
    zone, date = load_zone("Europe/Berlin"), datetime.date(2026, 3, 29)
    edges_us = calendar.slot_edges_us(date, zone, QUARTER_US)
    run = SampleRun(1, edges_us[:1], np.array([46.0]), np.zeros(1, np.uint16))
    ends_us = calendar.period_ends_us(run.time_us, DAY_US, zone)
    curve = load_curve.build(run, Metering.plain(PointKind.INTERVAL, DAY_US), edges_us, ends_us)
    assert curve.value.tolist() == [2.0] * 92
    assert curve.total == 46


def test_a_longer_run_gives_the_same_curve() -> None:
    samples = {minute: 0.1 * minute for minute in range(-600, 600, 7)}
    for kind in PointKind:
        whole = curve_of(samples, kind, 7)
        near = curve_of({time: value for time, value in samples.items() if -20 < time < 80}, kind, 7)
        for one, other in zip(whole, near, strict=True):
            assert np.array_equal(one, other, equal_nan=np.asarray(one).dtype == np.float64)


def test_a_value_no_float_can_hold_is_suspect() -> None:
    curve = curve_of({0: 1.7e308}, PointKind.INTERVAL)
    assert (curve.value.tolist()[0], states(curve)[0]) == (NAN, SUSPECT)


def test_a_skipped_date_has_no_slots() -> None:
    edges_us = calendar.slot_edges_us(datetime.date(2011, 12, 30), load_zone("Pacific/Apia"), QUARTER_US)
    curve = curve_of({0: 1.0}, PointKind.INTERVAL, edges_us=edges_us)
    assert len(curve.value) == 0
    assert load_curve.summarise(curve, edges_us) == load_curve.CurveSummary()


# The vector of domain.md §2.2: 32 × 40 kW, 48 × 100 kW, 16 × 60 kW.
VECTOR = [40.0] * 32 + [100.0] * 48 + [60.0] * 16


def vector_summary() -> load_curve.CurveSummary:
    samples = {slot * 15: power for slot, power in enumerate(VECTOR)}
    return load_curve.summarise(curve_of(samples, PointKind.MEAN_POWER, edges_us=DAY_EDGES), DAY_EDGES)


def test_summary_of_the_reference_day() -> None:
    summary = vector_summary()
    assert (summary.energy, summary.max_value, summary.min_value) == (1760.0, 100.0, 40.0)
    assert summary.mean == 1760 / 24
    assert summary.load_factor == 1760 / 24 / 100
    assert (summary.load_factor_min, summary.peak_valley_difference, summary.peak_valley_rate) == (
        0.4,
        60.0,
        0.6,
    )
    assert (summary.slot_count, summary.value_count, summary.complete_count) == (96, 96, 96)


def test_the_first_of_equal_extremes_is_named() -> None:
    summary = vector_summary()
    assert (summary.max_start_us, summary.max_end_us) == (32 * QUARTER_US, 33 * QUARTER_US)
    assert (summary.min_start_us, summary.min_end_us) == (0, QUARTER_US)


def test_differences_of_decimals_are_decimals() -> None:
    curve = curve_of({0: 0.3, 15: 0.1}, PointKind.MEAN_POWER)
    assert load_curve.summarise(curve, HOUR_EDGES).peak_valley_difference == 0.2


def test_a_mean_is_over_the_time_that_is_known() -> None:
    curve = curve_of({0: 4.0, 15: 2.0}, PointKind.MEAN_POWER)
    summary = load_curve.summarise(curve, HOUR_EDGES)
    assert (summary.mean, summary.energy, summary.value_count) == (3.0, 1.5, 2)


def test_a_slot_covered_by_less_than_half_is_no_maximum() -> None:
    curve = curve_of({0: 5.0, 5: 5.0, 10: 5.0, 25: 900.0}, PointKind.INSTANTANEOUS, 5)
    summary = load_curve.summarise(curve, HOUR_EDGES)
    assert (summary.max_value, summary.min_value) == (5.0, 5.0)
    assert curve.value[1] == 900.0


def test_a_load_factor_is_over_the_slots_that_may_be_the_maximum() -> None:
    curve = curve_of({0: 4.0, 5: 4.0, 10: 5.5, 25: 900.0}, PointKind.INSTANTANEOUS, 5)
    summary = load_curve.summarise(curve, HOUR_EDGES)
    assert summary.mean == 913.5 / 4
    assert summary.load_factor == 1.0  # one slot
    assert (curve.ranked_total * 60, curve.ranked_us) == (13.5 * 5, QUARTER_US)


def test_a_load_factor_of_a_sum_never_exceeds_one() -> None:
    half = curve_of({0: -10.0, 15: -10.0}, PointKind.MEAN_POWER, 10)
    whole = curve_of({0: 10.0, 15: 10.1, 30: 10.0, 45: 10.0}, PointKind.MEAN_POWER)
    summary = load_curve.summarise(load_curve.add([half, whole], HOUR_EDGES), HOUR_EDGES)
    assert summary.load_factor is not None
    assert summary.load_factor <= 1.0


def test_a_day_of_slivers_has_a_mean_and_no_maximum() -> None:
    summary = load_curve.summarise(curve_of({0: 7.0}, PointKind.INSTANTANEOUS, 5), HOUR_EDGES)
    assert (summary.mean, summary.max_value, summary.load_factor) == (7.0, None, None)


def test_energy_across_a_gap_makes_no_maximum() -> None:
    curve = curve_of({0: 0.0, 15: 1.0, 60: 1000.0}, PointKind.REGISTER)
    summary = load_curve.summarise(curve, HOUR_EDGES)
    assert (summary.max_value, summary.energy, summary.mean) == (4.0, 1000.0, 1000.0)
    assert summary.load_factor == 1.0  # of the one slot whose course is known


def test_no_load_has_no_load_factor() -> None:
    summary = load_curve.summarise(curve_of({0: 0.0}, PointKind.MEAN_POWER), HOUR_EDGES)
    assert (summary.max_value, summary.load_factor, summary.peak_valley_rate) == (0.0, None, None)


def test_curves_add_up_slot_by_slot() -> None:
    one = curve_of({0: 0.1, 15: 0.1, 30: 5.0}, PointKind.MEAN_POWER)
    other = curve_of({0: 0.2, 15: 0.2}, PointKind.MEAN_POWER, qualities={15: quality.MANUAL})
    total = load_curve.add([one, other], HOUR_EDGES)
    assert total.value.tolist() == [0.3, 0.3, 5.0, NAN]
    assert states(total) == [COMPLETE, COMPLETE, PARTIAL, MISSING]
    assert total.sample_count.tolist() == [2, 2, 1, 0]
    assert total.quality[1] == quality.MANUAL
    assert total.total == one.total + other.total


def test_a_sum_does_not_depend_on_the_order_of_its_curves() -> None:
    curves = [curve_of({0: 10.0**power / 3}, PointKind.MEAN_POWER) for power in range(12)]
    forth, back = load_curve.add(curves, HOUR_EDGES), load_curve.add(curves[::-1], HOUR_EDGES)
    assert forth.value.tobytes() == back.value.tobytes()


def test_a_sum_with_a_spread_curve_is_spread() -> None:
    hourly, quarterly = curve_of({0: 8.0}, PointKind.INTERVAL, 60), curve_of({0: 1.0}, PointKind.INTERVAL)
    assert states(load_curve.add([hourly, quarterly], HOUR_EDGES)) == [SPREAD, PARTIAL, PARTIAL, PARTIAL]


def test_a_negative_multiplier_of_the_largest_value_is_no_error() -> None:
    curve = curve_of({0: 1.7e308, 15: 0.0}, PointKind.MEAN_POWER, factor=-1.7e308)
    assert states(curve) == [SUSPECT, COMPLETE, MISSING, MISSING]


def test_utilisation_hours_are_energy_over_the_maximum() -> None:
    assert vector_summary().utilisation_h == 17.6  # 1760 kWh at 100 kW
    assert load_curve.summarise(curve_of({0: 0.0}, PointKind.INTERVAL), HOUR_EDGES).utilisation_h is None


def test_slots_of_estimates_are_counted() -> None:
    qualities = {0: quality.ESTIMATED, 15: quality.SUBSTITUTED, 30: quality.MANUAL}
    curve = curve_of(dict.fromkeys((0, 15, 30, 45), 1.0), PointKind.INTERVAL, qualities=qualities)
    assert load_curve.summarise(curve, HOUR_EDGES).estimated_count == 2


def test_simultaneity_is_the_maximum_of_the_sum_over_the_sum_of_the_maxima() -> None:
    one = curve_of({0: 1.0, 15: 3.0, 30: 0.0, 45: 0.0}, PointKind.MEAN_POWER)
    other = curve_of({0: 2.0, 15: 0.0, 30: 0.0, 45: 0.0}, PointKind.MEAN_POWER)
    parts = [load_curve.summarise(curve, HOUR_EDGES) for curve in (one, other)]
    total = load_curve.summarise(load_curve.add([one, other], HOUR_EDGES), HOUR_EDGES)
    assert load_curve.simultaneity(total, parts) == 0.6
    assert load_curve.simultaneity(total, [*parts, load_curve.CurveSummary()]) is None
    assert (
        load_curve.simultaneity(total._replace(max_value=0.0), [load_curve.CurveSummary(max_value=0.0)])
        is None
    )
