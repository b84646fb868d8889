"""Maximum demand (最大需量): the highest mean power over windows of one length, fixed blocks or sliding (滑差式).

A window counts only where samples speak for all of it; what a register counted across a gap is in no window. Windows
never begin before the period: a meter's demand begins anew with each billing period. The windows slide no finer than the
samples come: means of a quarter of an hour tell blocks of a quarter, whatever the step asked for.
"""

from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fixed_point, sample_period, slot_sum
from historian.energy.load_curve import COVERED_SHARE_MIN
from historian.energy.load_curve_kernels import HALF_BITS
from historian.energy.sample_period import SamplePeriods
from historian.energy.slot_sum import SlotPart
from historian.model.point import HOUR_US, PointKind

I64 = npt.NDArray[np.int64]
Whole = npt.NDArray[np.int64] | npt.NDArray[np.object_]

_WHOLE_MAX: Final = 2.0**62


class Demand(NamedTuple):
    """The maximum, first where several are equal, over ``[start_us, end_us)``; `value` is in the unit per hour.

    `slide_us` is the step that the samples allowed. `known_count` of `window_count` windows are known; where
    none is, the rest is None.
    """

    value: float | None
    start_us: int | None
    end_us: int | None
    slide_us: int
    known_count: int
    window_count: int


def maximum(
    periods: SamplePeriods,
    kind: PointKind,
    interval_us: int,
    span: tuple[int, int],
    window_us: int,
    slide_us: int,
) -> Demand:
    """The maximum demand of ``[span[0], span[1])``; `periods` of a point whose samples come each `interval_us`."""
    step_us = slide_us if interval_us <= slide_us else interval_us
    if window_us % step_us:
        return Demand(None, None, None, step_us, 0, 0)
    edges_us = np.arange(span[0], span[1] + 1, step_us, dtype=np.int64)
    size = window_us // step_us
    window_count = max(0, len(edges_us) - size)
    if window_count == 0:
        return Demand(None, None, None, step_us, 0, 0)
    used = periods.select((periods.end_us > edges_us[0]) & (periods.start_us < edges_us[-1]))
    sums = slot_sum.sum_slots(used, kind in sample_period.AMOUNT_KINDS, edges_us)
    is_known = _slid((sums.covered_us >= step_us * COVERED_SHARE_MIN).astype(np.int64), size) == size
    if not is_known.any():
        return Demand(None, None, None, step_us, 0, window_count)
    first = _place_of_maximum(sums.parts, size, np.flatnonzero(is_known))
    window = slice(first, first + size)
    total = sum((_sum_in(part, window) for part in sums.parts), Fraction())
    value = fixed_point.to_float(total * HOUR_US / int(sums.covered_us[window].sum()))
    start_us = int(edges_us[first])
    return Demand(value, start_us, start_us + window_us, step_us, int(is_known.sum()), window_count)


def _place_of_maximum(parts: list[SlotPart], size: int, known: I64) -> int:
    """The first of the known windows with the highest sum; parts have units of their own."""
    if len(parts) == 1:
        sums = _slid(_whole_of(parts[0]), size)[known]
        return int(known[int(np.argmax(sums * (1 if parts[0].unit > 0 else -1)))])
    highest, place = None, 0
    for first in known.tolist():
        total = sum((_sum_in(part, slice(first, first + size)) for part in parts), Fraction())
        if highest is None or total > highest:
            highest, place = total, first
    return place


def _slid(column: Whole, size: int) -> Whole:
    """The sum of each `size` neighbours."""
    total = np.concatenate((np.zeros(1, column.dtype), np.cumsum(column)))
    slid: Whole = total[size:] - total[:-size]
    return slid


def _whole_of(part: SlotPart) -> Whole:
    """The sums of slots as whole numbers of one unit; Python's where 64 bits might not do for all together."""
    largest = float(np.abs(part.high).max(initial=0)) * 2.0**HALF_BITS + float(
        np.abs(part.low).max(initial=0)
    )
    if largest * len(part.high) < _WHOLE_MAX:
        return (part.high << HALF_BITS) + part.low
    return (part.high.astype(object) << HALF_BITS) + part.low


def _sum_in(part: SlotPart, window: slice) -> Fraction:
    high, low = part.high[window].tolist(), part.low[window].tolist()
    whole: int = (sum(high) << HALF_BITS) + sum(low)
    return whole * part.unit
