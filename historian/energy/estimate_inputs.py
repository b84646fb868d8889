"""What an estimate is made from and what is recorded of it; what both kinds of estimates need."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from historian.energy import fixed_point
from historian.model import decimal_kernels, quality
from historian.model.point import HOUR_US, PointKind
from historian.model.sample import SampleRun

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]

ALGORITHM: Final = 1  # of the estimates; a change of their values is a new number
LINEAR_US_MAX: Final = 2 * HOUR_US  # of a gap between two good samples, beyond which like days are asked
LIKE_DAYS_MAX: Final = 3


class Gap(NamedTuple):
    """Where samples are wanted: every `interval_us` from `start_us` on, before `end_us`."""

    start_us: int
    end_us: int
    interval_us: int
    kind: PointKind


class LikeDay(NamedTuple):
    """A day like that of the gap: its samples, and what to add to a stamp of the gap to come to the same time there.

    The caller chooses the candidates, the best first: the same weekday of the three weeks before, a holiday as Sunday.
    """

    name: str
    shift_us: int
    run: SampleRun


class Register(NamedTuple):
    """Readings at both ends of the gap; `factor` makes of their difference what the gap's samples add up to.

    For samples stored before a multiplier that is the register's multiplier over the point's.
    """

    before: float
    after: float
    factor: float = 1.0


class Evidence(NamedTuple):
    """What estimates may rest on. `outages` are stretches without power, ``[start, end)``, sorted, not overlapping."""

    like_days: Sequence[LikeDay] = ()
    register: Register | None = None
    alternate: SampleRun | None = None
    outages: Sequence[tuple[int, int]] = ()


class EstimateRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How estimates came to be. `methods` and `like_days` count the samples that each made or entered.

    linear       between the good samples beside the gap, at most two hours apart
    like_days    the mean of the first three like days that have a good sample at that time of day
    alternate    another meter's value times `alternate_ratio`, that of the sums where both are good
    even         spread over the time with power: the energy is known, its course is not
    outage       zero, because there was no power

    With `register_energy` (of the gap, known samples included) the values were scaled to give it exactly. `notes` say
    what was asked for and could not be done.
    """

    gap_start_us: int
    gap_end_us: int
    methods: dict[str, int]
    like_days: dict[str, int] = {}
    end_points_us: tuple[int, ...] = ()
    alternate_point_id: int | None = None
    alternate_ratio: float | None = None
    register_energy: float | None = None
    notes: tuple[str, ...] = ()
    algorithm: int = ALGORITHM


class Estimate(NamedTuple):
    """Proposed samples, all of origin estimated; nothing where nothing could be said."""

    time_us: I64
    value: F64
    quality: U16
    record: EstimateRecord


def make_estimate(times_us: Sequence[int], values: Sequence[Fraction], record: EstimateRecord) -> Estimate:
    """Columns of the values, each the nearest float."""
    column = np.array([fixed_point.to_float(value) for value in values], np.float64)
    count = len(column)
    return Estimate(
        np.array(times_us, np.int64), column, np.full(count, quality.ESTIMATED, np.uint16), record
    )


def known(run: SampleRun) -> SampleRun:
    """The samples that may enter a figure and are no estimates."""
    is_estimated = (run.quality & quality.ORIGIN_MASK) == quality.ESTIMATED
    mask = quality.is_usable(run.quality) & ~is_estimated
    return SampleRun(run.point_id, run.time_us[mask], run.value[mask], run.quality[mask])


def good(run: SampleRun) -> SampleRun:
    """Those of them that nothing speaks against: what another value may rest on."""
    sure = known(run)
    mask = (sure.quality & quality.VALIDITY_MASK) == quality.GOOD
    return SampleRun(run.point_id, sure.time_us[mask], sure.value[mask], sure.quality[mask])


def free_stamps(sure: SampleRun, gap: Gap) -> list[int]:
    """Stamps of the gap to which no known sample is nearer than half an interval."""
    stamps = np.arange(gap.start_us, gap.end_us, gap.interval_us, dtype=np.int64)
    return [time_us for time_us in stamps.tolist() if nearest(sure, time_us, gap.interval_us) is None]


def nearest(run: SampleRun, time_us: int, interval_us: int) -> int | None:
    """The place of the sample nearest to a time, if it is nearer than half an interval; of two, the earlier."""
    place = int(np.searchsorted(run.time_us, time_us))
    best, best_us = None, interval_us
    for one in (place - 1, place):
        if 0 <= one < run.sample_count and 2 * abs(int(run.time_us[one]) - time_us) < best_us:
            best, best_us = one, 2 * abs(int(run.time_us[one]) - time_us)
    return best


def share_with_power(start_us: int, end_us: int, outages: Sequence[tuple[int, int]]) -> Fraction:
    """The share of ``[start_us, end_us)`` outside of all outages."""
    dead_us = sum(max(0, min(end_us, to_us) - max(start_us, from_us)) for from_us, to_us in outages)
    return Fraction(end_us - start_us - dead_us, end_us - start_us)


def decimals_of(values: Sequence[float], more: int) -> int:
    """Digits after the point that `values` have, and `more`: such that a float still holds each of them."""
    column = np.array(values, np.float64) + 0.0
    exponent = decimal_kernels.decimal_exponent(column)
    digits = decimal_kernels.EXPONENT_MAX if exponent == decimal_kernels.NOT_DECIMAL else exponent + more
    digits = min(digits, decimal_kernels.EXPONENT_MAX)
    greatest = float(np.max(np.abs(column), initial=0.0))
    while digits > 0 and greatest * 10.0**digits >= decimal_kernels.SCALED_MAX / 16:
        digits -= 1
    return digits


def round_cumulative(weights: Sequence[Fraction], total: Fraction, digits: int) -> list[Fraction]:
    """Shares of a `total` in proportion to weights, none below zero, none further off than one last digit.

    They add up to the total exactly: the last share takes what the rounding left. Not all weights are zero.
    """
    whole, so_far, given, shares = sum(weights, Fraction()), Fraction(), Fraction(), []
    last = max(place for place, weight in enumerate(weights) if weight)
    for place, weight in enumerate(weights):
        so_far += weight
        # Downwards: what is given never exceeds the total.
        upto = (
            total if place >= last else Fraction(math.floor(total * so_far / whole * 10**digits), 10**digits)
        )
        shares.append(upto - given)
        given = upto
    return shares
