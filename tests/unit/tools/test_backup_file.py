import json
from pathlib import Path

import pytest

from historian.errors import FormatTooNew, StoreError
from historian.tools import backup_file, checksum
from historian.tools.backup_file import Backup, BackupEntry


def nobody(what: str, done: int, total: int) -> None:
    """Told nothing."""


def backup(*entries: BackupEntry, **other: int) -> Backup:
    return Backup(
        product_version="1",
        made_at_us=5,
        sequence=9,
        sealed_sequence=8,
        sample_count=7,
        files=list(entries),
        **other,
    )


def write(folder: Path, one: Backup) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / backup_file.NAME).write_bytes(backup_file.encode(one))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "b", backup(BackupEntry(path="a", size_bytes=9, crc32c=0xE3069283)))
    (tmp_path / "b" / "a").write_bytes(b"123456789")
    return tmp_path / "b"


def test_it_is_json_and_comes_back(folder: Path) -> None:
    assert json.loads((folder / backup_file.NAME).read_text())["sequence"] == 9
    again = backup_file.read(folder)
    assert again is not None
    assert (again.sequence, again.size_bytes) == (9, 9)


def test_every_flipped_byte_makes_it_no_backup(folder: Path) -> None:
    content = (folder / backup_file.NAME).read_bytes()
    for at in range(len(content) - 1):
        broken = bytearray(content)
        broken[at] ^= 1
        (folder / backup_file.NAME).write_bytes(broken)
        assert backup_file.read(folder) is None, at
    assert [one.place for one in backup_file.differences(folder, nobody)] == [backup_file.NAME]


def test_every_cut_makes_it_no_backup(folder: Path) -> None:
    content = (folder / backup_file.NAME).read_bytes()
    for size in range(len(content) - 1):
        (folder / backup_file.NAME).write_bytes(content[:size])
        assert backup_file.read(folder) is None, size


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatTooNew, match="format 2"):
        backup_file.read(write(tmp_path, backup(format_version=2)))


def test_a_whole_backup_has_no_differences(folder: Path) -> None:
    assert list(backup_file.differences(folder, nobody)) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"12345678", "8 bytes, 9 were written"),
        (b"123456780", "the checksum is not that of the backup"),
        (None, "is not there"),
    ],
)
def test_a_changed_file_is_found(folder: Path, content: bytes | None, told: str) -> None:
    (folder / "a").unlink()
    if content is not None:
        (folder / "a").write_bytes(content)
    [finding] = backup_file.differences(folder, nobody)
    assert (finding.place, finding.problem) == ("a", told)


def test_a_data_folder_is_no_backup(tmp_path: Path) -> None:
    assert backup_file.read(tmp_path) is None
    assert list(backup_file.differences(tmp_path, nobody)) == []


def test_the_newest_whole_one_is_chosen(tmp_path: Path) -> None:
    for name in ("1", "2"):
        write(tmp_path / name, backup())
    (tmp_path / "3").mkdir()
    assert backup_file.whole_backups(tmp_path) == [tmp_path / "1", tmp_path / "2"]
    assert backup_file.chosen(tmp_path)[0] == tmp_path / "2"
    assert backup_file.chosen(tmp_path / "1")[0] == tmp_path / "1"


@pytest.mark.parametrize(
    ("name", "told"), [("absent", "is no folder"), ("empty", "holds no whole backup"), ("torn", "is damaged")]
)
def test_what_cannot_be_chosen_says_why(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "empty").mkdir()
    (write(tmp_path / "torn", backup()) / backup_file.NAME).write_bytes(b"{")
    with pytest.raises(StoreError, match=told):
        backup_file.chosen(tmp_path / name)


def test_the_check_is_over_the_object_without_it() -> None:
    data = backup_file.encode(backup())
    body = b"{" + data[len(b'{"check":"01234567",') :].rstrip()
    assert data.startswith(b'{"check":"%08x",' % checksum.crc32c(body))
