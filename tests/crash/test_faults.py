"""A disk that fails at the n-th operation, for every n: nothing acknowledged is lost, what failed is not acknowledged,
the status says so, and service comes back by itself.
"""

import errno
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from historian.errors import HistorianError
from historian.model.sample import Origin, make_batch
from historian.store.durable import DurableFiles
from tests.support import store_kit
from tests.support.disk_recorder import DiskRecorder, recording, unsynced
from tests.support.explore import Bounds, Explorer
from tests.support.store_kit import QUARTER_US, START_US
from tests.support.store_life import Life, contents, open_life_store

THOROUGH = float(os.environ.get("CRASH_FACTOR", "1"))  # `make crash` sets 10
# In CI every eighth operation for each kind of fault, other ones for each.
STEP = 1 if THOROUGH > 1 else 8
CUT_SHARE = 0.05 if THOROUGH > 1 else 0.01  # of the operations of each life
SHORT = -1  # instead of an error number: a write that takes a part only
ENDLESS = 1 << 30

MAY_FAIL = {
    "open": (errno.EIO, errno.EMFILE),
    "open_folder": (errno.EIO, errno.EMFILE),
    "create": (errno.EIO, errno.ENOSPC, errno.EMFILE),
    "extend": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "write": (errno.EIO, errno.ENOSPC, errno.EINTR, SHORT),
    "sync": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "sync_folder": (errno.EIO,),
    "rename": (errno.EIO, errno.ENOSPC),
    "unlink": (errno.EIO, errno.EACCES),
}
FAULTS = [errno.EIO, errno.ENOSPC, errno.EMFILE, errno.EINTR, SHORT]


class Fault:
    """From the `first`-th operation on that can fail so, `count` of them do."""

    def __init__(self, error_number: int, first: int, count: int) -> None:
        self.error_number = error_number
        self.first = first
        self.count = count
        self.seen = 0
        self.failed: list[str] = []

    def __call__(self, name: str, path: Path) -> int | None:
        if self.error_number not in MAY_FAIL[name]:
            return None
        self.seen += 1
        if not self.first < self.seen <= self.first + self.count:
            return None
        self.failed.append(f"{name} {path.name}")
        if self.error_number == SHORT:
            return 5
        raise OSError(self.error_number, os.strerror(self.error_number))


async def busy(life: Life) -> None:
    """Ingest with corrections, sealing, merging and removing, whatever of it fails."""
    for number in range(3):
        first = number * 5
        await attempt(life, *((point, slot) for slot in range(first, first + 7) for point in (1, 2)))
        await attempt(life, (1, first), (1, -9), (1, first))
        await life.try_seal()
        await attempt(life, (2, first + 50), (2, first + 1))
    await life.merge()
    await attempt(life, (1, 60))
    await life.remove_retired()
    await life.try_seal()
    await attempt(life, (1, 61), (1, 60))


async def attempt(life: Life, *keys: tuple[int, int]) -> None:
    """Append; where that is refused, the status must say so, and the probe is what maintenance does each second."""
    try:
        await life.append(*keys)
    except HistorianError:
        assert not life.store.status().is_writable
        assert life.store.status().cause in {"log_failed", "disk_reserve"}
        assert life.store.status().detail
        await life.store.probe()


async def live_with(fault: Fault, folder: Path) -> Life:
    """A busy life under a fault that ends before the life does."""
    with recording(DiskRecorder()) as recorder:
        life = Life(folder, recorder)
        recorder.before = fault
        await busy(life)
        recorder.before = lambda name, path: None
        await life.store.probe()
        assert life.store.status().is_writable, "service does not come back"
        await life.append((2, 70), (1, 3))
        problems = life.ledger.problems(await contents(life.store), len(recorder.events))
        assert not problems, problems[:5]
        await life.close()
    expect_no_write_after_a_fault(recorder)
    return life


def expect_no_write_after_a_fault(recorder: DiskRecorder) -> None:
    """A file in which a write or sync failed is poisoned: what it holds beyond is nobody's promise."""
    poisoned: set[int] = set()
    for event in recorder.events:
        if event.name in {"doom", "failed"}:
            poisoned.add(event.file)
        assert event.name not in {"write", "sync"} or event.file not in poisoned, (
            f"{event.name} of a poisoned file"
        )


class Sweep(NamedTuple):
    """What a fault at every place came to."""

    lives: int
    states: int


