"""`historian backup`: a whole copy of a data folder that may be in use, as of one record of the log.

It works beside the running historian without a word to it, since nothing it reads is ever changed in place:

    1  open every log file, and see the same manifest before and after: they hold all that is not sealed in it
    2  copy the segments the manifest lists; those of the backup before are linked, not copied
    3  copy the figures; those made since step 1 are marked, they may count samples that the backup lacks
    4  copy the log's records behind the manifest up to the last whole one: that is the backup's sequence
    5  copy points, outages and quarantine: they may know more than the samples need, never less
    6  write the manifest, and last `backup.json`

A segment that a merge removed before it was copied sends the work back to step 1; what was copied stays.
"""

import contextlib
import datetime
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import historian
from historian.clock import Clock
from historian.errors import StoreError, StoreLocked
from historian.store import filenames
from historian.store.durable import DurableFiles, FolderLock
from historian.tools import backup_file, copying, database_file, log_file, manifest_file, rollup_file
from historian.tools.backup_file import Backup, BackupEntry
from historian.tools.copying import Copied
from historian.tools.log_file import LogFile
from historian.tools.manifest_file import ListedSegment, ManifestFile

ATTEMPTS_MAX: Final = 100
READS_MAX: Final = 20  # of a log file of which a record is just being written
RESERVE_BYTES: Final = 64 << 20  # left free in the target

_NAME: Final = re.compile(r"\d{8}T\d{6}\.\d{3}Z")
_NOT_COPIED: Final = frozenset({filenames.LOCK, filenames.MANIFEST, backup_file.NAME})

Tell = Callable[[str, int, int], None]
Link = Callable[[Path, Path], None]


class _Moment(NamedTuple):
    """A manifest, and the log files that hold everything after it, open."""

    time_us: int
    manifest: ManifestFile
    content: bytes
    logs: dict[str, int]  # name and descriptor


