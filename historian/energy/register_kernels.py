"""Judges what a register did from mark to mark. Marks are readings, and at each event the two that were noted: what
the old meter (or the register before a reset) ended with, and what the new one began with.

    reading     reading  old end │ new start     reading
       ├───────────┼────────┤    │     ├────────────┤
           period     period   event       period

Everything is decided from a period's own two marks, but for one: a lone reading near zero between two that rise is
set aside, which the marks on both its sides tell.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

READING: Final = 0
OLD_END: Final = 1
NEW_START: Final = 2

PLAUSIBLE_SHARE_MAX: Final = 1.2  # of the capacity
NEAR_ZERO: Final = 1.0  # below it a reading may be a meter's that was just starting
FALL_SHARE_MAX: Final = 0.01  # of the reading before, for such a one
ROLLOVER_FROM: Final = 0.9  # of the modulus: from above this to below that, and the capacity is not known
ROLLOVER_TO: Final = 0.1

# Bits as in `counter_event` and `historian.model.quality`.
_ROLLOVER: Final = 1
_RESET: Final = 1 << 2
_DECREASE: Final = 1 << 3
_GAP_SPANNED: Final = 1 << 4
_FACTOR_CHANGE: Final = 1 << 5
_IMPLAUSIBLE: Final = 1 << 6
_SUSPECT: Final = 1
_VALIDITY_MASK: Final = 0b11
_ORIGIN_MASK: Final = 0b11100
_ADJUSTED: Final = 1 << 13
_CARRY: Final = 1 << 14
_HOUR_US: Final = 3_600_000_000.0


class Marks(NamedTuple):
    """In order of time; `value` is NaN where nobody noted it.

    `hint` has the counter flags of all readings since the mark before, also of those that may not be used. `event`
    is the flag of the event that a mark belongs to, 0 for readings. `factor` and `capacity` (NaN: unknown) are those
    from the mark on.
    """

    time_us: I64
    value: F64
    quality: I64
    hint: I64
    kind: U8
    event: I64
    factor: F64
    capacity: F64


class Rules(NamedTuple):
    """Of one register; `modulus` and `resolution` are 0 where not known."""

    modulus: float
    resolution: float
    is_signed: bool
    longest_gap_us: int


class Judged(NamedTuple):
    """Periods from mark to mark; `carry` is the modulus where the register began again at zero, else 0."""

    start_us: I64
    end_us: I64
    value: F64
    base: F64
    carry: F64
    factor: F64
    quality: U16
    events: U16
    is_usable: Mask
    is_whole_only: Mask


@njit(cache=True, nogil=True)
def is_plausible(amount: float, factor: float, capacity: float, resolution: float, duration_us: int) -> bool:
    """Whether the mean power is within what the point can take, give or take one last digit."""
    if np.isnan(capacity):
        return True
    most = capacity * PLAUSIBLE_SHARE_MAX * (duration_us / _HOUR_US) + resolution * abs(factor)
    return bool(abs(amount * factor) <= most)


@njit(cache=True, nogil=True)
def set_aside(marks: Marks, rules: Rules, is_aside: U8) -> None:
    """Find lone readings near zero: a fall to nearly nothing, and the next reading is no less than the one before.

    Where the capacity is known, it must also forbid the way back up, and allow what is left without the reading.
    """
    time, value = marks.time_us, marks.value
    for i in range(1, len(time) - 1):
        before, here, after = value[i - 1], value[i], value[i + 1]
        if not 0.0 <= here < NEAR_ZERO or not before >= 1.0 or not here <= before * FALL_SHARE_MAX:
            continue
        is_among_readings = (
            marks.kind[i - 1] == READING and marks.kind[i] == READING and marks.kind[i + 1] == READING
        )
        hints = marks.hint[i] | marks.hint[i + 1] & (_ADJUSTED | _CARRY)
        if not is_among_readings or hints != 0 or not after >= before:
            continue
        if not np.isnan(marks.capacity[i - 1]):
            if is_plausible(
                after - here, marks.factor[i], marks.capacity[i], rules.resolution, time[i + 1] - time[i]
            ):
                continue
            if not is_plausible(
                after - before, marks.factor[i - 1], marks.capacity[i - 1], rules.resolution, time[i + 1] - time[i - 1]
            ):  # fmt: skip
                continue
        is_aside[i] = 1


@njit(cache=True, nogil=True)
def judge_fall(
    base: float, value: float, factor: float, capacity: float, duration_us: int, hint: int, rules: Rules
) -> tuple[bool, bool]:
    """Whether a register that fell began again at zero, and whether that is a guess."""
    modulus = rules.modulus
    if modulus <= 0.0 or base > modulus or value < 0.0:
        return False, False
    if not np.isnan(capacity):
        amount = value - base + modulus
        return is_plausible(amount, factor, capacity, rules.resolution, duration_us), False
    if hint & _CARRY:
        return True, False
    return base >= ROLLOVER_FROM * modulus and value <= ROLLOVER_TO * modulus, True


@njit(cache=True, nogil=True)
def fold_quality(one: int, other: int) -> int:
    """Worst validity, origin of least trust, every flag."""
    validity = max(one & _VALIDITY_MASK, other & _VALIDITY_MASK)
    origin = max(one & _ORIGIN_MASK, other & _ORIGIN_MASK)
    return validity | origin | ((one | other) & ~(_VALIDITY_MASK | _ORIGIN_MASK))


@njit(cache=True, nogil=True)
def judge_period(
    marks: Marks, i: int, k: int, has_change: bool, rules: Rules
) -> tuple[int, bool, float, bool]:
    """From mark `i` to mark `k`: what is to be said of it, whether it has an amount, what to add to the difference,
    and whether it is a guess.
    """
    base, value = marks.value[i], marks.value[k]
    factor, capacity, duration_us = marks.factor[i], marks.capacity[i], marks.time_us[k] - marks.time_us[i]
    flags: int = marks.event[i] | marks.event[k]
    is_adjusted = marks.kind[i] == READING and marks.kind[k] == READING and (marks.hint[k] & _ADJUSTED) != 0
    if has_change:
        flags |= _FACTOR_CHANGE
    if is_adjusted:
        flags |= _RESET
    if has_change or is_adjusted or np.isnan(base) or np.isnan(value):
        return flags, False, 0.0, False
    if value < base and not rules.is_signed:
        is_rollover, is_guess = judge_fall(base, value, factor, capacity, duration_us, marks.hint[k], rules)
        if is_rollover:
            return flags | _ROLLOVER, True, rules.modulus, is_guess
        return flags | _DECREASE, False, 0.0, False
    if not is_plausible(value - base, factor, capacity, rules.resolution, duration_us):
        return flags | _IMPLAUSIBLE, False, 0.0, False
    return flags, True, 0.0, False


@njit(cache=True, nogil=True)
def judge(marks: Marks, change_us: I64, rules: Rules, is_aside: U8, out: Judged) -> int:
    """Fill `out` with the period from each mark to the next that is not set aside; returns how many there are.

    `change_us`: when the factor becomes another one.
    """
    count, i = 0, 0
    while i < len(marks.time_us) - 1:
        k = i + 2 if is_aside[i + 1] else i + 1
        from_us, to_us = marks.time_us[i], marks.time_us[k]
        if to_us > from_us:
            changes = np.searchsorted(change_us, to_us) - np.searchsorted(change_us, from_us, side="right")
            flags, is_usable, carry, is_guess = judge_period(marks, i, k, changes > 0, rules)
            bits = fold_quality(marks.quality[i], marks.quality[k])
            if k > i + 1:
                flags |= _IMPLAUSIBLE
                is_guess = is_guess or np.isnan(marks.capacity[i])
            is_gap = is_usable and to_us - from_us > rules.longest_gap_us
            out.start_us[count], out.end_us[count] = from_us, to_us
            out.base[count], out.value[count], out.carry[count] = marks.value[i], marks.value[k], carry
            out.factor[count] = marks.factor[i]
            out.quality[count] = fold_quality(bits, _SUSPECT) if is_guess or not is_usable else bits
            out.events[count] = flags | (_GAP_SPANNED if is_gap else 0)
            out.is_usable[count], out.is_whole_only[count] = is_usable, is_gap
            count += 1
        i = k
    return count
