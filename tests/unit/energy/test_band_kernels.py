"""What the kernels of bands do with whole numbers; property tests compare them with the plain way."""

import numpy as np
import numpy.typing as npt

from historian.energy import band_kernels
from historian.energy.band_kernels import BandFigures


def columns(total: int, ranked: int, denominator: int) -> BandFigures:
    values = [0, 0, 0, 0, 0, total, ranked, denominator]
    return BandFigures(*(np.full((1, 1), value, np.int64) for value in values))


def sums_of(*values: int) -> npt.NDArray[np.int64]:
    return np.array([*values, *[0] * (5 - len(values))], np.int64)


def flat(out: BandFigures) -> list[int]:
    return [int(column[0, 0]) for column in out]


def test_values_become_whole_numbers() -> None:
    scaled = np.empty(3, np.int64)
    assert band_kernels.scale_day(np.array([0.1, -0.25, 3.0]), 100.0, scaled)
    assert scaled.tolist() == [10, -25, 300]
    assert not band_kernels.scale_day(np.array([0.1, 0.25]), 10.0, scaled)
    assert not band_kernels.scale_day(np.array([2.0**52]), 1.0, scaled)
    assert not band_kernels.scale_day(np.array([-(2.0**52)]), 1.0, scaled)


def test_sums_are_put_over_the_least_common_denominator() -> None:
    out = columns(7, 5, 6)
    assert band_kernels.put_sums(sums_of(1, 3), 5, 4, 0, 0, out)
    assert flat(out) == [15, 45, 0, 0, 0, 14, 10, 12]


def test_a_common_divisor_is_taken_out() -> None:
    out = columns(3, 3, 1)
    assert band_kernels.put_sums(sums_of(4, 8), 1, 4, 0, 0, out)
    assert flat(out) == [1, 2, 0, 0, 0, 3, 3, 1]
    out = columns(-3, 3, 2)
    assert band_kernels.put_sums(sums_of(-6, 3), 1, 2, 0, 0, out)
    assert flat(out) == [-6, 3, 0, 0, 0, -3, 3, 2]


def test_what_does_not_fit_leaves_the_cell_alone() -> None:
    for total, sums, numerator, denominator in (
        (1 << 60, sums_of(1), 1, 16),
        (1, sums_of(1 << 60), 16, 1),
        (1, sums_of(1, 2), 1, 1 << 61),
    ):
        out = columns(total, 1, 3)
        assert not band_kernels.put_sums(sums, numerator, denominator, 0, 0, out)
        assert flat(out) == [0, 0, 0, 0, 0, total, 1, 3]


def test_a_full_day_and_single_samples_add_up_alike() -> None:
    scaled, end, code = np.array([1, 2, 3, 4], np.int64), np.array([1, 3, 4]), np.array([3, 255, 0])
    full, single, aligned = sums_of(), sums_of(), sums_of()
    band_kernels.sum_full(scaled, end, code, full)
    band_kernels.sum_samples(np.arange(0, 40, 10), scaled, 0, 10, 1, 0, end, code, single)
    band_kernels.sum_aligned(np.arange(0, 40, 10), scaled, 0, 10, end, code, aligned)
    assert full.tolist() == single.tolist() == aligned.tolist() == [4, 0, 0, 1, 0]


def test_a_day_with_holes_adds_up_what_is_there() -> None:
    sums, times = sums_of(), np.array([25, 45, 95], np.int64)
    band_kernels.sum_aligned(
        times, np.array([1, 2, 4], np.int64), 25, 10, np.array([2, 7, 9]), np.array([3, 1, 3]), sums
    )
    assert sums.tolist() == [0, 2, 0, 5, 0]


def test_only_what_is_held_is_cut_at_an_edge() -> None:
    times, scaled = np.array([0, 20, 60], np.int64), np.array([1, 10, 100], np.int64)
    end, code = np.array([3, 4, 8]), np.array([3, 1, 2])
    for is_held, expected in ((0, [0, 0, 200, 2, 0]), (1, [0, 10, 200, 12, 0])):
        sums = sums_of()
        band_kernels.sum_samples(times, scaled, 0, 10, 2, is_held, end, code, sums)
        assert sums.tolist() == expected


def test_room_is_judged_by_the_largest_value_where_the_bound_is_too_wide() -> None:
    scaled = np.array([1 << 50, -3], np.int64)
    assert band_kernels.has_room(scaled, 2, 256)
    assert band_kernels.has_room(scaled, 2, 1000)
    assert not band_kernels.has_room(scaled, 2, 1024)
