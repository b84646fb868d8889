import errno
from pathlib import Path

import pytest

from historian.errors import StoreError, StoreLocked
from historian.store.durable import FolderLock
from historian.tools import folder_hold


def test_a_folder_is_held_for_the_block(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with folder_hold.hold(tmp_path), pytest.raises(StoreLocked):
        FolderLock(tmp_path)
    FolderLock(tmp_path).release()


def test_a_folder_in_use_is_refused_by_the_name_of_its_process(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(StoreLocked, match=r"in use by process [0-9]+"), folder_hold.hold(tmp_path):
        pytest.fail("held by two")
    lock.release()


def test_a_folder_without_lock_is_left_without(tmp_path: Path) -> None:
    with folder_hold.hold(tmp_path):
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "is_read"), [(errno.EROFS, True), (errno.EACCES, True), (errno.EIO, False)]
)
def test_a_folder_that_cannot_be_written_is_read_without_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_read: bool
) -> None:
    def refuse(folder: Path) -> FolderLock:
        raise OSError(number, "no")

    (tmp_path / "lock").touch()
    monkeypatch.setattr(folder_hold, "FolderLock", refuse)
    if is_read:
        with folder_hold.hold(tmp_path):
            return
    with pytest.raises(OSError, match="no"), folder_hold.hold(tmp_path):
        pytest.fail("held")


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no folder"), folder_hold.hold(tmp_path / "absent"):
        pytest.fail("held")
