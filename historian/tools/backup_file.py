"""What a backup says of itself: `backup.json`, written last. A folder without it is no backup.

One JSON object; its first field `check` is the CRC32C, in hexadecimal, of the object without that field.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from historian.errors import FormatTooNew, StoreError
from historian.tools import checksum
from historian.tools.finding import Finding

NAME: Final = "backup.json"
FORMAT_VERSION: Final = 1

_HEAD: Final = re.compile(rb'\{"check":"([0-9a-f]{8})",')


class BackupEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the backup; `path` is relative to its folder."""

    path: str
    size_bytes: int
    crc32c: int


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A whole backup: every batch up to record `sequence` of the log, and no later one."""

    format_version: int = FORMAT_VERSION
    product_version: str
    made_at_us: int
    sequence: int
    sealed_sequence: int
    sample_count: int
    files: list[BackupEntry]
    damage: list[str] = []  # found while copying: copied as it was

    @property
    def size_bytes(self) -> int:
        return sum(entry.size_bytes for entry in self.files)


def encode(backup: Backup) -> bytes:
    """The bytes of `backup.json`."""
    body = msgspec.json.encode(backup)
    return b'{"check":"%08x",%b\n' % (checksum.crc32c(body), body[1:])


def read(folder: Path) -> Backup | None:
    """What the folder says of itself; None where it is no whole backup. Raises FormatTooNew."""
    path = folder / NAME
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    head = _HEAD.match(data)
    body = b"{" + data[head.end() : -1] if head else b""
    if head is None or int(head[1], 16) != checksum.crc32c(body):
        return None
    version = msgspec.json.decode(body)["format_version"]
    if version > FORMAT_VERSION:
        raise FormatTooNew(f"{path}: format {version}; this version reads up to {FORMAT_VERSION}")
    return msgspec.json.decode(body, type=Backup)


def whole_backups(target: Path) -> list[Path]:
    """The whole backups in a folder of backups, oldest first: their names are times."""
    return [path for path in sorted(target.iterdir()) if path.is_dir() and read(path) is not None]


def chosen(place: Path) -> tuple[Path, Backup]:
    """A backup, or the newest in a folder of backups. Raises StoreError."""
    if not place.is_dir():
        raise StoreError(f"{place} is no folder")
    backup = read(place)
    if backup is not None:
        return place, backup
    if (place / NAME).exists():
        raise StoreError(f"{place / NAME} is damaged; take another backup")
    whole = whole_backups(place)
    if not whole:
        raise StoreError(f"{place} holds no whole backup: no {NAME} in it or in a folder of it")
    backup = read(whole[-1])
    assert backup is not None, "it was whole a moment ago"
    return whole[-1], backup


def differences(folder: Path, tell: Callable[[str, int, int], None]) -> Iterator[Finding]:
    """What in a backup is not as it was made; nothing where the folder is no backup."""
    backup = read(folder)
    if backup is None:
        if (folder / NAME).exists():
            yield Finding(kind="backup_differs", place=NAME, problem="the checksum does not match")
        return
    for number, entry in enumerate(backup.files):
        tell("files of the backup", number, len(backup.files))
        problem = _problem_of(folder, entry)
        if problem:
            yield Finding(kind="backup_differs", place=entry.path, problem=problem)


def _problem_of(folder: Path, entry: BackupEntry) -> str:
    try:
        size, crc = checksum.of_file(folder / entry.path)
    except FileNotFoundError:
        return "is not there"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if size != entry.size_bytes:
        return f"{size} bytes, {entry.size_bytes} were written"
    return "" if crc == entry.crc32c else "the checksum is not that of the backup"
