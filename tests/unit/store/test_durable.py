"""The promises of the one module that touches files."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from historian.errors import StoreLocked
from historian.store.durable import DurableFiles, FolderLock
from tests.support.store_kit import FailingFiles


class RecordingFiles(DurableFiles):
    """Notes the order of what it does."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def write(self, descriptor: int, data: memoryview, offset: int) -> None:
        self.calls.append("write")
        super().write(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        self.calls.append("sync")
        super().sync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        self.calls.append("rename")
        super().rename(source, target)

    def sync_folder(self, path: Path) -> None:
        self.calls.append("sync_folder")
        super().sync_folder(path)


def test_publishing_writes_syncs_renames_and_syncs_the_folder_in_this_order(tmp_path: Path) -> None:
    files = RecordingFiles()
    files.publish(tmp_path / "one", b"data")
    assert files.calls == ["sync_folder", "write", "sync", "rename", "sync_folder"]
    assert (tmp_path / "one").read_bytes() == b"data"
    assert os.listdir(tmp_path) == ["one"]


def test_publishing_over_a_left_over_temporary_file_works(tmp_path: Path) -> None:
    (tmp_path / "one.tmp").write_bytes(b"old")
    DurableFiles().publish(tmp_path / "one", b"new")
    assert (tmp_path / "one").read_bytes() == b"new"


def test_a_failed_publish_leaves_nothing_that_takes_space(tmp_path: Path) -> None:
    files = FailingFiles("sync", errno.ENOSPC)
    with pytest.raises(OSError, match="injected"):
        files.publish(tmp_path / "one", b"data")
    assert os.listdir(tmp_path) == []


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: real(fd, data[:3], offset))
    DurableFiles().publish(tmp_path / "one", b"0123456789")
    assert (tmp_path / "one").read_bytes() == b"0123456789"


def test_created_files_are_private_and_reserve_their_space(tmp_path: Path) -> None:
    files = DurableFiles()
    descriptor = files.create(tmp_path / "one", 8192)
    files.close(descriptor)
    assert files.size_bytes(tmp_path / "one") == 8192
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


def test_an_existing_file_is_never_opened_as_new(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        DurableFiles().create(tmp_path / "one", 0)
    assert (tmp_path / "one").read_bytes() == b"precious"


def test_a_folder_and_its_parents_are_made_private(tmp_path: Path) -> None:
    DurableFiles().make_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_a_locked_folder_names_its_holder_and_is_free_after_release(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    with pytest.raises(StoreLocked, match=f"process {os.getpid()}"):
        FolderLock(tmp_path)
    first.release()
    FolderLock(tmp_path).release()


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from historian.store.durable import FolderLock; FolderLock(Path({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
    FolderLock(tmp_path).release()
