"""The durable home of every sample, the embedded engine: log → ring and unsealed batches → segments.

Owned by the event loop: every method is called there. Three threads work for it and never touch its
state: one writes the log, one reads segments, one makes segments.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.errors import HistorianError, StoreReadOnly, WalFailed
from historian.logs import EventLog
from historian.model.ports import DirtyMarker, PointDirectory, StoreStatus
from historian.model.sample import Origin, PointIdColumn, SampleBatch
from historian.settings import StoreSettings
from historian.store import filenames, wal_record
from historian.store.archive import Archive, LiveSegment
from historian.store.batch_journal import BatchJournal
from historian.store.durable import DurableFiles
from historian.store.engine import Ticket, VersionColumn
from historian.store.log_thread import LogThread
from historian.store.manifest import POINT_ID_MAX, Manifest
from historian.store.reader import Reader
from historian.store.ring import Ring
from historian.store.segment import Batches
from historian.store.unsealed import Found, Frozen, Unsealed
from historian.store.wal import Wal

log = EventLog("store")
T = TypeVar("T")

RESERVE_CHECK_S: Final = 0.1  # what the log takes meanwhile is small against the reserve
FAILURES_KEPT_MAX: Final = 64  # tickets of failed writes are redeemed at once; older ones nobody holds
COPIERS = 2  # threads; more would only wait for each other's memory


class SealJob(NamedTuple):
    """What is unsealed up to a log record, on its way into segments."""

    record: int
    frozen: Frozen
    batches: Batches
    sample_count: int


class Threads:
    """The store's threads. `copiers` take large reads out of the cache, so that the loop need not."""

    def __init__(self) -> None:
        self.log = LogThread()
        self.reader = ThreadPoolExecutor(1, "segment-reader")
        self.maker = ThreadPoolExecutor(1, "segment-maker")
        self.copiers = ThreadPoolExecutor(COPIERS, "segment-copier")

    def shut_down(self) -> None:
        self.log.shut_down()
        for pool in (self.reader, self.maker, self.copiers):
            pool.shutdown(wait=True)


class _Pending(NamedTuple):
    """A batch that was appended and waits for its commit."""

    batch: SampleBatch
    origin: Origin
    record: int
    version: int


class _Failure(NamedTuple):
    """Records ``[first, last]`` were not written."""

    first: int
    last: int
    error: HistorianError


