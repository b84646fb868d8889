"""The read side of the embedded store: ring for what is new, segments and unsealed batches for the rest.

Owned by the event loop. What is in memory is taken at one moment, before the first wait: a seal that ends
meanwhile moves rows from the unsealed batches to segments, and neither place alone would show them.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from historian.model.packed import PackedBlock
from historian.model.point import DAY_US, HOUR_US
from historian.model.sample import (
    LastBlock,
    PointIdColumn,
    RunBlock,
    SampleBatch,
    SampleRun,
    TimeColumn,
    Versions,
    empty_block,
    empty_last_block,
    empty_run,
)
from historian.store import columns, packed, read_kernels, versions
from historian.store.archive import Archive
from historian.store.batch_journal import BatchJournal
from historian.store.ring import ELSEWHERE, PRESENT, TIME_HIGHEST, TIME_LOWEST, Ring
from historian.store.unsealed import Found, Unsealed

T = TypeVar("T")
Ids = Sequence[int] | PointIdColumn

LOOP_POINT_DAYS_MAX = 2_000  # copied out of the cache on the loop: a millisecond at 15 minutes

_NO_ROWS = columns.make_rows(0)
_SEARCH_FIRST_US = HOUR_US
_SEARCH_GROWTH = 8


class Existing(NamedTuple):
    """What the store holds for each sample of a batch, before it is written."""

    is_found: npt.NDArray[np.bool_]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]


class Reader:
    """See the module. `has_old_versions` says that unsealed rows may be older versions than sealed ones."""

    def __init__(
        self,
        ring: Ring,
        unsealed: Unsealed,
        archive: Archive,
        journal: BatchJournal,
        pool: ThreadPoolExecutor,
        copiers: ThreadPoolExecutor,
    ) -> None:
        self._ring = ring
        self._unsealed = unsealed
        self._archive = archive
        self._journal = journal
        self._pool = pool
        self._copiers = copiers
        self.has_old_versions = False

    async def existing(self, batch: SampleBatch) -> Existing | None:
        """What is stored at each (point, time) of the batch; None where surely nothing is, and no
        (point, time) occurs twice in the batch: the everyday case, which costs one kernel call.
        """
        known = self._ring.look_up(batch.point_id, batch.time_us)
        if known.special_count == 0:
            return None
        result = Existing(known.state == PRESENT, known.value, known.quality)
        places = np.flatnonzero(known.state == ELSEWHERE)
        if len(places):
            found = await self.look_up(batch.point_id[places], batch.time_us[places])
            result.is_found[places] = found.is_found.view(np.bool_)
            result.value[places] = found.value
            result.quality[places] = found.quality
        return result

    async def look_up(self, ids: PointIdColumn, times: TimeColumn) -> Found:
        """The newest version at each (point, time), wherever it lies below the ring's floor.

        What a damaged segment held cannot be told; the sample is taken, and being newer, it is read.
        """
        found = Found(len(ids))
        self._unsealed.look_up(ids, times, found)
        segments = self._archive.select(int(times.min()), int(times.max()) + 1)
        if segments:
            await self._in_thread(self._archive.look_up, segments, ids, times, found)
        return found

    async def read_block(self, point_ids: Ids, start_us: int, end_us: int) -> RunBlock:
        """See `StoreEngine.read_block`. Raises SegmentCorrupt: an answer is never a part of what is stored."""
        ids = np.ascontiguousarray(point_ids, np.uint32)
        if not len(ids) or start_us >= end_us:
            return empty_block(ids)
        self._require_rooms(ids)
        lowest_us, highest_us, newest_us = self._ring.reach(ids)
        is_recent = newest_us >= start_us and end_us - 1 > lowest_us
        if is_recent and highest_us >= start_us and end_us <= self.packed_until_us:
            cached = self._try_read_sealed(ids, start_us, end_us)  # has it all, and nothing is to be joined
            if cached is not None:
                return cached
        recent = self._ring.read_block(ids, start_us, end_us) if is_recent else empty_block(ids)
        if highest_us < start_us:
            return recent
        if self.has_old_versions:
            return await self._read_by_version(ids, start_us, end_us)
        until_us = min(end_us, highest_us + 1)
        late = self._unsealed.read_newest(ids, start_us, until_us) if self._unsealed.count else _NO_ROWS
        has_more = late.row_count or recent.sample_count
        floor_us = self._ring.floors(ids) if has_more else None
        sealed = await self._read_sealed(ids, start_us, until_us)
        if floor_us is None:
            return sealed  # the ring has all above the floors, which is nothing, so nothing sealed lies there
        return _join(sealed, columns.rows_to_block(late, ids), recent, floor_us)

    def _try_read_sealed(self, ids: PointIdColumn, start_us: int, end_us: int) -> RunBlock | None:
        """Out of segments, where little is asked for and all of it is in the cache."""
        if len(ids) * (end_us - start_us) > LOOP_POINT_DAYS_MAX * DAY_US:
            return None
        segments = self._archive.select(start_us, end_us)
        return self._archive.try_read_block(segments, ids, start_us, end_us)

    @property
    def packed_until_us(self) -> int:
        """What lies earlier can be read by `read_packed`."""
        return TIME_LOWEST if self.has_old_versions else self._unsealed.time_span()[0]

    async def read_packed(self, ids: PointIdColumn, start_us: int, end_us: int) -> PackedBlock | None:
        """See `ports.PackedReader`. What is in the ring is in segments too, but for what is unsealed."""
        if not len(ids) or end_us > self.packed_until_us:
            return None
        segments = self._archive.select(start_us, end_us)
        arguments = (self._archive, segments, ids, start_us, end_us)
        if len(ids) * (end_us - start_us) <= LOOP_POINT_DAYS_MAX * DAY_US:
            found = packed.try_read(*arguments)
        else:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._copiers, packed.try_read, *arguments)
        return found or await self._in_thread(packed.read, *arguments)

    async def read(self, point_ids: Ids, start_us: int, end_us: int) -> list[SampleRun]:
        """As `read_block`, one run for each id."""
        return (await self.read_block(point_ids, start_us, end_us)).runs()

    async def read_versions(self, point_ids: Ids, start_us: int, end_us: int) -> Versions:
        """Every version of the samples in ``[start, end)``, superseded ones too."""
        ids = np.unique(np.ascontiguousarray(point_ids, np.uint32))
        rows = self._unsealed.read_versions(ids, start_us, end_us)
        batches = self._journal.snapshot()
        segments = self._archive.select(start_us, end_us)
        sealed = await self._in_thread(self._archive.read_versions, segments, ids, start_us, end_us)
        return versions.join(sealed, rows, batches)

    async def last_block(self, point_ids: Ids) -> LastBlock:
        """See `StoreEngine.last_block`."""
        ids = np.ascontiguousarray(point_ids, np.uint32)
        if not len(ids):
            return empty_last_block()
        self._require_rooms(ids)
        block = self._ring.newest(ids)
        open_places = np.flatnonzero(~block.is_found | (block.time_us <= self._ring.floors(ids)))
        if len(open_places):
            await self._find_last(ids, open_places, block)
        return block

    async def last(self, point_ids: Ids) -> list[SampleRun]:
        """As `last_block`: a run of one, or an empty run, for each id."""
        block = await self.last_block(point_ids)
        return [
            SampleRun(int(p), block.time_us[i : i + 1], block.value[i : i + 1], block.quality[i : i + 1])
            if block.is_found[i]
            else empty_run(int(p))
            for i, p in enumerate(point_ids)
        ]

    async def neighbours(self, point_id: int, time_us: int) -> tuple[SampleRun, SampleRun]:
        """The last sample at or before `time_us` and the first after it; empty where there is none."""
        ids = np.array([point_id], np.uint32)
        self._require_rooms(ids)
        first, last = self._held_span(ids)
        before = await self._search(point_id, time_us, first, -1)
        after = await self._search(point_id, time_us, last, +1)
        return before, after

    async def _read_sealed(self, ids: PointIdColumn, start_us: int, end_us: int) -> RunBlock:
        """Out of segments; where little is asked for and all of it is in the cache, without a change of thread."""
        segments = self._archive.select(start_us, end_us)
        if not segments:
            return empty_block(ids)
        read = self._archive.try_read_block
        if len(ids) * (end_us - start_us) <= LOOP_POINT_DAYS_MAX * DAY_US:
            cached = read(segments, ids, start_us, end_us)
        else:
            loop = asyncio.get_running_loop()
            cached = await loop.run_in_executor(self._copiers, read, segments, ids, start_us, end_us)
        if cached is not None:
            return cached
        return await self._in_thread(self._archive.read_block, segments, ids, start_us, end_us)

    async def _read_by_version(self, ids: PointIdColumn, start_us: int, end_us: int) -> RunBlock:
        """The slow way: compare the version of every sample, wherever it lies."""
        found = await self.read_versions(ids, start_us, end_us)
        newest, _ = columns.split_versions([columns.Rows(*found[:5])])
        return columns.rows_to_block(newest, ids)

    async def _find_last(self, ids: PointIdColumn, places: npt.NDArray[np.int64], block: LastBlock) -> None:
        """Fill in the newest samples of points that the ring cannot answer for."""
        wanted = ids[places]
        newest = self._unsealed.newest_time(wanted, TIME_HIGHEST)
        block.is_found[places] = False  # below the floor the ring may hold what was removed since
        sealed = await self._in_thread(self._archive.newest, self._archive.live, wanted, TIME_HIGHEST)
        is_sealed = sealed.is_found & (sealed.time_us > newest)
        into: tuple[npt.NDArray[Any], ...] = block
        columns_found: tuple[npt.NDArray[Any], ...] = sealed
        for own, column in zip(into, columns_found, strict=True):
            own[places[is_sealed]] = column[is_sealed]
        newest = np.maximum(newest, sealed.time_us)
        newest[is_sealed] = TIME_LOWEST
        for day in np.unique(newest[newest != TIME_LOWEST] // DAY_US).tolist():
            chosen = np.flatnonzero(newest // DAY_US == day)
            start_us, end_us = int(newest[chosen].min()), int(newest[chosen].max()) + 1
            found = await self.read_block(wanted[chosen], start_us, end_us)
            read_kernels.take_last(*found[1:], places[chosen], *block)

    def _held_span(self, ids: PointIdColumn) -> tuple[int, int]:
        """Outer bounds of where samples of one id may lie; (highest, lowest) where there are none."""
        first, last = self._archive.time_span(ids)
        spans = [(int(first[0]), int(last[0]))]
        unsealed = self._unsealed.time_span()
        if unsealed is not None:
            spans.append(unsealed)
        return min(low for low, _ in spans), max(high for _, high in spans)

    async def _search(self, point_id: int, time_us: int, bound_us: int, direction: int) -> SampleRun:
        """The sample nearest to `time_us` in one direction, in windows that grow up to `bound_us`."""
        width = _SEARCH_FIRST_US
        edge = time_us + 1
        while (edge <= bound_us) if direction > 0 else (edge > bound_us):
            if direction > 0:
                span = (edge, min(edge + width, bound_us + 1))
            else:
                span = (max(edge - width, bound_us), edge)
            run = (await self.read_block([point_id], *span)).run(0)
            if run.sample_count:
                at = 0 if direction > 0 else run.sample_count - 1
                return run.part(at, at + 1)
            edge = span[1] if direction > 0 else span[0]
            width *= _SEARCH_GROWTH
        return empty_run(point_id)

    def _require_rooms(self, ids: PointIdColumn) -> None:
        """Reading a point that was never written finds no row; it needs a place to have a floor."""
        highest = int(ids[0] if len(ids) == 1 else ids.max())
        if highest >= self._ring.point_count:
            self._ring.make_rooms(np.zeros(highest + 1, np.int64))

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)


def _join(sealed: RunBlock, late: RunBlock, recent: RunBlock, floor_us: TimeColumn) -> RunBlock:
    """Sealed and late samples up to each point's floor, the later version winning; recent ones above it."""
    room = sealed.sample_count + late.sample_count + recent.sample_count
    offset = np.empty(sealed.run_count + 1, np.int64)
    time_us, value, quality = np.empty(room, np.int64), np.empty(room, np.float64), np.empty(room, np.uint16)
    count = read_kernels.join(sealed[1:], late[1:], recent[1:], floor_us, offset, (time_us, value, quality))
    return RunBlock(sealed.point_id, offset, time_us[:count], value[:count], quality[:count])
