"""The kernels of retrieval equal their plain-Python twins, which count in exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.model.quality import BAD, DELETED, ESTIMATED, GOOD, LATE, MANUAL, MISSING, SUSPECT
from historian.query import kernels
from historian.query.kernels import NO_TIME
from tests.unit.query.samples import make_run
from tests.unit.query.test_kernels import (
    interpolate,
    plain_interpolate,
    plain_summarise,
    plain_usable,
    plain_worst,
)

qualities = st.sampled_from(
    [GOOD, GOOD, GOOD, SUSPECT, BAD, MISSING, DELETED, SUSPECT | LATE, ESTIMATED, MANUAL | LATE]
)
values = st.one_of(st.integers(-1000, 1000).map(float), st.floats(-1e6, 1e6))
runs = st.lists(st.tuples(st.integers(0, 200), values, qualities), max_size=25, unique_by=lambda s: s[0]).map(
    sorted
)
edge_lists = st.lists(st.integers(-20, 230), min_size=2, max_size=8, unique=True).map(sorted)


@given(
    runs,
    st.lists(st.integers(-20, 230), max_size=10, unique=True).map(sorted),
    st.booleans(),
    st.booleans(),
    st.integers(0, 30),
    st.integers(0, 60),
    st.sampled_from([NO_TIME, 50, 300]),
)
def test_interpolation(
    samples: list[tuple[int, float, int]],
    slots: list[int],
    is_step: bool,
    is_rising: bool,
    period_us: int,
    gap_max_us: int,
    hold_until_us: int,
) -> None:
    fast = interpolate(
        samples,
        slots,
        is_step=is_step,
        is_rising=is_rising,
        period_us=period_us,
        gap_max_us=gap_max_us,
        hold_until_us=hold_until_us,
    )
    slow = plain_interpolate(
        samples,
        slots,
        is_step=is_step,
        is_rising=is_rising,
        period_us=period_us,
        gap_max_us=gap_max_us,
        hold_until_us=hold_until_us,
    )
    assert [quality for _, quality in fast] == [quality for _, quality in slow]
    for (value, _), (expected, _) in zip(fast, slow, strict=True):
        assert (value is None) == (expected is None)
        assert value is None or value == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(runs, edge_lists, st.integers(0, 40), st.sampled_from([1, 10, 3600]))
def test_figures(
    samples: list[tuple[int, float, int]], edges: list[int], hold_us: int, weight_unit_us: int
) -> None:
    run = make_run(samples)
    figures = kernels.summarise(
        run.time_us, run.value, run.quality, np.array(edges, np.int64), hold_us, weight_unit_us
    )
    for slot in range(len(edges) - 1):
        plain = plain_summarise(samples, edges[slot], edges[slot + 1], hold_us, weight_unit_us)
        assert figures.sample_count[slot] == plain.sample_count
        assert figures.used_count[slot] == plain.used_count
        assert figures.good[slot] == plain.good
        if plain.minimum is None:
            assert math.isnan(figures.mean[slot])
            continue
        assert (figures.minimum[slot], figures.minimum_time_us[slot]) == plain.minimum
        assert (figures.maximum[slot], figures.maximum_time_us[slot]) == plain.maximum
        assert figures.total[slot] == pytest.approx(as_float(plain.total), rel=1e-12, abs=1e-9)
        assert figures.mean[slot] == pytest.approx(as_float(plain.mean), rel=1e-12, abs=1e-9)
        assert figures.deviation[slot] ** 2 == pytest.approx(as_float(plain.variance), rel=1e-6, abs=1e-3)
        assert figures.minimum[slot] <= figures.mean[slot] <= figures.maximum[slot]


def as_float(number: Fraction | None) -> float:
    assert number is not None
    return float(number)


@given(runs, edge_lists)
def test_totals_of_parts_make_the_total_of_the_whole(
    samples: list[tuple[int, float, int]], edges: list[int]
) -> None:
    run = make_run(samples)

    def total(edge_us: list[int]) -> float:
        figures = kernels.summarise(run.time_us, run.value, run.quality, np.array(edge_us, np.int64), 15, 10)
        return float(np.nansum(figures.total))

    assert total(edges) == pytest.approx(total([edges[0], edges[-1]]), rel=1e-12, abs=1e-9)


@given(runs, edge_lists)
def test_pixels(samples: list[tuple[int, float, int]], edges: list[int]) -> None:
    run = make_run(samples)
    pixels = kernels.reduce_to_pixels(run.time_us, run.value, run.quality, np.array(edges, np.int64))
    for k in range(len(edges) - 1):
        inside = [sample for sample in samples if edges[k] <= sample[0] < edges[k + 1]]
        used = [sample for sample in inside if plain_usable(sample[2])]
        assert pixels.sample_count[k] == len(inside)
        assert pixels.used_count[k] == len(used)
        assert pixels.quality[k] == plain_worst(GOOD, *(sample[2] for sample in inside))
        if not used:
            assert math.isnan(pixels.first[k])
            assert pixels.first_time_us[k] == NO_TIME
            continue
        low, high = min(used, key=lambda s: s[1]), max(used, key=lambda s: s[1])
        assert (pixels.first_time_us[k], pixels.first[k]) == used[0][:2]
        assert (pixels.last_time_us[k], pixels.last[k]) == used[-1][:2]
        assert (pixels.minimum_time_us[k], pixels.minimum[k]) == low[:2]
        assert (pixels.maximum_time_us[k], pixels.maximum[k]) == high[:2]
