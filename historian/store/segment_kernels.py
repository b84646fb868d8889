"""Kernels that describe the runs of a segment and put their samples where the columns want them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.model.decimal_kernels import SCALED_MAX

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
F64 = npt.NDArray[np.float64]
Column = npt.NDArray[Any]

_I32_MAX: Final = 2147483647
_KIND_I64: Final = 16  # as in segment_layout
_KIND_F64: Final = 255
_AT_ONCE: Final = 64
_TABLE_SHARE: Final = 4  # numbers that lie wider than so many each are looked for one by one
_MINUS_ZERO: Final = -9223372036854775808  # as bits
FITS: Final = 0
TOO_WIDE: Final = 1
INEXACT: Final = 2
_POWERS: Final = (1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)  # each exact as a float
_NOISE_STEPS: Final = 2.0  # classes of noise for each doubling

SCAN_FULL: Final = -1  # a table of scans would not be smaller than a column
SCAN_GROW: Final = -2  # more different times than the hash table takes


@njit(cache=True, nogil=True, error_model="numpy")
def _scale_piece(value: F64, bits: I64, power: float, narrow: I32) -> int:
    """As `_scale`, without branches, so that the processor looks at many values at once."""
    wrong = 0
    wide = 0
    for i in range(len(value)):
        number = np.rint(value[i] * power)
        size = abs(number)
        fits = size <= _I32_MAX
        # NaN and infinities are not equal; -0.0 == 0.0, but its sign would be lost
        wrong |= (number / power != value[i]) | (not size < SCALED_MAX) | (bits[i] == _MINUS_ZERO)
        wide |= not fits
        narrow[i] = np.int32(number if fits else 0.0)
    return INEXACT * wrong + TOO_WIDE * wide


@njit(cache=True, nogil=True, error_model="numpy")
def _scale(value: F64, exponent: int, narrow: I32) -> int:
    """Fill `narrow` with the whole numbers of decimals with so many places; FITS, TOO_WIDE, or at least INEXACT where
    some value is none.
    """
    bits = value.view(np.int64)
    found = FITS
    for first in range(0, len(value), _AT_ONCE):
        last = min(first + _AT_ONCE, len(value))
        found |= _scale_piece(value[first:last], bits[first:last], _POWERS[exponent], narrow[first:last])
        if found >= INEXACT:
            break
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def scale_run(value: F64, narrow: I32, wide: I64) -> int:
    """Kind of the values, with the least exponent that gives each back bit for bit; the numbers to be stored are in
    `narrow` for kinds of int32, else in `wide`, for floats as their bits.
    """
    for exponent in range(len(_POWERS)):
        if not abs(value[0]) < SCALED_MAX:
            break
        found = _scale(value, exponent, narrow)
        if found == FITS:
            return exponent
        if found == TOO_WIDE:
            for i in range(len(value)):
                wide[i] = np.int64(np.rint(value[i] * _POWERS[exponent]))
            return _KIND_I64 + exponent
    for i in range(len(value)):
        wide[i] = value[i : i + 1].view(np.int64)[0]
    return _KIND_F64


@njit(cache=True, nogil=True)
def _least_distance(time: I64) -> int:
    """The least distance of neighbours of which all others are multiples, else 0."""
    step: int = time[1] - time[0]
    i = 1
    while i < len(time):
        distance = time[i] - time[i - 1]
        if distance == step:
            i += 1
        elif distance < step:
            step = distance
            i = 1  # what was passed is to be a multiple of this, too
        elif distance % step != 0:
            for k in range(i, len(time)):
                step = min(step, time[k] - time[k - 1])
            for k in range(1, len(time)):
                if (time[k] - time[k - 1]) % step != 0:
                    return 0
            return step
        else:
            i += 1
    return step


@njit(cache=True, nogil=True)
def regular_step(time: I64) -> int:
    """The step of a grid on which all times lie, with at least half of its slots filled; else 0."""
    n = len(time)
    if n < 2:
        return 1
    step = _least_distance(time)
    if step == 0:
        return 0
    slot_count = (time[n - 1] - time[0]) // step + 1
    return step if slot_count <= 2 * n else 0


@njit(cache=True, nogil=True)
def is_constant(column: Column) -> bool:
    """Whether all entries are the same."""
    for place in range(1, len(column)):  # noqa: SIM110 – what the compiler takes
        if column[place] != column[0]:
            return False
    return True


@njit(cache=True, nogil=True)
def _total_change(scaled: Column) -> int:
    """All distances of neighbours together."""
    total: int = 0
    later, earlier = scaled[1:], scaled[: len(scaled) - 1]
    for i in range(len(later)):
        total += abs(int(later[i]) - int(earlier[i]))
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _describe_decimals(scaled: Column) -> tuple[int, int, int]:
    """Smallest and largest number, class of noise."""
    low = scaled[0]
    high = scaled[0]
    for number in scaled:
        low = min(low, number)
        high = max(high, number)
    change = max(_total_change(scaled), 0)
    return int(low), int(high), int(np.rint(_NOISE_STEPS * np.log2(change / len(scaled) + 0.1)))


@njit(cache=True, nogil=True)
def _float_bounds(value: F64) -> tuple[float, float]:
    """Smallest and largest value that is a number; NaN where none is."""
    low = np.nan
    high = np.nan
    for v in value:
        if not v >= low:
            low = v if low != low or v < low else low
        if not v <= high:
            high = v if high != high or v > high else high
    return low, high


@njit(cache=True, nogil=True)
def describe_values(value: F64, narrow: I32, wide: I64) -> tuple[int, int, int, int]:
    """Kind, minimum and maximum as stored, class of noise of a run; its numbers as `scale_run` puts them."""
    kind = scale_run(value, narrow, wide)
    if kind == _KIND_F64:
        bounds = np.array(_float_bounds(value)).view(np.int64)
        return kind, bounds[0], bounds[1], 0
    low, high, noise = _describe_decimals(narrow) if kind < _KIND_I64 else _describe_decimals(wide)
    return kind, low, high, noise


@njit(cache=True, nogil=True)
def describe_runs(
    rows: tuple[I64, F64, U16, I64],
    first: I64,
    count: I64,
    times: tuple[I64, U32],
    values: tuple[U8, I64, I64, I16],
    same: tuple[U8, U8],
    numbers: tuple[I32, I64],
) -> None:
    """Describe each run ``[first, first + count)`` of rows (time, value, quality, sequence).

    `times` gets step and missing slots; `values` kind, minimum, maximum and class of noise; `same` whether
    quality and sequence are constant; `numbers` what is to be stored, see `scale_run`.
    """
    time, value, quality, sequence = rows
    step, missing = times
    kind, low, high, noise = values
    narrow, wide = numbers
    for r in range(len(first)):
        a = first[r]
        b = a + count[r]
        step[r] = regular_step(time[a:b])
        missing[r] = 0
        if step[r] > 0:
            missing[r] = (time[b - 1] - time[a]) // step[r] + 1 - count[r]
        described = describe_values(value[a:b], narrow[a:b], wide[a:b])
        kind[r], low[r], high[r], noise[r] = described
        same[0][r] = is_constant(quality[a:b])
        same[1][r] = is_constant(sequence[a:b])


@njit(cache=True, nogil=True)
def missing_slots(time: I64, first: I64, count: I64, step: I64, missing: U32, out: U32) -> None:
    """The empty slots of every regular run with gaps, one run after the other."""
    at = 0
    for r in range(len(first)):
        if missing[r] == 0:
            continue
        a = first[r]
        slot = 0
        for i in range(a + 1, a + count[r]):
            slot += 1
            if time[i] - time[i - 1] == step[r]:
                continue
            filled = (time[i] - time[a]) // step[r]
            while slot < filled:
                out[at] = slot
                at += 1
                slot += 1


@njit(cache=True, nogil=True)
def gather(column: Column, first: I64, count: I64, out: Column) -> None:
    """Stretches of a column, one after the other, as the type of `out`."""
    at = 0
    for r in range(len(first)):
        a = first[r]
        for i in range(count[r]):
            out[at + i] = column[a + i]
        at += count[r]


@njit(cache=True, nogil=True)
def scan_entries(
    time: I64,
    sequence: I64,
    runs: tuple[I64, I64, U32],
    known: tuple[I64, I64, I64],
    known_count: int,
    entries: tuple[I64, U32, I64],
) -> tuple[int, int]:
    """Where the sequence of a time changes from one run to the next: entries (time, run, sequence).

    `runs` are first row, size and position in the index. `known` are the times met so far, the newest
    sequence of each, and a hash table of their places + 1. Gives the number of entries, or SCAN_FULL or
    SCAN_GROW, and how many times are known.
    """
    first, count, position = runs
    keys, newest, table = known
    mask = len(table) - 1
    n = 0
    for r in range(len(first)):
        place = -1
        for i in range(first[r], first[r] + count[r]):
            place += 1  # runs of one step meet the times in one order
            if place >= known_count or keys[place] != time[i]:
                slot = ((time[i] * 0x9E3779B97F4A7C1) >> 20) & mask
                while table[slot] != 0 and keys[table[slot] - 1] != time[i]:
                    slot = (slot + 1) & mask
                if table[slot] == 0:
                    if known_count == len(keys):
                        return SCAN_GROW, known_count
                    keys[known_count] = time[i]
                    newest[known_count] = ~sequence[i]
                    known_count += 1
                    table[slot] = known_count
                place = table[slot] - 1
            if newest[place] != sequence[i]:
                if n == len(entries[0]):
                    return SCAN_FULL, known_count
                newest[place] = sequence[i]
                entries[0][n], entries[1][n], entries[2][n] = time[i], position[r], sequence[i]
                n += 1
    return n, known_count


@njit(cache=True, nogil=True)
def mark_used(known: I64, sequence: I64, is_used: U8) -> None:
    """Mark which of the `known` (rising) numbers occur."""
    if len(known) == 0:
        return
    low, high = known[0], known[len(known) - 1]
    if high - low > _TABLE_SHARE * (len(known) + len(sequence)):
        for number in sequence:
            at = np.searchsorted(known, number)
            if at < len(known) and known[at] == number:
                is_used[at] = 1
        return
    occurs = np.zeros(high - low + 1, np.uint8)
    for number in sequence:
        if low <= number <= high:
            occurs[number - low] = 1
    for at in range(len(known)):
        is_used[at] |= occurs[known[at] - low]
