"""What an edit would change: pure functions from what is stored to what would be.

A deletion marks a sample and keeps its value, so nothing is destroyed, and an edit that is repeated finds nothing left
to change.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.point import Point
from historian.model.quality import DELETED, MISSING, SUSPECT, VALIDITY_MASK
from historian.model.sample import QualityColumn, SampleBatch, SampleRun, TimeColumn, ValueColumn, make_batch

Mask = npt.NDArray[np.bool_]


class EditPlan(NamedTuple):
    """The samples that would change, by rising time: what is stored (`has_old`: anything at all), and what would be.

    `unchanged_count` samples are as asked for already; `missing_count` times that were asked for have no sample.
    """

    time_us: TimeColumn
    has_old: Mask
    old_value: ValueColumn
    old_quality: QualityColumn
    value: ValueColumn
    quality: QualityColumn
    unchanged_count: int = 0
    missing_count: int = 0

    @property
    def change_count(self) -> int:
        return len(self.time_us)

    def batch(self, point_id: int) -> SampleBatch:
        """What goes into the store."""
        return make_batch(point_id, self.time_us, self.value, self.quality)


def plan_values(
    point: Point, stored: SampleRun, time_us: TimeColumn, value: ValueColumn, quality: QualityColumn
) -> EditPlan:
    """New values at distinct times; good ones outside the point's range become suspect, as any that come in."""
    order = np.argsort(time_us)
    marked = _range_marked(point, value, quality)
    return _compared(stored, time_us[order], value[order], marked[order])


def plan_marks(stored: SampleRun, time_us: TimeColumn | None, is_deleted: bool) -> EditPlan:
    """Samples marked as deleted, or their marks taken off; all of `stored`, or those at these distinct times."""
    if time_us is None:
        rows = np.arange(stored.sample_count)
    else:
        rows = np.searchsorted(stored.time_us, np.sort(time_us))
        rows = rows[_is_at(stored, rows, np.sort(time_us))]
    bits = stored.quality[rows]
    wanted = bits | np.uint16(DELETED) if is_deleted else bits & np.uint16(0xFFFF ^ DELETED)
    plan = _compared(stored, stored.time_us[rows], stored.value[rows], wanted)
    return plan._replace(missing_count=0 if time_us is None else len(time_us) - len(rows))


def plan_restore(stored: SampleRun, then: SampleRun) -> EditPlan:
    """Everything as it was `then`: samples that were not there yet are marked as deleted."""
    row = np.searchsorted(stored.time_us, then.time_us)
    assert bool(_is_at(stored, row, then.time_us).all()), "what was once stored is stored"
    value = stored.value.copy()
    quality = stored.quality | np.uint16(DELETED)
    value[row], quality[row] = then.value, then.quality
    return _compared(stored, stored.time_us, value, quality)


def _compared(stored: SampleRun, time_us: TimeColumn, value: ValueColumn, quality: QualityColumn) -> EditPlan:
    row = np.searchsorted(stored.time_us, time_us)
    has_old = _is_at(stored, row, time_us)
    old_value = np.full(len(time_us), np.nan)
    old_quality = np.full(len(time_us), MISSING, np.uint16)
    old_value[has_old], old_quality[has_old] = stored.value[row[has_old]], stored.quality[row[has_old]]
    changes = ~has_old | (old_value != value) | (old_quality != quality)
    return EditPlan(
        time_us[changes],
        has_old[changes],
        old_value[changes],
        old_quality[changes],
        value[changes],
        quality[changes].astype(np.uint16),
        unchanged_count=int(np.count_nonzero(~changes)),
    )


def _is_at(stored: SampleRun, row: npt.NDArray[np.intp], time_us: TimeColumn) -> Mask:
    """Whether the stored sample at each row has that time; rows may point past the end."""
    if stored.sample_count == 0:
        return np.zeros(len(time_us), np.bool_)
    found: Mask = stored.time_us[np.minimum(row, stored.sample_count - 1)] == time_us
    return found


def _range_marked(point: Point, value: ValueColumn, quality: QualityColumn) -> QualityColumn:
    low = -np.inf if point.range_low is None else point.range_low
    high = np.inf if point.range_high is None else point.range_high
    is_marked = ((value < low) | (value > high)) & (quality & VALIDITY_MASK == 0)
    return np.where(is_marked, quality | np.uint16(SUSPECT), quality).astype(np.uint16)
