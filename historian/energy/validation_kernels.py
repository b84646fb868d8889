"""Kernels that look for samples which break a rule. A breach is one bit of a rule's place in `rules.NAMES`.

Rules of a value alone come first. Samples that these mark as bad, and those that came as bad or deleted, are nobody's
neighbours. Whether a sample breaks a rule depends on what lies within the reach of the rule only, so a longer run says
the same of it. Switched off is what no value reaches: infinite, or the greatest number.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]

SENTINEL: Final = 1 << 0
RANGE: Final = 1 << 1
NEGATIVE: Final = 1 << 2
SPIKE: Final = 1 << 3
RATE_OF_CHANGE: Final = 1 << 4
STUCK: Final = 1 << 5
ZERO_ON_ACTIVE: Final = 1 << 6
MISSING: Final = 1 << 7
PROLONGED_ESTIMATION: Final = 1 << 8

# Columns of the limits: floats …
LOW, HIGH, NEGATIVE_LOW, SPIKE_HEIGHT, MAX_PER_HOUR = 0, 1, 2, 3, 4
REAL_COUNT: Final = 5
# … and whole numbers.
IS_REGISTER, BAD_MASK, SENTINEL_FIRST, SENTINEL_END = 0, 1, 2, 3
SPIKE_NEAR_US, RATE_NEAR_US, STUCK_NEAR_US, STUCK_COUNT, ZERO_NEAR_US, ZERO_US = 4, 5, 6, 7, 8, 9
INTERVAL_US, GAP_US, PROLONGED_US = 10, 11, 12
WHOLE_COUNT: Final = 13

NO_SPAN: Final = 0  # both ends of the time expected: gaps are looked for between samples only

_VALIDITY_MASK, _SUSPECT, _BAD = 0b11, 1, 2
_ORIGIN_MASK, _ESTIMATED, _DELETED = 0b11100, 0b100, 1 << 7
_HOUR_US: Final = 3_600_000_000


@njit(cache=True, nogil=True)
def check_runs(
    offset: I64,
    time_us: I64,
    value: F64,
    quality: U16,
    row: I64,
    real: F64,
    whole: I64,
    sentinel: F64,
    start_us: int,
    end_us: int,
    near: I64,
    breach: U16,
    marked: U16,
    run_breach: U16,
) -> None:
    """Breaches of each sample, its marked quality, and of each run all that occur in it or were told of it.

    Run `i` goes by row ``row[i]`` of the limits. ``[start_us, end_us)`` is where samples are expected. `near` is room
    for as many places as the longest run has.
    """
    for run in range(len(offset) - 1):
        first, last = offset[run], offset[run + 1]
        reals, wholes = real[row[run]], whole[row[run]]
        times, values, bits = time_us[first:last], value[first:last], breach[first:last]
        qualities = quality[first:last]
        count = _find_own(values, qualities, reals, wholes, sentinel, bits, near)
        if reals[SPIKE_HEIGHT] < np.inf:
            _find_spikes(times, values, reals, wholes, near, count, bits)
        if reals[MAX_PER_HOUR] < np.inf:
            _find_fast(times, values, reals, wholes, near, count, bits)
        _find_equal(times, values, wholes, near, count, bits)
        told = _find_gaps(times, qualities, wholes, start_us, end_us)
        told |= _find_estimates(times, qualities, wholes)
        run_breach[run] = told | _mark(qualities, bits, wholes[BAD_MASK], marked[first:last])


@njit(cache=True, nogil=True)
def _find_own(
    value: F64, quality: U16, real: F64, whole: I64, sentinel: F64, breach: U16, near: I64
) -> np.int64:
    """What a value breaks by itself; how many samples may be neighbours, their places in `near`."""
    low, high, negative_low = real[LOW], real[HIGH], real[NEGATIVE_LOW]
    bad_mask, sentinel_first, sentinel_end = whole[BAD_MASK], whole[SENTINEL_FIRST], whole[SENTINEL_END]
    count = np.int64(0)
    for i in range(len(value)):
        breach[i] = 0
        if (quality[i] & _VALIDITY_MASK) > _SUSPECT or quality[i] & _DELETED:
            continue
        bits = np.int64(0)
        if value[i] < low or value[i] > high:
            bits |= RANGE
        if value[i] < negative_low:
            bits |= NEGATIVE
        for k in range(sentinel_first, sentinel_end):
            if value[i] == sentinel[k]:
                bits |= SENTINEL
        breach[i] = bits
        if bits & bad_mask == 0:
            near[count] = i
            count += 1
    return count


@njit(cache=True, nogil=True)
def _find_spikes(
    time_us: I64, value: F64, real: F64, whole: I64, near: I64, count: np.int64, breach: U16
) -> None:
    """A lone sample outside of what lies between its neighbours; a register's only where these rise."""
    height, near_us, is_register = real[SPIKE_HEIGHT], whole[SPIKE_NEAR_US], whole[IS_REGISTER] != 0
    for k in range(1, count - 1):
        before, i, after = near[k - 1], near[k], near[k + 1]
        low, high = min(value[before], value[after]), max(value[before], value[after])
        if low - value[i] <= height and value[i] - high <= height:
            continue
        if is_register and value[before] > value[after]:
            continue
        if time_us[i] - time_us[before] <= near_us and time_us[after] - time_us[i] <= near_us:
            breach[i] |= SPIKE


