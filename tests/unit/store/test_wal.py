"""The log's files: synced before anyone hears of it, poisoned by a failure, dropped when sealed."""

from pathlib import Path

import pytest

from historian.clock import ManualClock
from historian.errors import WalFailed
from historian.model.sample import Origin, make_batch
from historian.store import wal_record
from historian.store.durable import DurableFiles
from historian.store.wal import Wal
from tests.support.store_kit import FailingFiles


def record(sequence: int, count: int = 2) -> wal_record.Record:
    batch = make_batch(1, range(count), range(count))
    return wal_record.encode_samples(batch, Origin("t"), sequence, sequence, 0)


def write(log: Wal, first_sequence: int, records: list[wal_record.Record]) -> None:
    log.write(lambda: records, first_sequence, first_sequence + len(records) - 1)


def sequences(folder: Path) -> list[list[int]]:
    return [
        [record.sequence for record in wal_record.scan(path.read_bytes()).records if record.batch is not None]
        for path in sorted(folder.iterdir())
    ]


def make_wal(folder: Path, files: DurableFiles | None = None, size: int = 4096) -> Wal:
    return Wal(files or DurableFiles(), folder, size, ManualClock())


def test_records_of_one_write_are_on_disk_when_it_returns(tmp_path: Path) -> None:
    log = make_wal(tmp_path)
    write(log, 1, [record(1), record(2)])
    assert sequences(tmp_path) == [[1, 2]]


def test_every_write_syncs_once(tmp_path: Path) -> None:
    class CountingFiles(DurableFiles):
        sync_count = 0

        def sync(self, descriptor: int) -> None:
            self.sync_count += 1
            super().sync(descriptor)

    files = CountingFiles()
    log = make_wal(tmp_path, files)
    write(log, 1, [record(1), record(2), record(3)])
    assert files.sync_count == 1


def test_a_full_file_is_ended_and_a_new_one_begun(tmp_path: Path) -> None:
    log = make_wal(tmp_path, size=400)
    for sequence in range(1, 6):
        write(log, sequence, [record(sequence)])
    assert [part for group in sequences(tmp_path) for part in dict.fromkeys(group)] == [1, 2, 3, 4, 5]
    assert len(sequences(tmp_path)) > 1
    assert wal_record.scan(min(tmp_path.iterdir()).read_bytes()).has_end


def test_a_record_larger_than_a_file_gets_a_file_of_its_size(tmp_path: Path) -> None:
    log = make_wal(tmp_path, size=400)
    write(log, 1, [record(1, 100)])
    assert sequences(tmp_path) == [[1]]


@pytest.mark.parametrize("method", ["write", "sync"])
def test_a_failed_write_or_sync_poisons_the_file_and_the_next_write_begins_another(
    tmp_path: Path, method: str
) -> None:
    log = make_wal(tmp_path, FailingFiles(method, after=2))
    write(log, 1, [record(1)])
    if method == "sync":
        write(log, 2, [record(2)])
    with pytest.raises(WalFailed):
        write(log, 3, [record(3)])
    write(log, 9, [record(9)])
    assert len(list(tmp_path.iterdir())) == 2
    assert sequences(tmp_path)[1] == [9]


def test_a_file_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    log = make_wal(tmp_path, FailingFiles("create"))
    with pytest.raises(WalFailed):
        write(log, 1, [record(1)])
    write(log, 2, [record(2)])
    assert sequences(tmp_path) == [[2]]


def test_a_disk_that_fails_for_hours_is_not_filled_with_empty_files(tmp_path: Path) -> None:
    log = make_wal(tmp_path, FailingFiles("sync", times=5))
    for sequence in range(1, 6):
        with pytest.raises(WalFailed):
            write(log, sequence, [record(sequence)])
    assert list(tmp_path.iterdir()) == []
    write(log, 6, [record(6)])
    assert sequences(tmp_path) == [[6]]


def test_a_folder_that_cannot_be_synced_after_a_removal_stops_nothing(tmp_path: Path) -> None:
    log = make_wal(tmp_path, FailingFiles("sync_folder", after=2, times=9), size=400)
    for sequence in range(1, 5):
        write(log, sequence, [record(sequence)])
    before = len(sequences(tmp_path))
    log.drop_through(3)
    assert len(sequences(tmp_path)) < before


def test_only_files_whose_every_record_is_sealed_are_dropped(tmp_path: Path) -> None:
    log = make_wal(tmp_path, size=400)
    for sequence in range(1, 8):
        write(log, sequence, [record(sequence)])
    kept = [group[-1] for group in sequences(tmp_path)]
    log.drop_through(kept[0])
    assert len(sequences(tmp_path)) == len(kept) - 1
    log.drop_through(kept[1] - 1)
    assert len(sequences(tmp_path)) == len(kept) - 1


def test_closing_marks_the_end(tmp_path: Path) -> None:
    log = make_wal(tmp_path)
    write(log, 1, [record(1)])
    log.close()
    assert wal_record.scan(next(tmp_path.iterdir()).read_bytes()).has_end


def test_a_file_that_cannot_be_removed_is_tried_again_later(tmp_path: Path) -> None:
    log = make_wal(tmp_path, FailingFiles("unlink"), size=400)
    for sequence in range(1, 8):
        write(log, sequence, [record(sequence)])
    before = len(sequences(tmp_path))
    log.drop_through(3)
    log.drop_through(3)
    assert len(sequences(tmp_path)) < before
