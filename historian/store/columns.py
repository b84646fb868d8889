"""Rows of stored samples as columns with their sequence numbers: what moves between the store's parts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.sample import (
    PointIdColumn,
    QualityColumn,
    RunBlock,
    SampleBatch,
    SampleRun,
    SequenceColumn,
    TimeColumn,
    ValueColumn,
)
from historian.store import columns_kernels

_ID_RANGE_FACTOR = 4  # ids spread wider than so many a row are not sorted by counting
_ID_RANGE_FREE = 4096


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

    def run(self, point_id: int, first: int, last: int) -> SampleRun:
        """Rows ``[first, last)``, all of one point, as a run of views."""
        return SampleRun(point_id, self.time_us[first:last], self.value[first:last], self.quality[first:last])


class Piece(NamedTuple):
    """A batch and the sequence of its samples: one for all (length 1), or one each."""

    batch: SampleBatch
    sequence: SequenceColumn


class Span(NamedTuple):
    """Bounds of samples, all inclusive."""

    time_min_us: int
    time_max_us: int
    id_min: int
    id_max: int


def make_rows(count: int) -> Rows:
    """Rows with room for `count` samples, not initialised."""
    return Rows(
        np.empty(count, np.uint32),
        np.empty(count, np.int64),
        np.empty(count, np.float64),
        np.empty(count, np.uint16),
        np.empty(count, np.int64),
    )


def span_of(ids: PointIdColumn, times: TimeColumn) -> Span:
    """Bounds of at least one sample."""
    bounds = np.empty(4, np.int64)
    columns_kernels.span(ids, times, bounds)
    return Span(*bounds.tolist())


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
    """Rows ordered by point, time, sequence; rows equal in all three keep their order. Sorted ones as they are."""
    if columns_kernels.is_sorted(rows.point_id, rows.time_us, rows.sequence):
        return rows
    return sort_pieces([Piece(SampleBatch(*rows[:4]), rows.sequence)])


def sort_pieces(pieces: Sequence[Piece]) -> Rows:
    """All samples ordered by point, time, sequence; what is equal in all three keeps its order.

    Counting puts each sample among those of its point; there the order of arrival mostly is that of time.
    """
    filled = [piece for piece in pieces if piece.batch.sample_count]
    if not filled:
        return make_rows(0)
    low = min(int(piece.batch.point_id.min()) for piece in filled)
    high = max(int(piece.batch.point_id.max()) for piece in filled)
    total = sum(piece.batch.sample_count for piece in filled)
    if are_spread(low, high, total):
        rows = concatenate([_rows_of(piece) for piece in filled])
        return rows.take(columns_kernels.order_rows(rows.point_id, rows.time_us, rows.sequence, 0, total))
    offset = np.zeros(high - low + 2, np.int64)
    for piece in filled:
        columns_kernels.count_points(piece.batch.point_id, low, offset[1:])
    np.cumsum(offset, out=offset)
    rows, next_row = make_rows(total), offset.copy()
    for piece in filled:
        columns_kernels.scatter(*piece.batch, piece.sequence, low, next_row, (*rows,))
    columns_kernels.name_points(offset, low, rows.point_id)
    columns_kernels.sort_points((*rows,), offset)
    return rows


def are_spread(low_id: int, high_id: int, total: int) -> bool:
    """Whether so many samples are too few for tables over all ids from lowest to highest."""
    return high_id - low_id > _ID_RANGE_FACTOR * total + _ID_RANGE_FREE


def merge(parts: Sequence[Rows]) -> Rows:
    """One sorted set of rows out of several; of equal rows those of the earlier part come first."""
    while len(parts) > 1:
        pairs = [parts[place : place + 2] for place in range(0, len(parts), 2)]
        parts = [_merge_two(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return parts[0] if parts else make_rows(0)


def split_versions(parts: Sequence[Rows]) -> tuple[Rows, Rows]:
    """Newest versions and superseded ones out of several sources, both sorted.

    Rows equal in point, time and sequence are one version: the last of the last part stays.
    """
    rows = _join(parts)
    newest_count, superseded_count = columns_kernels.count_versions((*rows,))
    superseded = make_rows(superseded_count)
    if newest_count == rows.row_count:
        return rows, superseded
    newest = make_rows(newest_count)
    columns_kernels.split_versions((*rows,), (*newest,), (*superseded,))
    return newest, superseded


def _join(parts: Sequence[Rows]) -> Rows:
    """All rows in order. Sorting by counting is quicker than merging, where there is room for the table."""
    filled = [part for part in parts if part.row_count]
    if len(filled) < 2:
        return sort(filled[0]) if filled else make_rows(0)
    return sort_pieces([Piece(SampleBatch(*part[:4]), part.sequence) for part in filled])


def keep_versions(rows: Rows) -> Rows:
    """Sorted rows with each version once: of rows equal in point, time and sequence the last stays."""
    kept_count = sum(columns_kernels.count_versions((*rows,)))
    if kept_count == rows.row_count:
        return rows
    kept = make_rows(kept_count)
    columns_kernels.keep_versions((*rows,), (*kept,))
    return kept


def select(rows: Rows, ids: PointIdColumn, start_us: int, end_us: int) -> Rows:
    """Of sorted rows those of `ids` in ``[start, end)``, by ids in the order asked, copied."""
    first, last = np.empty(len(ids), np.int64), np.empty(len(ids), np.int64)
    total = columns_kernels.ranges(rows.point_id, rows.time_us, ids, start_us, end_us, first, last)
    selected = make_rows(total)
    columns_kernels.take_ranges((*rows,), first, last, (*selected,))
    return selected


def rows_to_block(rows: Rows, ids: PointIdColumn) -> RunBlock:
    """Sorted rows of newest versions as one run for each of `ids`, in the order asked.

    Views where the rows are just those of `ids` in that order, which is the everyday case.
    """
    first, last = np.empty(len(ids), np.int64), np.empty(len(ids), np.int64)
    lowest, highest = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    # No stored time is the highest one, so nothing is lost by the open end.
    columns_kernels.ranges(rows.point_id, rows.time_us, ids, lowest, highest, first, last)
    offset = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(last - first, out=offset[1:])
    if not (np.array_equal(offset[:-1], first) and offset[-1] == rows.row_count):
        taken = make_rows(int(offset[-1]))
        columns_kernels.take_ranges((*rows,), first, last, (*taken,))
        rows = taken
    return RunBlock(ids, offset, rows.time_us, rows.value, rows.quality)


def _rows_of(piece: Piece) -> Rows:
    sequence = np.broadcast_to(piece.sequence, piece.batch.sample_count)
    return Rows(*piece.batch, np.ascontiguousarray(sequence))


def _merge_two(older: Rows, newer: Rows) -> Rows:
    if not older.row_count or not newer.row_count:
        return older if older.row_count else newer
    merged = make_rows(older.row_count + newer.row_count)
    columns_kernels.merge((*older,), (*newer,), (*merged,))
    return merged
