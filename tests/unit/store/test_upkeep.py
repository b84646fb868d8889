"""Background work goes on piece by piece, and what was replaced goes a minute later."""

import asyncio
from pathlib import Path

from historian.clock import ManualClock
from historian.settings import StoreSettings
from historian.store import filenames, maintenance, upkeep
from tests.support.store_kit import START_US, append, no_checkpoint_work, open_store
from tests.support.waiting import until
from tests.unit.store.test_store import batch_of, values_of

MERGING = StoreSettings(wal_file_bytes_max=1 << 20, disk_reserve_bytes=0, segment_compact_count=3)


async def test_segments_are_merged_and_the_replaced_ones_removed_a_minute_later(tmp_path: Path) -> None:
    clock = ManualClock(START_US)
    store = open_store(tmp_path, settings=MERGING, clock=clock)
    for slot in range(3):
        await append(store, batch_of([slot]))
        await maintenance.seal_all(store, no_checkpoint_work)
    work = asyncio.create_task(upkeep.run_background(store))
    await until(lambda: len(store.archive.live) == 1, timeout_s=30.0)
    folder = tmp_path / filenames.SEGMENT_FOLDER
    merged_s = clock.monotonic_s()
    await until(lambda: not store.manifest.retired, timeout_s=30.0)  # the clock goes on with every sleep
    assert clock.monotonic_s() - merged_s >= upkeep.RETIRED_KEPT_S
    assert len(list(folder.iterdir())) == 1
    assert await values_of(store) == [0.0, 1.0, 2.0]
    work.cancel()
    await store.close()
