"""Samples shown where they lie are those that are read out."""

from pathlib import Path

import numpy as np
import pytest

from historian.errors import SegmentCorrupt
from historian.model.point import DAY_US
from historian.model.ports import PackedReader
from historian.model.sample import make_batch
from historian.store import maintenance
from historian.store.store import Store
from tests.support import packed_kit
from tests.support.store_kit import QUARTER_US, START_US, append, no_checkpoint_work, open_store

IDS = np.array([1, 2, 3, 4, 5, 6, 7, 8], np.uint32)
PACKED = [1, 1, 1, 0, 0, 0, 0, 1]
END_US = START_US + 5 * DAY_US


async def seal(store: Store) -> None:
    await maintenance.seal_all(store, no_checkpoint_work)


async def fill(store: Store) -> None:
    """Two seals: everyday, gaps, qualities of their own, other times, other values, a correction, an overlap, nothing."""
    random = np.random.default_rng(3)
    for first, last in ((0, 200), (200, 480)):
        times = START_US + QUARTER_US * np.arange(first, last)
        await append(store, make_batch(1, times, np.arange(first, last) / 8))
        some = times[random.random(len(times)) < 0.7]
        await append(store, make_batch(2, some, np.ones(len(some))))
        marks = random.integers(0, 3, len(times)).astype(np.uint16)
        await append(store, make_batch(3, times, np.full(len(times), first + 0.25), marks))
        await append(store, make_batch(4, times + random.integers(0, 9, len(times)), np.ones(len(times))))
        await append(store, make_batch(5, times, np.full(len(times), 1 / 3)))
        await append(store, make_batch(6, times, np.ones(len(times))))
        if first:
            await append(store, make_batch(6, times[:1] - 5 * QUARTER_US, [7.0]))
        long = times[::2] if first else times[0] + QUARTER_US * np.arange(0, 480, 3)
        await append(store, make_batch(7, long, np.full(len(long), 2.5)))
        await seal(store)


@pytest.fixture
async def store(tmp_path: Path) -> Store:
    made = open_store(tmp_path)
    await fill(made)
    await made.close()
    return open_store(tmp_path)


@pytest.mark.parametrize("hours", [(-100, 200), (0, 24), (49, 52), (13, 51), (200, 300)], ids=str)
@pytest.mark.parametrize("is_cached", [False, True], ids=["from disk", "from memory"])
async def test_samples_are_those_read_out(store: Store, hours: tuple[int, int], is_cached: bool) -> None:
    assert isinstance(store, PackedReader)
    start_us, end_us = (START_US + hour * 4 * QUARTER_US for hour in hours)
    expected = None
    if is_cached:
        expected = await store.read_block(IDS, start_us, end_us)
    block = await store.read_packed(IDS, start_us, end_us)
    expected = expected or await store.read_block(IDS, start_us, end_us)
    assert block is not None
    for i in range(len(IDS)):
        run = expected.run(i)
        samples = list(zip(run.time_us.tolist(), run.value.tolist(), run.quality.tolist(), strict=True))
        if block.is_packed[i]:
            assert sorted(packed_kit.samples_of(block, i)) == samples
    if hours[0] < 0:
        assert block.is_packed.tolist() == PACKED
    await store.close()


async def test_what_is_unsealed_ends_what_can_be_shown(store: Store) -> None:
    assert store.packed_until_us > END_US
    await append(store, make_batch(1, [END_US + QUARTER_US], [1.0]))
    assert store.packed_until_us == END_US + QUARTER_US
    assert await store.read_packed(IDS, START_US, END_US) is not None
    assert await store.read_packed(IDS, START_US, END_US + 2 * QUARTER_US) is None
    await seal(store)
    assert await store.read_packed(IDS, START_US, END_US + 2 * QUARTER_US) is not None
    store.has_old_versions = True
    assert await store.read_packed(IDS, START_US, END_US) is None
    await store.close()


async def test_a_damaged_segment_is_an_error(store: Store) -> None:
    for path in (store.folder / "segments").iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 4 : len(data) // 4 + 2000] = bytes(2000)
        path.write_bytes(data)
    with pytest.raises(SegmentCorrupt):
        await store.read_packed(IDS, START_US, END_US)
    assert store.status().damage
    await store.close()
