"""Samples become days; `DirtyDays` is tested for what each touches."""

import numpy as np

from historian.rollup import mark_kernels
from historian.rollup.mark_kernels import CLEAN, DIRTY, UNKNOWN, WAITING


def mark(known: list[int], samples: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    state, left = np.array(known, np.uint8), np.empty(len(samples), np.int64)
    ids, times = (np.array([sample[part] for sample in samples]) for part in (0, 1))
    count = mark_kernels.mark_day(ids.astype(np.uint32), times.astype(np.int64), 10, 20, state, left)
    return state.tolist(), left[:count].tolist()


def test_known_points_in_the_middle_of_the_day_are_marked() -> None:
    known, left = mark([UNKNOWN, CLEAN, DIRTY, WAITING], [(1, 10), (2, 19), (3, 15)])
    assert (known, left) == ([UNKNOWN, WAITING, DIRTY, WAITING], [])


def test_unknown_points_and_other_times_are_left() -> None:
    known, left = mark([UNKNOWN, CLEAN, CLEAN], [(0, 15), (1, 9), (2, 20), (3, 15), (1, 15)])
    assert (known, left) == ([UNKNOWN, WAITING, CLEAN], [0, 1, 2, 3])


def test_days_of_samples_and_their_reaches() -> None:
    starts = np.array([[0, 100, 200, 300, 400, 500, 600]], np.int64)
    zones = np.array([-1, 0], np.int16)
    ids = np.array([1, 1, 0, 1, 1], np.uint32)
    times = np.array([110, 150, 150, 195, 305], np.int64)
    keys = np.empty(20, np.int64)
    reach = np.array([0, 10], np.int64)
    count = mark_kernels.find_days(ids, times, zones, reach, reach, starts, 7, keys)
    assert (keys[:count] & 0xFF).tolist() == [8, 8, 9, 9, 10]
    far = np.array([0, 450], np.int64)
    assert mark_kernels.find_days(ids, times, zones, reach, far, starts, 7, keys) == -1


def test_a_scan_leads_as_long_as_points_rise_and_the_time_is_one() -> None:
    def leading(ids: list[int], times: list[int]) -> int:
        return mark_kernels.leading_scan(np.array(ids, np.uint32), np.array(times, np.int64))

    assert leading([1, 2, 5, 3], [7, 7, 7, 7]) == 3
    assert leading([1, 2, 5, 9], [7, 7, 8, 8]) == 2
    assert (leading([4], [7]), leading([4, 4], [7, 7]), leading([1, 2], [7, 7])) == (1, 1, 2)
