"""After a start the newest hours of sealed samples come back into the ring, point after point."""

from pathlib import Path

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.model.point import DAY_US, HOUR_US
from historian.model.sample import make_batch
from historian.store import maintenance, ring_fill
from historian.store.store import Store
from tests.support.store_kit import QUARTER_US, START_US, append, no_checkpoint_work, open_store

SLOTS = 400  # the last 192 of them in the newest 48 h
NOW_US = START_US + SLOTS * QUARTER_US


async def reopened(folder: Path, now_us: int = NOW_US, stray_us: int | None = None) -> Store:
    store = open_store(folder, clock=ManualClock(NOW_US))
    for point_id in (1, 2, 3):
        times = START_US + QUARTER_US * np.arange(SLOTS)
        await append(store, make_batch(point_id, times, np.arange(SLOTS) + 1000.0 * point_id))
    if stray_us is not None:
        await append(store, make_batch(4, [stray_us], [4.0]))
    await maintenance.seal_all(store, no_checkpoint_work)
    await store.close()
    return open_store(folder, clock=ManualClock(now_us))


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


@pytest.mark.parametrize("now_us", [NOW_US + 300 * DAY_US, 0], ids=["nothing_for_months", "a_clock_of_1970"])
async def test_newest_samples_are_in_the_ring_whatever_the_clock_says(tmp_path: Path, now_us: int) -> None:
    store = await reopened(tmp_path, now_us)
    await ring_fill.fill_ring(store)
    assert store.ring.newest(np.array([1, 2, 3], np.uint32)).value.tolist() == [1399.0, 2399.0, 3399.0]
    assert int(store.ring.floors(np.array([1, 2, 3], np.uint32)).max()) < NOW_US - 47 * HOUR_US
    await store.close()


@pytest.mark.parametrize("now_us", [NOW_US, NOW_US + 300 * DAY_US, 0])
async def test_a_point_ahead_of_all_others_leaves_the_ring_to_them(tmp_path: Path, now_us: int) -> None:
    stray_us = NOW_US + 365 * DAY_US
    store = await reopened(tmp_path, now_us, stray_us)
    await ring_fill.fill_ring(store)
    assert store.ring.newest(np.array([1, 2, 3], np.uint32)).value.tolist() == [1399.0, 2399.0, 3399.0]
    last = await store.last_block([1, 2, 3, 4, 5])
    assert last.is_found.tolist() == [True, True, True, True, False]
    assert last.value[:4].tolist() == [1399.0, 2399.0, 3399.0, 4.0]
    assert (await store.read_block([4], stray_us, stray_us + 1)).sample_count == 1
    await store.close()
