"""Sealing and merging change where samples lie and nothing else, and a failure changes nothing."""

import asyncio
import errno
import threading
from pathlib import Path

import pytest

from historian.model.sample import Origin
from historian.settings import StoreSettings
from historian.store import filenames, maintenance, segment_file
from historian.store.seal import Draft, Publisher, Sealed
from tests.support.store_kit import QUARTER_US, START_US, FailingFiles, append, no_checkpoint_work, open_store
from tests.unit.store.test_store import batch_of, damage_a_column, values_of

MERGING = StoreSettings(wal_file_bytes_max=1 << 20, disk_reserve_bytes=0, segment_compact_count=3)


async def test_sealing_empties_the_log_and_keeps_every_value(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of(list(range(5000))))
    assert await maintenance.seal_all(store, no_checkpoint_work)
    assert await values_of(store) == [float(slot) for slot in range(5000)]
    assert {live.info.month for live in store.archive.live} == {"2026-01", "2026-02"}
    assert not await maintenance.seal_all(store, no_checkpoint_work)
    await store.close()
    store = open_store(tmp_path)
    assert list((tmp_path / filenames.WAL_FOLDER).iterdir()) == []
    assert await values_of(store) == [float(slot) for slot in range(5000)]
    await store.close()


async def test_samples_that_come_while_sealing_are_kept_for_the_next_seal(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([0, 1]))

    async def meanwhile() -> None:
        await append(store, batch_of([1, 2], [10.0, 20.0]))

    await maintenance.seal_all(store, meanwhile)
    assert await values_of(store) == [0.0, 10.0, 20.0]
    await store.close()
    store = open_store(tmp_path)
    assert await values_of(store) == [0.0, 10.0, 20.0]
    await store.close()


@pytest.mark.parametrize("method", ["create", "write", "sync", "rename"])
@pytest.mark.parametrize("after", [0, 1], ids=["segment", "manifest"])
async def test_a_seal_that_fails_loses_nothing_and_is_tried_again(
    tmp_path: Path, method: str, after: int
) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of(list(range(300))))
    store.files = FailingFiles(method, errno.ENOSPC, after=after)
    assert not await maintenance.seal_all(store, no_checkpoint_work)
    assert len(await values_of(store)) == 300
    await append(store, batch_of([300]))
    assert await maintenance.seal_all(store, no_checkpoint_work)
    assert len(await values_of(store)) == 301
    await store.close()
    store = open_store(tmp_path)
    assert len(await values_of(store)) == 301
    await store.close()


async def test_merging_keeps_newest_values_and_superseded_versions(tmp_path: Path) -> None:
    store = open_store(tmp_path, settings=MERGING)
    for value in (1.0, 2.0, 3.0):
        await append(store, batch_of([0, 1], [value, value]), Origin(f"source {value}"))
        await maintenance.seal_all(store, no_checkpoint_work)
    assert await maintenance.merge_once(store)
    assert not await maintenance.merge_once(store)
    [live] = store.archive.live
    assert await values_of(store) == [3.0, 3.0]
    assert sorted(live.segment.read_superseded().value.tolist()) == [1.0, 1.0, 2.0, 2.0]
    assert live.segment.read_batches().source_names == ["source 1.0", "source 2.0", "source 3.0"]
    await store.close()


async def test_files_of_a_failed_merge_are_never_overwritten_and_go_with_the_next_manifest(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path, settings=MERGING)
    for slot in range(3):
        await append(store, batch_of([slot]))
        await maintenance.seal_all(store, no_checkpoint_work)
    store.files = FailingFiles("sync_folder", after=3)  # the manifest was renamed: it may be in force on disk
    assert not await maintenance.merge_once(store)
    folder = tmp_path / filenames.SEGMENT_FOLDER
    [merged] = {path.name for path in folder.iterdir()} - {live.info.name for live in store.archive.live}
    before = (folder / merged).read_bytes()
    await append(store, batch_of([3]))
    await maintenance.seal_all(store, no_checkpoint_work)
    assert (folder / merged).read_bytes() == before
    assert store.manifest.retired == (merged,)
    await maintenance.remove_retired(store)
    assert not (folder / merged).exists()
    assert await values_of(store) == [0.0, 1.0, 2.0, 3.0]
    await store.close()


