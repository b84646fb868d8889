"""What turns the samples of a point into amounts: its kind, its dated factor, and the meter behind a register."""

import bisect
import itertools
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.point import PointKind
from historian.model.term import Step as Step  # part of what Metering says
from historian.model.timestamp import TIME_MIN_US

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]


class RegisterEvent(NamedTuple):
    """Another meter ("exchange") or another reading of the same one ("reset") at `time_us`, an instant.

    `old_end` and `new_start` are what the register showed just before and just after; None where nobody noted it.
    A reading stamped at that very instant gives way to them.
    """

    time_us: int
    kind: Literal["exchange", "reset"]
    old_end: float | None
    new_start: float | None


class Metering(NamedTuple):
    """The facts of one point, each with its validity; hashable.

    `factor` is CT × PT and begins at TIME_MIN_US; it is applied exactly once, to the period that begins under it.
    `capacity` is the largest plausible power, in the register's unit after the factor, per hour; no step: unknown.
    `modulus` is where a register begins again at zero, `resolution` its last digit, both as it shows them. A
    register that `is_signed` may fall. `events` are in order of time.
    """

    kind: PointKind
    interval_us: int
    factor: tuple[Step, ...]
    capacity: tuple[Step, ...] = ()
    modulus: float | None = None
    resolution: float | None = None
    is_signed: bool = False
    events: tuple[RegisterEvent, ...] = ()

    @classmethod
    def plain(cls, kind: PointKind, interval_us: int, factor: float = 1.0) -> "Metering":
        """One factor for all time, and nothing else known."""
        return cls(kind, interval_us, (Step(TIME_MIN_US, factor),))

    @property
    def is_plain(self) -> bool:
        """Whether kind, interval and one factor say everything."""
        return self == Metering(self.kind, self.interval_us, self.factor) and len(self.factor) == 1


def value_at(steps: Sequence[Step], time_us: int) -> float | None:
    """The value of the step that `time_us` lies in; None before the first."""
    place = bisect.bisect_right(steps, time_us, key=lambda step: step.from_us)
    return steps[place - 1].value if place else None


def column_at(steps: Sequence[Step], time_us: I64) -> F64:
    """`value_at` for each time; NaN before the first."""
    values = np.array([np.nan, *(step.value for step in steps)])
    starts_us = np.array([step.from_us for step in steps], np.int64)
    column: F64 = values[np.searchsorted(starts_us, time_us, side="right")]
    return column


def changes_us(steps: Sequence[Step]) -> I64:
    """When the value becomes another one, ascending."""
    pairs = itertools.pairwise(steps)
    return np.array([step.from_us for before, step in pairs if step.value != before.value], np.int64)
