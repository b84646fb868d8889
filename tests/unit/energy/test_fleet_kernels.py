"""Scales of runs; what the kernels make of them is checked against the general path in tests/property."""

from fractions import Fraction

import numpy as np
import pytest

from historian.energy import fleet_kernels as kernels
from historian.energy.load_curve import COVERED_SHARE_MIN, EXTREME_SHARE_MIN, SlotState
from historian.model import quality


def test_words_are_those_of_the_general_path() -> None:
    states = (kernels._COMPLETE, kernels._PARTIAL, kernels._MISSING, kernels._SUSPECT, kernels._SPREAD)
    assert states == (
        SlotState.COMPLETE, SlotState.PARTIAL, SlotState.MISSING, SlotState.SUSPECT, SlotState.SPREAD,
    )  # fmt: skip
    assert (kernels._COVERED_SHARE_MIN, kernels._EXTREME_SHARE_MIN) == (COVERED_SHARE_MIN, EXTREME_SHARE_MIN)
    origins = kernels._ORIGIN_ESTIMATED, kernels._ORIGIN_SUBSTITUTED, kernels._ORIGIN_MANUAL
    assert origins == (quality.ESTIMATED, quality.SUBSTITUTED, quality.MANUAL)
    masks = kernels._VALIDITY_MASK, kernels._ORIGIN_MASK, kernels._DELETED
    assert masks == (quality.VALIDITY_MASK, quality.ORIGIN_MASK, quality.DELETED)


@pytest.mark.parametrize(("one", "other", "divisor"), [(12, 18, 6), (-12, 18, 6), (0, 5, 5), (7, 0, 7)])
def test_greatest_divisor(one: int, other: int, divisor: int) -> None:
    assert kernels.greatest_divisor(one, other) == divisor


@pytest.mark.parametrize(
    ("times", "interval_us", "tick_us"),
    [
        pytest.param([0, 900_000_000], 900_000_000, 60_000_000, id="a minute"),
        pytest.param([0, 901_000_000], 900_000_000, 1_000_000, id="a second, by a stamp"),
        pytest.param([0], 1_000_000, 1_000_000, id="a second, by the interval"),
        pytest.param([-5_000], 60_000_000, 1_000, id="a millisecond"),
        pytest.param([1], 60_000_000, 1, id="a microsecond"),
    ],
)
def test_tick(times: list[int], interval_us: int, tick_us: int) -> None:
    edges = np.array([0, 3_600_000_000])
    assert kernels.tick_of(np.array(times), edges, interval_us) == tick_us


@pytest.mark.parametrize(
    ("values", "shift"),
    [
        pytest.param([1.0, -3.0], 0, id="whole"),
        pytest.param([0.5, 0.375], 3, id="eighths"),
        pytest.param([float(np.float32(0.1))], 27, id="single precision"),
        pytest.param([0.1], -1, id="double precision"),
        pytest.param([2.0**-41], -1, id="too small"),
        pytest.param([2.0**30, 2.0**-30], -1, id="too wide"),
    ],
)
def test_binary_shift(values: list[float], shift: int) -> None:
    assert kernels.binary_shift(np.array(values)) == shift


@pytest.mark.parametrize("one", range(0, 2**16, 977))
@pytest.mark.parametrize("other", [0, 1, 2, 4, 12, 128, 0xFFFF])
def test_quality_folds_as_in_an_aggregate(one: int, other: int) -> None:
    assert kernels.fold_quality(one, other) == quality.worst_of(np.array([one, other], np.uint16))


def test_a_sum_is_kept_in_lowest_terms_or_not_at_all() -> None:
    whole = np.zeros(kernels.WHOLE_COUNT, np.int64)
    assert kernels.put_sum(-6, 10, 80, whole, kernels.RANKED_NUMERATOR)
    kept = whole[kernels.RANKED_NUMERATOR : kernels.RANKED_US].tolist()
    assert Fraction(*kept).as_integer_ratio() == (kept[0], kept[1]) == (-3, 4)
    assert not kernels.put_sum(2**40, 2**23, 1, whole, kernels.TOTAL_NUMERATOR)