class BackupMaker:
    """Makes one backup of `data` below `target`. `link` makes a second name of a file."""

    def __init__(
        self,
        data: Path,
        target: Path,
        clock: Clock,
        files: DurableFiles,
        tell: Tell,
        cold_folder: Path | None = None,
        link: Link = os.link,
    ) -> None:
        self._data = data
        self._target = target
        self._clock = clock
        self._files = files
        self._tell = tell
        self._cold_folder = cold_folder
        self._link = link
        self._entries: dict[str, Copied] = {}
        self._damage: list[str] = []
        self.folder = target / _name_of(clock.now_us())

    def make(self) -> Backup:
        """The backup, whole and on disk. Raises StoreError, OSError; then nothing passes for a backup."""
        self._refuse_nesting()
        self._files.make_folder(self._target)
        with _held(self._target):
            _remove_unfinished(self._target)
            return self._make()

    def _make(self) -> Backup:
        for name in (filenames.SEGMENT_FOLDER, filenames.WAL_FOLDER, filenames.QUARANTINE_FOLDER):
            self._files.make_folder(self.folder / name)
        with self._with_segments() as moment:
            self._copy_database(filenames.ROLLUP, moment.time_us)
            sequence = self._copy_logs(moment)
        for path in sorted(self._data.iterdir()):
            if path.suffix == database_file.SUFFIX and path.name != filenames.ROLLUP:
                self._copy_database(path.name, None)
        self._copy_others()
        self._copy_audit()
        self._enter(
            filenames.MANIFEST,
            copying.write(
                self._files, self.folder / filenames.MANIFEST, manifest_file.all_at_home(moment.content)
            ),
        )
        backup = Backup(
            product_version=historian.__version__,
            made_at_us=moment.time_us,
            sequence=sequence,
            sealed_sequence=moment.manifest.sealed_sequence,
            sample_count=sum(one.sample_count for one in moment.manifest.segments),
            files=[
                BackupEntry(path=path, size_bytes=copied.size_bytes, crc32c=copied.crc32c)
                for path, copied in sorted(self._entries.items())
            ],
            damage=self._damage,
        )
        self._files.publish(self.folder / backup_file.NAME, backup_file.encode(backup))
        return backup

    # -- segments ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _with_segments(self) -> Iterator[_Moment]:
        """A moment of which every segment is copied."""
        before = self._backup_before()
        for _ in range(ATTEMPTS_MAX):
            with self._moment() as moment:
                self._require_space(moment.manifest)
                try:
                    self._copy_segments(moment.manifest, before)
                except FileNotFoundError:  # a merge replaced it: there is a newer manifest
                    self._require_new_manifest(moment)
                    continue
                yield moment
                return
        raise StoreError(f"{self._data} changed faster than it could be copied; try again when it is quieter")

    @contextlib.contextmanager
    def _moment(self) -> Iterator[_Moment]:
        for _ in range(ATTEMPTS_MAX):
            with contextlib.ExitStack() as stack:
                time_us = self._clock.now_us()
                content = self._manifest_content()
                try:
                    logs = self._open_logs(stack)
                except FileNotFoundError:  # sealed and removed meanwhile
                    continue
                if self._manifest_content() == content:
                    path = self._data / filenames.MANIFEST
                    yield _Moment(time_us, manifest_file.decode(content, path), content, logs)
                    return
        raise StoreError(f"{self._data} changed faster than it could be read; try again when it is quieter")

    def _open_logs(self, stack: contextlib.ExitStack) -> dict[str, int]:
        logs: dict[str, int] = {}
        folder = self._data / filenames.WAL_FOLDER
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if filenames.wal_first_sequence(path) is not None:
                logs[path.name] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                stack.callback(os.close, logs[path.name])
        return logs

    def _manifest_content(self) -> bytes:
        try:
            return (self._data / filenames.MANIFEST).read_bytes()
        except FileNotFoundError:
            raise StoreError(f"{self._data} is no data folder: it has no {filenames.MANIFEST}") from None

    def _require_new_manifest(self, moment: _Moment) -> None:
        if self._manifest_content() != moment.content:
            return
        places = [one.place(self._data, self._cold_folder) for one in moment.manifest.segments]
        missing = [str(path) for path in places if not path.exists()]
        raise StoreError(
            f"the manifest lists {', '.join(missing)}, which are not there; see `historian verify`"
        )

    def _copy_segments(
        self, manifest: ManifestFile, before: "tuple[Path, dict[str, BackupEntry]] | None"
    ) -> None:
        for number, listed in enumerate(manifest.segments):
            self._tell("segment files", number, len(manifest.segments))
            path = f"{filenames.SEGMENT_FOLDER}/{listed.name}"
            if path not in self._entries:
                self._entries[path] = self._linked(path, listed, before) or self._copied(path, listed)
        wanted = {f"{filenames.SEGMENT_FOLDER}/{listed.name}" for listed in manifest.segments}
        for path in [path for path in self._entries if path not in wanted]:  # merged since an earlier attempt
            self._files.unlink(self.folder / path)
            del self._entries[path]

    def _linked(
        self, path: str, listed: ListedSegment, before: "tuple[Path, dict[str, BackupEntry]] | None"
    ) -> Copied | None:
        """The same file of the backup before, under a second name; None where there is none."""
        entry = before[1].get(path) if before else None
        if (
            before is None
            or entry is None
            or (entry.size_bytes, entry.crc32c) != (listed.size_bytes, listed.crc32c)
        ):
            return None
        try:
            if (before[0] / path).stat().st_size != entry.size_bytes:
                return None
            self._link(before[0] / path, self.folder / path)
        except OSError:  # another file system, or too many names: then it is copied
            return None
        self._files.sync_folder((self.folder / path).parent)
        return Copied(entry.size_bytes, entry.crc32c)

    def _copied(self, path: str, listed: ListedSegment) -> Copied:
        copied = copying.copy(self._files, listed.place(self._data, self._cold_folder), self.folder / path)
        if copied != (listed.size_bytes, listed.crc32c):
            self._damage.append(f"{path}: not as the manifest says; copied as it is")
        return copied

    # -- everything else -------------------------------------------------------------------------------

    def _copy_logs(self, moment: _Moment) -> int:
        """Whole records after the manifest; gives the sequence of the last."""
        sequence = moment.manifest.sealed_sequence
        for name, descriptor in moment.logs.items():
            content, log = self._read_log(descriptor)
            frames = [
                frame
                for frame in log.frames
                if frame.sequence > moment.manifest.sealed_sequence and frame.type != log_file.END
            ]
            self._damage += [
                f"{filenames.WAL_FOLDER}/{name}: bytes {bad.offset} to {bad.end} are no record; left out"
                for bad in log.bad
                if not bad.is_tail
            ]
            if not frames:
                continue
            sequence = max(sequence, frames[-1].sequence)
            pieces = [content[frame.offset : frame.end] for frame in frames]
            whole = log_file.compose(log, pieces, frames[0].sequence, frames[-1].sequence)
            path = f"{filenames.WAL_FOLDER}/{filenames.wal_name(frames[0].sequence)}"
            self._enter(path, copying.write(self._files, self.folder / path, whole))
        return sequence

    def _read_log(self, descriptor: int) -> tuple[bytes, LogFile]:
        """A log file that may be written to right now: half a record in front of a whole one is read again."""
        for _ in range(READS_MAX):
            content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
            log = log_file.walk(content)
            if all(bad.is_tail for bad in log.bad):
                break
        return content, log

    def _copy_database(self, name: str, figures_since_us: int | None) -> None:
        source = self._data / name
        if not source.exists():
            return
        self._tell(name, 0, 0)
        aside = self.folder / f"{name}{filenames.TEMPORARY_SUFFIX}"
        database_file.copy_live(source, aside)
        if figures_since_us is not None:
            rollup_file.mark_younger(aside, figures_since_us)
        self._enter(name, copying.copy(self._files, aside, self.folder / name))
        aside.unlink()

    def _copy_others(self) -> None:
        """Marks of the demo and the like, and what was set aside."""
        folder = self._data / filenames.QUARANTINE_FOLDER
        paths = [path for path in self._data.iterdir() if _is_other(path)]
        paths += [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
        for path in sorted(paths):
            name = path.relative_to(self._data).as_posix()
            with contextlib.suppress(FileNotFoundError):  # taken away meanwhile
                self._enter(name, copying.copy(self._files, path, self.folder / name))

    def _copy_audit(self) -> None:
        """The head first, so that it names nothing that the copies of the records lack; of these the whole lines."""
        folder = self._data / filenames.AUDIT_FOLDER
        if not folder.is_dir():
            return
        self._files.make_folder(self.folder / filenames.AUDIT_FOLDER)
        names = [
            filenames.AUDIT_HEAD,
            *(name for name in sorted(os.listdir(folder)) if filenames.audit_month(name)),
        ]
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a month that was removed meanwhile
                content = (folder / name).read_bytes()
                path = f"{filenames.AUDIT_FOLDER}/{name}"
                whole = content[: content.rfind(b"\n") + 1]
                self._enter(path, copying.write(self._files, self.folder / path, whole))

    def _enter(self, path: str, copied: Copied) -> None:
        self._entries[path] = copied

    def _backup_before(self) -> "tuple[Path, dict[str, BackupEntry]] | None":
        for folder in reversed(backup_file.whole_backups(self._target)):
            backup = backup_file.read(folder)
            if backup is not None:
                return folder, {entry.path: entry for entry in backup.files}
        return None

    def _require_space(self, manifest: ManifestFile) -> None:
        before = self._backup_before()
        there = before[1] if before else {}
        paths = {f"{filenames.SEGMENT_FOLDER}/{one.name}": one.size_bytes for one in manifest.segments}
        needed = sum(size for path, size in paths.items() if path not in there and path not in self._entries)
        free = self._files.free_bytes(self._target)
        if needed + RESERVE_BYTES > free:
            raise StoreError(
                f"{self._target} has {free >> 20} MiB free, {(needed + RESERVE_BYTES) >> 20} MiB are needed; "
                "free some space, or remove old backups (--keep)"
            )

    def _refuse_nesting(self) -> None:
        data, target = self._data.resolve(), self._target.resolve()
        if data == target or data in target.parents or target in data.parents:
            raise StoreError(f"{self._target} and {self._data} must not lie in each other")


def remove_old(target: Path, keep_count: int) -> list[Path]:
    """Remove all but the newest `keep_count` whole backups; gives those removed."""
    with _held(target):
        old = backup_file.whole_backups(target)[:-keep_count]
        for folder in old:
            (folder / backup_file.NAME).unlink()  # first: half a backup must not pass for one
            shutil.rmtree(folder)
        return old


def _remove_unfinished(target: Path) -> None:
    """What an interrupted backup left."""
    for path in target.iterdir():
        if path.is_dir() and _NAME.fullmatch(path.name) and not (path / backup_file.NAME).exists():
            shutil.rmtree(path)


@contextlib.contextmanager
def _held(target: Path) -> Iterator[None]:
    try:
        lock = FolderLock(target)
    except StoreLocked as error:
        raise StoreLocked(f"another backup into {target} is running") from error
    try:
        yield
    finally:
        lock.release()


def _is_other(path: Path) -> bool:
    is_database = any(
        path.name.endswith(database_file.SUFFIX + side) for side in ("", *database_file.SIDE_SUFFIXES)
    )
    is_unfinished = path.name.endswith(filenames.TEMPORARY_SUFFIX)
    return path.is_file() and not is_database and not is_unfinished and path.name not in _NOT_COPIED


def _name_of(time_us: int) -> str:
    """``20261122T193300.123Z``: names sort by time."""
    moment = datetime.datetime.fromtimestamp(time_us / 1_000_000, datetime.UTC)
    return f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z"
