"""Merges segments of a month: points after points in small steps, so that memory stays small however much it is.

Where the result would be larger than a segment may be, it becomes several, each of a range of points.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from historian.model.sample import PointIdColumn
from historian.store import batch_journal, columns
from historian.store.columns import Rows
from historian.store.pace import Pace
from historian.store.seal import Draft, Publisher, Sealed
from historian.store.segment import Batches, Segment

STEP_SAMPLES: Final = 1 << 20
THOROUGH_SAMPLES_MIN: Final = 512  # of the longest run
MEMORY_BYTES_MAX: Final = 256 << 20  # of decoded input
TIME_LOWEST: Final = int(np.iinfo(np.int64).min)


class Merger:
    """One merge of segments in their order; `drop_before_us` leaves out what is older, all its versions."""

    def __init__(
        self,
        segments: Sequence[Segment],
        publisher: Publisher,
        pace: Pace,
        samples_max: int,
        drop_before_us: int = TIME_LOWEST,
    ) -> None:
        self._segments = segments
        self._publisher = publisher
        self._pace = pace
        self._samples_max = samples_max
        self._drop_before_us = drop_before_us

    def run(self, rank: int) -> list[Sealed]:
        """Publish the result. Raises SegmentCorrupt, OSError or WorkStopped; then nobody sees any of it."""
        batches = batch_journal.join([segment.read_batches() for segment in self._segments])
        superseded = [self._kept(segment.read_superseded()) for segment in self._segments]
        edges, sizes = self._steps()
        sealed: list[Sealed] = []
        draft = self._draft(batches)
        for low, high, size in zip(edges[:-1], edges[1:], sizes, strict=True):
            if draft.builder.sample_count and draft.builder.sample_count + size > self._samples_max:
                sealed.append(self._publish(draft, rank))
                draft = self._draft(batches)
            newest, replaced = columns.split_versions(
                [self._rows(segment, low, high) for segment in self._segments]
            )
            older = [_between(rows, low, high) for rows in superseded]
            draft.add(newest, columns.keep_versions(columns.merge([*older, replaced])))
            self._release()
            self._pace.keep(8 * newest.row_count)
        if draft.builder.sample_count:
            sealed.append(self._publish(draft, rank))
        return sealed

    def _draft(self, batches: Batches) -> Draft:
        """Packed with care where it is for long: short runs are merged again soon."""
        longest = sum(int(segment.sample_counts.max(initial=0)) for segment in self._segments)
        return Draft(batches, thorough=longest >= THOROUGH_SAMPLES_MIN)

    def _publish(self, draft: Draft, rank: int) -> Sealed:
        sealed = self._publisher.publish(draft, rank)
        self._pace.keep(sealed.info.size_bytes)
        return sealed

    def _rows(self, segment: Segment, low: int, high: int) -> Rows:
        """Rows of the points ``[low, high)``."""
        first, last = np.searchsorted(segment.point_id, (low, high)).tolist()
        return self._kept(segment.read_rows(first, last))

    def _kept(self, rows: Rows) -> Rows:
        if self._drop_before_us == TIME_LOWEST:
            return rows
        return rows.take(rows.time_us >= self._drop_before_us)

    def _steps(self) -> tuple[list[int], list[int]]:
        """Edges of ranges of points that hold about STEP_SAMPLES, and how many samples each has at most."""
        ids: PointIdColumn = np.unique(np.concatenate([segment.point_id for segment in self._segments]))
        count = np.zeros(len(ids), np.int64)
        for segment in self._segments:
            count[np.searchsorted(ids, segment.point_id)] += segment.sample_counts
        total: npt.NDArray[np.int64] = np.cumsum(count)
        step = (total - count) // STEP_SAMPLES
        first = np.flatnonzero(np.r_[True, step[1:] != step[:-1]])
        sizes = np.add.reduceat(count, first)
        return [*ids[first].tolist(), int(ids[-1]) + 1], sizes.tolist()

    def _release(self) -> None:
        """Let go of decoded input when there is much of it."""
        if sum(segment.size_bytes for segment in self._segments) > MEMORY_BYTES_MAX:
            for segment in self._segments:
                segment.forget()


def merge(
    segments: Sequence[Segment],
    publisher: Publisher,
    pace: Pace,
    samples_max: int,
    rank: int,
    drop_before_us: int,
) -> list[Sealed]:
    """As `Merger.run`, closing the segments in the end."""
    try:
        return Merger(segments, publisher, pace, samples_max, drop_before_us).run(rank)
    finally:
        for segment in segments:
            segment.close()
            segment.forget()


def _between(rows: Rows, low: int, high: int) -> Rows:
    first, last = np.searchsorted(rows.point_id, (low, high)).tolist()
    return rows.part(first, last)
