"""The durable home of every sample: log → ring and late buffer → segments.

Owned by the event loop: every method is called there. Three threads work for it and never touch its
state: one writes the log, one reads segments, one makes segments.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.errors import StoreReadOnly, WalFailed
from historian.logs import EventLog
from historian.model.ports import PointDirectory, StoreStatus
from historian.model.sample import (
    LastBlock,
    PointIdColumn,
    RunBlock,
    SampleBatch,
    SampleRun,
    Versions,
    block_of,
    empty_run,
    last_block_of,
)
from historian.settings import StoreSettings
from historian.store import columns, filenames, ring_kernels, wal_record
from historian.store.archive import Archive, LiveSegment
from historian.store.batch_journal import BatchJournal
from historian.store.columns import Rows, StoredRun
from historian.store.durable import DurableFiles
from historian.store.late import Found, LateBuffer
from historian.store.manifest import Manifest
from historian.store.ring import TIME_HIGHEST, TIME_LOWEST, Ring
from historian.store.segment import Batches
from historian.store.wal import Wal

log = EventLog("store")
T = TypeVar("T")


class Existing(NamedTuple):
    """What the store holds for each sample of a batch, before it is written."""

    is_found: npt.NDArray[np.bool_]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]


class SealJob(NamedTuple):
    """Unsealed rows up to `sequence`, on their way into segments."""

    sequence: int
    ring_rows: Rows
    late_rows: Rows
    batches: Batches
    sample_count: int  # of `Store.unsealed_count` at that moment


class Threads:
    """The store's three threads."""

    def __init__(self) -> None:
        self.log = ThreadPoolExecutor(1, "wal")
        self.reader = ThreadPoolExecutor(1, "segment-reader")
        self.maker = ThreadPoolExecutor(1, "segment-maker")

    def shut_down(self) -> None:
        for pool in (self.log, self.reader, self.maker):
            pool.shutdown(wait=True)


