"""Sums over slots are exact."""

from fractions import Fraction

import numpy as np
import pytest

from historian.energy import slot_sum
from historian.energy.sample_period import SamplePeriods
from historian.model.point import HOUR_US, MINUTE_US, SECOND_US

QUARTER_US = 15 * MINUTE_US
HOUR_EDGES = np.arange(5, dtype=np.int64) * QUARTER_US


def periods_of(
    spans_us: list[tuple[int, int]], values: list[float], is_whole_only: bool = False, factor: float = 1.0
) -> SamplePeriods:
    count = len(spans_us)
    start_us, end_us = (np.array([span[side] for span in spans_us], np.int64) for side in (0, 1))
    return SamplePeriods(
        start_us,
        end_us,
        np.array(values, np.float64),
        np.zeros(count),
        np.zeros(count, np.uint16),
        np.ones(count, np.bool_),
        np.full(count, is_whole_only),
        np.zeros(count),
        np.full(count, factor),
        np.zeros(count, np.uint16),
    )


def rates(sums: slot_sum.SlotSums) -> list[float]:
    return slot_sum.mean_rates(sums).tolist()


def test_a_rate_times_time_is_exact() -> None:
    minutes = [(minute * MINUTE_US, (minute + 1) * MINUTE_US) for minute in range(60)]
    sums = slot_sum.sum_slots(periods_of(minutes, [0.1] * 60), False, HOUR_EDGES)
    assert sums.total == Fraction(1, 10)
    assert rates(sums) == [0.1] * 4


def test_an_amount_becomes_a_rate() -> None:
    quarters = [(slot * QUARTER_US, (slot + 1) * QUARTER_US) for slot in range(4)]
    sums = slot_sum.sum_slots(periods_of(quarters, [157.18, 0.0, 3.17, 4.0]), True, HOUR_EDGES)
    assert rates(sums) == [628.72, 0.0, 12.68, 16.0]
    assert sums.total == Fraction(16435, 100)


def test_an_hourly_amount_is_shared_without_rounding() -> None:
    sums = slot_sum.sum_slots(periods_of([(0, HOUR_US)], [1.25]), True, HOUR_EDGES)
    assert rates(sums) == [1.25] * 4


def test_thirds_are_shared_without_rounding() -> None:
    edges = np.arange(4, dtype=np.int64) * 20 * MINUTE_US
    sums = slot_sum.sum_slots(periods_of([(0, HOUR_US)], [0.01]), True, edges)
    assert rates(sums) == [0.01] * 3


def test_a_share_outside_is_left_out_exactly() -> None:
    crossing = periods_of([(-7 * SECOND_US, 13 * MINUTE_US + 1)], [1.0])
    inside = Fraction(13 * MINUTE_US + 1, 13 * MINUTE_US + 1 + 7 * SECOND_US)
    assert slot_sum.sum_slots(crossing, True, HOUR_EDGES).total == inside


def test_large_numbers_do_not_overflow() -> None:
    day = np.array([0, 25 * HOUR_US], np.int64)
    spans = [(0, 10 * HOUR_US + 1), (10 * HOUR_US + 1, 25 * HOUR_US)]
    sums = slot_sum.sum_slots(periods_of(spans, [2.0**51, 2.0**51]), False, day)
    assert sums.total == 25 * 2**51
    assert rates(sums) == [2.0**51]


def test_a_factor_is_exact() -> None:
    sums = slot_sum.sum_slots(periods_of([(0, QUARTER_US)], [2.75], factor=8000.0), True, HOUR_EDGES)
    assert rates(sums)[0] == 88_000.0


def test_spanned_time_is_in_the_total_only() -> None:
    sums = slot_sum.sum_slots(periods_of([(0, HOUR_US)], [8.0], is_whole_only=True), True, HOUR_EDGES)
    assert (sums.total, sums.known_us) == (8, HOUR_US)
    assert np.isnan(rates(sums)).all()


def test_nothing_sums_to_nothing() -> None:
    for has_amounts in (False, True):
        sums = slot_sum.sum_slots(periods_of([], []), has_amounts, HOUR_EDGES)
        assert (sums.total, sums.known_us) == (0, 0)


def test_no_slots_have_no_sums() -> None:
    sums = slot_sum.sum_slots(periods_of([], []), True, np.zeros(1, np.int64))
    assert len(rates(sums)) == 0


def test_a_mean_beyond_all_floats_is_no_value() -> None:
    sums = slot_sum.sum_slots(periods_of([(0, QUARTER_US)], [1.7e308]), True, HOUR_EDGES)
    assert np.isnan(rates(sums)[0])


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9, 1e200], ids=str)
def test_means_are_correctly_rounded(scale: float) -> None:
    values = [scale / 3, scale / 7, scale / 11]
    spans = [(0, 5 * MINUTE_US), (5 * MINUTE_US, 6 * MINUTE_US), (6 * MINUTE_US, QUARTER_US)]
    sums = slot_sum.sum_slots(periods_of(spans, values), False, HOUR_EDGES)
    exact = sum(Fraction(value) * share for value, share in zip(values, (5, 1, 9), strict=True)) / 15
    assert rates(sums)[0] == pytest.approx(float(exact), rel=1e-15)


@pytest.mark.parametrize(
    ("whole", "cut_s"),
    [(1_737_459_450_854_960, 65), (992_096_169_919_117, 623), (1_823_143_701_698_814, 235)],
    ids=str,
)
def test_means_of_long_decimals_are_correctly_rounded(whole: int, cut_s: int) -> None:
    spans = [(0, cut_s * SECOND_US), (cut_s * SECOND_US, QUARTER_US)]
    sums = slot_sum.sum_slots(periods_of(spans, [whole / 10**6, 0.000001]), False, HOUR_EDGES)
    assert rates(sums)[0] == float((Fraction(whole, 10**6) * cut_s + Fraction(900 - cut_s, 10**6)) / 900)


def test_a_mean_whose_halves_are_large_and_of_opposite_sign_is_correctly_rounded() -> None:
    ends = (MINUTE_US, 2 * MINUTE_US, 15 * MINUTE_US)
    spans = [(0, ends[0]), (ends[0], ends[1]), (14 * MINUTE_US + 1, ends[2])]
    sums = slot_sum.sum_slots(periods_of(spans, [-0.01, -1.0, -0.01]), False, HOUR_EDGES)
    exact = Fraction(-6_119_999_999, 179_999_999 * 100)
    assert rates(sums)[0] == float(exact)