async def sweep(
    error_number: int, count: int, folder: Path, step: int = STEP, cut_share: float = CUT_SHARE
) -> Sweep:
    """One life for each operation at which the fault may begin; the power is cut here and there."""
    sound = Fault(error_number, ENDLESS, 0)
    await live_with(sound, folder / "sound")
    lives = states = 0
    offset = FAULTS.index(error_number) % step
    for first in range(offset, sound.seen, step):
        fault = Fault(error_number, first, count)
        where = folder / str(first)
        try:
            life = await live_with(fault, where)
            bounds = Bounds(3, cut_share=cut_share, nested_share=0, reopened_share=0, seed=first)
            explorer = Explorer(where / "cut", bounds)
            await explorer.explore(life)
        except Exception as error:
            error.add_note(
                f"errno {error_number} at {fault.failed[:3]}, operation {first} of those that can fail so"
            )
            raise
        lives, states = lives + 1, states + explorer.count
    return Sweep(lives, states)


@pytest.mark.slow
@pytest.mark.timeout(240 * max(1, THOROUGH))
@pytest.mark.parametrize(
    "error_number", FAULTS, ids=lambda number: errno.errorcode.get(number, "short write")
)
async def test_one_failed_operation_costs_nothing_acknowledged(error_number: int, quick_path: Path) -> None:
    print(await sweep(error_number, 1, quick_path))


@pytest.mark.slow
@pytest.mark.timeout(240 * max(1, THOROUGH))
@pytest.mark.parametrize("error_number", [errno.EIO, errno.ENOSPC], ids=errno.errorcode.get)
async def test_a_disk_that_fails_for_a_while_comes_back(error_number: int, quick_path: Path) -> None:
    print(await sweep(error_number, 12, quick_path))


async def test_any_fault_at_the_start_is_an_error_or_harmless(quick_path: Path) -> None:
    """Whatever fails while a folder is opened: the start is refused, or all is there; and the next start is sound."""
    with recording(DiskRecorder()) as recorder:
        life = Life(quick_path / "data", recorder)
        await busy(life)
        store_kit.abandon(life.store)
    for error_number in (errno.EIO, errno.ENOSPC, errno.EMFILE):
        for first in range(ENDLESS):
            fault = Fault(error_number, first, 1)
            await open_under(fault, life, quick_path / "copy")
            if not fault.failed:
                break
        assert first > 1


async def open_under(fault: Fault, life: Life, copy: Path) -> None:
    """Open a copy of a life's folder under a fault, then without one."""
    copied = store_kit.copy_of(life.folder, copy)
    with recording(DiskRecorder()) as recorder:
        recorder.before = fault
        try:
            store = open_life_store(copied)
        except (HistorianError, OSError):
            assert fault.failed
        else:
            recorder.before = lambda name, path: None
            await expect_all(store, life)
    with unsynced():
        await expect_all(open_life_store(copied), life)


async def expect_all(store: store_kit.Store, life: Life) -> None:
    problems = life.ledger.problems(await contents(store), 1 << 60)
    await store.close()
    assert not problems, problems[:5]


class UnreadableLog(DurableFiles):
    """Reading one file is an input/output error."""

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, path: Path) -> bytes:
        if path.name == self.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return super().read(path)


async def test_a_log_file_that_cannot_be_read_does_not_stop_the_start(quick_path: Path) -> None:
    with recording(DiskRecorder()) as recorder:
        life = Life(quick_path / "data", recorder)
        for slot in range(40):
            await life.append((1, slot), source="a long name, so that the log's files fill up " * 8)
        store_kit.abandon(life.store)
    logs = sorted(path.name for path in (life.folder / "wal").iterdir())
    assert len(logs) > 2
    for name in logs:
        folder = store_kit.copy_of(life.folder, quick_path / "copy")
        store = open_life_store(folder, files=UnreadableLog(name))
        damage = "\n".join(store.status().damage)
        assert name in damage
        assert os.strerror(errno.EIO) in damage
        lost = life.ledger.lost_batches(await contents(store))
        assert lost == list(range(lost[0], lost[-1] + 1))
        assert 0 < len(lost) < 40
        corrected = [START_US + slot * QUARTER_US for slot in (lost[-1] - 1, lost[-1], 39 - lost[-1] // 2)]
        await store_kit.append(store, make_batch(1, corrected, [-1.0, -2.0, -3.0]), Origin("a correction"))
        assert await store_kit.seal(store)
        await store.close()
        await expect_all_once_it_can_be_read(folder, life, corrected)


async def expect_all_once_it_can_be_read(folder: Path, life: Life, corrected: list[int]) -> None:
    """The next start finds what the file holds, though others were sealed meanwhile; what is newer stays in force."""
    store = open_life_store(folder)
    assert await store_kit.take_back(store) > 0
    for _ in range(2):
        lost = life.ledger.lost_batches(await contents(store))
        assert lost == []
        for time_us, value in zip(corrected, (-1.0, -2.0, -3.0), strict=True):
            [run] = await store.read([1], time_us, time_us + 1)
            assert run.value.tolist() == [value]
        await store_kit.seal(store)
        await store.close()
        store = open_life_store(folder)
        assert store.status().damage == []
        assert await store_kit.take_back(store) == 0
    await store.close()
