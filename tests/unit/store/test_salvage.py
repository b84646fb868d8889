"""A log file that could not be read at a start comes back at a later one, and never over what is newer."""

import errno
from pathlib import Path

import pytest

from historian.model.sample import make_batch
from historian.store import filenames, salvage, wal_record
from historian.store.durable import DurableFiles
from historian.store.store import Store
from tests.support.store_kit import ORIGIN, START_US, FailingFiles, append, open_store, versions_of

NAME = filenames.unreadable_name(Path(filenames.wal_name(1)))
TAKEN_BACK = filenames.taken_back_name(Path(NAME))


class BadSector(DurableFiles):
    """The first log file cannot be read, wherever it lies."""

    def read(self, path: Path) -> bytes:
        if path.name.startswith(filenames.wal_name(1)):
            raise OSError(errno.EIO, "bad sector")
        return super().read(path)


async def put(store: Store, value: float) -> None:
    await append(store, make_batch([1], [START_US], [value]))


async def values_of(store: Store) -> list[tuple[float, int]]:
    """(value, sequence) of every version."""
    return [(row.value, row.sequence) for row in await versions_of(store, [1], START_US, START_US + 1)]


async def read_value(store: Store) -> list[float]:
    [run] = await store.read([1], START_US, START_US + 1)
    return list(run.value.tolist())


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A data folder whose log file, with the value 1.0, was set aside as unreadable."""
    store = open_store(tmp_path)
    await put(store, 1.0)
    await store.close()
    store = open_store(tmp_path, files=BadSector())
    assert aside(tmp_path) == [NAME]
    await store.close()
    return tmp_path


def aside(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / filenames.QUARANTINE_FOLDER).iterdir())


async def test_its_records_come_back_under_their_old_versions(folder: Path) -> None:
    store = open_store(folder)
    assert await salvage.take_back(store) == 1
    assert (await values_of(store), aside(folder)) == ([(1.0, 1)], [TAKEN_BACK])
    await store.close()
    store = open_store(folder)
    assert await salvage.take_back(store) == 0
    assert (await values_of(store), store.damage) == ([(1.0, 1)], [])
    await store.close()


async def test_a_newer_correction_stays_in_force(folder: Path) -> None:
    store = open_store(folder, files=BadSector())
    await put(store, 2.0)
    await store.close()
    store = open_store(folder)
    await salvage.take_back(store)
    assert await read_value(store) == [2.0]
    assert [value for value, _ in await values_of(store)] == [1.0, 2.0]
    await store.close()


async def test_one_that_still_cannot_be_read_stays_and_is_reported(folder: Path) -> None:
    store = open_store(folder, files=BadSector())
    assert await salvage.take_back(store) == 0
    assert aside(folder) == [NAME]
    [damage] = store.damage
    assert f"{NAME}: still cannot be read ([Errno 5] bad sector); tried again at each start" in damage
    await store.close()


async def test_a_disk_that_takes_no_writes_leaves_it_for_the_next_start(folder: Path) -> None:
    files = FailingFiles("write", errno.ENOSPC, times=0)
    store = open_store(folder, files=files)
    files.times = 1
    assert await salvage.take_back(store) == 0
    assert (aside(folder), await values_of(store)) == ([NAME], [])
    await store.close()
    store = open_store(folder)
    assert await salvage.take_back(store) == 1
    assert await values_of(store) == [(1.0, 1)]
    await store.close()


async def test_taken_back_twice_it_is_there_once(folder: Path) -> None:
    """Where the disk fails before the file has its new name."""
    files = FailingFiles("rename", times=0)
    store = open_store(folder, files=files)
    files.times = 1
    await salvage.take_back(store)
    assert aside(folder) == [NAME]
    await store.close()
    store = open_store(folder)
    await salvage.take_back(store)
    assert (await values_of(store), aside(folder)) == ([(1.0, 1)], [TAKEN_BACK])
    await store.close()


async def test_of_several_files_one_that_fails_does_not_stop_the_others(folder: Path) -> None:
    record = wal_record.encode_samples(make_batch([1], [START_US + 1], [3.0]), ORIGIN, 7, 7, 0)
    other = folder / filenames.QUARANTINE_FOLDER / filenames.unreadable_name(Path(filenames.wal_name(7)))
    other.write_bytes(wal_record.encode_file_header(7, 0) + b"".join(piece.tobytes() for piece in record))
    (folder / filenames.QUARANTINE_FOLDER / "notes.txt").write_text("somebody's")
    store = open_store(folder, files=BadSector())
    assert await salvage.take_back(store) == 1
    assert aside(folder) == [NAME, filenames.taken_back_name(other), "notes.txt"]
    await store.close()
