import errno
from pathlib import Path

import pytest

from historian.store.durable import DurableFiles
from historian.tools import checksum, copying


class Recorded(DurableFiles):
    """Counts syncs; fails at the first write where told so."""

    def __init__(self, is_full: bool = False) -> None:
        self.sync_count = 0
        self.is_full = is_full

    def write(self, descriptor: int, data: memoryview, offset: int) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "full")
        super().write(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        self.sync_count += 1
        super().sync(descriptor)


@pytest.mark.parametrize("size", [0, 5, checksum.READ_BYTES + 3])
def test_a_copy_is_the_same_and_tells_its_checksum(tmp_path: Path, size: int) -> None:
    content = bytes(range(251)) * (size // 251) + bytes(size % 251)
    (tmp_path / "a").write_bytes(content)
    copied = copying.copy(DurableFiles(), tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content
    assert copied == (size, checksum.crc32c(content))


def test_a_long_copy_is_synced_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "SYNC_BYTES", checksum.READ_BYTES)
    (tmp_path / "a").write_bytes(bytes(3 * checksum.READ_BYTES))
    files = Recorded()
    copying.copy(files, tmp_path / "a", tmp_path / "b")
    assert files.sync_count == 4


def test_an_existing_file_is_never_written_over(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode())
    with pytest.raises(FileExistsError):
        copying.copy(DurableFiles(), tmp_path / "a", tmp_path / "b")
    with pytest.raises(FileExistsError):
        copying.write(DurableFiles(), tmp_path / "b", b"x")


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(OSError, match="full"):
        copying.copy(Recorded(is_full=True), tmp_path / "a", tmp_path / "b")
    with pytest.raises(OSError, match="full"):
        copying.write(Recorded(is_full=True), tmp_path / "c", b"x")


def test_a_source_that_is_not_there_leaves_no_target(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copying.copy(DurableFiles(), tmp_path / "a", tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_content_is_written_and_summed(tmp_path: Path) -> None:
    assert copying.write(DurableFiles(), tmp_path / "b", b"123456789") == (9, 0xE3069283)
