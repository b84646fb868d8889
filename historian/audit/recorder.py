"""Writes the trail for the running historian: what waits is written and synced together, floods are counted.

Where the trail cannot be written, `record` says so, and who asked does not do what was to be recorded; samples and queries ask
nothing here. It is tried again by itself.
"""

import asyncio
import contextlib
import zoneinfo
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from historian import logs
from historian.audit import reader, retention
from historian.audit.folding import Folding
from historian.audit.trail import Trail
from historian.clock import Clock
from historian.errors import AuditUnavailable
from historian.metrics import Metrics
from historian.model.audit import AuditEntry, AuditPage, AuditQuestion, AuditStatus
from historian.settings import AuditSettings
from historian.store.durable import DurableFiles
from historian.store.log_thread import LogThread

GROUP_MAX: Final = 500  # records in one write
WAITING_MAX: Final = 10_000  # beyond, whoever asks is told that nothing can be written
TICK_S: Final = 1.0
HEAD_SYNC_S: Final = 60.0
RETENTION_S: Final = 3600.0

_LOG: Final = logs.EventLog("audit")


class _Waiting(NamedTuple):
    """An entry, and who waits for its number; nobody for a note."""

    entry: AuditEntry
    end: asyncio.Future[int] | None


class Recorder:
    """Implements ports' AuditTrail (historian/model/audit.py). Lives on one event loop."""

    def __init__(
        self,
        folder: Path,
        files: DurableFiles,
        clock: Clock,
        metrics: Metrics,
        settings: AuditSettings,
        zone: zoneinfo.ZoneInfo,
    ) -> None:
        self.folder = folder
        self._files = files
        self._clock = clock
        self._settings = settings
        self._trail = Trail(folder, files, clock, zone)
        self._thread = LogThread()
        self._folding = Folding(clock)
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._problem = "the trail was not opened"
        self._space_bytes = 0
        self._written = metrics.counter(
            "historian_audit_records_total", "Records written to the audit trail."
        )
        self._lost = metrics.counter(
            "historian_audit_lost_total", "Notes (refusals, exports, results) that could not be written."
        )
        metrics.gauge("historian_audit_writable", "1 while the audit trail can be written", self._writable)
        metrics.gauge(
            "historian_audit_number", "Number of the newest record", lambda: self._trail.anchor.number
        )
        metrics.gauge("historian_audit_bytes", "Size of the audit trail", lambda: self._space_bytes)
        metrics.gauge("historian_audit_damage", "Damaged places found", lambda: len(self._trail.damage))

    async def open(self) -> None:
        """Check the newest records. Where that fails the historian runs all the same, without edits."""
        await self._try(self._trail.open)
        status = self.status()
        for problem in status.damage:
            _LOG.error("damaged", problem=problem)
        if status.is_writable:
            _LOG.info("opened", anchor=status.anchor)

    async def record(self, entry: AuditEntry) -> int:
        """Write durably; the record's number. Raises AuditUnavailable: then it is not on disk."""
        if len(self._waiting) >= WAITING_MAX:
            raise AuditUnavailable(f"{len(self._waiting)} records of the audit trail wait for the disk")
        end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entry, end))
        self._begin_writing()
        return await end

    def note(self, entry: AuditEntry) -> None:
        """Write soon; what is like a note of the last minute (an export: hour) is counted. Never raises."""
        told = self._folding.take(entry)
        if told is not None:
            self._put(told)

    async def read(self, question: AuditQuestion, place: int | None = None) -> AuditPage:
        """A page of records. Raises AuditUnavailable where the files cannot be read."""
        try:
            return await asyncio.to_thread(reader.read, self.folder, self._files, question, place)
        except OSError as error:
            raise AuditUnavailable(f"the audit trail cannot be read: {error.strerror or error}") from error

    def status(self) -> AuditStatus:
        """Whether it can be written, and where it stands."""
        trail = self._trail
        return AuditStatus(not self._problem, self._problem, trail.anchor, tuple(trail.damage))

    async def run_background(self) -> None:
        """Tell counts, try again after a fault, sync the head, remove what is no longer kept."""
        head_s = kept_s = self._clock.monotonic_s()
        await self._watch_space()
        while True:
            await self._clock.sleep(TICK_S)
            for entry in self._folding.due():
                self._put(entry)
            now_s = self._clock.monotonic_s()
            if self._problem:
                await self._try(self._trail.open)
            elif now_s - head_s >= HEAD_SYNC_S:
                await self._try(self._trail.sync_head)
                head_s = now_s
            if now_s - kept_s >= RETENTION_S:
                await self._try(self._remove_old)
                await self._watch_space()
                kept_s = now_s

    async def close(self) -> None:
        """Write what waits, and give the files back."""
        for entry in self._folding.due(is_end=True):
            self._put(entry)
        if self._writing is not None:
            await asyncio.wait([self._writing])
        await asyncio.to_thread(self._thread.shut_down)
        self._trail.close()

    def _writable(self) -> float:
        return float(not self._problem)

    def _put(self, entry: AuditEntry) -> None:
        if len(self._waiting) >= WAITING_MAX:
            self._lost.add()
            return
        self._waiting.append(_Waiting(entry, None))
        self._begin_writing()

    def _begin_writing(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting(), name="audit")

    async def _write_waiting(self) -> None:
        """All that waits becomes one write and one sync, and what comes meanwhile the next."""
        while self._waiting:
            count = min(GROUP_MAX, len(self._waiting))
            group = [self._waiting.popleft() for _ in range(count)]
            try:
                numbers = await self._thread.run(self._trail.append, [one.entry for one in group])
            except OSError as error:
                self._fail(error)
                self._refuse(group)
                continue
            self._recover()
            self._written.add(count)
            for one, number in zip(group, numbers, strict=True):
                if one.end is not None and not one.end.done():
                    one.end.set_result(number)

    def _refuse(self, group: list[_Waiting]) -> None:
        for one in group:
            if one.end is None:
                self._lost.add()
            elif not one.end.done():
                one.end.set_exception(AuditUnavailable(self._problem))

    async def _try(self, work: Callable[[], object]) -> None:
        try:
            await self._thread.run(work)
        except OSError as error:
            self._fail(error)
        else:
            self._recover()

    def _fail(self, error: OSError) -> None:
        if not self._problem:
            _LOG.error("not_writable", problem=error.strerror or error)
        self._problem = f"the audit trail in {self.folder} cannot be written: {error.strerror or error}"

    def _recover(self) -> None:
        self._problem = ""

    def _remove_old(self) -> None:
        for name in retention.old_months(
            self._files, self.folder, self._clock.now_us(), self._settings.keep_days
        ):
            if self._trail.remove_month(name):
                _LOG.info("month_removed", file=name)

    async def _watch_space(self) -> None:
        with contextlib.suppress(OSError):
            self._space_bytes = await asyncio.to_thread(retention.size_bytes, self._files, self.folder)
        if self._space_bytes > self._settings.space_warning_bytes:
            _LOG.warning("large", bytes=self._space_bytes, allowed=self._settings.space_warning_bytes)
