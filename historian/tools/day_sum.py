"""The figures of one local day, computed simply and slowly from its samples: whole numbers in plain Python.

It follows what the figures are documented to be (docs/architecture.md, the docstrings of `historian.energy`),
and shares no code with what makes them. What each sample speaks for:

    instantaneous, ratio   its value, to the next sample if that comes within 1.5 intervals, else one interval
    mean_power             its value, for one interval or to the next sample
    interval               its amount, over one interval or to the next sample
    register               the rise since the reading before; over 1.5 intervals apart it counts in the total only
"""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
BLOCK_US: Final = 15 * 60_000_000
WHOLE_DAY_US: Final = 26 * HOUR_US
DECIMALS_MAX: Final = 9
SCALED_MAX: Final = 1 << 51

_DELETED: Final = 1 << 7
_AMOUNTS: Final = ("interval", "register")
_HELD: Final = ("instantaneous", "ratio")


Number = int | Fraction  # a whole number wherever there is no rest: that is much faster


class PointRule(NamedTuple):
    """What of a point decides its figures."""

    kind: str
    interval_us: int
    multiplier: float

    @property
    def is_by_calendar(self) -> bool:
        """Whether its periods end by the local calendar; such figures are not computed here."""
        return self.kind not in _HELD and self.interval_us % DAY_US == 0


class DaySum(NamedTuple):
    """Named as what is kept. Slots count from the day's start.

    `is_decimal`: all values are decimals, so the total is exact. `is_exact`: the shares of all slots are whole
    numbers, too, so that whoever rounds shares gets the same maximum.
    """

    total: Fraction
    known_us: int
    ranked: Fraction
    ranked_us: int
    max_value: float | None
    max_slot: int | None
    min_value: float | None
    min_slot: int | None
    received_count: int
    good_count: int
    measured_count: int
    estimated_count: int
    manual_count: int
    is_complete: bool
    is_decimal: bool
    is_exact: bool


class _Period(NamedTuple):
    start_us: int
    end_us: int
    number: int  # value, or amount, × the scale of the day
    is_whole_only: bool


def sum_day(
    rule: PointRule,
    start_us: int,
    end_us: int,
    time_us: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    quality: npt.NDArray[np.uint16],
) -> DaySum:
    """Figures of ``[start_us, end_us)`` from samples that reach far enough beyond it at both ends."""
    kept = (quality & _DELETED) == 0
    times, bits = time_us[kept].tolist(), quality[kept].tolist()
    numbers, scale, is_decimal = scaled(value[kept])
    periods = [
        period
        for period in _periods(rule, times, numbers, bits)
        if period.end_us > start_us and period.start_us < end_us
    ]
    edges = [*range(start_us, end_us, block_us_of(rule.interval_us)), end_us]
    factor = exact(rule.multiplier) / scale
    if rule.kind in _AMOUNTS:
        sums, covered, spanned, spanned_us = _amounts(periods, edges)
        is_exact = is_decimal and all(one.denominator == 1 for one in sums)
        per_us, factor_total = HOUR_US * factor, factor
    else:
        is_exact = is_decimal
        sums, covered = _rates(periods, edges)
        spanned, spanned_us, per_us, factor_total = 0, 0, factor, factor / HOUR_US
    values = [_quotient(total, per_us, us) if us else None for total, us in zip(sums, covered, strict=True)]
    ranked = [place for place, us in enumerate(covered) if us and 2 * us >= edges[place + 1] - edges[place]]
    highest = max(ranked, key=lambda place: (values[place], -place), default=None)
    lowest = min(ranked, key=lambda place: (values[place], place), default=None)
    return DaySum(
        (sum(sums) + spanned) * factor_total,
        sum(covered) + spanned_us,
        sum(sums[place] for place in ranked) * factor_total,
        sum(covered[place] for place in ranked),
        None if highest is None else values[highest],
        highest,
        None if lowest is None else values[lowest],
        lowest,
        *_counts(times, bits, start_us, end_us),
        all(100 * us >= 99 * (edges[place + 1] - edges[place]) for place, us in enumerate(covered)),
        is_decimal,
        is_exact,
    )


