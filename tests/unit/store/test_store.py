"""The store as a whole: durable before visible, newest version read, wherever a sample lies."""

import asyncio
import errno
from pathlib import Path

import h5py
import pytest

from historian.clock import ManualClock
from historian.errors import SegmentCorrupt, StoreError, StoreReadOnly, WalFailed
from historian.model.sample import Origin, SampleBatch, make_batch
from historian.settings import StoreSettings
from historian.store import maintenance
from historian.store.durable import DurableFiles
from historian.store.store import RESERVE_CHECK_S, Store
from tests.support.store_kit import (
    QUARTER_US,
    START_US,
    FailingFiles,
    append,
    as_tuples,
    no_checkpoint_work,
    open_store,
    versions_of,
)

FAR = START_US + 10_000 * QUARTER_US


def batch_of(slots: list[int], values: list[float] | None = None, point_id: int = 1) -> SampleBatch:
    values = values if values is not None else [float(slot) for slot in slots]
    return make_batch(point_id, [START_US + slot * QUARTER_US for slot in slots], values)


def damage_a_column(store: Store) -> None:
    """Spoil the values of the newest segment behind its index, which stays good."""
    path = store.archive.live[-1].segment.path
    store.archive.let_go([path.name])
    with h5py.File(path) as file:
        [values] = file["values"].values()
        at = values.id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[at : at + 32] = bytes(32)
    path.write_bytes(data)


async def values_of(store: Store, point_id: int = 1) -> list[float]:
    [run] = await store.read([point_id], 0, FAR)
    return run.value.tolist()


async def test_appended_samples_are_read_back(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([0, 1, 2]))
    assert await values_of(store) == [0.0, 1.0, 2.0]
    await store.close()


async def test_a_point_that_was_never_written_is_an_empty_run(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert [run.sample_count for run in await store.read([5, 90_000], 0, FAR)] == [0, 0]
    assert [run.sample_count for run in await store.last([5])] == [0]
    await store.close()


async def test_reading_joins_ring_late_buffer_and_segments(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of(list(range(0, 400, 2))))
    await maintenance.seal_all(store, no_checkpoint_work)
    await append(store, batch_of(list(range(1, 400, 2))))
    assert await values_of(store) == [float(slot) for slot in range(400)]
    await store.close()


async def test_a_late_sample_corrected_before_it_is_sealed_is_there_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([5000, *range(5000, 5400)]))  # the ring's floor lies above slot 0
    await append(store, batch_of([0]))
    await append(store, batch_of([0], [-1.0]))
    [run] = await store.read([1], 0, START_US + QUARTER_US)
    assert run.value.tolist() == [-1.0]
    await store.close()


@pytest.mark.parametrize("is_sealed", [False, True], ids=["unsealed", "sealed"])
@pytest.mark.parametrize("slot", [0, 399], ids=["below_the_ring", "in_the_ring"])
async def test_a_correction_wins_wherever_the_old_value_lies(
    tmp_path: Path, is_sealed: bool, slot: int
) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of(list(range(400))))
    if is_sealed:
        await maintenance.seal_all(store, no_checkpoint_work)
    existing = await store.existing(batch_of([slot]))
    assert existing is not None
    assert (existing.is_found.tolist(), existing.value.tolist()) == ([True], [float(slot)])
    await append(store, batch_of([slot], [-1.0]))
    assert (await values_of(store))[slot] == -1.0
    await maintenance.seal_all(store, no_checkpoint_work)
    assert (await values_of(store))[slot] == -1.0
    await store.close()


async def test_of_one_time_twice_in_a_batch_the_later_wins_even_where_the_first_left_the_ring_meanwhile(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([*range(400), 0], [*[1.0] * 400, 2.0]))
    assert (await values_of(store))[0] == 2.0
    await maintenance.seal_all(store, no_checkpoint_work)
    assert (await values_of(store))[0] == 2.0
    await store.close()


async def test_a_seal_that_ends_during_a_look_up_hides_nothing_from_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([0, 500]))
    await maintenance.seal_all(store, no_checkpoint_work)
    await append(store, batch_of(list(range(1, 400))))
    job = store.begin_seal()
    assert job is not None
    sealed = maintenance._make_sealed(maintenance._publisher(store), job)
    async with maintenance.put_in_force(store, (), sealed, sealed_sequence=job.record) as (state, added):
        looking = asyncio.create_task(store.existing(batch_of([5, 500])))
        await asyncio.sleep(0)
        store.end_seal(job, state, added)
        existing = await looking
    assert existing is not None
    assert existing.is_found.tolist() == [True, True]
    await store.close()


async def test_a_late_sample_of_a_damaged_segment_is_taken_and_the_damage_told(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of(list(range(400))))
    await maintenance.seal_all(store, no_checkpoint_work)
    damage_a_column(store)
    existing = await store.existing(batch_of([0]))
    assert existing is not None
    assert existing.is_found.tolist() == [False]
    await append(store, batch_of([0], [7.0]))
    with pytest.raises(SegmentCorrupt):  # never a part of what is stored
        await values_of(store)
    assert len(store.status().damage) == 1
    await store.close()


