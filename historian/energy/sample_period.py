"""What stretch of time each sample speaks for, by the kind of its point.

    instantaneous, ratio   from its stamp until the next sample, at most the point's interval
    mean_power             its interval, cut short by the next sample
    interval               the same, but the quantity stays whole
    register               from one reading to the next; the quantity is their difference: see `register`

A next sample that comes a little late is no gap: an instant is held, and a register difference is taken for
measured, up to one and a half intervals. Beyond that a sample is missing.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import metering, register
from historian.energy.metering import Metering
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

    `value` less `base` plus `carry`, times `factor`, is a rate, or for kinds of AMOUNT_KINDS the amount of the whole
    period; `base` is the earlier reading of a register, else zero, `carry` its modulus where it began again at zero,
    else zero. They are kept apart because floats do not subtract exactly. `is_usable`: the value may enter a figure.
    `is_whole_only`: a register difference across a gap; its sum is known, its course is not. `events`: see
    `counter_event.CounterFlag`.
    """

    start_us: I64
    end_us: I64
    value: F64
    base: F64
    quality: U16
    is_usable: Mask
    is_whole_only: Mask
    carry: F64
    factor: F64
    events: U16

    def between(self, start_us: int, end_us: int) -> "SamplePeriods":
        """Those that reach into ``[start_us, end_us)``, as views."""
        first = int(np.searchsorted(self.end_us, start_us, side="right"))
        last = int(np.searchsorted(self.start_us, end_us))
        return SamplePeriods._make(column[first : max(first, last)] for column in self)

    def select(self, mask: Mask) -> "SamplePeriods":
        """The periods where `mask` holds; these same columns where it holds everywhere."""
        if bool(np.all(mask)):
            return self
        return SamplePeriods._make(column[mask] for column in self)


def without_deleted(run: SampleRun) -> SampleRun:
    """The run without samples marked as deleted: figures are made as if those had never come."""
    return _where(run, (run.quality & quality.DELETED) == 0)


def readings(run: SampleRun) -> SampleRun:
    """The samples that may be a register's reading."""
    return _where(run, register.is_reading(run.quality))


def register_span(run: SampleRun, start_us: int, end_us: int) -> tuple[int, int]:
    """From when to when, both included, a register's readings decide ``[start_us, end_us)``; `run` is of readings.

    One reading beyond each end, and where that is a lone one near zero perhaps, one more. An end is that of the
    range where there is no reading beyond.
    """
    before = int(np.searchsorted(run.time_us, start_us, side="right")) - 1
    after = int(np.searchsorted(run.time_us, end_us))
    if before > 0 and register.needs_neighbour(float(run.value[before])):
        before -= 1
    if after < run.sample_count - 1 and register.needs_neighbour(float(run.value[after])):
        after += 1
    first_us = int(run.time_us[before]) if before >= 0 else start_us
    return first_us, int(run.time_us[after]) if after < run.sample_count else end_us


def periods_of(run: SampleRun, of: Metering, period_end_us: I64 | None = None) -> SamplePeriods:
    """The periods of a run's samples.

    `period_end_us` says for each sample where its period ends, where that is not simply one interval later
    (a daily value on a day of 23 hours).
    """
    if of.kind is PointKind.REGISTER:
        return _between_readings(run, of)
    run, period_end_us = _sorted_out(run, period_end_us)
    next_us = np.append(run.time_us[1:], _END_OF_TIME_US)
    if of.kind in (PointKind.MEAN_POWER, PointKind.INTERVAL):
        end_us = run.time_us + of.interval_us if period_end_us is None else period_end_us
        end_us = np.minimum(end_us, next_us)
    else:
        is_followed = next_us - run.time_us <= longest_gap_us(of.interval_us)
        end_us = np.where(is_followed, next_us, run.time_us + of.interval_us)
    count = len(end_us)
    return SamplePeriods(
        start_us=run.time_us,
        end_us=end_us,
        value=run.value,
        base=np.zeros(count),
        quality=run.quality,
        is_usable=quality.is_usable(run.quality),
        is_whole_only=np.zeros(count, np.bool_),
        carry=np.zeros(count),
        factor=metering.column_at(of.factor, run.time_us),
        events=np.zeros(count, np.uint16),
    )


def longest_gap_us(interval_us: int) -> int:
    """The longest distance of two samples between which none is missing."""
    return register.longest_gap_us(interval_us)


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


def _between_readings(run: SampleRun, of: Metering) -> SamplePeriods:
    judged = register.judge(run, of)
    return SamplePeriods(**judged._asdict())


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
