"""Finds scans in batches as they arrived, so that a seal need not sort: one sample each of many points at a time.

That is the everyday of a historian. Where batches are of another kind, or where a sample comes twice, nothing is
found here, and the samples are sorted.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.sample import QualityColumn, SampleBatch, SequenceColumn, TimeColumn
from historian.store import columns, scan_kernels, segment_kernels
from historian.store.columns import Piece, Rows
from historian.store.scan_kernels import STRETCH_COLUMNS

I64 = npt.NDArray[np.int64]

STRETCH_SAMPLES_MIN: Final = 32  # on average; below, sorting is as quick
TIMES_MAX: Final = 1 << 16
VALUES_AT_ONCE: Final = 1 << 16  # of the runs whose values are near the processor; no run has more


class Block(NamedTuple):
    """Some runs of a `Scans`, with columns of their samples: slot (number of the time), the times themselves where
    the step is 0, quality (empty where all are the same), and the numbers to be stored. Those may be longer.
    """

    point_id: npt.NDArray[np.uint32]
    size: I64
    first_time_us: I64
    last_time_us: I64
    step_us: I64
    missing: npt.NDArray[np.uint32]
    kind: npt.NDArray[np.uint8]
    low: I64
    high: I64
    noise: npt.NDArray[np.int16]
    has_same_quality: npt.NDArray[np.uint8]
    slot: npt.NDArray[np.uint16]
    time_us: TimeColumn
    quality: QualityColumn
    narrow: npt.NDArray[np.int32]
    wide: I64


class Scans(NamedTuple):
    """Samples as stretches (see `scan_kernels`) of `pieces`, no (point, time) twice; and what is known of each run."""

    pieces: Sequence[Piece]
    stretches: I64
    time_us: TimeColumn
    point_id: npt.NDArray[np.uint32]
    size: I64
    sequence: SequenceColumn  # of each run's first sample
    varies: npt.NDArray[np.bool_]  # whether others have another one
    quality: int  # of all samples; -1: it varies

    @property
    def sample_count(self) -> int:
        return int(self.size.sum())

    def months(self) -> "list[Scans]":
        """The scans of each UTC month."""
        months = self.stretches[:, scan_kernels.TIME].view("datetime64[us]").astype("datetime64[M]")
        if months[0] == months[-1]:
            return [self]
        return [
            _of(self.pieces, self.stretches[months == month], self.quality) for month in np.unique(months)
        ]

    def blocks(self, samples_max: int) -> Iterator[Block]:
        """All runs, described, about so many samples at a time. A block's columns hold only until the next one."""
        bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.size)])
        low_id = int(self.point_id[0])
        next_row = np.zeros(int(self.point_id[-1]) + 1 - low_id, np.int64)
        cursor, grid = np.zeros(len(self.stretches), np.int64), _grid_of(self.time_us)
        room = min(max(samples_max, int(self.size.max())), self.sample_count)
        value, samples = np.empty(min(VALUES_AT_ONCE, room)), _samples(room, self.quality)
        first = 0
        while first < len(self.size):
            last = max(int(np.searchsorted(bounds, bounds[first] + room, "right")) - 1, first + 1)
            ids, size = self.point_id[first:last], self.size[first:last]
            next_row[ids - low_id] = bounds[first:last] - bounds[first]
            times, values, same = _room_for(last - first)
            scan_kernels.describe_scans(
                self.stretches, cursor, ids, low_id, size, next_row, grid, value, samples, times, values, same
            )
            yield Block._make([ids, size, *times, *values, same, *samples])
            first = last


def find(parts: Sequence[Piece | Rows]) -> Scans | None:
    """The scans that all parts consist of; None where they do not, or where a sample comes twice."""
    pieces = [part for part in parts if isinstance(part, Piece)]
    if len(pieces) < len(parts) or not pieces:
        return None
    total, tables, quality = 0, [], None
    for piece in pieces:
        if not _can_be_addressed(piece.batch):
            return None
        table = np.empty((1 + piece.batch.sample_count // STRETCH_SAMPLES_MIN, STRETCH_COLUMNS), np.int64)
        count, own = scan_kernels.find_stretches(*piece.batch, piece.sequence, table)
        if count < 0:
            return None
        tables.append(table[:count])
        total += piece.batch.sample_count
        quality = own if quality in (None, own) else -1
    stretches = np.concatenate(tables)
    stretches = stretches[np.lexsort((stretches[:, scan_kernels.FIRST_ID], stretches[:, scan_kernels.TIME]))]
    if not _are_apart(stretches, total):
        return None
    return _of(pieces, stretches, -1 if quality is None else quality)


def _of(pieces: Sequence[Piece], stretches: I64, quality: int) -> Scans:
    time_us, slot = np.unique(stretches[:, scan_kernels.TIME], return_inverse=True)
    stretches[:, scan_kernels.SLOT] = slot.reshape(-1)
    low_id = int(stretches[:, scan_kernels.FIRST_ID].min())
    room = int(stretches[:, scan_kernels.LAST_ID].max()) + 1 - low_id
    size, sequence, varies = np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(room, np.uint8)
    scan_kernels.count_samples(stretches, low_id, size, sequence, varies)
    known = np.flatnonzero(size)
    ids = (known + low_id).astype(np.uint32)
    return Scans(pieces, stretches, time_us, ids, size[known], sequence[known], varies[known] != 0, quality)


def _are_apart(stretches: I64, total: int) -> bool:
    """Whether no point can occur twice at a time, and the numbers are such that this way is the quick one."""
    time, first, last = (
        stretches[:, column] for column in (scan_kernels.TIME, scan_kernels.FIRST_ID, scan_kernels.LAST_ID)
    )
    is_new_time = time[1:] != time[:-1]
    return bool(
        (is_new_time | (first[1:] > last[:-1])).all()
        and is_new_time.sum() < TIMES_MAX
        and not columns.are_spread(int(first.min()), int(last.max()), total)
    )


def _can_be_addressed(batch: SampleBatch) -> bool:
    """Whether kernels can read the columns knowing but their addresses."""
    used = (batch.point_id, batch.value, batch.quality)
    return all(column.flags.c_contiguous and column.flags.aligned for column in used)


def _grid_of(time_us: TimeColumn) -> tuple[I64, I64, int]:
    """The times, the place of each on a grid, and its step; 0 where they lie on none."""
    step = int(segment_kernels.regular_step(time_us))
    return time_us, (time_us - time_us[0]) // max(step, 1), step


def _samples(
    count: int, quality: int
) -> tuple[npt.NDArray[np.uint16], TimeColumn, QualityColumn, npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Columns of so many samples. What is not needed is not touched, and so takes no memory."""
    varying = np.empty(count if quality < 0 else 0, np.uint16)
    return np.empty(count, np.uint16), np.empty(count, np.int64), varying, np.empty(count, np.int32), np.empty(
        count, np.int64
    )  # fmt: skip


def _room_for(
    count: int,
) -> tuple[
    tuple[I64, I64, I64, npt.NDArray[np.uint32]],
    tuple[npt.NDArray[np.uint8], I64, I64, npt.NDArray[np.int16]],
    npt.NDArray[np.uint8],
]:
    """Columns of so many runs."""
    i64 = np.empty((5, count), np.int64)
    times = (i64[0], i64[1], i64[2], np.empty(count, np.uint32))
    return times, (np.empty(count, np.uint8), i64[3], i64[4], np.empty(count, np.int16)), np.empty(
        count, np.uint8
    )  # fmt: skip