def scaled(value: npt.NDArray[np.float64]) -> tuple[list[int], int, bool]:
    """Values as whole numbers of 1 / scale; decimals as what they are written as, else their exact bits."""
    for decimals in range(DECIMALS_MAX + 1):
        whole = np.rint(value * 10.0**decimals)
        if (np.abs(whole) < SCALED_MAX).all() and (whole / 10.0**decimals == value).all():
            return whole.astype(np.int64).tolist(), 10**decimals, True
    ratios = [one.as_integer_ratio() for one in value.tolist()]
    scale = max(denominator for _, denominator in ratios)
    return [numerator * (scale // denominator) for numerator, denominator in ratios], scale, False


def exact(value: float) -> Fraction:
    """The decimal a float stands for, where it has at most nine places; else its bits."""
    numbers, scale, _ = scaled(np.array([value]))
    return Fraction(numbers[0], scale)


def _periods(
    rule: PointRule, times: Sequence[int], numbers: Sequence[int], bits: Sequence[int]
) -> list[_Period]:
    is_usable = [quality & 3 <= 1 for quality in bits]
    if rule.kind == "register":
        return _between_readings(rule, times, numbers, is_usable)
    found = []
    for place, begin in enumerate(times):
        following = times[place + 1] if place + 1 < len(times) else None
        end = begin + rule.interval_us
        if following is not None:
            is_held = rule.kind in _HELD and 2 * (following - begin) <= 3 * rule.interval_us
            end = following if is_held else min(end, following) if rule.kind not in _HELD else end
        if is_usable[place]:
            found.append(_Period(begin, end, numbers[place], is_whole_only=False))
    return found


def _between_readings(
    rule: PointRule, times: Sequence[int], numbers: Sequence[int], is_usable: Sequence[bool]
) -> list[_Period]:
    """A reading below the one before gives no amount."""
    found = []
    places = [place for place, usable in enumerate(is_usable) if usable]
    for before, after in itertools.pairwise(places):
        length_us, amount = times[after] - times[before], numbers[after] - numbers[before]
        if amount >= 0:
            is_gap = length_us > rule.interval_us + rule.interval_us // 2
            found.append(_Period(times[before], times[after], amount, is_gap))
    return found


def _rates(periods: Sequence[_Period], edges: Sequence[int]) -> tuple[list[Number], list[int]]:
    """Rate × time of each slot, and the time."""
    sums: list[Number] = [0] * (len(edges) - 1)
    covered = [0] * (len(edges) - 1)
    for period in periods:
        for slot, overlap_us in _overlaps(period, edges):
            sums[slot] += period.number * overlap_us
            covered[slot] += overlap_us
    return sums, covered


def _amounts(periods: Sequence[_Period], edges: Sequence[int]) -> tuple[list[Number], list[int], Number, int]:
    """Each slot's share of the amounts, by time, and the time; last what lies in gaps, and their time."""
    sums: list[Number] = [0] * (len(edges) - 1)
    covered = [0] * (len(edges) - 1)
    spanned: Number = 0
    spanned_us = 0
    for period in periods:
        length_us = period.end_us - period.start_us
        for slot, overlap_us in _overlaps(period, edges):
            whole, rest = divmod(period.number * overlap_us, length_us)
            share: Number = Fraction(period.number * overlap_us, length_us) if rest else whole
            if period.is_whole_only:
                spanned, spanned_us = spanned + share, spanned_us + overlap_us
            else:
                sums[slot] += share
                covered[slot] += overlap_us
    return sums, covered, spanned, spanned_us


def _overlaps(period: _Period, edges: Sequence[int]) -> list[tuple[int, int]]:
    """Each slot that the period reaches into, and for how long."""
    block_us = edges[1] - edges[0]
    slot = max(0, (period.start_us - edges[0]) // block_us)
    found = []
    while slot < len(edges) - 1 and edges[slot] < period.end_us:
        found.append((slot, min(period.end_us, edges[slot + 1]) - max(period.start_us, edges[slot])))
        slot += 1
    return found


def _counts(
    times: Sequence[int], bits: Sequence[int], start_us: int, end_us: int
) -> tuple[int, int, int, int, int]:
    """Received, good, measured, estimated and manual samples stamped in the day."""
    inside = [quality for time, quality in zip(times, bits, strict=True) if start_us <= time < end_us]
    origins = [(quality >> 2) & 7 for quality in inside if quality & 3 <= 1]
    estimated = origins.count(1)
    manual = origins.count(2) + origins.count(3)
    good = sum(quality & 3 == 0 for quality in inside)
    return len(inside), good, len(origins) - estimated - manual, estimated, manual


def block_us_of(interval_us: int) -> int:
    """Over which blocks a day has its maximum: 15 minutes, or the interval where that is longer, or the day."""
    return WHOLE_DAY_US if interval_us >= DAY_US else max(BLOCK_US, interval_us)


def _quotient(number: Number, factor: Fraction, divisor: int) -> float:
    """Give number × factor ÷ divisor, rounded once."""
    return (number.numerator * factor.numerator) / (number.denominator * factor.denominator * divisor)