@njit(cache=True, nogil=True)
def _find_fast(
    time_us: I64, value: F64, real: F64, whole: I64, near: I64, count: np.int64, breach: U16
) -> None:
    """Changes from the sample before, spikes left out; a register's only where it rises."""
    per_hour, near_us, is_register = real[MAX_PER_HOUR], whole[RATE_NEAR_US], whole[IS_REGISTER] != 0
    before = np.int64(-1)
    for k in range(count):
        i = near[k]
        if breach[i] & SPIKE:
            continue
        if before >= 0:
            passed_us = time_us[i] - time_us[before]
            change = value[i] - value[before]
            if change < 0 and not is_register:
                change = -change
            if passed_us <= near_us and change * _HOUR_US > per_hour * passed_us:
                breach[i] |= RATE_OF_CHANGE
        before = i


@njit(cache=True, nogil=True)
def _find_equal(time_us: I64, value: F64, whole: I64, near: I64, count: np.int64, breach: U16) -> None:
    """Values that stay as they are: stuck by their number, zero (or a register at rest) by their time."""
    stuck_first = zero_first = np.int64(0)
    for k in range(1, int(count) + 1):
        is_same, passed_us = False, np.int64(0)
        if k < count:
            is_same = value[near[k]] == value[near[k - 1]]
            passed_us = time_us[near[k]] - time_us[near[k - 1]]
        if not (is_same and passed_us <= whole[STUCK_NEAR_US]):
            if k - stuck_first >= whole[STUCK_COUNT] and value[near[k - 1]] != 0:
                _set(breach, near, stuck_first, k, STUCK)
            stuck_first = np.int64(k)
        if not (is_same and passed_us <= whole[ZERO_NEAR_US]):
            is_rest = value[near[k - 1]] == 0 or whole[IS_REGISTER] != 0
            if is_rest and time_us[near[k - 1]] - time_us[near[zero_first]] >= whole[ZERO_US]:
                _set(breach, near, zero_first, k, ZERO_ON_ACTIVE)
            zero_first = np.int64(k)


@njit(cache=True, nogil=True)
def _set(breach: U16, near: I64, first: np.int64, end: int, bit: int) -> None:
    for k in range(first, end):
        breach[near[k]] |= bit


@njit(cache=True, nogil=True)
def _find_gaps(time_us: I64, quality: U16, whole: I64, start_us: int, end_us: int) -> np.int64:
    """MISSING where nothing came for too long; a sample of whatever validity came, a deleted one did not."""
    gap_us, has_span = whole[GAP_US], start_us < end_us
    before_us = start_us - whole[INTERVAL_US]
    has_before = has_span
    for i in range(len(time_us)):
        if quality[i] & _DELETED or (quality[i] & _VALIDITY_MASK) == _VALIDITY_MASK:
            continue
        if has_span and time_us[i] >= end_us:
            break
        if has_before and time_us[i] - before_us > gap_us:
            return np.int64(MISSING)
        before_us = max(before_us, time_us[i]) if has_before else time_us[i]
        has_before = True
    return np.int64(MISSING if has_span and end_us - before_us > gap_us else 0)


@njit(cache=True, nogil=True)
def _find_estimates(time_us: I64, quality: U16, whole: I64) -> np.int64:
    """PROLONGED_ESTIMATION where usable samples were estimates only, from a first to a last one too far apart."""
    first_us, is_estimated = np.int64(0), False
    for i in range(len(time_us)):
        if (quality[i] & _VALIDITY_MASK) > _SUSPECT or quality[i] & _DELETED:
            continue
        if (quality[i] & _ORIGIN_MASK) != _ESTIMATED:
            is_estimated = False
            continue
        if not is_estimated:
            first_us, is_estimated = time_us[i], True
        if time_us[i] - first_us > whole[PROLONGED_US]:
            return np.int64(PROLONGED_ESTIMATION)
    return np.int64(0)


@njit(cache=True, nogil=True)
def _mark(quality: U16, breach: U16, bad_mask: int, marked: U16) -> np.int64:
    """Validity raised where a rule is broken, never lowered; all breaches that occur."""
    seen = np.int64(0)
    for i in range(len(quality)):
        bits = np.int64(breach[i])
        marked[i] = quality[i]
        if bits:
            seen |= bits
            validity = _BAD if bits & bad_mask else _SUSPECT
            # Only samples of use break rules: what they were is no worse than suspect.
            marked[i] = (np.int64(quality[i]) & ~_VALIDITY_MASK) | validity
    return seen
