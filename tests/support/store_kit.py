"""A store on a temporary folder, file systems that fail on purpose, and a perfect twin, for tests of the store."""

import contextlib
import errno
import shutil
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import numpy.typing as npt

from historian.clock import Clock, ManualClock
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import Origin, PointIdColumn, SampleBatch, SampleRun, TimeColumn
from historian.settings import StoreSettings
from historian.store import maintenance, recovery, retention, salvage, workshop
from historian.store import store as store_module
from historian.store.durable import DurableFiles
from historian.store.engine import VersionColumn
from historian.store.store import Store

QUARTER_US = 15 * MINUTE_US
START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
Tuples = list[tuple[int, float, int]]  # (time, value, quality) of each sample
ORIGIN = Origin("test")
SETTINGS = StoreSettings(wal_file_bytes_max=1 << 20, disk_reserve_bytes=0)


class VersionRow(NamedTuple):
    """One version of a sample as the store keeps it."""

    point_id: int
    time_us: int
    value: float
    quality: int
    sequence: int
    origin: Origin


class Directory:
    """Knows every id below `count` as a kW point."""

    def __init__(self, count: int = 100) -> None:
        self.count = count

    def by_id(self, point_id: int) -> Point:
        return Point(id=point_id, name=f"p{point_id}", unit="kW", kind=PointKind.INSTANTANEOUS)

    def intervals(self) -> npt.NDArray[np.int64]:
        intervals = np.full(self.count, QUARTER_US)
        intervals[0] = 0
        return intervals


class Marks:
    """A DirtyMarker that remembers."""

    def __init__(self) -> None:
        self.point_ids: list[int] = []

    def mark(self, point_id: PointIdColumn, time_us: TimeColumn) -> None:
        self.point_ids += point_id.tolist()


class FailingFiles(DurableFiles):
    """Raises `error_number` at the calls of `method` for which `fail_at` counts down to zero, `times` times."""

    def __init__(self, method: str, error_number: int = errno.EIO, *, after: int = 0, times: int = 1) -> None:
        self.method, self.error_number, self.after, self.times = method, error_number, after, times

    def _maybe_fail(self, method: str) -> None:
        if method != self.method:
            return
        if self.after > 0:
            self.after -= 1
        elif self.times > 0:
            self.times -= 1
            raise OSError(self.error_number, "injected")

    def create(self, path: Path, preallocate_bytes: int) -> int:
        self._maybe_fail("create")
        return super().create(path, preallocate_bytes)

    def write_pieces(self, descriptor: int, pieces: Sequence[memoryview], offset: int) -> None:
        self._maybe_fail("write")
        super().write_pieces(descriptor, pieces, offset)

    def sync(self, descriptor: int) -> None:
        self._maybe_fail("sync")
        super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        self._maybe_fail("sync_folder")
        super().sync_folder(path)

    def unlink(self, path: Path) -> None:
        self._maybe_fail("unlink")
        super().unlink(path)

    def rename(self, source: Path, target: Path) -> None:
        self._maybe_fail("rename")
        super().rename(source, target)


def open_store(
    folder: Path,
    *,
    files: DurableFiles | None = None,
    clock: Clock | None = None,
    settings: StoreSettings = SETTINGS,
    marks: Marks | None = None,
    directory: Directory | None = None,
) -> Store:
    """A store of that folder, recovered."""
    directory = directory or Directory()
    store, _ = recovery.open_store(
        folder,
        files or DurableFiles(),
        clock or ManualClock(START_US),
        directory,  # type: ignore[arg-type]
        directory.intervals(),
        settings,
        marks or Marks(),
    )
    return store


async def no_checkpoint_work() -> None:
    """What nobody else has to make durable."""


async def append(
    store: Store, batch: SampleBatch, origin: Origin = ORIGIN, version: int | VersionColumn | None = None
) -> None:
    """Append one batch; returning means acknowledged."""
    await store.commit(store.append(batch, origin, version))


async def seal(store: Store, before_checkpoint: Callable[[], Awaitable[None]] = no_checkpoint_work) -> bool:
    """Move everything unsealed into segments."""
    return await maintenance.seal_all(store, before_checkpoint)


async def merge(store: Store) -> bool:
    """Merge one group of segments, if there is one."""
    return await maintenance.merge_once(store)


async def drop_before(
    store: Store, time_us: int, before_checkpoint: Callable[[], Awaitable[None]] = no_checkpoint_work
) -> None:
    """Retention: nothing older stays."""
    await retention.drop_before(store, time_us, before_checkpoint)


async def move_cold(store: Store) -> bool:
    """Move one segment that is due to the cold folder."""
    return await retention.move_cold(store)


async def remove_retired(store: Store) -> None:
    """Unlink what merges have replaced."""
    await maintenance.remove_retired(store)


class Inline(Executor):
    """Runs work where it is asked for: no threads to start and end, and always the same order."""

    def __init__(self, *_: object) -> None:
        """As for a pool of threads."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **options))
        except BaseException as error:
            future.set_exception(error)
        return future


@contextlib.contextmanager
def without_threads() -> Iterator[None]:
    """Stores that are opened meanwhile do all their work in the thread that asks for it."""
    modules = [module for module in (store_module, workshop) if hasattr(module, "ThreadPoolExecutor")]
    with contextlib.ExitStack() as stack:
        for module in modules:
            stack.enter_context(mock.patch.object(module, "ThreadPoolExecutor", Inline))
        yield


def copy_of(folder: Path, target: Path) -> Path:
    """A fresh copy of a data folder."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    return target


async def take_back(store: Store) -> int:
    """What the start does once the store is open: log files that could not be read before are tried again."""
    return await salvage.take_back(store)


def abandon(store: Store) -> None:
    """Let go of a store as the death of its process does: nothing more is written."""
    store.threads.shut_down()
    store.archive.close()


async def versions_of(store: Store, ids: list[int], start_us: int, end_us: int) -> list[VersionRow]:
    """Every version there is, by point, time and precedence."""
    found = await store.read_versions(ids, start_us, end_us)
    origins = [found.origins[number] for number in found.origin.tolist()]
    columns = (column.tolist() for column in found[:5])
    return [VersionRow(*row, origin) for *row, origin in zip(*columns, origins, strict=True)]


class Twin:
    """The perfect store: a dict of versions. What the real one is compared with."""

    def __init__(self) -> None:
        self.versions: dict[int, dict[int, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))

    def append(self, batch: SampleBatch) -> None:
        """Keep every sample; the last one of a time is the one to be read."""
        for point_id, time_us, value, quality in zip(*(column.tolist() for column in batch), strict=True):
            self.versions[point_id][time_us].append((value, quality))

    def read(self, point_id: int, start_us: int, end_us: int) -> Tuples:
        """(time, value, quality) of the newest versions in ``[start, end)``."""
        times = sorted(time for time in self.versions[point_id] if start_us <= time < end_us)
        return [(time, *self.versions[point_id][time][-1]) for time in times]

    def neighbours(self, point_id: int, time_us: int) -> tuple[Tuples, Tuples]:
        """The last sample at or before `time_us` and the first after it."""
        everything = self.read(point_id, -(1 << 63), 1 << 63)
        before = [sample for sample in everything if sample[0] <= time_us]
        after = [sample for sample in everything if sample[0] > time_us]
        return before[-1:], after[:1]


def as_tuples(run: SampleRun) -> Tuples:
    """A run in the twin's form."""
    return list(zip(run.time_us.tolist(), run.value.tolist(), run.quality.tolist(), strict=True))
