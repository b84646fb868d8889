"""What is old goes, or moves; what is not old stays; a failure changes nothing."""

from pathlib import Path

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.errors import StoreError
from historian.model.point import DAY_US
from historian.model.sample import make_batch
from historian.settings import StoreSettings
from historian.store import filenames, maintenance, retention
from historian.store.manifest import SegmentInfo
from historian.store.store import Store
from tests.support.store_kit import START_US, FailingFiles, append, no_checkpoint_work, open_store
from tests.unit.store.test_compact import info

MONTHS = [START_US + place * 31 * DAY_US for place in range(3)]
NOW_US = MONTHS[2] + 20 * DAY_US


def settings(**changes: object) -> StoreSettings:
    return StoreSettings(wal_file_bytes_max=1 << 20, disk_reserve_bytes=0, **changes)  # type: ignore[arg-type]


def open_at(folder: Path, **changes: object) -> Store:
    return open_store(folder, settings=settings(**changes), clock=ManualClock(NOW_US))


async def fill(store: Store) -> None:
    """A day of each of three months, sealed."""
    for month_us in MONTHS:
        times = month_us + DAY_US // 4 * np.arange(4)
        await append(store, make_batch(1, times, np.arange(4) + (month_us - START_US) // DAY_US))
    await maintenance.seal_all(store, no_checkpoint_work)


async def days_of(store: Store) -> list[int]:
    [run] = await store.read([1], START_US - DAY_US, NOW_US + DAY_US)
    return sorted({int(time - START_US) // DAY_US for time in run.time_us.tolist()})


def month(place: int, size_bytes: int = 100) -> SegmentInfo:
    return info(
        place, month=f"2026-0{place}", time_max_us=START_US + 30 * place * DAY_US, size_bytes=size_bytes
    )


@pytest.mark.parametrize(
    ("days", "size", "gone"),
    [
        (0, 0, []),
        (40, 0, ["2026-01"]),
        (1, 0, ["2026-01", "2026-02", "2026-03"]),
        (0, 250, ["2026-01"]),
        (0, 1, ["2026-01", "2026-02"]),  # the newest stays
        (40, 1, ["2026-01"]),  # nothing younger than that goes, whatever the size
        (40, 300, []),  # old, but there is room
    ],
)
def test_the_oldest_months_go_by_age_and_size(days: int, size: int, gone: list[str]) -> None:
    infos = [month(3), month(1, 60), month(2), info(9, time_max_us=START_US, size_bytes=40)]
    assert retention.months_to_drop(infos, START_US + 95 * DAY_US, days, size) == gone


async def test_a_month_that_goes_is_gone_from_memory_and_disk(tmp_path: Path) -> None:
    store = open_at(tmp_path, keep_days=60)
    await fill(store)
    assert await days_of(store) == [0, 31, 62]
    assert await retention.keep(store)
    assert not await retention.keep(store)
    assert await days_of(store) == [31, 62]
    await maintenance.remove_retired(store)
    assert len(list((tmp_path / filenames.SEGMENT_FOLDER).iterdir())) == 2
    await store.close()
    store = open_at(tmp_path)
    assert await days_of(store) == [31, 62]
    await store.close()


@pytest.mark.parametrize("is_sealed", [True, False], ids=["sealed", "unsealed"])
async def test_what_is_before_a_moment_goes_wherever_it_lies(tmp_path: Path, is_sealed: bool) -> None:
    store = open_at(tmp_path)
    await fill(store)
    await append(store, make_batch([1, 2], [MONTHS[1] + 1, NOW_US], [5.0, 6.0]))
    if is_sealed:
        await maintenance.seal_all(store, no_checkpoint_work)
    await retention.drop_before(store, MONTHS[1] + DAY_US // 2, no_checkpoint_work)
    [run, other] = await store.read([1, 2], START_US, NOW_US + 1)
    assert run.time_us.tolist() == [
        *(MONTHS[1] + DAY_US // 4 * np.arange(2, 4)).tolist(), *(MONTHS[2] + DAY_US // 4 * np.arange(4)).tolist(),
    ]  # fmt: skip
    assert other.value.tolist() == [6.0]
    await store.close()
    store = open_at(tmp_path)
    assert await days_of(store) == [31, 62]
    await store.close()


async def test_nothing_goes_where_it_cannot_go_as_a_whole(tmp_path: Path) -> None:
    store = open_at(tmp_path)
    await append(store, make_batch(1, [START_US], [1.0]))
    store.files = FailingFiles("rename", times=9)
    with pytest.raises(StoreError):
        await retention.drop_before(store, NOW_US, no_checkpoint_work)
    assert await days_of(store) == [0]
    await store.close()


async def test_old_months_move_to_the_cold_folder_and_are_read_there(tmp_path: Path) -> None:
    cold = tmp_path / "slow disk"
    store = open_at(tmp_path / "data", cold_folder=str(cold), cold_after_days=60)
    await fill(store)
    assert await retention.move_cold(store)
    assert not await retention.move_cold(store)
    assert await days_of(store) == [0, 31, 62]
    assert [path.name for path in cold.iterdir()] == [store.archive.live[0].info.name]
    await maintenance.remove_retired(store)
    assert len(list((tmp_path / "data" / filenames.SEGMENT_FOLDER).iterdir())) == 2
    assert await days_of(store) == [0, 31, 62]
    await store.close()
    store = open_at(tmp_path / "data", cold_folder=str(cold), keep_days=60)
    assert await days_of(store) == [0, 31, 62]
    assert await retention.keep(store)
    await maintenance.remove_retired(store)
    assert list(cold.iterdir()) == []
    await store.close()


@pytest.mark.parametrize("method", ["create", "write", "sync", "rename", "sync_folder"])
@pytest.mark.parametrize("after", [0, 1])
async def test_a_move_that_fails_leaves_the_segment_where_it_is(
    tmp_path: Path, method: str, after: int
) -> None:
    cold = tmp_path / "slow"
    cold.mkdir()
    store = open_at(tmp_path / "data", cold_folder=str(cold), cold_after_days=60)
    await fill(store)
    store.files = FailingFiles(method, after=after)
    moved = await retention.move_cold(store)
    assert moved == (after == 1 and method == "sync_folder" and not store.manifest.retired) or not moved
    assert await days_of(store) == [0, 31, 62]
    assert await retention.move_cold(store)
    assert await days_of(store) == [0, 31, 62]
    await store.close()


async def test_a_copy_that_never_came_into_force_is_removed(tmp_path: Path) -> None:
    cold = tmp_path / "slow"
    cold.mkdir()
    store = open_at(tmp_path / "data", cold_folder=str(cold), cold_after_days=60)
    await fill(store)
    name = store.archive.live[0].info.name
    (cold / name).write_bytes(b"half")
    (cold / f"{name}.tmp").write_bytes(b"half")
    (cold / "somebody else's").write_bytes(b"")
    retention.clean_cold(store)
    assert [path.name for path in cold.iterdir()] == ["somebody else's"]
    await store.close()


async def test_a_damaged_segment_does_not_move(tmp_path: Path) -> None:
    cold = tmp_path / "slow"
    store = open_at(tmp_path / "data", cold_folder=str(cold), cold_after_days=60)
    await fill(store)
    path = store.archive.live[0].segment.path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert not await retention.move_cold(store)
    assert len(store.status().damage) == 1
    await store.close()


async def test_what_the_ring_remembers_goes_too(tmp_path: Path) -> None:
    store = open_at(tmp_path)
    await append(
        store, make_batch(1, [NOW_US - 7_200_000_000, NOW_US - 3_600_000_000, NOW_US], [1.0, 2.0, 3.0])
    )
    assert await store.read([1], NOW_US - DAY_US, NOW_US + 1)
    await retention.drop_before(store, NOW_US, no_checkpoint_work)
    [run] = await store.read([1], NOW_US - DAY_US, NOW_US + 1)
    assert run.value.tolist() == [3.0]
    await store.close()


async def test_what_comes_late_is_the_newest_once_all_that_was_newer_is_gone(tmp_path: Path) -> None:
    store = open_at(tmp_path)
    await append(store, make_batch(1, [MONTHS[1] + DAY_US], [1.0]))
    await retention.drop_before(store, MONTHS[2], no_checkpoint_work)
    await append(store, make_batch(1, [MONTHS[0]], [2.0]))
    [last] = await store.last([1])
    assert (last.time_us.tolist(), last.value.tolist()) == ([MONTHS[0]], [2.0])
    await store.close()
