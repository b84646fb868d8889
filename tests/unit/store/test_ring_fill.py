"""After a start the newest hours of sealed samples come back into the ring, point after point."""

from pathlib import Path

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.model.sample import make_batch
from historian.store import maintenance, ring_fill
from historian.store.store import Store
from tests.support.store_kit import QUARTER_US, START_US, append, no_checkpoint_work, open_store

SLOTS = 400  # the last 192 of them in the newest 48 h
NOW_US = START_US + SLOTS * QUARTER_US


async def reopened(folder: Path) -> Store:
    store = open_store(folder, clock=ManualClock(NOW_US))
    for point_id in (1, 2, 3):
        times = START_US + QUARTER_US * np.arange(SLOTS)
        await append(store, make_batch(point_id, times, np.arange(SLOTS) + 1000.0 * point_id))
    await maintenance.seal_all(store, no_checkpoint_work)
    await store.close()
    return open_store(folder, clock=ManualClock(NOW_US))


async def test_every_point_has_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_fill, "POINTS_AT_ONCE", 2)
    store = await reopened(tmp_path)
    ids = np.array([1, 2, 3], np.uint32)
    assert store.ring.read_block(ids, START_US, NOW_US).sample_count == 0
    await ring_fill.fill_ring(store)
    recent = store.ring.read_block(ids, NOW_US - QUARTER_US, NOW_US)
    assert recent.value.tolist() == [1399.0, 2399.0, 3399.0]
    assert int(store.ring.floors(ids).max()) == NOW_US - store.settings.ring_hours * 4 * QUARTER_US - 1
    await store.close()


async def test_reads_say_the_same_before_and_after(tmp_path: Path) -> None:
    store = await reopened(tmp_path)
    before = await store.read_block([1, 2, 3], START_US, NOW_US)
    await ring_fill.fill_ring(store)
    after = await store.read_block([1, 2, 3], START_US, NOW_US)
    assert [one.tolist() for one in before] == [one.tolist() for one in after]
    assert after.sample_count == 3 * SLOTS
    await store.close()
