"""The live segments as one readable whole: which of them hold a point's time range, and their damage.

What lies in memory may be read by any thread; disk reads come from the reader thread, since HDF5 does one
thing at a time anyway.
"""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.errors import SegmentCorrupt
from historian.logs import EventLog
from historian.model.sample import LastBlock, PointIdColumn, RunBlock, TimeColumn, Versions, empty_block
from historian.settings import StoreSettings
from historian.store import archive_kernels, columns, filenames, segment_read_kernels, versions
from historian.store import segment_copy_kernels as copy_kernels
from historian.store.manifest import SegmentInfo
from historian.store.segment import Memory, Segment, copy_block
from historian.store.segment_cache import SegmentCache
from historian.store.segment_read_kernels import Found
from historian.store.unsealed import Found as FoundSamples
from historian.store.workshop import Workshop

log = EventLog("archive")

TIME_LOWEST = int(np.iinfo(np.int64).min)
TIME_HIGHEST = int(np.iinfo(np.int64).max)
_FEW_SEGMENTS = 32  # looked at one by one sooner than numpy begins
_DAY_ROOM = 128  # samples of a day of quarters of an hour, and some beside it


class LiveSegment:
    """A segment that the manifest lists."""

    def __init__(self, info: SegmentInfo, segment: Segment) -> None:
        self.info = info
        self.segment = segment


class _Piece(NamedTuple):
    """What one segment has of the points asked for."""

    live: LiveSegment
    memory: Memory
    found: Found


