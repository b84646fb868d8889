"""The sum of many curves in one pass, where all are steady: what `load_curve.add` says, without the curves.

Steady here: one good decimal a slot, on its edges, and a multiplier that keeps decimals decimal.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fixed_point, packed_sum_kernels, sample_period, steady_kernels
from historian.energy.fleet import Ask, Asked
from historian.energy.load_curve import LoadCurve, SlotState
from historian.model import packed, quality
from historian.model.packed import PackedBlock
from historian.model.point import DAY_US, HOUR_US, PointKind
from historian.model.sample import RunBlock

I64 = npt.NDArray[np.int64]

EXPONENTS: Final = (3, 2, 1, 0, 4, 6, 9)  # digits after the point, tried in this order
_EXACT_MAX: Final = 2**53
_MULTIPLIER_MAX: Final = 2**31  # of all points together: times numbers of 31 bits, a sum stays below 2^62
_POWERS: Final = 10 ** np.arange(19)


class SumCurve(NamedTuple):
    """The sum, and of how many points each slot lacks a value."""

    total: LoadCurve
    missing_count: I64


def add_up(block: RunBlock, asked: Asked, edges_us: I64) -> SumCurve | None:
    """The sum of the curves of at least two runs; None where not all are steady."""
    slot_us = _slot_us_of(asked, edges_us)
    for exponent in EXPONENTS if slot_us else ():
        scale = _multipliers(asked.asks, slot_us, exponent)
        if scale is None:
            continue
        total, count = (np.zeros(len(edges_us) - 1, np.int64) for _ in range(2))
        flags = np.zeros(len(total), np.uint16)
        multiplier, digits = scale
        is_done = steady_kernels.sum_runs(
            block.offset, block.time_us, block.value, block.quality, multiplier[asked.code], 10.0**exponent,
            int(edges_us[0]), slot_us, total, count, flags,
        )  # fmt: skip
        if is_done:
            return _curve_of(total, count, flags, digits, slot_us, block.run_count)
    return None


def add_up_packed(block: PackedBlock, asked: Asked, edges_us: I64) -> SumCurve | None:
    """As `add_up` of samples where they lie."""
    slot_us, point_count = _slot_us_of(asked, edges_us), len(block.point_id)
    if not slot_us or not block.is_packed.all():
        return None
    highest = max((int(piece.fields[packed.EXPONENT].max()) for piece in block.pieces), default=0)
    scale = _multipliers(asked.asks, slot_us, highest)
    if scale is None or int(scale[0].max()) * 10**highest * point_count >= _MULTIPLIER_MAX:
        return None
    multiplier, digits = scale[0][asked.code], scale[1]
    total, count = (np.zeros(len(edges_us) - 1, np.int64) for _ in range(2))
    flags = np.zeros(len(total), np.uint16)
    for piece in block.pieces:
        own = multiplier * _POWERS[highest - piece.fields[packed.EXPONENT]]
        if not packed_sum_kernels.add_piece(*piece, own, int(edges_us[0]), slot_us, total, count, flags):
            return None
    return _curve_of(total, count, flags, digits, slot_us, point_count)


def _slot_us_of(asked: Asked, edges_us: I64) -> int:
    """The length of all slots, 0 where they have none in common or some curve is not steady."""
    lengths_us = np.diff(edges_us)
    slot_us = int(lengths_us[0]) if len(lengths_us) else 0
    is_even = 0 < slot_us <= HOUR_US and bool((lengths_us == slot_us).all())
    return slot_us if is_even and all(_is_steady(ask, slot_us) for ask in asked.asks) else 0


def _is_steady(ask: Ask, slot_us: int) -> bool:
    is_held = ask.kind in (PointKind.INSTANTANEOUS, PointKind.RATIO)
    return (
        ask.kind is not PointKind.REGISTER
        and ask.is_plain
        and ask.interval_us == slot_us
        and ask.factor > 0
        and (is_held or ask.interval_us % DAY_US != 0)
    )


def _multipliers(asks: Sequence[Ask], slot_us: int, exponent: int) -> tuple[I64, int] | None:
    """For each ask what a whole number of 10^-exponent is multiplied with to be a rate in whole numbers of
    10^-digits; and the digits. None where a rate would not be a decimal.
    """
    ratios = [
        fixed_point.exact(ask.factor)
        * (Fraction(HOUR_US, slot_us) if ask.kind in sample_period.AMOUNT_KINDS else 1)
        / 10**exponent
        for ask in asks
    ]
    for digits in range(steady_kernels.EXPONENT_MAX + 1):
        scaled = [ratio * 10**digits for ratio in ratios]
        if all(one.denominator == 1 and one.numerator < 2**31 for one in scaled):
            return np.array([one.numerator for one in scaled], np.int64), digits
    return None


def _curve_of(
    total: I64, count: I64, flags: npt.NDArray[np.uint16], digits: int, slot_us: int, run_count: int
) -> SumCurve:
    is_there = count > 0
    state = np.full(len(count), np.uint8(SlotState.PARTIAL))
    state[count == run_count] = SlotState.COMPLETE
    state[~is_there] = SlotState.MISSING
    covered_us = np.where(is_there, slot_us, 0)
    whole = Fraction(sum(total.tolist()), 10**digits) * Fraction(slot_us, HOUR_US)
    known_us = int(covered_us.sum())
    curve = LoadCurve(
        value=np.where(is_there, _rounded(total, digits), np.nan),
        state=state,
        sample_count=count,
        quality=np.where(count == run_count, flags, flags | np.uint16(quality.MISSING)),
        covered_us=covered_us,
        total=whole,
        known_us=known_us,
        ranked_total=whole,
        ranked_us=known_us,
    )
    return SumCurve(curve, run_count - count)


def _rounded(total: I64, digits: int) -> npt.NDArray[np.float64]:
    if len(total) and int(np.abs(total).max()) >= _EXACT_MAX:
        return np.array([fixed_point.quotient(one, 10**digits) for one in total.tolist()])
    return total / 10.0**digits
