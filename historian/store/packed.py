"""Samples of many points where they lie in segments' decoded columns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from historian.errors import SegmentCorrupt
from historian.model import packed
from historian.model.packed import PackedBlock, PackedPiece
from historian.model.sample import PointIdColumn
from historian.store import packed_kernels
from historian.store.archive import TIME_HIGHEST, TIME_LOWEST, Archive, LiveSegment
from historian.store.segment import Memory
from historian.store.segment_read_kernels import Found


class _Piece(NamedTuple):
    memory: Memory
    found: Found


def try_read(
    archive: Archive, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
) -> PackedBlock | None:
    """What lies in ``[start, end)`` where all of it is in memory, else None. Never waits; for any thread."""
    pieces: list[_Piece] = []
    for live in _holding(segments, ids):
        got = live.segment.try_find(ids, start_us, end_us)
        if got is None:
            return None
        archive.cache.note_hit(live.segment)
        pieces.append(_Piece(*got))
    return _described(pieces, ids)


def read(
    archive: Archive, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
) -> PackedBlock:
    """As `try_read`, from the disk where need be. Raises SegmentCorrupt. For the reader thread."""
    pieces: list[_Piece] = []
    for live in _holding(segments, ids):
        before = live.segment.decoded_count
        try:
            pieces.append(_Piece(*live.segment.find(ids, start_us, end_us)))
        except SegmentCorrupt as error:
            archive.set_down(error)
            raise
        archive.cache.note_read(live.segment, before)
    return _described(pieces, ids)


def _holding(segments: Sequence[LiveSegment], ids: PointIdColumn) -> list[LiveSegment]:
    """Those that may hold one of the points, by time: the pieces of a point then follow each other."""
    low, high = int(ids.min()), int(ids.max())
    some = [live for live in segments if live.info.point_min <= high and live.info.point_max >= low]
    return sorted(some, key=lambda live: live.info.time_min_us)


def _described(pieces: Sequence[_Piece], ids: PointIdColumn) -> PackedBlock:
    is_packed = np.ones(len(ids), np.uint8)
    first_us, last_us = np.full(len(ids), TIME_HIGHEST), np.full(len(ids), TIME_LOWEST)
    told = []
    for memory, found in pieces:
        fields = np.empty((packed.FIELD_COUNT, len(ids)), np.int64)
        packed_kernels.describe(memory.held, found, fields, first_us, last_us, is_packed)
        held = memory.held
        told.append(PackedPiece(fields, held.i32, held.missing_slot, held.quality))
    return PackedBlock(ids, tuple(told), is_packed)