class Store:
    """See `recovery.open_store` for how one comes to be, `maintenance` for sealing and merging."""

    def __init__(
        self,
        folder: Path,
        files: DurableFiles,
        clock: Clock,
        directory: PointDirectory,
        settings: StoreSettings,
        manifest: Manifest,
    ) -> None:
        self.folder = folder
        self.files = files
        self.clock = clock
        self.directory = directory
        self.settings = settings
        self.manifest = manifest
        self.threads = Threads()
        self.ring = Ring(settings.ring_hours)
        self.late = LateBuffer()
        self.batch_journal = BatchJournal()
        self.archive = Archive(folder / filenames.SEGMENT_FOLDER, settings.open_segments_max)
        self.wal = Wal(files, folder / filenames.WAL_FOLDER, settings.wal_file_bytes_max, clock)
        self.damage: list[str] = []
        self.applied_sequence = manifest.sealed_sequence
        self._next_sequence = manifest.sealed_sequence + 1
        self._unsealed_count = 0
        self._fault: StoreReadOnly | None = None

    # -- writing ------------------------------------------------------------------------------

    def make_rooms(self, interval_us: npt.NDArray[np.int64]) -> None:
        """Give ring rows to new points: `interval_us` by point id, 0 where there is no point."""
        self.ring.make_rooms(interval_us)

    async def existing(self, batch: SampleBatch) -> Existing | None:
        """What is stored at each (point, time) of the batch; None where surely nothing is, and no
        (point, time) occurs twice in the batch: the everyday case, which costs one kernel call.
        """
        known = self.ring.look_up(batch.point_id, batch.time_us)
        if known.special_count == 0:
            return None
        present = known.state == ring_kernels.PRESENT
        result = Existing(present, known.value, known.quality)
        elsewhere = np.flatnonzero(known.state == ring_kernels.ELSEWHERE)
        if len(elsewhere):
            await self._look_elsewhere(batch, elsewhere, result)
        return result

    async def append(self, parts: Sequence[tuple[SampleBatch, str]]) -> int:
        """Make batches (each with its source) durable, then visible; returns the first one's sequence.

        Raises StoreReadOnly (disk reserve reached) or WalFailed; then none of them is acknowledged.
        Not to be cancelled while it runs, and one call at a time.
        """
        self._check_reserve()
        first = self._take_sequences(len(parts))
        arrival_us = self.clock.now_us()
        records = [
            wal_record.encode_samples(batch, source, first + place, arrival_us)
            for place, (batch, source) in enumerate(parts)
        ]
        await self._write_log(records, first)
        for place, (batch, source) in enumerate(parts):
            self.apply(batch, first + place, arrival_us, source)
        return first

    def apply(self, batch: SampleBatch, sequence: int, arrival_us: int, source: str) -> None:
        """Make a durable batch visible: the step after the log, and what recovery repeats."""
        inserted = self.ring.insert(batch, sequence, self.manifest.sealed_sequence)
        # Of one (point, time) in one batch the later sample wins: what was pushed out came before what is late.
        self.late.add(inserted.pushed_out)
        if len(inserted.late):
            late = Rows(*batch, np.full(batch.sample_count, sequence))
            self.late.add(late.take(inserted.late))
        self.batch_journal.add(sequence, arrival_us, source)
        self.applied_sequence = sequence
        self._next_sequence = max(self._next_sequence, sequence + 1)
        self._unsealed_count += batch.sample_count

    def note_sequence(self, sequence: int) -> None:
        """A sequence number up to this one was seen on disk; it is not given out again."""
        self._next_sequence = max(self._next_sequence, sequence + 1)

    async def close(self) -> None:
        """End the log in order and stop the threads. What is unsealed stays in the log for the next start."""
        await self.in_thread(self.threads.log, self.wal.close)
        self.threads.shut_down()
        self.archive.close()

    async def probe(self) -> None:
        """Where writes failed, try one that carries nothing, so that service resumes by itself."""
        try:
            self._check_reserve()
            if self._fault is not None:
                sequence = self._take_sequences(1)
                mark = wal_record.encode_mark(wal_record.TYPE_PROBE, sequence, self.clock.now_us())
                await self._write_log([mark], sequence)
        except (StoreReadOnly, WalFailed):
            return

    # -- reading ------------------------------------------------------------------------------

    async def read(
        self, point_ids: Sequence[int] | PointIdColumn, start_us: int, end_us: int
    ) -> list[SampleRun]:
        """One run for each id, in the order asked, ``[start, end)``, newest versions only."""
        ids = np.asarray(point_ids, np.uint32)
        if not len(ids) or start_us >= end_us:
            return [empty_run(int(point_id)) for point_id in point_ids]
        return [SampleRun(*run[:4]) for run in await self._read_stored(ids, start_us, end_us)]

    async def read_block(
        self, point_ids: Sequence[int] | PointIdColumn, start_us: int, end_us: int
    ) -> RunBlock:
        """As `read`, in one piece."""
        return block_of(await self.read(point_ids, start_us, end_us))

    async def read_versions(
        self, point_ids: Sequence[int] | PointIdColumn, start_us: int, end_us: int
    ) -> Versions:
        """Every version of the samples in ``[start, end)``, superseded ones too."""
        raise NotImplementedError

    async def last_block(self, point_ids: Sequence[int] | PointIdColumn) -> LastBlock:
        """As `last`, in columns."""
        return last_block_of(await self.last(point_ids))

    async def _read_stored(self, ids: PointIdColumn, start_us: int, end_us: int) -> list[StoredRun]:
        self._require_rooms(ids)
        from_ring = self.ring.read(ids, start_us, end_us)
        in_ring_only = self.ring.floor_us[ids] < start_us
        if in_ring_only.all():
            return from_ring
        rest = np.flatnonzero(~in_ring_only)
        from_late = self.late.read(ids[rest], start_us, end_us)
        segments = self.archive.select(start_us, end_us)
        from_segments = await self._in_reader(self.archive.read, segments, ids[rest], start_us, end_us)
        for place, sealed, late in zip(rest.tolist(), from_segments, from_late, strict=True):
            if sealed or late:
                from_ring[place] = columns.merge_runs([*sealed, *late, from_ring[place]])
        return from_ring

    async def last(self, point_ids: Sequence[int] | PointIdColumn) -> list[SampleRun]:
        """For each id the sample newest by time: a run of one, or an empty run."""
        ids = np.asarray(point_ids, np.uint32)
        if not len(ids):
            return []
        self._require_rooms(ids)
        found, rows = self.ring.newest(ids)
        runs = [SampleRun(*rows.run(p, i, i + 1)[:4]) for i, p in enumerate(ids.tolist())]
        empty = np.flatnonzero(found == 0)
        if not len(empty):
            return runs
        _, newest = self.archive.time_span(ids[empty])
        newest = np.maximum(newest, self.late.newest_time(ids[empty], TIME_HIGHEST))
        for place in empty.tolist():
            runs[place] = empty_run(int(ids[place]))
        for moment in np.unique(newest[newest != TIME_LOWEST]).tolist():
            places = empty[newest == moment]
            for place, run in zip(
                places.tolist(), await self.read(ids[places].tolist(), moment, moment + 1), strict=True
            ):
                runs[place] = run
        return runs

    async def neighbours(self, point_id: int, time_us: int) -> tuple[SampleRun, SampleRun]:
        """The last sample at or before `time_us` and the first after it; empty where there is none."""
        ids = np.array([point_id], np.uint32)
        self._require_rooms(ids)
        first, last = self._held_span(ids)
        before = await self._search(point_id, time_us, first, -1)
        after = await self._search(point_id, time_us, last, +1)
        return before, after

    def status(self) -> StoreStatus:
        """A snapshot; never waits."""
        return StoreStatus(
            is_writable=self._fault is None,
            cause=self._fault.cause if self._fault else "",
            detail=str(self._fault) if self._fault else "",
            sequence=self.applied_sequence,
            segment_count=len(self.archive.live),
            segment_bytes=sum(live.info.size_bytes for live in self.archive.live),
            wal_bytes=self.wal.size_bytes,
            unsealed_sample_count=self._unsealed_count,
            damage=[*self.damage, *self.archive.damage],
        )

    # -- sealing (see maintenance) -------------------------------------------------------------

    def begin_seal(self) -> SealJob | None:
        """Everything unsealed, as copies; None where there is nothing. Ends with `end_seal`."""
        sealed = self.manifest.sealed_sequence
        if self.applied_sequence == sealed:
            return None
        late_rows = self.late.freeze()
        return SealJob(
            self.applied_sequence,
            self.ring.unsealed(sealed),
            late_rows.take(late_rows.sequence > sealed),
            self.batch_journal.snapshot(),
            self._unsealed_count,
        )

    def end_seal(self, job: SealJob, manifest: Manifest, added: Sequence[LiveSegment]) -> None:
        """The rows of `job` are in segments and `manifest` is in force."""
        self.adopt(manifest, added)
        self.late.forget()
        self.batch_journal.drop_through(job.sequence)
        self._unsealed_count -= job.sample_count

    def abandon_seal(self) -> None:
        """Making segments failed; the rows stay where they were."""
        self.late.thaw()

    def adopt(self, manifest: Manifest, added: Sequence[LiveSegment]) -> None:
        """Serve the segments of a new manifest; `added` are those not served before."""
        names = {info.name for info in manifest.segments}
        kept = [live for live in self.archive.live if live.info.name in names]
        self.archive.live = tuple(sorted([*kept, *added], key=lambda live: live.info.generation))
        self.manifest = manifest

    @property
    def needs_seal(self) -> bool:
        """Whether so much is unsealed that memory or start-up would suffer."""
        settings = self.settings
        return (
            self._unsealed_count >= settings.seal_samples_max or self.late.count >= settings.late_samples_max
        )

    @property
    def unsealed_count(self) -> int:
        return self._unsealed_count

    # -- helpers ------------------------------------------------------------------------------

    async def in_thread(self, pool: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
        """Run `work` in one of the store's threads."""
        return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)

    async def _in_reader(self, work: Callable[..., T], *arguments: object) -> T:
        return await self.in_thread(self.threads.reader, work, *arguments)

    def _check_reserve(self) -> None:
        try:
            free = self.files.free_bytes(self.folder)
        except OSError as error:
            detail = f"{self.folder} cannot be used: {error.strerror or error}"
            raise self._with_fault(StoreReadOnly("log_failed", detail)) from error
        reserve = self.settings.disk_reserve_bytes
        if free < reserve:
            detail = f"{free >> 20} MiB are free under {self.folder}, {reserve >> 20} MiB are kept in reserve"
            raise self._with_fault(StoreReadOnly("disk_reserve", f"read-only: {detail}; free some space"))
        if self._fault is not None and self._fault.cause == "disk_reserve":
            self._clear_fault()

    def _take_sequences(self, count: int) -> int:
        first = self._next_sequence
        self._next_sequence += count
        return first

    async def _write_log(self, records: list[wal_record.Bytes], first: int) -> None:
        try:
            await self.in_thread(self.threads.log, self.wal.write, records, first)
        except WalFailed as error:
            self._with_fault(StoreReadOnly("log_failed", str(error)))
            raise
        self._clear_fault()

    def _with_fault(self, fault: StoreReadOnly) -> StoreReadOnly:
        """The fault, from now on shown as the store's."""
        if self._fault is None or self._fault.cause != fault.cause:
            log.error("read_only", cause=fault.cause, detail=fault)
        self._fault = fault
        return fault

    def _clear_fault(self) -> None:
        if self._fault is not None:
            log.info("writable_again", after=self._fault.cause)
            self._fault = None

    async def _look_elsewhere(
        self, batch: SampleBatch, places: npt.NDArray[np.int64], result: Existing
    ) -> None:
        """Fill `result` for samples below the ring's floor, out of late buffer and segments."""
        ids, times = batch.point_id[places], batch.time_us[places]
        found = Found(len(places))
        # Both at one moment, before the first wait: a seal that ends meanwhile moves rows from one to the other.
        self.late.look_up(ids, times, found)
        searches = []
        months = times.view("datetime64[us]").astype("datetime64[M]")
        for month in np.unique(months):
            chosen = months == month
            start, end = int(times[chosen].min()), int(times[chosen].max()) + 1
            searches.append((self.archive.select(start, end), np.unique(ids[chosen]), start, end))
        for segments, wanted, start, end in searches:
            if segments:
                # What a damaged segment held cannot be told; the sample is taken, and being newer, it is read.
                pieces, _ = await self._in_reader(self.archive.read_undamaged, segments, wanted, start, end)
                stored = LateBuffer()
                stored.add(columns.from_runs([columns.merge_runs(runs) for runs in pieces if runs]))
                stored.look_up(ids, times, found)
        result.is_found[places] = found.is_found.view(np.bool_)
        result.value[places] = found.value
        result.quality[places] = found.quality

    def _require_rooms(self, ids: PointIdColumn) -> None:
        """Reading a point that was never written finds no row; it needs one to have a floor."""
        if int(ids.max()) >= self.ring.point_count:
            self.ring.make_rooms(np.zeros(int(ids.max()) + 1, np.int64))

    def _held_span(self, ids: PointIdColumn) -> tuple[int, int]:
        """Outer bounds of where samples of one id lie."""
        first, last = self.archive.time_span(ids)
        held = [run for runs in self.late.read(ids, TIME_LOWEST, TIME_HIGHEST) for run in runs]
        held += self.ring.read(ids, TIME_LOWEST, TIME_HIGHEST)
        filled = [run for run in held if run.sample_count]
        lows = [int(first[0]), *(int(run.time_us[0]) for run in filled)]
        highs = [int(last[0]), *(int(run.time_us[-1]) for run in filled)]
        return min(lows), max(highs)

    async def _search(self, point_id: int, time_us: int, bound_us: int, direction: int) -> SampleRun:
        """The sample nearest to `time_us` in one direction, in windows that double up to `bound_us`."""
        width = 3_600_000_000
        edge = time_us + 1
        while (edge <= bound_us) if direction > 0 else (edge > bound_us):
            if direction > 0:
                span = (edge, min(edge + width, bound_us + 1))
            else:
                span = (max(edge - width, bound_us), edge)
            [run] = await self.read([point_id], *span)
            if run.sample_count:
                at = 0 if direction > 0 else run.sample_count - 1
                return run.part(at, at + 1)
            edge = span[1] if direction > 0 else span[0]
            width *= 8
        return empty_run(point_id)
