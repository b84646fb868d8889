"""What stretch of time each sample speaks for, by the kind of its point.

    instantaneous, ratio   from its stamp until the next sample, at most the point's interval
    mean_power             its interval, cut short by the next sample
    interval               the same, but the quantity stays whole
    register               from one reading to the next; the quantity is their difference

A next sample that comes a little late is no gap: an instant is held, and a register difference is taken for
measured, up to one and a half intervals. Beyond that a sample is missing.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model import quality
from historian.model.point import DAY_US, PointKind
from historian.model.sample import SampleRun

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]

AMOUNT_KINDS: Final = frozenset({PointKind.INTERVAL, PointKind.REGISTER})

_END_OF_TIME_US: Final = np.iinfo(np.int64).max


class SamplePeriods(NamedTuple):
    """Periods ``[start, end)`` in order, never overlapping, with what happened in each.

    `value` less `base` is a rate, or for kinds of AMOUNT_KINDS the amount of the whole period; `base` is the
    earlier reading of a register, else zero. They are kept apart because floats do not subtract exactly.
    `is_usable`: the value may enter a figure. `is_whole_only`: a register difference across a gap; its sum
    is known, its course is not.
    """

    start_us: I64
    end_us: I64
    value: F64
    base: F64
    quality: U16
    is_usable: Mask
    is_whole_only: Mask

    def select(self, mask: Mask) -> "SamplePeriods":
        """The periods where `mask` holds; these same columns where it holds everywhere."""
        if bool(np.all(mask)):
            return self
        return SamplePeriods(
            self.start_us[mask],
            self.end_us[mask],
            self.value[mask],
            self.base[mask],
            self.quality[mask],
            self.is_usable[mask],
            self.is_whole_only[mask],
        )


def without_deleted(run: SampleRun) -> SampleRun:
    """The run without samples marked as deleted: figures are made as if those had never come."""
    return _where(run, (run.quality & quality.DELETED) == 0)


def readings(run: SampleRun) -> SampleRun:
    """The samples that may enter a figure."""
    return _where(run, quality.is_usable(run.quality))


def periods_of(
    run: SampleRun, kind: PointKind, interval_us: int, period_end_us: I64 | None = None
) -> SamplePeriods:
    """The periods of a run's samples.

    `period_end_us` says for each sample where its period ends, where that is not simply one interval later
    (a daily value on a day of 23 hours).
    """
    run, period_end_us = _sorted_out(run, period_end_us)
    if kind is PointKind.REGISTER:
        return _between_readings(run, interval_us)
    next_us = np.append(run.time_us[1:], _END_OF_TIME_US)
    if kind in (PointKind.MEAN_POWER, PointKind.INTERVAL):
        end_us = np.minimum(run.time_us + interval_us if period_end_us is None else period_end_us, next_us)
    else:
        is_followed = next_us - run.time_us <= longest_gap_us(interval_us)
        end_us = np.where(is_followed, next_us, run.time_us + interval_us)
    is_usable = quality.is_usable(run.quality)
    count = len(end_us)
    return SamplePeriods(
        run.time_us, end_us, run.value, np.zeros(count), run.quality, is_usable, np.zeros(count, np.bool_)
    )


def longest_gap_us(interval_us: int) -> int:
    """The longest distance of two samples between which none is missing."""
    return interval_us + interval_us // 2


def reach_us(kind: PointKind, interval_us: int) -> tuple[int, int]:
    """How far before and after its stamp a sample can change a curve, exclusive at both ends.

    A mean speaks for its own period; an amount also presses that of the sample before it; an instant decides
    whether the one before was held. A register's reading reaches to its neighbours, wherever they are: zero.
    """
    if kind is PointKind.REGISTER:
        return 0, 0
    # An interval of whole days follows the calendar: a day of 25 hours, a month of 31 days.
    longest_us = interval_us + DAY_US if interval_us % DAY_US == 0 else interval_us
    if kind is PointKind.INTERVAL:
        return longest_us, longest_us
    if kind is PointKind.MEAN_POWER:
        return 0, longest_us
    return longest_gap_us(interval_us) - interval_us + 1, longest_gap_us(interval_us)


def _where(run: SampleRun, mask: Mask) -> SampleRun:
    if bool(np.all(mask)):
        return run
    return SampleRun(run.point_id, run.time_us[mask], run.value[mask], run.quality[mask])


def _sorted_out(run: SampleRun, period_end_us: I64 | None) -> tuple[SampleRun, I64 | None]:
    if period_end_us is not None:
        period_end_us = period_end_us[(run.quality & quality.DELETED) == 0]
    return without_deleted(run), period_end_us


def _between_readings(run: SampleRun, interval_us: int) -> SamplePeriods:
    """A fall from one reading to the next is suspect and gives no amount, never a negative one."""
    usable = readings(run)
    start_us, end_us = usable.time_us[:-1], usable.time_us[1:]
    base, value, qualities = usable.value[:-1], usable.value[1:], usable.quality
    is_rising = value >= base
    is_gap = end_us - start_us > longest_gap_us(interval_us)
    fallen = np.where(is_rising, np.uint16(quality.GOOD), np.uint16(quality.SUSPECT))
    worse = worse_of(worse_of(qualities[:-1], qualities[1:]), fallen)
    return SamplePeriods(start_us, end_us, value, base, worse, is_rising, is_gap & is_rising)


def worst_of_rows(rows: U16) -> U16:
    """Column by column of at least one row, as `quality.worst_of`."""
    validity = np.max(rows & quality.VALIDITY_MASK, axis=0)
    origin = np.max(rows & quality.ORIGIN_MASK, axis=0)
    flags = np.bitwise_or.reduce(rows, axis=0) & ~np.uint16(quality.VALIDITY_MASK | quality.ORIGIN_MASK)
    worst: U16 = validity | origin | flags
    return worst


def worse_of(one: U16, other: U16) -> U16:
    """Pair by pair as `quality.worst_of`: worst validity, origin of least trust, every flag."""
    validity = np.maximum(one & quality.VALIDITY_MASK, other & quality.VALIDITY_MASK)
    origin = np.maximum(one & quality.ORIGIN_MASK, other & quality.ORIGIN_MASK)
    flags = (one | other) & ~np.uint16(quality.VALIDITY_MASK | quality.ORIGIN_MASK)
    worse: U16 = validity | origin | flags
    return worse
