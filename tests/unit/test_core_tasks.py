"""What the core does by itself: tried again after a fault of the disk, told where it ended by one of its own."""

import asyncio
import contextlib
from typing import Any

import pytest

from historian import core_tasks
from historian.clock import ManualClock
from historian.core_tasks import Background
from historian.errors import CatalogueError
from historian.model.point import DAY_US
from historian.store import maintenance

START_US = 100 * DAY_US


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Told:
    """Stands for the journal, the watch and the store; keeps what it was told."""

    def __init__(self) -> None:
        self.waiting_count = 1
        self.calls: list[Any] = []
        self.needs_seal = False
        self.unsealed_count = 0

    def flush(self) -> None:
        self.waiting_count = 0
        self.calls.append("flush")

    def prune(self, before_us: int) -> None:
        self.calls.append(before_us)

    async def look(self) -> None:
        self.calls.append("look")

    async def probe(self) -> None:
        self.calls.append("probe")

    async def flush_dirty(self) -> None:
        raise AssertionError("nobody asked")


async def stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_fault_of_the_disk_passes_and_any_other_is_told() -> None:
    faults: asyncio.Queue[str] = asyncio.Queue()
    ends = iter([CatalogueError("x", "disk is full"), ValueError("broken on purpose")])

    async def fail() -> None:
        raise next(ends)

    async with contextlib.AsyncExitStack() as stack:
        Background(stack, ManualClock(START_US), faults).run(fail, "work")
        assert await asyncio.wait_for(faults.get(), 5) == "work: ValueError('broken on purpose')"
    assert next(ends, None) is None


async def test_the_journal_is_written_when_there_is_something_and_old_causes_are_forgotten() -> None:
    for keep_days, expected in ((3, ["flush", START_US - 3 * DAY_US]), (0, ["flush"])):
        journal: Any = Told()
        clock = ManualClock(START_US)
        sleeping = asyncio.Event()

        async def asleep(_: float, sleeping: asyncio.Event = sleeping) -> None:
            sleeping.set()
            await asyncio.Event().wait()

        clock.sleep = asleep  # type: ignore[method-assign]
        task = asyncio.create_task(core_tasks.keep_journal(journal, clock, keep_days))
        await asyncio.wait_for(sleeping.wait(), 5)
        await stopped(task)
        assert journal.calls == expected


async def test_nothing_is_sealed_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed: list[str] = []

    async def seal_all(*_: object) -> None:
        sealed.append("sealed")

    monkeypatch.setattr(maintenance, "seal_all", seal_all)
    store: Any = Told()
    task = asyncio.create_task(core_tasks.maintain(store, store, ManualClock(START_US), 1e9))
    await turns()
    assert store.calls.count("probe") > 1
    assert sealed == []
    store.needs_seal = True
    await turns()
    await stopped(task)
    assert sealed


async def test_much_is_not_sealed_at_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed: list[str] = []

    async def seal_all(*_: object) -> None:
        sealed.append("sealed")
        raise CatalogueError("x", "disk is full")

    monkeypatch.setattr(maintenance, "seal_all", seal_all)
    store: Any = Told()
    store.unsealed_count = core_tasks.SEAL_AT_STOP_SAMPLES_MAX + 1
    await core_tasks.seal_at_stop(store, store)
    assert sealed == []
    store.unsealed_count -= 1
    await core_tasks.seal_at_stop(store, store)
    assert sealed == ["sealed"]


async def test_who_is_silent_is_counted_again_and_again() -> None:
    watch: Any = Told()
    task = asyncio.create_task(core_tasks.look_for_overdue(watch, ManualClock(START_US), 60.0))
    await turns()
    await stopped(task)
    assert watch.calls.count("look") > 1
