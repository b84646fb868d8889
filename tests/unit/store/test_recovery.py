"""Opening a folder in any state a crash or damage can leave: nothing acknowledged is dropped, damage is told."""

import errno
from pathlib import Path

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.errors import SegmentCorrupt, StoreError
from historian.model.sample import make_batch
from historian.settings import StoreSettings
from historian.store import filenames, maintenance, ring_fill
from tests.support.store_kit import (
    QUARTER_US,
    START_US,
    Directory,
    FailingFiles,
    Marks,
    append,
    no_checkpoint_work,
    open_store,
)
from tests.unit.store.test_store import FAR, batch_of, damage_a_column, values_of


async def filled(folder: Path, *, is_sealed: bool) -> None:
    store = open_store(folder)
    for slot in range(10):
        await append(store, batch_of([slot]))
    if is_sealed:
        await maintenance.seal_all(store, no_checkpoint_work)
    await store.close()


def wal_file(folder: Path) -> Path:
    return next((folder / filenames.WAL_FOLDER).iterdir())


def segment_file(folder: Path) -> Path:
    return next((folder / filenames.SEGMENT_FOLDER).iterdir())


@pytest.mark.parametrize("is_sealed", [False, True], ids=["from_the_log", "from_a_segment"])
async def test_everything_is_there_after_a_restart(tmp_path: Path, is_sealed: bool) -> None:
    await filled(tmp_path, is_sealed=is_sealed)
    store = open_store(tmp_path)
    assert await values_of(store) == [float(slot) for slot in range(10)]
    await append(store, batch_of([10]))
    assert (await values_of(store))[-1] == 10.0
    await store.close()


async def test_replayed_samples_are_marked_dirty(tmp_path: Path) -> None:
    await filled(tmp_path, is_sealed=False)
    marks = Marks()
    store = open_store(tmp_path, marks=marks)
    assert marks.point_ids == [1] * 10
    await store.close()


async def test_the_recent_past_is_in_the_ring_after_a_restart(tmp_path: Path) -> None:
    await filled(tmp_path, is_sealed=True)
    store = open_store(tmp_path, clock=ManualClock(START_US + 5 * QUARTER_US))
    await ring_fill.fill_ring(store)
    segment_file(tmp_path).write_bytes(b"gone")  # the ring answers without the file
    assert len(await values_of_recent(store)) == 10
    await store.close()


async def values_of_recent(store: object) -> list[float]:
    from historian.store.store import Store

    assert isinstance(store, Store)
    [run] = await store.read([1], START_US, FAR)
    return run.value.tolist()


async def test_damage_in_the_middle_of_the_log_costs_one_record_and_is_told(tmp_path: Path) -> None:
    await filled(tmp_path, is_sealed=False)
    path = wal_file(tmp_path)
    data = bytearray(path.read_bytes())
    at = data.find(b"\xf5hR\x01", 300)
    data[at + 50] ^= 1
    path.write_bytes(data)
    store = open_store(tmp_path)
    assert len(await values_of(store)) == 9
    [line] = store.status().damage
    assert "set aside" in line
    assert list((tmp_path / filenames.QUARANTINE_FOLDER).iterdir())
    await store.close()