async def test_a_damaged_segment_is_left_out_of_merges_and_told_once(tmp_path: Path) -> None:
    store = open_store(tmp_path, settings=MERGING)
    for slot in range(4):
        await append(store, batch_of([slot]))
        await maintenance.seal_all(store, no_checkpoint_work)
    damage_a_column(store)
    assert not await maintenance.merge_once(store)
    assert await maintenance.merge_once(store)
    assert not await maintenance.merge_once(store)
    assert len(store.status().damage) == 1
    await store.close()


async def test_nothing_is_merged_while_space_is_short(tmp_path: Path) -> None:
    store = open_store(tmp_path, settings=MERGING)
    for slot in range(3):
        await append(store, batch_of([slot]))
        await maintenance.seal_all(store, no_checkpoint_work)
    store.settings = StoreSettings(disk_reserve_bytes=1 << 60, segment_compact_count=3)
    await store.probe()
    assert not await maintenance.merge_once(store)
    await store.close()


async def test_a_new_segment_that_cannot_be_read_is_not_put_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of([0]))
    with monkeypatch.context() as patch:
        patch.setattr(segment_file, "write", lambda *_: b"nonsense")
        assert not await maintenance.seal_all(store, no_checkpoint_work)
    assert await values_of(store) == [0.0]
    assert await maintenance.seal_all(store, no_checkpoint_work)
    assert await values_of(store) == [0.0]
    await store.close()


async def test_removed_segments_give_their_space_back_at_once(tmp_path: Path) -> None:
    store = open_store(tmp_path, settings=MERGING)
    for slot in range(3):
        await append(store, batch_of([slot]))
        await maintenance.seal_all(store, no_checkpoint_work)
    replaced = [live.segment for live in store.archive.live]
    assert await maintenance.merge_once(store)
    await maintenance.remove_retired(store)
    assert not any(segment.is_open for segment in replaced)
    await store.close()


async def test_merged_files_stay_until_removed_and_are_gone_after_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path, settings=MERGING)
    for slot in range(3):
        await append(store, batch_of([slot]))
        await maintenance.seal_all(store, no_checkpoint_work)
    await maintenance.merge_once(store)
    folder = tmp_path / filenames.SEGMENT_FOLDER
    assert len(list(folder.iterdir())) == 4
    await store.close()
    store = open_store(tmp_path, settings=MERGING)
    assert len(list(folder.iterdir())) == 1
    await maintenance.remove_retired(store)
    assert store.manifest.retired == ()
    assert await values_of(store) == [0.0, 1.0, 2.0]
    await store.close()


async def test_a_year_in_one_batch_becomes_a_segment_a_month(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await append(store, batch_of(list(range(0, 35040, 7))))
    await maintenance.seal_all(store, no_checkpoint_work)
    assert len(store.archive.live) == 12
    [run] = await store.read([1], START_US + 8000 * QUARTER_US, START_US + 9000 * QUARTER_US)
    assert run.value.tolist() == [float(slot) for slot in range(0, 35040, 7) if 8000 <= slot < 9000]
    await store.close()


async def test_a_seal_during_a_merge_takes_nothing_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path, settings=MERGING)
    for slot in range(3):
        await append(store, batch_of([slot]))
        await maintenance.seal_all(store, no_checkpoint_work)
    may_go_on, is_published = threading.Event(), threading.Event()
    publish = Publisher.publish

    def publish_slowly(publisher: Publisher, draft: Draft, rank: int | None = None) -> Sealed:
        sealed = publish(publisher, draft, rank)
        if rank is not None:  # a merge
            is_published.set()
            may_go_on.wait(30)
        return sealed

    monkeypatch.setattr(Publisher, "publish", publish_slowly)
    merging = asyncio.create_task(maintenance.merge_once(store))
    await asyncio.to_thread(is_published.wait, 30)
    await append(store, batch_of([0, 7], [50.0, 70.0]))
    await maintenance.seal_all(store, no_checkpoint_work)
    [made] = store.manifest.retired  # for the case that the merge never ends
    await maintenance.remove_retired(store)
    assert (tmp_path / filenames.SEGMENT_FOLDER / made).exists()
    may_go_on.set()
    assert await merging
    assert made not in store.manifest.retired
    assert await values_of(store) == [50.0, 1.0, 2.0, 70.0]
    await maintenance.remove_retired(store)
    await store.close()
    store = open_store(tmp_path, settings=MERGING)
    assert await values_of(store) == [50.0, 1.0, 2.0, 70.0]
    assert store.status().damage == []
    assert len(list((tmp_path / filenames.SEGMENT_FOLDER).iterdir())) == 2
    await store.close()
