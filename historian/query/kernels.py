"""Kernels of retrieval: interpolation on a grid, time-weighted and event-weighted figures, pixel columns.

All take one point's run (times strictly increasing) and rising edges or slots; all give NaN for "no value".
"Usable" is what may enter a figure: validity good or suspect and not marked deleted.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.jit_kernels import njit
from historian.model.quality import (
    BAD,
    DELETED,
    DERIVED,
    GOOD,
    MISSING,
    ORIGIN_MASK,
    SUSPECT,
    VALIDITY_MASK,
)

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]

NO_TIME: Final = np.iinfo(np.int64).min
# Masks by what they keep: a complement would be negative, which a u16 outside numba does not take.
BUT_ORIGIN: Final = 0xFFFF & ~ORIGIN_MASK
FLAGS: Final = 0xFFFF & ~(ORIGIN_MASK | VALIDITY_MASK)


class SlotFigures(NamedTuple):
    """Figures of consecutive slots, one array each; times are `NO_TIME` and values NaN where nothing counted.

    `total` is Σ value × weight, weight in the unit the caller gave; `good_us` the time held by good samples
    (by events: the count of good samples); `sample_count` samples stamped inside the slot, usable or not;
    `used_count` those whose value counted.
    """

    minimum: F64
    minimum_time_us: I64
    maximum: F64
    maximum_time_us: I64
    mean: F64
    total: F64
    deviation: F64
    sample_count: I64
    used_count: I64
    good: I64


class PixelColumns(NamedTuple):
    """First, last, least and greatest usable sample of each pixel column; `quality` is the worst of all in it.

    `used_count` 0 means that the column has no value; `sample_count` 0 that it has no sample.
    """

    first: F64
    first_time_us: I64
    last: F64
    last_time_us: I64
    minimum: F64
    minimum_time_us: I64
    maximum: F64
    maximum_time_us: I64
    quality: U16
    sample_count: I64
    used_count: I64


@njit(cache=True, nogil=True)
def is_usable(quality: int) -> bool:
    """Whether a sample of that quality may enter a figure."""
    return (quality & VALIDITY_MASK) <= SUSPECT and (quality & DELETED) == 0


@njit(cache=True, nogil=True)
def worse_of(one: int, other: int) -> int:
    """Worst validity, origin of least trust, every flag of both."""
    validity = max(one & VALIDITY_MASK, other & VALIDITY_MASK)
    origin = max(one & ORIGIN_MASK, other & ORIGIN_MASK)
    return validity | origin | ((one | other) & FLAGS)


@njit(cache=True, nogil=True)
def between(time_us: I64, value: F64, index: int, wanted_us: int) -> float:
    """The straight line from sample `index` to the next, at `wanted_us`; never outside the two values."""
    left = value[index]
    right = value[index + 1]
    share = (wanted_us - time_us[index]) / (time_us[index + 1] - time_us[index])
    inner = left * (1.0 - share) + right * share
    return float(max(min(left, right), min(max(left, right), inner)))


@njit(cache=True, nogil=True)
def interpolate(
    time_us: I64,
    value: F64,
    quality: U16,
    slot_us: I64,
    is_step: bool,
    is_rising: bool,
    period_us: int,
    gap_max_us: int,
    hold_until_us: int,
) -> tuple[F64, U16]:
    """Value and quality at each slot.

    A slot on a sample has that sample. Between two usable samples at most `gap_max_us` apart the value is the
    straight line, or the earlier value for `is_step`; a step's value holds `period_us` in any case. `is_rising`
    (a meter's reading) gives nothing across a fall. Elsewhere nothing, but up to `hold_until_us` the last usable
    value held, as suspect.
    """
    count = len(time_us)
    out_value = np.full(len(slot_us), np.nan)
    out_quality = np.full(len(slot_us), MISSING, np.uint16)
    index = -1  # of the last sample at or before the slot
    held = -1  # of the last usable one
    for k in range(len(slot_us)):
        slot = slot_us[k]
        while index + 1 < count and time_us[index + 1] <= slot:
            index += 1
            if is_usable(quality[index]):
                held = index
        if index >= 0 and held == index:
            if time_us[index] == slot:
                out_value[k] = value[index]
                out_quality[k] = quality[index]
                continue
            is_bridged = (
                index + 1 < count
                and is_usable(quality[index + 1])
                and time_us[index + 1] - time_us[index] <= gap_max_us
            )
            if is_step and (is_bridged or slot - time_us[index] < period_us):
                out_value[k] = value[index]
                out_quality[k] = (quality[index] & BUT_ORIGIN) | DERIVED
                continue
            if is_bridged and not is_step and not (is_rising and value[index + 1] < value[index]):
                out_value[k] = between(time_us, value, index, slot)
                worst = worse_of(quality[index], quality[index + 1])
                out_quality[k] = (worst & BUT_ORIGIN) | DERIVED
                continue
        if held >= 0 and slot <= hold_until_us:
            out_value[k] = value[held]
            out_quality[k] = (quality[held] & FLAGS) | DERIVED | SUSPECT
        elif index >= 0 and time_us[index] == slot:
            out_quality[k] = quality[index]
    return out_value, out_quality


@njit(cache=True, nogil=True)
def empty_figures(count: int) -> SlotFigures:
    """Figures of `count` slots in which nothing counted."""
    return SlotFigures(
        np.full(count, np.nan),
        np.full(count, NO_TIME),
        np.full(count, np.nan),
        np.full(count, NO_TIME),
        np.full(count, np.nan),
        np.full(count, np.nan),
        np.full(count, np.nan),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
    )


@njit(cache=True, nogil=True)
def summarise(
    time_us: I64, value: F64, quality: U16, edge_us: I64, hold_us: int, weight_unit_us: int
) -> SlotFigures:
    """Figures of the slots between consecutive edges.

    With `hold_us` > 0 each usable sample weighs the time from its stamp until the next sample, `hold_us` later or
    the slot's end, whichever comes first, also in a slot that it only reaches into (then its time is the slot's
    start). With `hold_us` 0 each usable sample inside the slot weighs `weight_unit_us`, that is one.
    """
    figures = empty_figures(len(edge_us) - 1)
    first = np.searchsorted(time_us, edge_us[0] - max(0, hold_us - 1))
    for slot in range(len(edge_us) - 1):
        start = edge_us[slot]
        end = edge_us[slot + 1]
        while (
            first < len(time_us) and time_us[first] < start and held_until(time_us, first, hold_us) <= start
        ):
            first += 1
        summarise_slot(figures, slot, time_us, value, quality, first, start, end, hold_us, weight_unit_us)
    return figures


@njit(cache=True, nogil=True)
def held_until(time_us: I64, index: int, hold_us: int) -> int:
    """Until when sample `index` holds."""
    until = int(time_us[index]) + hold_us
    if index + 1 < len(time_us):
        until = min(until, int(time_us[index + 1]))
    return until


@njit(cache=True, nogil=True)
def summarise_slot(
    figures: SlotFigures,
    slot: int,
    time_us: I64,
    value: F64,
    quality: U16,
    first: int,
    start: int,
    end: int,
    hold_us: int,
    weight_unit_us: int,
) -> None:
    """Fill one slot's figures from the samples at `first` and after.

    West's update for the deviation, Neumaier's for the total, so that neither suffers from a long run.
    """
    total = 0.0
    lost = 0.0  # low-order bits that the total could not take
    weight_sum = 0.0
    running_mean = 0.0
    square_sum = 0.0
    for i in range(first, len(time_us)):
        if time_us[i] >= end:
            break
        if time_us[i] >= start:
            figures.sample_count[slot] += 1
        if not is_usable(quality[i]):
            continue
        time = max(start, time_us[i])
        weight_us = min(end, held_until(time_us, i, hold_us)) - time if hold_us > 0 else weight_unit_us
        if weight_us <= 0:
            continue
        x = value[i]
        if figures.used_count[slot] == 0 or x < figures.minimum[slot]:
            figures.minimum[slot] = x
            figures.minimum_time_us[slot] = time
        if figures.used_count[slot] == 0 or x > figures.maximum[slot]:
            figures.maximum[slot] = x
            figures.maximum_time_us[slot] = time
        figures.used_count[slot] += 1
        if quality[i] & VALIDITY_MASK == GOOD:
            figures.good[slot] += weight_us if hold_us > 0 else 1
        weight = weight_us / weight_unit_us
        part = x * weight
        raised = total + part
        lost += (total - raised) + part if abs(total) >= abs(part) else (part - raised) + total
        total = raised
        weight_sum += weight
        distance = x - running_mean
        running_mean += distance * (weight / weight_sum)
        square_sum += weight * distance * (x - running_mean)
    if figures.used_count[slot] > 0:
        figures.total[slot] = total + lost
        mean = (total + lost) / weight_sum
        figures.mean[slot] = max(figures.minimum[slot], min(figures.maximum[slot], mean))
        figures.deviation[slot] = np.sqrt(max(0.0, square_sum) / weight_sum)


@njit(cache=True, nogil=True)
def reduce_to_pixels(time_us: I64, value: F64, quality: U16, edge_us: I64) -> PixelColumns:
    """One pass over the run; column k is ``[edge_us[k], edge_us[k + 1])``."""
    width = len(edge_us) - 1
    columns = PixelColumns(
        np.full(width, np.nan),
        np.full(width, NO_TIME),
        np.full(width, np.nan),
        np.full(width, NO_TIME),
        np.full(width, np.nan),
        np.full(width, NO_TIME),
        np.full(width, np.nan),
        np.full(width, NO_TIME),
        np.full(width, GOOD, np.uint16),
        np.zeros(width, np.int64),
        np.zeros(width, np.int64),
    )
    k = 0
    for i in range(len(time_us)):
        time = time_us[i]
        if time < edge_us[0]:
            continue
        if time >= edge_us[width]:
            break
        while time >= edge_us[k + 1]:
            k += 1
        columns.sample_count[k] += 1
        columns.quality[k] = worse_of(columns.quality[k], quality[i])
        if not is_usable(quality[i]):
            continue
        x = value[i]
        if columns.used_count[k] == 0:
            columns.first[k] = x
            columns.first_time_us[k] = time
        if columns.used_count[k] == 0 or x < columns.minimum[k]:
            columns.minimum[k] = x
            columns.minimum_time_us[k] = time
        if columns.used_count[k] == 0 or x > columns.maximum[k]:
            columns.maximum[k] = x
            columns.maximum_time_us[k] = time
        columns.last[k] = x
        columns.last_time_us[k] = time
        columns.used_count[k] += 1
    return columns


def warm() -> None:
    """Compile (or load from the cache) every kernel for the types the engine uses; call at start."""
    time_us = np.array([0, 1], np.int64)
    value = np.array([0.0, 1.0])
    quality = np.array([GOOD, BAD], np.uint16)
    interpolate(time_us, value, quality, time_us, False, False, 1, 1, 0)
    summarise(time_us, value, quality, time_us, 1, 1)
    reduce_to_pixels(time_us, value, quality, time_us)
