"""Small reads are answered on the loop, large ones beside it; both say the same."""

import threading
from pathlib import Path

import numpy as np
import pytest

from historian.model.point import DAY_US
from historian.model.sample import RunBlock, make_batch
from historian.store import maintenance, reader, ring_fill
from historian.store.archive import Archive
from historian.store.store import Store
from tests.support.store_kit import QUARTER_US, START_US, append, no_checkpoint_work, open_store

IDS = np.array([1, 2], np.uint32)
SLOTS = 200


async def sealed_store(folder: Path) -> Store:
    """Two points, one of which lacks samples, all in a segment; opened again, so that the ring has none of them."""
    store = open_store(folder)
    times = START_US + QUARTER_US * np.arange(SLOTS)
    await append(store, make_batch(1, times, np.arange(SLOTS) / 8))
    some = times[times % (7 * QUARTER_US) != 0]
    await append(store, make_batch(2, some, np.ones(len(some))))
    await maintenance.seal_all(store, no_checkpoint_work)
    await store.close()
    return open_store(folder)


def columns(block: RunBlock) -> list[list[float]]:
    return [column.tolist() for column in block]


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that copy out of the cache."""
    names: list[str] = []
    read = Archive.try_read_block

    def noted(archive: Archive, *arguments: object) -> RunBlock | None:
        names.append(threading.current_thread().name)
        return read(archive, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Archive, "try_read_block", noted)
    return names


async def test_a_large_read_leaves_the_loop_alone(
    tmp_path: Path, readers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await sealed_store(tmp_path)
    small = await store.read_block(IDS, START_US, START_US + DAY_US)
    assert readers == [threading.current_thread().name]
    monkeypatch.setattr(reader, "LOOP_POINT_DAYS_MAX", 1)
    large = await store.read_block(IDS, START_US, START_US + DAY_US)
    assert readers[1].startswith("segment-copier")
    assert columns(large) == columns(small)
    assert large.sample_count > 150
    await store.close()


async def test_a_range_that_ends_behind_all_samples_holds_all(tmp_path: Path) -> None:
    store = await sealed_store(tmp_path)
    block = await store.read_block(IDS, START_US, START_US + 400 * DAY_US)
    assert block.run(0).value.tolist() == (np.arange(SLOTS) / 8).tolist()
    assert np.diff(block.run(1).time_us).max() == 2 * QUARTER_US
    await store.close()


async def test_samples_newer_than_the_sealed_ones_follow_them(tmp_path: Path) -> None:
    store = await sealed_store(tmp_path)
    await append(store, make_batch(1, START_US + QUARTER_US * np.array([5, SLOTS]), [-1.0, -2.0]))
    block = await store.read_block(IDS, START_US, START_US + 400 * DAY_US)
    assert block.run(0).value[[4, 5, 6, SLOTS]].tolist() == [0.5, -1.0, 0.75, -2.0]
    assert block.run(0).sample_count == SLOTS + 1
    await store.close()


async def test_what_is_cached_answers_for_the_ring_until_something_is_not_sealed(tmp_path: Path) -> None:
    store = await sealed_store(tmp_path)
    end_us = START_US + SLOTS * QUARTER_US
    expected = columns(await store.read_block(IDS, START_US, end_us))
    await ring_fill.fill_ring(store)
    assert int(store.ring.floors(IDS).max()) > START_US
    assert columns(await store.read_block(IDS, START_US, end_us)) == expected
    await append(store, make_batch(1, [START_US, end_us - QUARTER_US, end_us], [-1.0, -2.0, -3.0]))
    run = (await store.read_block(IDS, START_US, end_us + 1)).run(0)
    assert run.value[[0, -2, -1]].tolist() == [-1.0, -2.0, -3.0]
    assert run.sample_count == SLOTS + 1
    await store.close()
