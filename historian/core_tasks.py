"""What the core does by itself while it lives: each a task that is tried again after a fault of the disk.

A task that ends by a fault of its own says so to whoever watches: the process must end then.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from historian.catalogue.journal import Journal
from historian.clock import Clock
from historian.errors import HistorianError
from historian.logs import EventLog
from historian.model.point import DAY_US
from historian.query.overdue import OverdueWatch
from historian.rollup.service import RollupService
from historian.store import maintenance, ring_fill
from historian.store.store import Store

TICK_S: Final = 1.0  # how often maintenance looks whether there is something to do
HEARTBEAT_S: Final = 60.0
JOURNAL_FLUSH_S: Final = 0.5
JOURNAL_PRUNE_S: Final = 3600.0
RETRY_S: Final = 5.0  # after a background task was interrupted
SEAL_AT_STOP_SAMPLES_MAX: Final = 300_000  # more would take longer than a stop may; the log keeps them

_LOG: Final = EventLog("core")

Faults = asyncio.Queue[str]


class Background:
    """Runs tasks until the stack unwinds. What the disk does to one (full, read-only) passes: it is tried again."""

    def __init__(self, stack: contextlib.AsyncExitStack, clock: Clock, faults: Faults) -> None:
        self._stack = stack
        self._clock = clock
        self._faults = faults

    def run(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Begin one."""
        task = asyncio.create_task(self._persist(work, name), name=name)
        task.add_done_callback(lambda ended: report(self._faults, ended))

        async def cancel() -> None:
            task.cancel()
            await asyncio.wait([task])

        self._stack.push_async_callback(cancel)

    async def _persist(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        while True:
            try:
                await work()
            except HistorianError as error:
                _LOG.error("task_interrupted", task=name, problem=error, again_in_s=RETRY_S)
                await self._clock.sleep(RETRY_S)


def report(faults: Faults, task: "asyncio.Task[None]") -> None:
    """Say so where a task ended by a fault."""
    if not task.cancelled() and task.exception() is not None:
        _LOG.error("task_failed", task=task.get_name(), problem=repr(task.exception()))
        faults.put_nowait(f"{task.get_name()}: {task.exception()!r}")


async def maintain(store: Store, rollup: RollupService, clock: Clock, seal_interval_s: float) -> None:
    """Seal when it is time or there is much; try the disk again after a fault."""
    sealed_s = clock.monotonic_s()
    while True:
        await clock.sleep(TICK_S)
        now_s = clock.monotonic_s()
        await store.probe()
        if store.needs_seal or now_s - sealed_s >= seal_interval_s:
            await maintenance.seal_all(store, rollup.flush_dirty)
            sealed_s = now_s


async def fill(store: Store) -> None:
    """Put the newest days into the ring, once."""
    await ring_fill.fill_ring(store)
    await asyncio.Event().wait()  # done; the task ends with all others


async def beat(journal: Journal, clock: Clock) -> None:
    """Tell the journal each minute that the process lives."""
    while True:
        await clock.sleep(HEARTBEAT_S)
        await asyncio.to_thread(journal.process_alive, clock.now_us())


async def keep_journal(journal: Journal, clock: Clock, keep_days: int) -> None:
    """Write what was told, twice a second; forget what is old, once an hour (0 days: never)."""
    pruned_s = -JOURNAL_PRUNE_S
    while True:
        if journal.waiting_count:
            await asyncio.to_thread(journal.flush)
        now_s = clock.monotonic_s()
        if keep_days and now_s - pruned_s >= JOURNAL_PRUNE_S:
            pruned_s = now_s
            await asyncio.to_thread(journal.prune, clock.now_us() - keep_days * DAY_US)
        await clock.sleep(JOURNAL_FLUSH_S)


async def look_for_overdue(overdue: OverdueWatch, clock: Clock, interval_s: float) -> None:
    """Count who is silent, for the metric."""
    while True:
        await overdue.look()
        await clock.sleep(interval_s)


async def seal_at_stop(store: Store, rollup: RollupService) -> None:
    """A small rest goes into segments, so that the next start has no log to replay."""
    if store.unsealed_count > SEAL_AT_STOP_SAMPLES_MAX:
        return
    try:
        await maintenance.seal_all(store, rollup.flush_dirty)
    except HistorianError as error:  # a full disk is no reason to stop in disorder: the log has everything
        _LOG.error("not_sealed_at_stop", problem=error)
