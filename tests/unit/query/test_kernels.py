"""The kernels against vectors worked out by hand, in the manner of OPC UA Part 13's examples.

The plain-Python twins below say the same slowly, with exact fractions; tests/property compares the two.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest

from historian.model.quality import (
    BAD,
    BLOCKED,
    DELETED,
    DERIVED,
    ESTIMATED,
    GOOD,
    LATE,
    MISSING,
    ORIGIN_MASK,
    SUSPECT,
    VALIDITY_MASK,
    worst_of,
)
from historian.query import kernels
from historian.query.kernels import NO_TIME
from tests.unit.query.samples import Sample, make_run

Answer = tuple[float | None, int]  # value (None: there is none) and quality


def plain_usable(quality: int) -> bool:
    return quality & VALIDITY_MASK in (GOOD, SUSPECT) and not quality & DELETED


def plain_worst(*quality: int) -> int:
    return worst_of(np.array(quality, np.uint16))


def plain_interpolate(
    samples: Sequence[tuple[int, float, int]],
    slots: Sequence[int],
    *,
    is_step: bool = False,
    is_rising: bool = False,
    period_us: int = 0,
    gap_max_us: int,
    hold_until_us: int = NO_TIME,
) -> list[Answer]:
    return [
        plain_value(samples, slot, is_step, is_rising, period_us, gap_max_us, hold_until_us) for slot in slots
    ]


def plain_value(
    samples: Sequence[tuple[int, float, int]],
    slot: int,
    is_step: bool,
    is_rising: bool,
    period_us: int,
    gap_max_us: int,
    hold_until_us: int,
) -> Answer:
    before = [sample for sample in samples if sample[0] <= slot]
    after = [sample for sample in samples if sample[0] > slot]
    last, following = before[-1] if before else None, after[0] if after else None
    if last and plain_usable(last[2]):
        if last[0] == slot:
            return last[1], last[2]
        is_bridged = bool(following and plain_usable(following[2]) and following[0] - last[0] <= gap_max_us)
        if is_step:
            if is_bridged or slot - last[0] < period_us:
                return last[1], last[2] & ~ORIGIN_MASK | DERIVED
        elif is_bridged and following and not (is_rising and following[1] < last[1]):
            share = Fraction(slot - last[0], following[0] - last[0])
            value = Fraction(last[1]) + (Fraction(following[1]) - Fraction(last[1])) * share
            return float(value), plain_worst(last[2], following[2]) & ~ORIGIN_MASK | DERIVED
    held = [sample for sample in before if plain_usable(sample[2])]
    if held and slot <= hold_until_us:
        return held[-1][1], held[-1][2] & ~(ORIGIN_MASK | VALIDITY_MASK) | DERIVED | SUSPECT
    if last and last[0] == slot:
        return None, last[2]
    return None, MISSING


class PlainFigures(NamedTuple):
    """What one slot comes to, exactly."""

    minimum: tuple[float, int] | None
    maximum: tuple[float, int] | None
    mean: Fraction | None
    total: Fraction | None
    variance: Fraction | None
    sample_count: int
    used_count: int
    good: int


def plain_summarise(
    samples: Sequence[tuple[int, float, int]], start: int, end: int, hold_us: int, weight_unit_us: int
) -> PlainFigures:
    used: list[tuple[int, Fraction, Fraction]] = []  # time, value, weight
    good = 0
    for index, (time, value, quality) in enumerate(samples):
        until = min([time + hold_us, *[later for later, _, _ in samples[index + 1 : index + 2]]])
        overlap_us = min(end, until) - max(start, time)
        is_inside = start <= time < end
        if not plain_usable(quality) or (overlap_us <= 0 if hold_us else not is_inside):
            continue
        weight = Fraction(overlap_us, weight_unit_us) if hold_us else Fraction(1)
        used.append((max(start, time), Fraction(value), weight))
        if quality & VALIDITY_MASK == GOOD:
            good += overlap_us if hold_us else 1
    count = sum(start <= time < end for time, _, _ in samples)
    if not used:
        return PlainFigures(None, None, None, None, None, count, 0, 0)
    weight_sum = sum(weight for _, _, weight in used)
    total = sum((value * weight for _, value, weight in used), Fraction(0))
    mean = total / weight_sum
    variance = sum(weight * (value - mean) ** 2 for _, value, weight in used) / weight_sum
    low = min(used, key=lambda entry: entry[1])
    high = max(used, key=lambda entry: entry[1])
    return PlainFigures(
        (float(low[1]), low[0]),
        (float(high[1]), high[0]),
        mean,
        total,
        Fraction(variance),
        count,
        len(used),
        good,
    )


def interpolate(
    samples: Sequence[Sample],
    slots: Sequence[int],
    *,
    is_step: bool = False,
    is_rising: bool = False,
    period_us: int = 0,
    gap_max_us: int = 20,
    hold_until_us: int = NO_TIME,
) -> list[Answer]:
    run = make_run(samples)
    value, quality = kernels.interpolate(
        run.time_us,
        run.value,
        run.quality,
        np.array(slots, np.int64),
        is_step,
        is_rising,
        period_us,
        gap_max_us,
        hold_until_us,
    )
    return [(None if math.isnan(x) else x, q) for x, q in zip(value.tolist(), quality.tolist(), strict=True)]


# Samples at 0, 10, 20, then a gap until 60; a bad one at 80 between good ones.
SAMPLES: list[Sample] = [
    (0, 10.0),
    (10, 20.0),
    (20, 30.0),
    (60, 70.0),
    (70, 80.0),
    (80, 0.0, BAD),
    (90, 90.0),
]


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        pytest.param(-5, (None, MISSING), id="before the first sample"),
        pytest.param(0, (10.0, GOOD), id="on a sample"),
        pytest.param(5, (15.0, DERIVED), id="half way"),
        pytest.param(12, (22.0, DERIVED), id="a fifth of the way"),
        pytest.param(20, (30.0, GOOD), id="the last before the gap"),
        pytest.param(40, (None, MISSING), id="in a gap"),
        pytest.param(75, (None, MISSING), id="towards a bad sample"),
        pytest.param(80, (None, BAD), id="on a bad sample"),
        pytest.param(85, (None, MISSING), id="from a bad sample"),
        pytest.param(95, (None, MISSING), id="after the last sample"),
    ],
)
def test_straight_line_between_neighbours(slot: int, expected: Answer) -> None:
    assert interpolate(SAMPLES, [slot]) == [expected]


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        pytest.param(-5, (None, MISSING), id="nothing to hold yet"),
        pytest.param(5, (15.0, DERIVED), id="no gap, still a line"),
        pytest.param(40, (30.0, DERIVED | SUSPECT), id="held in a gap"),
        pytest.param(80, (80.0, DERIVED | SUSPECT), id="held over a bad sample"),
        pytest.param(100, (90.0, DERIVED | SUSPECT), id="held to now"),
        pytest.param(101, (None, MISSING), id="never beyond now"),
    ],
)
def test_the_last_usable_value_is_held_where_asked(slot: int, expected: Answer) -> None:
    assert interpolate(SAMPLES, [slot], hold_until_us=100) == [expected]


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        pytest.param(9, (10.0, DERIVED), id="the whole period"),
        pytest.param(10, (20.0, GOOD), id="the next begins"),
        pytest.param(29, (30.0, DERIVED), id="the last period before a gap"),
        pytest.param(30, (None, MISSING), id="the gap"),
        pytest.param(79, (80.0, DERIVED), id="up to a bad one"),
        pytest.param(80, (None, BAD), id="a bad period"),
        pytest.param(85, (None, MISSING), id="within a bad period"),
        pytest.param(99, (90.0, DERIVED), id="the newest period"),
    ],
)
def test_a_period_holds_its_value_and_no_longer(slot: int, expected: Answer) -> None:
    answer = interpolate(SAMPLES, [slot], is_step=True, period_us=10)
    assert answer == [expected]


def test_a_distance_of_exactly_the_greatest_gap_is_bridged() -> None:
    samples: list[Sample] = [(0, 0.0), (20, 20.0)]
    assert interpolate(samples, [10], gap_max_us=20) == [(10.0, DERIVED)]
    assert interpolate(samples, [10], gap_max_us=19) == [(None, MISSING)]
    assert interpolate(samples, [15], is_step=True, period_us=10, gap_max_us=20) == [(0.0, DERIVED)]


def test_a_meter_reading_that_falls_is_a_break() -> None:
    samples: list[Sample] = [(0, 99990.0), (10, 5.0), (20, 15.0)]
    answer = interpolate(samples, [5, 15], is_rising=True)
    assert answer == [(None, MISSING), (10.0, DERIVED)]


def test_a_meter_reading_that_stands_still_is_no_break() -> None:
    assert interpolate([(0, 7.0), (10, 7.0)], [5], is_rising=True) == [(7.0, DERIVED)]


def test_an_interpolated_value_has_the_worst_of_both_and_is_derived() -> None:
    samples: list[Sample] = [(0, 1.0, SUSPECT | LATE), (10, 3.0, ESTIMATED | BLOCKED)]
    assert interpolate(samples, [5]) == [(2.0, DERIVED | SUSPECT | LATE | BLOCKED)]


def test_a_deleted_sample_is_no_neighbour() -> None:
    samples: list[Sample] = [(0, 1.0), (10, 5.0, DELETED), (20, 3.0)]
    assert interpolate(samples, [5]) == [(None, MISSING)]


def test_between_equal_values_the_line_is_exact() -> None:
    samples: list[Sample] = [(0, 0.1), (7, 0.1)]
    assert [value for value, _ in interpolate(samples, range(8))] == [0.1] * 8


def test_values_near_the_end_of_float64_do_not_overflow() -> None:
    samples: list[Sample] = [(0, -1.7e308), (10, 1.7e308)]
    assert interpolate(samples, [5])[0][0] == 0.0


def summarise(
    samples: Sequence[Sample], edges: Sequence[int], hold_us: int = 10, weight_unit_us: int = 10
) -> kernels.SlotFigures:
    run = make_run(samples)
    return kernels.summarise(
        run.time_us, run.value, run.quality, np.array(edges, np.int64), hold_us, weight_unit_us
    )


def test_time_weighted_figures_by_hand() -> None:
    """0-10: 10, 10-20: 20, 20-30: 30, nothing until 60, 60-70: 70. Weights of ten: 1 each."""
    figures = summarise(SAMPLES[:4], [0, 100])
    assert figures.minimum.tolist() == [10.0]
    assert figures.minimum_time_us.tolist() == [0]
    assert figures.maximum.tolist() == [70.0]
    assert figures.maximum_time_us.tolist() == [60]
    assert figures.total.tolist() == [130.0]
    assert figures.mean.tolist() == [32.5]
    assert figures.deviation[0] == pytest.approx(math.sqrt((22.5**2 + 12.5**2 + 2.5**2 + 37.5**2) / 4))
    assert (figures.sample_count[0], figures.used_count[0], figures.good[0]) == (4, 4, 40)


def test_a_sample_weighs_only_until_the_next_one() -> None:
    figures = summarise([(0, 1.0), (4, 2.0)], [0, 100])
    assert figures.mean[0] == pytest.approx((1 * 4 + 2 * 10) / 14)
    assert figures.good.tolist() == [14]


def test_a_bad_sample_ends_the_one_before_and_weighs_nothing() -> None:
    figures = summarise([(0, 1.0), (4, 1e9, BAD), (6, 3.0, SUSPECT)], [0, 100])
    assert figures.mean[0] == pytest.approx((1 * 4 + 3 * 10) / 14)
    assert figures.maximum.tolist() == [3.0]
    assert figures.sample_count.tolist() == [3]
    assert figures.good.tolist() == [4]  # suspect counts in the mean, not in the good share


def test_a_sample_reaches_into_the_next_slot_and_not_beyond_the_end() -> None:
    figures = summarise([(5, 1.0), (15, 3.0)], [0, 10, 20, 30])
    assert figures.total.tolist() == pytest.approx([0.5, 0.5 + 1.5, 1.5])
    assert figures.mean.tolist() == [1.0, 2.0, 3.0]
    assert figures.minimum_time_us.tolist() == [
        5,
        10,
        20,
    ]  # where it already held, its time is the slot's start
    assert figures.sample_count.tolist() == [1, 1, 0]


def test_a_slot_without_samples_has_no_figures() -> None:
    figures = summarise(SAMPLES[:3], [0, 30, 60, 90])
    assert math.isnan(figures.mean[1])
    assert math.isnan(figures.total[1])
    assert figures.minimum_time_us[1] == NO_TIME
    assert figures.used_count.tolist() == [3, 0, 0]


def test_by_events_each_sample_inside_weighs_the_same() -> None:
    figures = summarise([(-1, 100.0), (0, 1.0), (1, 2.0), (9, 6.0), (10, 100.0)], [0, 10], hold_us=0)
    assert (figures.mean[0], figures.total[0], figures.good[0]) == (3.0, 9.0, 3)
    assert figures.deviation[0] == pytest.approx(math.sqrt((4 + 1 + 9) / 3))


def test_the_first_of_equal_extremes_is_named() -> None:
    figures = summarise([(0, 5.0), (10, 1.0), (20, 5.0), (30, 1.0)], [0, 100])
    assert (figures.maximum_time_us[0], figures.minimum_time_us[0]) == (0, 10)


def test_a_long_sum_of_decimals_loses_nothing() -> None:
    count = 35_040
    figures = summarise([(n * 10, 0.1) for n in range(count)], [0, count * 10])
    assert figures.total[0] == pytest.approx(3504.0, abs=1e-9)
    assert figures.mean.tolist() == [0.1]
    assert figures.deviation[0] == pytest.approx(0.0, abs=1e-12)


def reduce_to_pixels(samples: Sequence[Sample], edges: Sequence[int]) -> kernels.PixelColumns:
    run = make_run(samples)
    return kernels.reduce_to_pixels(run.time_us, run.value, run.quality, np.array(edges, np.int64))


def test_a_pixel_keeps_first_last_least_and_greatest() -> None:
    pixels = reduce_to_pixels([(0, 5.0), (1, 9.0), (2, 1.0), (3, 4.0), (10, 7.0)], [0, 10, 20])
    assert (pixels.first[0], pixels.first_time_us[0]) == (5.0, 0)
    assert (pixels.last[0], pixels.last_time_us[0]) == (4.0, 3)
    assert (pixels.minimum[0], pixels.minimum_time_us[0]) == (1.0, 2)
    assert (pixels.maximum[0], pixels.maximum_time_us[0]) == (9.0, 1)
    assert pixels.first[1] == pixels.last[1] == pixels.minimum[1] == pixels.maximum[1] == 7.0
    assert pixels.used_count.tolist() == [4, 1]


def test_a_bad_sample_shows_only_in_the_quality_of_its_pixel() -> None:
    pixels = reduce_to_pixels([(0, 5.0), (1, 1e9, BAD | LATE), (10, 1.0, BAD)], [0, 10, 20])
    assert pixels.maximum[0] == 5.0
    assert pixels.quality.tolist() == [BAD | LATE, BAD]
    assert pixels.sample_count.tolist() == [2, 1]
    assert pixels.used_count.tolist() == [1, 0]
    assert math.isnan(pixels.first[1])


def test_samples_outside_the_edges_are_left_out() -> None:
    pixels = reduce_to_pixels([(-1, 1.0), (0, 2.0), (19, 3.0), (20, 4.0)], [0, 10, 20])
    assert pixels.first.tolist() == [2.0, 3.0]
    assert pixels.sample_count.tolist() == [1, 1]


def test_warming_leaves_nothing_to_compile() -> None:
    kernels.warm()
    compiled = [kernels.interpolate, kernels.summarise, kernels.reduce_to_pixels]
    before = [len(kernel.signatures) for kernel in compiled if hasattr(kernel, "signatures")]
    interpolate(SAMPLES, [1, 2])
    summarise(SAMPLES, [0, 100])
    reduce_to_pixels(SAMPLES, [0, 100])
    assert [len(kernel.signatures) for kernel in compiled if hasattr(kernel, "signatures")] == before