class Archive:
    """`live` is changed by the event loop only; reads take the segments they are to use, oldest first."""

    def __init__(self, folder: Path, settings: StoreSettings) -> None:
        """`folder` is the data folder."""
        self._folder = folder / filenames.SEGMENT_FOLDER
        self.cold_folder = Path(settings.cold_folder) if settings.cold_folder else None
        self._damaged_paths: set[str] = set()
        self._bounds = np.empty((2, 0), np.int64)
        self._unserved: list[LiveSegment] = []
        self.workshop = Workshop(settings)
        self.cache = SegmentCache(settings.cache_bytes_max, settings.open_segments_max)
        self.live: tuple[LiveSegment, ...] = ()
        self.damage: list[str] = []

    @property
    def time_max_us(self) -> int:
        """The newest time in a segment; the lowest of all where there is none."""
        return int(self._bounds[1].max(initial=TIME_LOWEST))

    @property
    def point_max(self) -> int:
        """No segment holds a point beyond; 0 where there is none."""
        return max((live.info.point_max for live in self.live), default=0)

    def path(self, info: SegmentInfo) -> Path:
        """Where a segment lies."""
        if info.tier == "cold" and self.cold_folder is not None:
            return self.cold_folder / info.name
        return self._folder / info.name

    def load(self, infos: Iterable[SegmentInfo]) -> list[LiveSegment]:
        """The segments of a manifest, without reading them; one whose file is not as told is set down in `damage`."""
        loaded = []
        for info in infos:
            live = LiveSegment(info, Segment(self.path(info)))
            try:
                size = live.segment.path.stat().st_size
                if size != info.size_bytes:
                    raise SegmentCorrupt(
                        str(live.segment.path), f"the file has {size} bytes instead of {info.size_bytes}"
                    )
            except OSError as error:
                self.set_down(SegmentCorrupt(str(live.segment.path), f"cannot be found: {error.strerror}"))
            except SegmentCorrupt as error:
                self.set_down(error)
            loaded.append(live)
        return loaded

    def open_new(self, infos: Iterable[SegmentInfo]) -> list[LiveSegment]:
        """Open segments that were just made. Raises SegmentCorrupt. For the reader thread."""
        opened = []
        for info in infos:
            segment = Segment(self.path(info))
            segment.memory()
            self.cache.note_read(segment, -1)
            opened.append(LiveSegment(info, segment))
        return opened

    def adopt(self, infos: Sequence[SegmentInfo], added: Iterable[LiveSegment]) -> None:
        """Serve the segments of a new manifest; `added` are those not served before, or served elsewhere."""
        known = {live.info.name: live.segment for live in itertools.chain(self.live, added)}
        serving = [LiveSegment(info, known[info.name]) for info in infos if info.name in known]
        kept = {live.segment for live in serving}
        self._unserved += [live for live in self.live if live.segment not in kept]
        self.live = tuple(sorted(serving, key=lambda live: live.info.order))
        times = [(live.info.time_min_us, live.info.time_max_us) for live in self.live]
        self._bounds = np.array(times, np.int64).reshape(-1, 2).T.copy()

    def select(self, start_us: int, end_us: int) -> list[LiveSegment]:
        """Segments that may hold samples in ``[start, end)``, in their order."""
        if len(self.live) <= _FEW_SEGMENTS:
            return [
                live
                for live in self.live
                if live.info.time_min_us < end_us and live.info.time_max_us >= start_us
            ]
        low, high = self._bounds
        return [self.live[place] for place in np.flatnonzero((low < end_us) & (high >= start_us)).tolist()]

    def read_block(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
    ) -> RunBlock:
        """The newest version of each sample in ``[start, end)``. For the reader thread.

        Raises SegmentCorrupt where one cannot be read: an answer is never a part of what is stored.
        """
        block, damaged = self._read(segments, ids, start_us, end_us)
        if damaged is not None:
            raise damaged
        return block

    def read_undamaged_block(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
    ) -> tuple[RunBlock, bool]:
        """As `read_block`, but passes over segments that cannot be read, and tells whether it did."""
        block, damaged = self._read(segments, ids, start_us, end_us)
        return block, damaged is not None

    def try_read_block(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
    ) -> RunBlock | None:
        """As `read_block` where all that is needed is in memory, else None. Never waits; for any thread."""
        chosen = _with_points(segments, ids)
        if len(chosen) == 1 or len(ids) == 1:
            end, block = self._copy_in_order(chosen, ids, start_us, end_us)
            if end != copy_kernels.UNORDERED:
                return block
        pieces: list[_Piece] = []
        for live in chosen:
            got = live.segment.try_find(ids, start_us, end_us)
            if got is None:
                return None
            self.cache.note_hit(live.segment)
            pieces.append(_Piece(live, *got))
        return self._put_together(pieces, ids, is_waiting_allowed=False)

    def _copy_in_order(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
    ) -> tuple[int, RunBlock | None]:
        """Many points out of one segment, or one point out of several that follow each other.

        No block, but why, where that cannot be.
        """
        room = _DAY_ROOM if len(ids) == 1 else 0
        while True:
            offset, at = np.zeros(len(ids) + 1, np.int64), 0
            samples = (np.empty(room, np.int64), np.empty(room), np.empty(room, np.uint16))
            for live in segments:
                held = live.segment.held
                if held is None:
                    return copy_kernels.LACKING, None
                at = copy_kernels.copy_runs(held, ids, start_us, end_us, at, offset, *samples)
                if at < 0:
                    return at, None
                self.cache.note_hit(live.segment)
            if at <= room:
                offset[0] = 0
                return at, RunBlock(ids, offset, samples[0][:at], samples[1][:at], samples[2][:at])
            room = at

    def look_up(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, times: TimeColumn, found: FoundSamples
    ) -> None:
        """Put the newest version at each (id, time) into `found`, unless what is there is newer.

        Passes over segments that cannot be read: what they held cannot be told. For the reader thread.
        """
        results = (found.is_found, found.value, found.quality, found.sequence)
        for live in reversed(segments):
            info = live.info
            is_open = (found.is_found == 0) | (found.sequence < info.sequence_max)
            is_open &= (times >= info.time_min_us) & (times <= info.time_max_us)
            places = np.flatnonzero(is_open & (ids >= info.point_min) & (ids <= info.point_max))
            if not len(places):
                continue
            before = live.segment.decoded_count
            try:
                memory, at = live.segment.find_exact(ids, times, places)
                block = copy_block(memory.held, at, ids[places])
                sequence = np.empty(block.sample_count, np.int64)
                live.segment.sequences(memory, at, block.offset, block.time_us, sequence)
            except SegmentCorrupt as error:
                self.set_down(error)
                continue
            self.cache.note_read(live.segment, before)
            samples = (block.value, block.quality, sequence)
            archive_kernels.take_newer(places, at.size, samples, results)

    def read_versions(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
    ) -> Versions:
        """Every version in ``[start, end)``, superseded ones too. Raises SegmentCorrupt. For the reader thread."""
        result = versions.empty()
        for live in _with_points(segments, ids):
            before = live.segment.decoded_count
            try:
                rows = live.segment.read_point_rows(ids, start_us, end_us)
                older = live.segment.read_superseded() if live.info.superseded_count else columns.make_rows(0)
                older = columns.select(older, ids, start_us, end_us)
                batches = live.segment.read_batches()
            except SegmentCorrupt as error:
                self.set_down(error)
                raise
            self.cache.note_read(live.segment, before)
            result = versions.join(result, columns.concatenate([older, rows]), batches)
        return result

    def time_span(
        self, ids: PointIdColumn, segments: Sequence[LiveSegment] | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """First and last time of each id in all segments (or these); (maximum, minimum) where there is none."""
        first = np.full(len(ids), TIME_HIGHEST)
        last = np.full(len(ids), TIME_LOWEST)
        chosen = _with_points(self.live if segments is None else segments, ids)
        for live in sorted(chosen, key=lambda live: -live.info.time_max_us):
            if not len(ids) or (first.max() <= live.info.time_min_us and last.min() >= live.info.time_max_us):
                continue
            memory = self._index_of(live)
            if memory is not None:
                segment_read_kernels.widen_span(memory.held, ids, first, last)
        return first, last

    def newest(self, segments: Sequence[LiveSegment], ids: PointIdColumn, before_us: int) -> LastBlock:
        """Of each id the sample last before `before_us`. Raises SegmentCorrupt. For the reader thread."""
        times = np.full(len(ids), TIME_LOWEST)
        segments = [live for live in _with_points(segments, ids) if live.info.time_min_us < before_us]
        for live in sorted(segments, key=lambda live: -live.info.time_max_us):
            if times.min(initial=TIME_HIGHEST) >= live.info.time_max_us:
                continue
            before = live.segment.decoded_count
            try:
                live.segment.newest_before(ids, before_us, times)
            except SegmentCorrupt as error:
                self.set_down(error)
                raise
            self.cache.note_read(live.segment, before)
        found = FoundSamples(len(ids))
        self.look_up(segments, ids, times, found)
        return LastBlock(found.is_found.view(np.bool_), times, found.value, found.quality)

    def point_ids(self) -> PointIdColumn:
        """Every id that occurs in a segment, sorted. Reads every index."""
        memories = [self._index_of(live) for live in self.live]
        ids = [memory.held.point_id for memory in memories if memory is not None]
        return np.unique(np.concatenate(ids)) if ids else np.empty(0, np.uint32)

    def mergeable(self) -> list[LiveSegment]:
        """The segments without known damage: what is damaged stays as it is, for a person to look at."""
        return [live for live in self.live if str(live.segment.path) not in self._damaged_paths]

    def require_undamaged(self, start_us: int, end_us: int) -> None:
        """Raise SegmentCorrupt where a segment in ``[start, end)`` is known to be damaged."""
        for live in self.select(start_us, end_us):
            if str(live.segment.path) in self._damaged_paths:
                raise SegmentCorrupt(str(live.segment.path), "is damaged; see the status of the store")

    def set_down(self, error: SegmentCorrupt) -> None:
        """Remember damage, once a file."""
        if error.path not in self._damaged_paths:
            self._damaged_paths.add(error.path)
            self.damage.append(str(error))
            log.error("segment_damaged", file=error.path, problem=error)

    def close(self) -> None:
        """Stop merging and let go of all files."""
        self.workshop.close()
        self.cache.close_files()

    def let_go(self, names: Iterable[str]) -> None:
        """Close files that are about to be removed, since open ones keep their space. For the reader thread."""
        wanted = set(names)
        chosen = [live for live in (*self.live, *self._unserved) if live.info.name in wanted]
        self._unserved = [live for live in self._unserved if live.info.name not in wanted]
        self.cache.let_go([live.segment for live in chosen])

    def _index_of(self, live: LiveSegment) -> Memory | None:
        """A segment's memory, its index read if need be; None where it is damaged."""
        try:
            memory = live.segment.memory()
        except SegmentCorrupt as error:
            self.set_down(error)
            return None
        self.cache.note_read(live.segment, live.segment.decoded_count)
        return memory

    def _read(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
    ) -> tuple[RunBlock, SegmentCorrupt | None]:
        """What could be read, and the first damage that was met."""
        pieces: list[_Piece] = []
        damaged = None
        for live in _with_points(segments, ids):
            before = live.segment.decoded_count
            try:
                pieces.append(_Piece(live, *live.segment.find(ids, start_us, end_us)))
            except SegmentCorrupt as error:
                self.set_down(error)
                damaged = damaged or error
            else:
                self.cache.note_read(live.segment, before)
        block = self._put_together(pieces, ids, is_waiting_allowed=True)
        assert block is not None, "it may wait"
        return block, damaged

    def _put_together(
        self, pieces: list[_Piece], ids: PointIdColumn, *, is_waiting_allowed: bool
    ) -> RunBlock | None:
        """One block out of what the segments have; None where it would have to read and may not."""
        if len(pieces) > 1:
            pieces = [piece for piece in pieces if piece.found.size.any()] or pieces[:1]
        if not pieces:
            return empty_block(ids)
        if len(pieces) == 1:
            return copy_block(pieces[0].memory.held, pieces[0].found, ids)
        count = np.stack([piece.found.size for piece in pieces])
        at, offset = np.empty_like(count), np.empty(len(ids) + 1, np.int64)
        total = archive_kernels.place(count, at, offset)
        samples = (np.empty(total, np.int64), np.empty(total), np.empty(total, np.uint16))
        for place, piece in enumerate(pieces):
            segment_read_kernels.fill(piece.memory.held, piece.found, at[place], *samples)
        if archive_kernels.is_rising(count, at, samples[0]):
            return RunBlock(ids, offset, *samples)
        sequence = np.empty(0, np.int64)
        if not _is_in_order(pieces):
            if not is_waiting_allowed:
                return None
            sequence = np.empty(total, np.int64)
            for place, piece in enumerate(pieces):
                self._read_sequences(piece, at[place], samples[0], sequence)
        out = (np.empty(total, np.int64), np.empty(total), np.empty(total, np.uint16))
        kept = archive_kernels.unite(count, at, samples, sequence, offset, out)
        return RunBlock(ids, offset, out[0][:kept], out[1][:kept], out[2][:kept])

    def _read_sequences(
        self, piece: _Piece, at: npt.NDArray[np.int64], time: TimeColumn, sequence: npt.NDArray[np.int64]
    ) -> None:
        try:
            piece.live.segment.sequences(piece.memory, piece.found, at, time, sequence)
        except SegmentCorrupt as error:
            self.set_down(error)
            raise


def _with_points(segments: Sequence[LiveSegment], ids: PointIdColumn) -> list[LiveSegment]:
    """Those that may hold one of the points."""
    if not len(ids):
        return []
    low, high = (int(ids[0]),) * 2 if len(ids) == 1 else (int(ids.min()), int(ids.max()))
    return [live for live in segments if live.info.point_min <= high and live.info.point_max >= low]


def _is_in_order(pieces: Sequence[_Piece]) -> bool:
    """Whether no sample of a segment has a lower sequence than one of a segment before it."""
    highest = TIME_LOWEST
    for piece in pieces:
        if piece.live.info.sequence_min < highest:
            return False
        highest = piece.live.info.sequence_max
    return True
