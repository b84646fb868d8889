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
    """Samples of one point, times strictly increasing, newest version only."""

    point_id: int
    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn

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
        )


class RunBlock(NamedTuple):
    """Samples of many points in one piece: run `i` is rows ``[offset[i], offset[i + 1])``, ids in the order asked.

    Times strictly increase inside a run; newest versions only. A point without samples has an empty run.
    """

    point_id: PointIdColumn
    offset: npt.NDArray[np.int64]
    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn

    @property
    def run_count(self) -> int:
        return len(self.point_id)

    @property
    def sample_count(self) -> int:
        return len(self.time_us)

    def run(self, index: int) -> SampleRun:
        """Run `index`, as views."""
        first, last = int(self.offset[index]), int(self.offset[index + 1])
        return SampleRun(
            int(self.point_id[index]),
            self.time_us[first:last],
            self.value[first:last],
            self.quality[first:last],
        )

    def runs(self) -> list[SampleRun]:
        """All runs, as views."""
        return [self.run(index) for index in range(len(self.point_id))]


class LastBlock(NamedTuple):
    """The newest sample by time of many points, in the order asked; undefined where `is_found` is false."""

    is_found: npt.NDArray[np.bool_]
    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn


class Origin(NamedTuple):
    """Who sent a batch, and why where somebody corrected by hand."""

    source: str
    reason: str = ""

    @property
    def text(self) -> str:
        """One text for log and segments: the source, and after a line feed the reason."""
        return f"{self.source}\n{self.reason}" if self.reason else self.source

    @staticmethod
    def of_text(text: str) -> "Origin":
        """The inverse of `text`."""
        source, _, reason = text.partition("\n")
        return Origin(source, reason)


class Versions(NamedTuple):
    """Every version of samples, superseded ones too, sorted by point, time, sequence: the last of each wins.

    `arrival_time_us` is when its batch was taken in; `origin` indexes `origins`.
    """

    point_id: PointIdColumn
    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn
    sequence: SequenceColumn
    arrival_time_us: TimeColumn
    origin: npt.NDArray[np.int64]
    origins: list[Origin]

    @property
    def row_count(self) -> int:
        return len(self.point_id)

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Versions":
        """The selected versions, copied; origins stay as they are."""
        return Versions(
            self.point_id[selection],
            self.time_us[selection],
            self.value[selection],
            self.quality[selection],
            self.sequence[selection],
            self.arrival_time_us[selection],
            self.origin[selection],
            self.origins,
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
    )


def empty_last_block() -> LastBlock:
    """Of no points."""
    return LastBlock(
        np.empty(0, np.bool_), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint16)
    )


def empty_block(point_ids: PointIdColumn) -> RunBlock:
    """Empty runs."""
    return RunBlock(
        point_ids,
        np.zeros(len(point_ids) + 1, np.int64),
        np.empty(0, np.int64),
        np.empty(0, np.float64),
        np.empty(0, np.uint16),
    )


def block_of(runs: Sequence[SampleRun]) -> RunBlock:
    """The runs in one piece."""
    counts = [run.sample_count for run in runs]
    return RunBlock(
        np.array([run.point_id for run in runs], np.uint32),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)]),
        np.concatenate([np.empty(0, np.int64), *(run.time_us for run in runs)]),
        np.concatenate([np.empty(0, np.float64), *(run.value for run in runs)]),
        np.concatenate([np.empty(0, np.uint16), *(run.quality for run in runs)]),
    )


def last_block_of(runs: Sequence[SampleRun]) -> LastBlock:
    """Runs of one sample or none, as columns."""
    found = np.array([run.sample_count > 0 for run in runs], np.bool_)
    block = LastBlock(
        found, np.zeros(len(runs), np.int64), np.zeros(len(runs)), np.zeros(len(runs), np.uint16)
    )
    for index in np.flatnonzero(found).tolist():
        block.time_us[index] = runs[index].time_us[-1]
        block.value[index] = runs[index].value[-1]
        block.quality[index] = runs[index].quality[-1]
    return block
