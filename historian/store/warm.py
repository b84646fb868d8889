"""Lives a small store's life once in a temporary folder, so that no request waits for the compiler.

The compiled code is kept on disk: this takes seconds the very first time and milliseconds after.
"""

import asyncio
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from historian.clock import ManualClock
from historian.errors import PointNotFound
from historian.model.point import DAY_US, MINUTE_US, Point
from historian.model.sample import Origin, SampleBatch, make_batch
from historian.settings import StoreSettings
from historian.store import maintenance, recovery, ring_fill
from historian.store.durable import DurableFiles
from historian.store.ring import Ring
from historian.store.store import Store
from historian.store.unsealed import Found, Unsealed

_START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
_QUARTER_US = 15 * MINUTE_US
_SETTINGS = StoreSettings(
    wal_file_bytes_max=1 << 20, disk_reserve_bytes=0, segment_compact_count=2, compact_cpu_share=1.0
)
_IDS = [1, 2, 3]


class _Nobody:
    """Knows no point, and takes no mark."""

    def by_id(self, point_id: int) -> Point:
        raise PointNotFound(str(point_id))

    def mark(self, point_id: npt.NDArray[np.uint32], time_us: npt.NDArray[np.int64]) -> None:
        return None


class _NotSynced(DurableFiles):
    """What is written here need not last: waiting for the disk was half of the time."""

    def sync(self, descriptor: int) -> None:
        """At once."""

    def sync_folder(self, path: Path) -> None:
        """At once."""


def warm_kernels() -> None:
    """Touch log, ring, unsealed batches, segments and merging with the types they meet in earnest."""
    with tempfile.TemporaryDirectory(prefix="historian-") as folder:
        asyncio.run(_live(Path(folder)))
    _touch_memory()


async def _live(folder: Path) -> None:
    store = _open(folder)
    for day in range(2):
        await _append(store, _scans(day * DAY_US))
        await _append(store, make_batch(2, [_START_US + 7, _START_US + 9], [0.25, 1e300]))  # off the grid
        await _append(
            store, make_batch(1, [_START_US - 40 * DAY_US, _START_US], [7.5, day])
        )  # late, corrected
        await _read(store)
        await maintenance.seal_all(store, _nothing)
        await _read(store)
    await maintenance.merge_once(store)
    scan = make_batch(_IDS, [_START_US + 2 * DAY_US] * len(_IDS), [0.5, 1e10, 1e300], [0, 1, 0])
    await _append(store, scan)  # nothing but scans is sealed without sorting
    await maintenance.seal_all(store, _nothing)
    await _append(store, _scans(0))
    await _read(store)
    await store.close()
    store = _open(folder)
    await ring_fill.fill_ring(store)
    await _read(store)
    await store.close()


def _touch_memory() -> None:
    """What the life above does not meet, or only by chance: samples twice, out of order, asked for one by one."""
    ring, unsealed = Ring(1), Unsealed()
    ring.make_rooms(np.array([0, _QUARTER_US], np.int64))
    batch = make_batch(1, [_START_US, 0, _START_US], [1.0, 2.0, 3.0])
    ring.look_up(batch.point_id, batch.time_us)
    ring.insert(batch)
    for record in (1, 2):
        unsealed.add(batch, 1, record)
        unsealed.look_up(batch.point_id, batch.time_us, Found(batch.sample_count))
    unsealed.newest_time(batch.point_id, _START_US)
    unsealed.read_versions(batch.point_id, 0, 2 * _START_US)
    unsealed.add(make_batch([9_999_999, 1], [0, 0], [1.0, 2.0]), 2, 3)
    unsealed.freeze().sorted_rows()


def _open(folder: Path) -> Store:
    nobody, clock = _Nobody(), ManualClock(_START_US + 2 * DAY_US)
    intervals = np.array([0, _QUARTER_US, _QUARTER_US, 4 * _QUARTER_US], np.int64)
    # The directory is asked for names and units only, and a point that is not found has none.
    opened, _ = recovery.open_store(folder, _NotSynced(), clock, nobody, intervals, _SETTINGS, nobody)  # type: ignore[arg-type]
    return opened


def _scans(after_us: int) -> SampleBatch:
    """A quarter of an hour after the other, all points."""
    quarters = np.repeat(np.arange(8), len(_IDS))
    times = _START_US + after_us + quarters * 4 * _QUARTER_US
    return make_batch(np.tile(_IDS, 8), times, quarters / 8, quarters % 2)


async def _append(store: Store, batch: SampleBatch) -> None:
    await store.existing(batch)
    await store.commit(store.append(batch, Origin("warm")))


async def _read(store: Store) -> None:
    for start_us in (_START_US - 50 * DAY_US, _START_US, _START_US + DAY_US):
        await store.read_block(_IDS, start_us, _START_US + 3 * DAY_US)
    await store.read_versions(_IDS, 0, _START_US + 3 * DAY_US)
    await store.last_block(_IDS)
    await store.neighbours(1, _START_US)
    await store.read_packed(np.array(_IDS, np.uint32), _START_US, _START_US + DAY_US)


async def _nothing() -> None:
    return None
