"""Rows of stored samples as columns with their sequence numbers: what moves between the store's parts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.sample import (
    PointIdColumn,
    QualityColumn,
    SequenceColumn,
    TimeColumn,
    ValueColumn,
)


class StoredRun(NamedTuple):
    """Samples of one point with their sequences; times rise, and may repeat in the late buffer's pieces."""

    point_id: int
    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn
    sequence: SequenceColumn

    @property
    def sample_count(self) -> int:
        return len(self.time_us)


class Rows(NamedTuple):
    """Samples of any points; five columns of equal length. Later rows win ties of sequence."""

    point_id: PointIdColumn
    time_us: TimeColumn
    value: ValueColumn
    quality: QualityColumn
    sequence: SequenceColumn

    @property
    def row_count(self) -> int:
        return len(self.point_id)

    def part(self, first: int, last: int) -> "Rows":
        """Rows ``[first, last)`` as views."""
        return Rows(
            self.point_id[first:last],
            self.time_us[first:last],
            self.value[first:last],
            self.quality[first:last],
            self.sequence[first:last],
        )

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Rows":
        """The selected rows, copied."""
        return Rows(
            self.point_id[selection],
            self.time_us[selection],
            self.value[selection],
            self.quality[selection],
            self.sequence[selection],
        )

    def run(self, point_id: int, first: int, last: int) -> StoredRun:
        """Rows ``[first, last)``, all of one point, as a run of views."""
        return StoredRun(
            point_id,
            self.time_us[first:last],
            self.value[first:last],
            self.quality[first:last],
            self.sequence[first:last],
        )


def make_rows(count: int) -> Rows:
    """Rows with room for `count` samples, not initialised."""
    return Rows(
        np.empty(count, np.uint32),
        np.empty(count, np.int64),
        np.empty(count, np.float64),
        np.empty(count, np.uint16),
        np.empty(count, np.int64),
    )


def concatenate(parts: Sequence[Rows]) -> Rows:
    """All rows one after the other."""
    if not parts:
        return make_rows(0)
    if len(parts) == 1:
        return parts[0]
    return Rows(
        np.concatenate([part.point_id for part in parts]),
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
        np.concatenate([part.sequence for part in parts]),
    )


def sort(rows: Rows) -> Rows:
    """Rows ordered by point, time, sequence; rows equal in all three keep their order."""
    return rows.take(np.lexsort((rows.sequence, rows.time_us, rows.point_id)))


def is_newest(rows: Rows) -> npt.NDArray[np.bool_]:
    """Which of the sorted rows are the newest version of their point and time."""
    newest = np.ones(rows.row_count, np.bool_)
    if rows.row_count > 1:
        same_point = rows.point_id[1:] == rows.point_id[:-1]
        newest[:-1] = ~(same_point & (rows.time_us[1:] == rows.time_us[:-1]))
    return newest


def merge_runs(parts: Sequence[StoredRun]) -> StoredRun:
    """One run of one point out of several; the highest sequence wins, then the later part."""
    parts = [part for part in parts if part.sample_count] or list(parts[:1])
    # A piece of the late buffer holds all versions of a time, so one part alone may need merging, too.
    if len(parts) == 1 and bool((np.diff(parts[0].time_us) > 0).all()):
        return parts[0]
    rows = sort(from_runs(parts))
    newest = rows.take(is_newest(rows))
    return newest.run(parts[0].point_id, 0, newest.row_count)


def split_versions(parts: Sequence[Rows]) -> tuple[Rows, Rows]:
    """Newest versions and superseded ones out of several sources, both sorted; later parts win ties."""
    rows = sort(concatenate(parts))
    newest = is_newest(rows)
    return rows.take(newest), rows.take(~newest)


def from_runs(runs: Sequence[StoredRun]) -> Rows:
    """Rows of runs one after the other; sorted where the runs come by rising id."""
    if not runs:
        return make_rows(0)
    point_id = np.repeat(
        np.array([run.point_id for run in runs], np.uint32), [run.sample_count for run in runs]
    )
    return Rows(
        point_id,
        np.concatenate([run.time_us for run in runs]),
        np.concatenate([run.value for run in runs]),
        np.concatenate([run.quality for run in runs]),
        np.concatenate([run.sequence for run in runs]),
    )