class Store(Reader):
    """See `recovery.open_store` for how one comes to be, `maintenance` for sealing and merging.

    Implements `ports.SampleReader` and `ports.StoreHealth`; `embedded` makes it a `engine.StoreEngine`.
    """

    def __init__(
        self,
        folder: Path,
        files: DurableFiles,
        clock: Clock,
        directory: PointDirectory,
        settings: StoreSettings,
        manifest: Manifest,
        marker: DirtyMarker,
    ) -> None:
        """`marker` is told at once what becomes visible: a seal that begins next drops the log that could tell again."""
        self.folder = folder
        self.files = files
        self.clock = clock
        self.directory = directory
        self.settings = settings
        self.manifest = manifest
        self.generation = 0  # see `ports.StoreHealth`
        self.marker = marker
        self.threads = Threads()
        self.ring = Ring(settings.ring_hours)
        self.unsealed = Unsealed()
        self.batch_journal = BatchJournal()
        self.archive = Archive(folder, settings)
        super().__init__(
            self.ring,
            self.unsealed,
            self.archive,
            self.batch_journal,
            self.threads.reader,
            self.threads.copiers,
        )
        self.wal = Wal(files, folder / filenames.WAL_FOLDER, settings.wal_file_bytes_max, clock)
        self.damage: list[str] = []
        self.applied_sequence = manifest.sealed_sequence
        self._next_record = manifest.sealed_sequence + 1
        self._version_highest = max(
            (info.sequence_max for info in manifest.segments), default=manifest.sealed_sequence
        )
        self._applied_version = self._version_highest
        self._unsealed_id_highest = 0  # of batches replayed at start
        self._old_version_record = 0  # the newest record with versions older than some stored before it
        self._pending: list[_Pending] = []
        self._settled_record = self.applied_sequence
        self._failures: deque[_Failure] = deque(maxlen=FAILURES_KEPT_MAX)
        self._writing: asyncio.Future[None] | None = None
        self._fault: StoreReadOnly | None = None
        self._reserve_good_until_s = float("-inf")

    # -- writing ------------------------------------------------------------------------------

    def make_rooms(self, interval_us: npt.NDArray[np.int64]) -> None:
        """Give ring places to new points: `interval_us` by point id, 0 where there is no point."""
        self.ring.make_rooms(interval_us)

    def append(
        self, batch: SampleBatch, origin: Origin, version: int | VersionColumn | None = None
    ) -> Ticket:
        """See `StoreEngine.append`. The batch must not be empty."""
        if isinstance(version, np.ndarray):
            for single in np.unique(version).tolist():
                ticket = self.append(batch.take(version == single), origin, single)
            return ticket
        record = max(self._next_record, self._version_highest + 1) if version is None else self._next_record
        self._next_record = record + 1
        if version is None:
            self._version_highest = record
        self._pending.append(_Pending(batch, origin, record, record if version is None else version))
        return Ticket(record)

    async def commit(self, ticket: Ticket) -> None:
        """See `StoreEngine.commit`. Where it is cancelled, its samples may or may not be stored."""
        while ticket.record > self._settled_record:
            if self._writing is not None:
                await asyncio.shield(self._writing)
                continue
            self._writing = asyncio.get_running_loop().create_future()
            try:
                await self._write_pending()
            finally:
                self._writing.set_result(None)
                self._writing = None
        for failure in self._failures:
            if failure.first <= ticket.record <= failure.last:
                raise failure.error

    def apply(self, batch: SampleBatch, record: int, version: int, arrival_us: int, origin: Origin) -> None:
        """Make a durable batch visible: the step after the log, and what recovery repeats."""
        if version <= self._applied_version:
            batch = self._without_repeats(batch, record, version)
        else:
            self.ring.insert(batch)
        self._applied_version = max(self._applied_version, version)
        if batch.sample_count:
            self.unsealed.add(batch, version, record)
        self.batch_journal.add(record, version, arrival_us, origin)
        self.marker.mark(batch.point_id, batch.time_us)
        self.applied_sequence = record
        self.note_record(record, version)

    def note_points(self, point_id: PointIdColumn) -> None:
        """These ids were found in the log."""
        self._unsealed_id_highest = max(self._unsealed_id_highest, int(point_id.max()))

    def note_record(self, record: int, version: int = 0) -> None:
        """Numbers up to these were seen on disk; they are not given out again."""
        self._next_record = max(self._next_record, record + 1)
        self._version_highest = max(self._version_highest, version)
        self._settled_record = max(self._settled_record, record)

    async def close(self) -> None:
        """End the log in order and stop the threads. What is unsealed stays in the log for the next start."""
        await self.threads.log.run(self.wal.close)
        self.threads.shut_down()
        self.archive.close()

    async def probe(self) -> None:
        """Where writes failed, try one that carries nothing, so that service resumes by itself."""
        try:
            self._check_reserve()
            if self._fault is not None and self._writing is None:
                record = self._next_record
                self._next_record += 1
                mark = wal_record.encode_mark(wal_record.TYPE_PROBE, record, self.clock.now_us())
                await self._write_log(lambda: [mark], record, record)
        except (StoreReadOnly, WalFailed):
            return

    # -- health -------------------------------------------------------------------------------

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
            unsealed_sample_count=self.unsealed.count,
            damage=[*self.damage, *self.archive.damage],
        )

    @property
    def point_id_highest(self) -> int:
        """The highest point id that data are stored of, as far as segments that can be read say; 0 for none."""
        sealed = self.archive.point_max
        if sealed == POINT_ID_MAX:  # segments of a manifest that did not say yet
            ids = self.archive.point_ids()
            sealed = int(ids[-1]) if len(ids) else 0
        return max(sealed, self._unsealed_id_highest)

    @property
    def unsealed_count(self) -> int:
        return self.unsealed.count

    @property
    def needs_seal(self) -> bool:
        """Whether so much is unsealed that memory or start-up would suffer."""
        return self.unsealed.count >= self.settings.seal_samples_max

    @property
    def is_overfull(self) -> bool:
        """Whether sealing has fallen so far behind that writers have to wait."""
        return self.unsealed.count >= self.settings.unsealed_samples_max

    # -- sealing (see maintenance) -------------------------------------------------------------

    def begin_seal(self) -> SealJob | None:
        """Everything unsealed, at no cost; None where there is nothing. Ends with `end_seal`."""
        if self.applied_sequence == self.manifest.sealed_sequence:
            return None
        frozen = self.unsealed.freeze()
        return SealJob(self.applied_sequence, frozen, self.batch_journal.snapshot(), frozen.sample_count)

    def end_seal(self, job: SealJob, manifest: Manifest, added: Sequence[LiveSegment]) -> None:
        """The rows of `job` are in segments and `manifest` is in force."""
        self.adopt(manifest, added)
        self.unsealed.forget()
        self.batch_journal.drop_through(job.record)
        if self._old_version_record <= job.record:
            self.has_old_versions = False  # segments know by their ranges

    def abandon_seal(self) -> None:
        """Making segments failed; the rows stay where they were."""
        self.unsealed.thaw()

    def adopt(self, manifest: Manifest, added: Sequence[LiveSegment]) -> None:
        """Serve the segments of a new manifest; `added` are those not served before."""
        self.archive.adopt(manifest.segments, added)
        self.manifest = manifest
        self.generation += 1

    # -- helpers ------------------------------------------------------------------------------

    async def in_thread(self, pool: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
        """Run `work` in one of the store's threads."""
        return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)

    async def _write_pending(self) -> None:
        """Write all that waits with one sync, then make it visible."""
        pending, self._pending = self._pending, []
        first, last = pending[0].record, pending[-1].record
        arrival_us = self.clock.now_us()
        try:
            if self._fault is not None or self.clock.monotonic_s() >= self._reserve_good_until_s:
                self._check_reserve()
            await self._write_log(
                lambda: [
                    wal_record.encode_samples(one.batch, one.origin, one.record, one.version, arrival_us)
                    for one in pending
                ],
                first,
                last,
            )
        except HistorianError as error:
            self._failures.append(_Failure(first, last, error))
        except BaseException:
            self._failures.append(_Failure(first, last, WalFailed("the write was interrupted")))
            raise
        else:
            for one in pending:
                self.apply(one.batch, one.record, one.version, arrival_us, one.origin)
        finally:
            self._settled_record = max(self._settled_record, last)

    def _without_repeats(self, batch: SampleBatch, record: int, version: int) -> SampleBatch:
        """Samples of a version older than others: only winners go to the ring, and what is there already is dropped."""
        batch = _last_of_each(batch)
        self.has_old_versions = True
        self._old_version_record = record
        found = Found(batch.sample_count)
        self.unsealed.look_up(batch.point_id, batch.time_us, found)
        segments = self.archive.select(int(batch.time_us.min()), int(batch.time_us.max()) + 1)
        self.archive.look_up(segments, batch.point_id, batch.time_us, found)
        is_found = found.is_found.view(np.bool_)
        self.ring.insert(batch.take(~is_found | (found.sequence <= version)))
        same = (found.value.view(np.int64) == batch.value.view(np.int64)) & (found.quality == batch.quality)
        return batch.take(~(is_found & (found.sequence == version) & same))

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
        self._reserve_good_until_s = self.clock.monotonic_s() + RESERVE_CHECK_S
        if self._fault is not None and self._fault.cause == "disk_reserve":
            self._clear_fault()

    async def _write_log(self, encode: Callable[[], list[wal_record.Record]], first: int, last: int) -> None:
        try:
            await self.threads.log.run(self.wal.write, encode, first, last)
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


def _last_of_each(batch: SampleBatch) -> SampleBatch:
    """Of samples of one version with the same (point, time) only the last is ever read; sent again, it still is."""
    order = np.lexsort((batch.time_us, batch.point_id))
    ids, times = batch.point_id[order], batch.time_us[order]
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = (ids[1:] != ids[:-1]) | (times[1:] != times[:-1])
    kept = np.zeros(len(order), np.bool_)
    kept[order[is_last]] = True
    return batch if kept.all() else batch.take(kept)
