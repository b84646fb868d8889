"""What points promise by their intervals against what came: how many samples were due, how many came, and how soon.

Everything is counted in columns. A sample promised is one each interval, with half an interval of grace for jitter, as
gaps count them; a day that runs promises only what has come due.
"""

from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model import quality
from historian.model.sample import Versions

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

Light = Literal["green", "amber", "red", "none"]

_SECOND_US: Final = 1_000_000


class Counts(NamedTuple):
    """Samples by point and day, or by whatever they were added up by; arrays of one shape.

    `expected` were due, `received` came (estimates are none), `good` of them are of validity good. `covered` is the lesser
    of expected and received of each point and day, so that what one point sends too often never hides what another lacks.
    """

    expected: I64
    received: I64
    good: I64
    covered: I64

    @property
    def missing(self) -> I64:
        """Intervals of which nothing came."""
        return self.expected - self.covered

    @property
    def completeness(self) -> F64:
        """Covered of expected, 0 to 1; NaN where nothing was due."""
        share: F64 = np.divide(
            self.covered, self.expected, out=np.full(self.expected.shape, np.nan), where=self.expected > 0
        )
        return share


class Delays(NamedTuple):
    """How late samples came, by group. `known` came at a known time, `on_time` of them within the promised interval.

    Seconds from the end of the period, or from the instant, to the arrival; NaN where none is known.
    """

    known: I64
    on_time: I64
    median_s: F64
    max_s: F64


class Arrivals(NamedTuple):
    """When each sample came first: row of its point in the question, its stamp, and its arrival."""

    row: I64
    time_us: I64
    arrival_us: I64


class Limits(NamedTuple):
    """Shares of what was due from which a day is green or amber; below, it is red."""

    green: float
    amber: float


def due_count(
    start_us: I64, end_us: I64, interval_us: I64, has_period: npt.NDArray[np.bool_], now_us: int
) -> I64:
    """How many samples stretches ``[start, end)`` have promised by now.

    A period's sample can only come when the period is over. An interval longer than two of the stretch promises none.
    """
    last_us = np.minimum(end_us, now_us - np.where(has_period, interval_us, 0))
    length_us = np.maximum(last_us - start_us, 0)
    count: I64 = (2 * length_us + interval_us) // (2 * interval_us)
    return np.where(length_us > 0, count, 0)


def count(expected: I64, received: I64, good: I64, estimated: I64) -> Counts:
    """From the counts that day figures keep, in which estimates are among those received."""
    came = np.maximum(received - estimated, 0)
    return Counts(expected, came, np.clip(good - estimated, 0, came), np.minimum(came, expected))


def add(counts: Counts, group: I64, group_count: int) -> Counts:
    """Sums by group; `group` is of the counts' shape."""
    flat = group.reshape(-1)
    return Counts(*(_sum(column.reshape(-1), flat, group_count) for column in counts))


def light(covered: int, expected: int, limits: Limits) -> Light:
    """The colour of a day; ``none`` where nothing was due."""
    if expected == 0:
        return "none"
    share = covered / expected
    return "green" if share >= limits.green else "amber" if share >= limits.amber else "red"


def first_arrivals(versions: Versions, row_of: I64) -> Arrivals:
    """The first measured version of each sample that holds; `row_of` gives the row of a point by its id.

    What was estimated, substituted or entered by hand came from nobody's device; what is marked as deleted does not count,
    nor does what came at a time that nobody knows.
    """
    if versions.row_count == 0:
        return Arrivals(*(np.empty(0, np.int64) for _ in Arrivals._fields))
    is_last = np.append((np.diff(versions.point_id) != 0) | (np.diff(versions.time_us) != 0), True)
    sample = np.concatenate([[0], np.cumsum(is_last[:-1])])
    is_deleted = (versions.quality[is_last] & quality.DELETED) != 0
    origin = versions.quality & quality.ORIGIN_MASK
    of_device = (origin == quality.MEASURED) | (origin >= quality.DERIVED)
    wanted = np.flatnonzero(of_device & ~is_deleted[sample] & (versions.arrival_time_us > 0))
    _, first = np.unique(sample[wanted], return_index=True)
    rows = wanted[first]
    return Arrivals(row_of[versions.point_id[rows]], versions.time_us[rows], versions.arrival_time_us[rows])


def delays(group: I64, delay_us: I64, is_on_time: npt.NDArray[np.bool_], group_count: int) -> Delays:
    """Figures of the delays of each group; what arrived before it was due counts as no delay."""
    late_us = np.maximum(delay_us, 0)
    known = np.bincount(group, minlength=group_count).astype(np.int64)
    on_time = np.bincount(group[is_on_time], minlength=group_count).astype(np.int64)
    order = np.lexsort((late_us, group))
    ends = np.cumsum(known)
    has_any = known > 0
    median_s, max_s = np.full(group_count, np.nan), np.full(group_count, np.nan)
    first = ends - known
    low, high = first + (known - 1) // 2, first + known // 2
    ranked = late_us[order]
    median_s[has_any] = (ranked[low[has_any]] + ranked[high[has_any]]) / 2 / _SECOND_US
    max_s[has_any] = ranked[ends[has_any] - 1] / _SECOND_US
    return Delays(known, on_time, median_s, max_s)


def _sum(column: I64, group: I64, group_count: int) -> I64:
    # Counts of samples are far below 2^53, where the sums of doubles are exact.
    return np.bincount(group, column, group_count).astype(np.int64)
