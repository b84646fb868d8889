"""Power cuts by enumeration: after every single file operation of append, seal, merge and recovery the folder is
built as a power cut may leave it, and opened: what was acknowledged is there, and nothing that nobody sent.
"""

import errno
import hashlib
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from historian.clock import ManualClock
from historian.errors import WalFailed
from historian.model.sample import make_batch
from historian.settings import StoreSettings
from historian.store import maintenance
from historian.store.store import Store
from tests.support.crash_disk import Disk, Killed, RecordingFiles, State, build, failing
from tests.support.store_kit import QUARTER_US, START_US, Directory, no_checkpoint_work, open_store

SMALL = StoreSettings(ring_hours=1, wal_file_bytes_max=4096, disk_reserve_bytes=0, segment_compact_count=3)
POINTS = [1, 2]
EIO = OSError(errno.EIO, "injected")
AFTER_THE_MANIFEST = (("rename", "manifest"), ("sync_folder", "data"))
Key = tuple[int, int]  # point, slot


class Life:
    """A store on a recording disk, and the ledger of what its clients asked for and what they were promised."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = RecordingFiles()
        self.asked: dict[Key, list[float]] = {}
        self.promised: list[tuple[int, Key, float]] = []  # from this number of operations on
        self.store = self._open()
        self._value = 0.0

    async def append(self, *keys: Key) -> None:
        """One batch with a new value for each key; returning means acknowledged."""
        values = []
        for key in keys:
            self._value += 1.0
            values.append(self._value)
            self.asked.setdefault(key, []).append(self._value)
        times = [START_US + slot * QUARTER_US for _, slot in keys]
        await self.store.append([(make_batch([point for point, _ in keys], times, values), "test")])
        self._promise(keys, values)

    async def seal(self) -> None:
        assert await maintenance.seal_all(self.store, no_checkpoint_work)

    async def kill_and_open(self) -> None:
        """The process is killed, the machine goes on; from then on whoever sends a visible sample again is told
        that it is stored, so it has to be.
        """
        self.store.threads.shut_down()
        self.store.archive.close()
        self.files.kill()
        self.store = self._open()
        for key, value in (await contents(self.store)).items():
            self._promise([key], [value])

    async def end(self) -> None:
        await self.store.close()

    def _open(self) -> Store:
        return open_store(
            self.folder, files=self.files, settings=SMALL, clock=ManualClock(START_US), directory=Directory(3)
        )

    def _promise(self, keys: tuple[Key, ...] | list[Key], values: list[float]) -> None:
        operation_count = len(self.files.events)
        self.promised += [(operation_count, key, value) for key, value in zip(keys, values, strict=True)]


async def contents(store: Store) -> dict[Key, float]:
    runs = await store.read(POINTS, 0, START_US + 10_000 * QUARTER_US)
    return {
        (run.point_id, (time_us - START_US) // QUARTER_US): value
        for run in runs
        for time_us, value in zip(run.time_us.tolist(), run.value.tolist(), strict=True)
    }


async def everyday(life: Life) -> None:
    """In order, corrected, late, over a month's end and in several log files; sealed and merged."""
    for number in range(3):
        first = number * 20
        await life.append(*((1, slot) for slot in range(first, first + 25)))
        await life.append((2, first), (2, first), (1, first + 3))
        await life.append((2, -5), (1, 3))
        await life.seal()
    await life.append((1, 60), (1, 4000))
    assert await maintenance.merge_once(life.store)
    await life.append((1, 2), (2, 61))
    await maintenance.remove_retired(life.store)
    await life.seal()


async def killed_before_the_log_was_synced(life: Life) -> None:
    await life.append((1, 0))
    with failing(life.files, Killed(), ("sync", ".wal")), pytest.raises(Killed):
        await life.append((1, 1), (1, 0))
    await life.kill_and_open()
    await life.append((1, 2))
    await life.seal()


async def killed_after_a_sync_of_the_log_failed(life: Life) -> None:
    await life.append((1, 0))
    with failing(life.files, EIO, ("sync", ".wal")), pytest.raises(WalFailed):
        await life.append((1, 1), (1, 0))
    await life.append((1, 2))
    await life.kill_and_open()
    await life.append((1, 3))
    await life.seal()


async def killed_before_the_manifest_was_on_disk(life: Life) -> None:
    await life.append((1, 0), (1, 1))
    with failing(life.files, Killed(), *AFTER_THE_MANIFEST), pytest.raises(Killed):
        await life.seal()
    await life.kill_and_open()
    await life.append((1, 2))
    await life.seal()


async def killed_while_sealing_after_a_merge_nobody_heard_of(life: Life) -> None:
    """The merge's manifest is on disk although its write failed; the next seal must not touch what it lists."""
    for slot in range(3):
        await life.append((1, slot))
        await life.seal()
    with failing(life.files, EIO, *AFTER_THE_MANIFEST):
        assert not await maintenance.merge_once(life.store)
    await life.append((1, 3))
    await life.seal()


Scenario = Callable[[Life], Awaitable[None]]


@pytest.mark.parametrize(
    "scenario",
    [
        everyday,
        killed_before_the_log_was_synced,
        killed_after_a_sync_of_the_log_failed,
        killed_before_the_manifest_was_on_disk,
        killed_while_sealing_after_a_merge_nobody_heard_of,
    ],
)
async def test_no_power_cut_takes_what_was_acknowledged(scenario: Scenario, tmp_path: Path) -> None:
    life = Life(tmp_path / "data")
    await scenario(life)
    await life.end()
    disk, seen, state_count = Disk(), set[bytes](), 0
    for number, event in enumerate(life.files.events, 1):
        disk.take(event)
        for state in disk.states(number):
            mark = digest(state, promised_until(life, number))
            if mark in seen:
                continue
            seen.add(mark)
            state_count += 1
            await check(state, life, number, tmp_path / "cut")
    assert state_count > 30


def promised_until(life: Life, operation_count: int) -> dict[Key, float]:
    return {key: value for since, key, value in life.promised if since <= operation_count}


def digest(state: State, promised: dict[Key, float]) -> bytes:
    parts = sorted((str(path), hashlib.sha256(data).hexdigest()) for path, data in state.items())
    return hashlib.sha256(repr((parts, sorted(promised.items()))).encode()).digest()


async def check(state: State, life: Life, operation_count: int, folder: Path) -> None:
    build(state, life.folder, folder)
    store = open_store(folder, settings=SMALL, clock=ManualClock(START_US), directory=Directory(3))
    found = await contents(store)
    where = f"after operation {operation_count}, {life.files.events[operation_count - 1].name}"
    for key, value in promised_until(life, operation_count).items():
        assert key in found, f"lost: {key} = {value} {where}"
        asked = life.asked[key]
        assert found[key] in asked[asked.index(value) :], f"an older value is back: {key} {where}"
    for key, value in found.items():
        assert value in life.asked[key], f"invented: {key} = {value} {where}"
    assert all(".wal: bytes" in line for line in store.status().damage), store.status().damage
    await store.close()
    shutil.rmtree(folder)