async def test_too_many_open_files_are_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of(list(range(400))))
    await maintenance.seal_all(store, no_checkpoint_work)
    store.archive.let_go([live.info.name for live in store.archive.live])

    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(h5py, "File", refuse)
        with pytest.raises(StoreError, match="Too many open files"):
            await values_of(store)
    assert len(await values_of(store)) == 400
    assert store.status().damage == []
    await store.close()


async def test_what_is_surely_new_needs_no_second_look(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([0, 1]))
    assert await store.existing(batch_of([2, 3])) is None
    await store.close()


async def test_neighbours_and_last_find_samples_in_segments(tmp_path: Path) -> None:
    clock = ManualClock(FAR + 10**15)  # so late that a restart leaves the ring empty
    store = open_store(tmp_path, clock=clock)
    await append(store, batch_of([0, 5, 3000]))
    await maintenance.seal_all(store, no_checkpoint_work)
    await store.close()
    store = open_store(tmp_path, clock=clock)
    before, after = await store.neighbours(1, START_US + 6 * QUARTER_US)
    assert (before.value.tolist(), after.value.tolist()) == ([5.0], [3000.0])
    before, after = await store.neighbours(1, START_US - 1)
    assert (before.sample_count, after.value.tolist()) == (0, [0.0])
    before, after = await store.neighbours(1, START_US + 3000 * QUARTER_US)
    assert (before.value.tolist(), after.sample_count) == ([3000.0], 0)
    assert [run.value.tolist() for run in await store.last([1, 2])] == [[3000.0], []]
    await store.close()


@pytest.mark.parametrize("method", ["create", "write", "sync"])
async def test_a_failing_log_acknowledges_nothing_shows_it_and_recovers(tmp_path: Path, method: str) -> None:
    files = FailingFiles(method, errno.EIO)
    store = open_store(tmp_path)
    store.files = store.wal._files = files
    with pytest.raises(WalFailed):
        await append(store, batch_of([0]))
    assert not store.status().is_writable
    assert store.status().cause == "log_failed"
    assert await values_of(store) == []
    await append(store, batch_of([1]))
    assert store.status().is_writable
    await store.close()
    store = open_store(tmp_path)
    assert 1.0 in await values_of(store)
    await store.close()


async def test_a_probe_finds_out_that_the_disk_works_again(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.wal._files = FailingFiles("sync", times=2)
    with pytest.raises(WalFailed):
        await append(store, batch_of([0]))
    await store.probe()
    assert not store.status().is_writable
    await store.probe()
    assert store.status().is_writable
    await store.close()


async def test_below_the_disk_reserve_writes_are_refused_and_reads_go_on(tmp_path: Path) -> None:
    class SmallDisk(DurableFiles):
        free = 1 << 30

        def free_bytes(self, path: Path) -> int:
            return self.free

    files, clock = SmallDisk(), ManualClock(START_US)
    settings = StoreSettings(wal_file_bytes_max=1 << 20)
    store = open_store(tmp_path, files=files, clock=clock, settings=settings)
    await append(store, batch_of([0]))
    files.free = 100
    clock.advance(RESERVE_CHECK_S)
    with pytest.raises(StoreReadOnly, match="free some space") as caught:
        await append(store, batch_of([1]))
    assert caught.value.cause == "disk_reserve"
    assert await values_of(store) == [0.0]
    files.free = 1 << 30
    await store.probe()
    assert store.status().is_writable
    await append(store, batch_of([1]))
    await store.close()


async def test_a_folder_that_cannot_be_asked_for_its_space_takes_no_writes(tmp_path: Path) -> None:
    class Gone(DurableFiles):
        def free_bytes(self, path: Path) -> int:
            raise OSError(errno.EIO, "Input/output error")

    store = open_store(tmp_path)
    store.files = Gone()
    with pytest.raises(StoreReadOnly, match="Input/output error"):
        await append(store, batch_of([0]))
    await store.probe()
    store.files = DurableFiles()
    await store.probe()
    assert store.status().is_writable
    await store.close()


async def test_sequences_of_batches_written_together_are_consecutive(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    tickets = [store.append(batch_of([slot]), Origin(f"s{slot}")) for slot in range(3)]
    await store.commit(tickets[-1])
    first = tickets[0].record
    rows = await versions_of(store, [1], 0, FAR)
    assert [(row.sequence, row.origin.source) for row in rows] == [
        (first, "s0"),
        (first + 1, "s1"),
        (first + 2, "s2"),
    ]
    await store.close()


async def test_status_tells_what_is_held(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([0, 1]))
    assert store.status().unsealed_sample_count == 2
    await maintenance.seal_all(store, no_checkpoint_work)
    status = store.status()
    assert (status.unsealed_sample_count, status.segment_count) == (0, 1)
    assert as_tuples((await store.read([1], 0, FAR))[0])[0][1] == 0.0
    await store.close()