async def test_a_torn_tail_is_dropped_without_alarm(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for slot in range(3):
        await append(store, batch_of([slot]))
    path = wal_file(tmp_path)
    data = path.read_bytes()
    end = data.rfind(b"\xf5hR\x01") + 60
    await store.close()
    path.write_bytes(data[:end] + bytes(len(data) - end))
    store = open_store(tmp_path)
    assert await values_of(store) == [0.0, 1.0]
    assert store.status().damage == []
    await store.close()


async def test_a_damaged_segment_is_shown_and_the_rest_served(tmp_path: Path) -> None:
    await filled(tmp_path, is_sealed=True)
    store = open_store(tmp_path)
    await append(store, batch_of([5000], point_id=2))
    await store.close()
    segment_file(tmp_path).write_bytes(b"\x89HDF not at all")
    store = open_store(tmp_path)
    assert await values_of(store, 2) == [5000.0]
    assert any(".h5" in line for line in store.status().damage)
    await store.close()


async def test_a_segment_that_no_manifest_lists_was_never_in_force(tmp_path: Path) -> None:
    await filled(tmp_path, is_sealed=True)
    folder = tmp_path / filenames.SEGMENT_FOLDER
    store = open_store(tmp_path)
    await append(store, batch_of([10]))
    store.files = FailingFiles("rename", after=1)  # the segment is there, the manifest fails
    assert not await maintenance.seal_all(store, no_checkpoint_work)
    await store.close()
    assert len(list(folder.iterdir())) == 2
    (folder / "x.h5.tmp").write_bytes(b"half")
    store = open_store(tmp_path)
    assert len(list(folder.iterdir())) == 1
    assert len(await values_of(store)) == 11
    assert store.status().damage == []
    await store.close()


async def test_an_old_manifest_from_a_backup_costs_no_newer_segment(tmp_path: Path) -> None:
    await filled(tmp_path, is_sealed=True)
    backup = (tmp_path / filenames.MANIFEST).read_bytes()
    for slot in (10, 11):
        store = open_store(tmp_path)
        await append(store, batch_of([slot]))
        await maintenance.seal_all(store, no_checkpoint_work)
        await store.close()
    (tmp_path / filenames.MANIFEST).write_bytes(backup)
    for _ in range(2):
        store = open_store(tmp_path)
        lines = [line for line in store.status().damage if "not in the manifest" in line]
        assert len(lines) == 1  # the newest one's samples are in the log, too
        await append(store, batch_of([12]))
        await maintenance.seal_all(store, no_checkpoint_work)
        assert store.manifest.retired == ()
        await store.close()
    assert len(list((tmp_path / filenames.SEGMENT_FOLDER).iterdir())) == 4


async def test_merged_segments_stay_while_something_is_damaged(tmp_path: Path) -> None:
    settings = StoreSettings(wal_file_bytes_max=1 << 20, disk_reserve_bytes=0, segment_compact_count=2)
    store = open_store(tmp_path, settings=settings)
    for slot in range(2):
        await append(store, batch_of([slot]))
        await maintenance.seal_all(store, no_checkpoint_work)
    assert await maintenance.merge_once(store)
    await store.close()
    store.archive.live[0].segment.path.write_bytes(b"spoilt")
    store = open_store(tmp_path)
    assert len(list((tmp_path / filenames.SEGMENT_FOLDER).iterdir())) == 3
    assert len(store.status().damage) == 1
    await store.close()


async def test_a_file_that_cannot_be_removed_does_not_stop_the_start(tmp_path: Path) -> None:
    await filled(tmp_path, is_sealed=True)
    (tmp_path / filenames.SEGMENT_FOLDER / "x.h5.tmp").write_bytes(b"half")
    store = open_store(tmp_path, files=FailingFiles("unlink", times=99))
    assert len(await values_of(store)) == 10
    await store.close()


async def test_a_damaged_column_does_not_stop_the_start_and_is_not_passed_over(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([0, 1]))
    await maintenance.seal_all(store, no_checkpoint_work)
    damage_a_column(store)
    await store.close()
    store = open_store(tmp_path)
    await ring_fill.fill_ring(store)
    assert len(store.status().damage) == 1
    with pytest.raises(SegmentCorrupt):
        await values_of(store)
    await append(store, batch_of([5000], point_id=2))
    assert await values_of(store, 2) == [5000.0]
    await store.close()


async def test_a_clock_that_says_1970_does_not_make_the_whole_archive_recent(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([0, 5000]))
    await maintenance.seal_all(store, no_checkpoint_work)
    await store.close()
    store = open_store(tmp_path, clock=ManualClock(0))
    await ring_fill.fill_ring(store)
    assert store.ring.floors(np.array([1], np.uint32))[0] > START_US
    assert await values_of(store) == [0.0, 5000.0]
    await store.close()


async def test_a_log_that_was_made_but_never_synced_is_no_damage(tmp_path: Path) -> None:
    folder = tmp_path / filenames.WAL_FOLDER
    folder.mkdir()
    (folder / filenames.wal_name(1)).write_bytes(bytes(4096))
    (folder / filenames.wal_name(2)).write_bytes(b"")
    store = open_store(tmp_path)
    assert store.status().damage == []
    await append(store, batch_of([0]))
    await store.close()


async def test_a_log_that_cannot_be_written_anew_is_read_as_it_is(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([0]))
    data = wal_file(tmp_path).read_bytes()
    await store.close()
    wal_file(tmp_path).write_bytes(data)
    store = open_store(tmp_path, files=FailingFiles("create", errno.ENOSPC))
    assert await values_of(store) == [0.0]
    await store.close()


async def test_a_file_that_cannot_be_explained_is_left_alone_and_told(tmp_path: Path) -> None:
    await filled(tmp_path, is_sealed=True)
    strange = tmp_path / filenames.SEGMENT_FOLDER / "notes.txt"
    strange.write_text("mine")
    store = open_store(tmp_path)
    assert strange.exists()
    assert any("notes.txt" in line for line in store.status().damage)
    await store.close()


async def test_segments_without_manifest_are_not_taken_for_an_empty_store(tmp_path: Path) -> None:
    await filled(tmp_path, is_sealed=True)
    (tmp_path / filenames.MANIFEST).unlink()
    with pytest.raises(StoreError, match="restore it from a backup"):
        open_store(tmp_path)


async def test_samples_of_points_the_catalogue_lost_are_kept_and_told(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, make_batch(50, [START_US], [1.0]))
    await store.close()
    store = open_store(tmp_path, directory=Directory(3))
    [run] = await store.read([50], 0, FAR)
    assert run.value.tolist() == [1.0]
    assert any("not in the catalogue" in line for line in store.status().damage)
    await store.close()
