"""The one way in. Batches wait in a bounded queue; whatever waits together is made durable together.

    append → queue → validate → (quarantine) → compare with what is stored → log, synced → visible → acknowledged

One task does this for one group of batches at a time, so a group sees everything before it, and
many senders share one sync of the disk.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from historian.catalogue.registry import Registry
from historian.clock import Clock
from historian.errors import HistorianError, IngestError, QueueFull, StoreReadOnly, WalFailed
from historian.ingest import classify
from historian.logs import EventLog
from historian.metrics import Metrics
from historian.model.ports import AppendResult, OnConflict, Outcome
from historian.model.sample import Origin, SampleBatch, join_batches
from historian.model.timestamp import parse_time_us
from historian.settings import IngestSettings
from historian.store.store import Store

log = EventLog("ingest")

GROUP_SAMPLES_MAX: Final = 1 << 17  # bounds how long one group keeps the event loop: a few ms
JOIN_SAMPLES_MAX: Final = 1 << 10  # smaller batches of one sender share a log record
BUSY_SAMPLES_MIN: Final = 1 << 12  # a group of so many says that somebody sends in bulk …
BUSY_AFTER_S: Final = 0.2  # … and the next one comes within this time
OUTSIDE_FENCE: Final = frozenset(
    {
        Outcome.TIME_TOO_OLD,
        Outcome.TIME_IN_FUTURE,
        Outcome.QUARANTINED_TOO_OLD,
        Outcome.QUARANTINED_IN_FUTURE,
    }
)
OVERFULL_WAIT_S: Final = 0.05  # between two looks whether sealing has made room


class Quarantine(Protocol):
    """Keeps samples that are stamped outside the time fence."""

    async def keep(
        self, batch: SampleBatch, outcome: npt.NDArray[np.uint8], source: str, arrival_us: int
    ) -> npt.NDArray[np.uint8]:
        """Take the samples outside the fence; the outcomes, changed for those that are on disk now."""
        ...


class _Waiting:
    """A batch in the queue and the future its sender waits on."""

    __slots__ = ("answer", "batch", "is_all_accepted", "on_conflict", "origin", "outcome", "sequence")

    def __init__(self, batch: SampleBatch, origin: Origin, on_conflict: OnConflict) -> None:
        self.batch = batch
        self.origin = origin
        self.on_conflict = on_conflict
        self.outcome = np.empty(0, np.uint8)
        self.is_all_accepted = True
        self.sequence = 0
        self.answer: asyncio.Future[AppendResult] = asyncio.get_running_loop().create_future()


class IngestPipeline:
    """Implements model.ports.SampleSink. `run` is its one task; `stop` ends it with the queue empty."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Clock,
        metrics: Metrics,
        settings: IngestSettings,
        quarantine: Quarantine | None = None,
    ) -> None:
        self._store = store
        self._quarantine = quarantine
        self._registry = registry
        self._clock = clock
        self._settings = settings
        self._time_min_us = parse_time_us(f"{settings.oldest_year:04d}-01-01T00:00:00Z")
        self._revision = -1
        self._queue: deque[_Waiting] = deque()
        self._queued_samples = 0
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._busy_until_s = 0.0
        self._counters = {
            outcome: metrics.counter(
                "historian_ingest_samples_total",
                "Samples by what became of them",
                outcome=outcome.name.lower(),
            )
            for outcome in Outcome
        }
        self._groups = metrics.counter(
            "historian_ingest_groups_total", "Groups of batches that shared one sync"
        )
        self._queue_full = metrics.counter("historian_ingest_queue_full_total", "Batches refused: queue full")
        metrics.gauge("historian_ingest_queued_samples", "Samples waiting", lambda: self._queued_samples)

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        """Make the batch durable; returning means what was accepted is on disk.

        Raises QueueFull (nothing taken), StoreReadOnly or WalFailed (nothing acknowledged).
        """
        count = batch.sample_count
        if count == 0:
            return AppendResult(np.empty(0, np.uint8), 0)
        if self._queued_samples + count > self._settings.queue_samples_max or self._is_stopping:
            self._queue_full.add()
            raise QueueFull(self._settings.retry_after_s)
        batch = classify.for_kernels(batch)
        origin = Origin(source.replace("\n", " "), reason)
        waiting = [
            _Waiting(batch.part(at, at + GROUP_SAMPLES_MAX), origin, on_conflict)
            for at in range(0, count, GROUP_SAMPLES_MAX)
        ]
        self._queue.extend(waiting)
        self._queued_samples += count
        self._wake.set()
        result = await waiting[0].answer if len(waiting) == 1 else _joined(await _answers_of(waiting))
        if result.is_all_accepted:
            return result
        # Here and not in the one task that writes: nobody else waits for the quarantine's disk.
        outcome = result.outcome
        if self._quarantine is not None:
            outcome = await self._quarantine.keep(batch, outcome, origin.source, self._clock.now_us())
        for kind in OUTSIDE_FENCE:
            self._counters[kind].add(int(np.count_nonzero(outcome == kind)))
        return result._replace(outcome=outcome)

    async def run(self) -> None:
        """Work until `stop`; the only place that writes samples."""
        while True:
            if not self._queue:
                if self._is_stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            while self._store.is_overfull:
                await self._clock.sleep(OVERFULL_WAIT_S)
            group = self._next_group()
            try:
                await self._process(group)
            except (IngestError, WalFailed) as error:
                _refuse(group, error)
            except HistorianError as error:
                # Such as too many open files: for senders the same, they keep theirs.
                _refuse(group, StoreReadOnly("log_failed", str(error)))
            except BaseException as error:
                log.error("stopped_by_fault", problem=repr(error))
                self._is_stopping = True  # or the next sender would wait for ever
                _refuse([*group, *self._queue], StoreReadOnly("log_failed", "ingest was stopped by a fault"))
                raise

    def stop(self) -> None:
        """Take no more batches; `run` returns when those taken are answered."""
        self._is_stopping = True
        self._wake.set()

    def _next_group(self) -> list[_Waiting]:
        group = [self._queue.popleft()]
        size = group[0].batch.sample_count
        while self._queue and size + self._queue[0].batch.sample_count <= GROUP_SAMPLES_MAX:
            group.append(self._queue.popleft())
            size += group[-1].batch.sample_count
        self._queued_samples -= size
        return group

    @property
    def is_busy(self) -> bool:
        """Whether much is being written now: background work may wait."""
        return bool(self._queue) or self._clock.monotonic_s() < self._busy_until_s

    async def _process(self, group: list[_Waiting]) -> None:
        self._make_rooms()
        for one in group:
            self._validate(one)
        await self._resolve(group)
        writing = [one for one in group if one.batch.sample_count]
        if writing:
            await self._write(writing)
        self._groups.add()
        if sum(len(one.outcome) for one in group) >= BUSY_SAMPLES_MIN:
            self._busy_until_s = self._clock.monotonic_s() + BUSY_AFTER_S
        self._answer(group)

    def _validate(self, one: _Waiting) -> None:
        """Leave in the batch what is good by itself."""
        time_max_us = self._clock.now_us() + self._settings.future_fence_s * 1_000_000
        valid = classify.validate(one.batch, self._registry.columns(), self._time_min_us, time_max_us)
        one.outcome, one.batch = valid.outcome, valid.batch
        if valid.refused_count:
            one.is_all_accepted = False
            one.batch = valid.batch.take(valid.outcome == Outcome.ACCEPTED)

    async def _write(self, writing: list[_Waiting]) -> None:
        """One log record for each batch, but neighbouring small ones of one sender share theirs."""
        parts: list[list[_Waiting]] = []
        for one in writing:
            is_small = one.batch.sample_count < JOIN_SAMPLES_MAX
            if parts and is_small and parts[-1][0].origin == one.origin:
                parts[-1].append(one)
            else:
                parts.append([one])
        for part in parts:
            batch = join_batches([one.batch for one in part])
            is_plain = all(one.is_all_accepted for one in part)
            for single in [batch] if is_plain else classify.without_repeats(batch):
                ticket = self._store.append(single, part[0].origin)
            for one in part:
                one.sequence = ticket.record
        await self._store.commit(ticket)

    async def _resolve(self, group: list[_Waiting]) -> None:
        """Compare the group with what is stored; leave in each batch only what is to be written."""
        batches = [one.batch for one in group]
        joined = join_batches(batches)
        if joined.sample_count == 0:
            return
        existing = await self._store.existing(joined)
        if existing is None:
            return
        may_replace = np.repeat(
            np.array([one.on_conflict == "replace" for one in group], np.uint8),
            [batch.sample_count for batch in batches],
        )
        outcome = classify.resolve(joined, existing, may_replace)
        if not outcome.any():
            return
        at = 0
        for one in group:
            size = one.batch.sample_count
            resolved = outcome[at : at + size]
            at += size
            one.is_all_accepted = one.is_all_accepted and not resolved.any()
            one.outcome[one.outcome == Outcome.ACCEPTED] = resolved
            one.batch = one.batch.take(classify.is_written(resolved))

    def _answer(self, group: list[_Waiting]) -> None:
        for one in group:
            if one.is_all_accepted:
                self._counters[Outcome.ACCEPTED].add(len(one.outcome))
            else:
                counts = np.bincount(one.outcome, minlength=len(Outcome)).tolist()
                for outcome, count in zip(Outcome, counts, strict=True):
                    if outcome not in OUTSIDE_FENCE:  # counted once it is known whether they are kept
                        self._counters[outcome].add(count)
            if not one.answer.done():
                one.answer.set_result(AppendResult(one.outcome, one.sequence, one.is_all_accepted))

    def _make_rooms(self) -> None:
        if self._revision != self._registry.revision:
            self._revision = self._registry.revision
            self._store.make_rooms(self._registry.columns().interval_us)


async def _answers_of(waiting: Sequence[_Waiting]) -> list[AppendResult]:
    """All, even where the first fails: nobody else looks at the others."""
    return await asyncio.gather(*(one.answer for one in waiting))


def _joined(results: Sequence[AppendResult]) -> AppendResult:
    outcome = np.concatenate([result.outcome for result in results])
    is_all_accepted = all(result.is_all_accepted for result in results)
    return AppendResult(outcome, max(result.sequence for result in results), is_all_accepted)


def _refuse(group: Sequence[_Waiting], error: HistorianError) -> None:
    for one in group:
        if not one.answer.done():
            one.answer.set_exception(error)
