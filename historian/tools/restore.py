"""`historian restore`: a backup into an empty folder, every file checked before and while it is copied.

First of all a manifest is written that no historian starts on, last the real one: what an interrupted restore
leaves never passes for a data folder.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from historian.errors import StoreError
from historian.store import filenames
from historian.store.durable import DurableFiles
from historian.tools import backup_file, copying
from historian.tools.backup_file import Backup, BackupEntry

UNFINISHED: Final = b"this restore is not finished: empty the folder and restore again\n"
RESERVE_BYTES: Final = 64 << 20
PROBLEMS_MAX: Final = 10

_IGNORED: Final = frozenset({"lost+found"})  # every new ext4 file system has it

Tell = Callable[[str, int, int], None]


def restore(place: Path, data: Path, files: DurableFiles, tell: Tell) -> tuple[Path, Backup]:
    """Restore a backup, or the newest in a folder of backups; gives which. Raises StoreError, OSError."""
    folder, backup = backup_file.chosen(place)
    _require_empty(data)
    problems = [f"{one.place}: {one.problem}" for one in backup_file.differences(folder, tell)]
    if problems:
        raise StoreError(
            f"{folder} is not as it was made, nothing was restored; take another backup\n  "
            + "\n  ".join(problems[:PROBLEMS_MAX])
        )
    files.make_folder(data)
    _require_space(files, data, backup)
    files.publish(data / filenames.MANIFEST, UNFINISHED)
    for name in (filenames.SEGMENT_FOLDER, filenames.WAL_FOLDER, filenames.QUARANTINE_FOLDER):
        files.make_folder(data / name)
    entries = [entry for entry in backup.files if entry.path != filenames.MANIFEST]
    for number, entry in enumerate(entries):
        tell("files", number, len(entries))
        _copy(files, folder, data, entry)
    files.publish(data / filenames.MANIFEST, (folder / filenames.MANIFEST).read_bytes())
    return folder, backup


def _copy(files: DurableFiles, folder: Path, data: Path, entry: BackupEntry) -> None:
    files.make_folder((data / entry.path).parent)
    copied = copying.copy(files, folder / entry.path, data / entry.path)
    if copied != (entry.size_bytes, entry.crc32c):
        raise StoreError(f"{folder / entry.path} changed while it was copied; look at the disk and try again")


def _require_empty(data: Path) -> None:
    if not data.exists():
        return
    if not data.is_dir():
        raise StoreError(f"{data} is no folder")
    present = sorted(path.name for path in data.iterdir() if path.name not in _IGNORED)
    manifest = data / filenames.MANIFEST
    if manifest.is_file() and manifest.read_bytes() == UNFINISHED:
        raise StoreError(f"{data} holds an interrupted restore; empty it and restore again")
    if present:
        raise StoreError(f"{data} is not empty ({present[0]} is in it); restore into a new folder")


def _require_space(files: DurableFiles, data: Path, backup: Backup) -> None:
    needed, free = backup.size_bytes + RESERVE_BYTES, files.free_bytes(data)
    if needed > free:
        raise StoreError(f"{data} has {free >> 20} MiB free, {needed >> 20} MiB are needed")
