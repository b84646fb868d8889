"""Samples travel as columns: a batch holds many points, a run one point; no object per sample."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

PointIdColumn = npt.NDArray[np.uint32]
TimeColumn = npt.NDArray[np.int64]
ValueColumn = npt.NDArray[np.float64]
QualityColumn = npt.NDArray[np.uint16]
SequenceColumn = npt.NDArray[np.int64]


class SampleBatch(NamedTuple):
    """Samples of any points in any order; four columns of equal length.

    `time_us` is int64 µs UTC: an instant, or the start of the period for interval kinds.
    The receiver may keep the arrays: the sender must not write to them afterwards.
    """

    point_id: PointIdColumn
    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn

    @property
    def sample_count(self) -> int:
        return len(self.point_id)

    def part(self, first: int, last: int) -> "SampleBatch":
        """Samples ``[first, last)``, as views."""
        return SampleBatch(
            self.point_id[first:last],
            self.time_us[first:last],
            self.value[first:last],
            self.quality[first:last],
        )

    def take(self, selection: npt.NDArray[np.bool_]) -> "SampleBatch":
        """The selected samples, copied."""
        return SampleBatch(
            self.point_id[selection], self.time_us[selection], self.value[selection], self.quality[selection]
        )


class SampleRun(NamedTuple):
    """Samples of one point, times strictly increasing, newest version only.

    `sequence` is the store's arrival number of each sample: higher means later.
    """

    point_id: int
    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn
    sequence: SequenceColumn

    @property
    def sample_count(self) -> int:
        return len(self.time_us)

    def between(self, start_us: int, end_us: int) -> "SampleRun":
        """The part inside ``[start_us, end_us)``, as views."""
        first, last = np.searchsorted(self.time_us, (start_us, end_us)).tolist()
        return self.part(first, last)

    def part(self, first: int, last: int) -> "SampleRun":
        """Samples ``[first, last)``, as views."""
        return SampleRun(
            self.point_id,
            self.time_us[first:last],
            self.value[first:last],
            self.quality[first:last],
            self.sequence[first:last],
        )


def make_batch(
    point_id: npt.ArrayLike, time_us: npt.ArrayLike, value: npt.ArrayLike, quality: npt.ArrayLike = 0
) -> SampleBatch:
    """A batch from anything array-like; scalars for `point_id` and `quality` are repeated."""
    time_column = np.ascontiguousarray(time_us, np.int64).reshape(-1)
    count = len(time_column)
    batch = SampleBatch(
        np.array(np.broadcast_to(np.asarray(point_id, np.uint32), count)),
        time_column,
        np.ascontiguousarray(value, np.float64).reshape(-1),
        np.array(np.broadcast_to(np.asarray(quality, np.uint16), count)),
    )
    assert len(batch.value) == count, "columns of a batch have equal length"
    return batch


def join_batches(batches: Sequence[SampleBatch]) -> SampleBatch:
    """All samples, one batch after the other; a single batch as it is."""
    if len(batches) == 1:
        return batches[0]
    return SampleBatch(
        np.concatenate([batch.point_id for batch in batches]),
        np.concatenate([batch.time_us for batch in batches]),
        np.concatenate([batch.value for batch in batches]),
        np.concatenate([batch.quality for batch in batches]),
    )


def empty_run(point_id: int) -> SampleRun:
    """A run without samples."""
    return SampleRun(
        point_id,
        np.empty(0, np.int64),
        np.empty(0, np.float64),
        np.empty(0, np.uint16),
        np.empty(0, np.int64),
    )
