"""Kernels that turn marked samples into days."""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
I16 = npt.NDArray[np.int16]
U32 = npt.NDArray[np.uint32]
U8 = npt.NDArray[np.uint8]

# What a hot day knows of a point.
UNKNOWN: Final = 0  # nothing, or that its samples need a closer look
CLEAN: Final = 1
DIRTY: Final = 2  # the day is in the set of dirty days
WAITING: Final = 3  # it is to be put there

KEY_DAY_BITS: Final = 22  # as in day_key
DAYS_MAX: Final = 4  # that a sample may touch, for `find_days`


@njit(cache=True, nogil=True)
def mark_day(point_id: U32, time_us: I64, low_us: int, high_us: int, known: U8, left: I64) -> int:
    """Mark the samples in ``[low_us, high_us)`` of points that the hot day knows; the places of all others go
    into `left`. Returns how many those are.
    """
    earliest, latest = 1 << 62, -(1 << 62)
    for i in range(len(time_us)):
        earliest = time_us[i] if time_us[i] < earliest else earliest
        latest = time_us[i] if time_us[i] > latest else latest
    is_inside = earliest >= low_us and latest < high_us
    left_count = 0
    for i in range(len(point_id)):
        place = point_id[i]
        state = known[place] if place < len(known) else UNKNOWN
        if state == UNKNOWN or not (is_inside or low_us <= time_us[i] < high_us):
            left[left_count] = i
            left_count += 1
        elif state == CLEAN:
            known[place] = WAITING
    return left_count


@njit(cache=True, nogil=True)
def leading_scan(point_id: U32, time_us: I64) -> int:
    """How many samples at the beginning are of one time and of rising points."""
    count = 1
    while (
        count < len(point_id)
        and point_id[count] > point_id[count - 1]
        and time_us[count] == time_us[count - 1]
    ):
        count += 1
    return count


@njit(cache=True, nogil=True)
def day_index(starts: I64, time_us: int, near: int) -> int:
    """The last place whose start is not after `time_us`; `near` is where it probably is."""
    if starts[near] <= time_us < starts[near + 1]:
        return near
    return int(np.searchsorted(starts, time_us, side="right")) - 1


@njit(cache=True, nogil=True)
def find_days(
    point_id: U32, time_us: I64, zone_number: I16, before_us: I64, after_us: I64, starts: I64, first_day: int,
    keys: I64,
) -> int:  # fmt: skip
    """Fill `keys` with those of the days that samples touch, without most repetitions; returns how many.

    `starts` is (zone, day) and has room for every reach; the other columns are by point id. Returns -1 where a
    sample touches too many days.
    """
    count, near = 0, 0
    last_point, last_first, last_last = -1, -1, -1
    for i in range(len(point_id)):
        point = int(point_id[i])
        zone = zone_number[point]
        if zone < 0:
            continue
        near = day_index(starts[zone], time_us[i], near)
        first = last = near
        if before_us[point] > 0 and time_us[i] - before_us[point] < starts[zone, near]:
            first = min(near, day_index(starts[zone], time_us[i] - before_us[point] + 1, near))
        if after_us[point] > 0 and time_us[i] + after_us[point] > starts[zone, near + 1]:
            last = max(near, day_index(starts[zone], time_us[i] + after_us[point] - 1, near))
        if point == last_point and first == last_first and last == last_last:
            continue
        if last - first >= DAYS_MAX:
            return -1
        for day in range(first, last + 1):
            keys[count] = (point << KEY_DAY_BITS) | (first_day + day)
            count += 1
        last_point, last_first, last_last = point, first, last
    return count
