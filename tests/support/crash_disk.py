"""A disk that remembers every operation, and can say what a power cut after any of them may leave.

The rules are those of POSIX at its worst: written data survive only a sync of the file, an entry of a folder only
a sync of the folder; what was not synced is there, not there, or there in part (sectors of 512 bytes, a prefix of
a folder's changes). Data whose sync failed stay readable until the machine stops and are never brought to disk.
"""

import contextlib
import itertools
import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from historian.store.durable import DurableFiles

SECTOR_BYTES = 512


class Killed(BaseException):
    """The process ends here; nothing of it may go on."""


class Event(NamedTuple):
    """One operation: what was done, to which file (by number) or path, and its data."""

    name: str
    file: int = -1
    path: Path = Path()
    target: Path = Path()
    offset: int = 0
    data: bytes = b""


class RecordingFiles(DurableFiles):
    """The real file system, every operation recorded; `before` may raise to fail or kill at one of them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.before: Callable[[str, Path], None] = lambda name, path: None
        self._file_count = 0
        self._open: dict[int, tuple[int, Path]] = {}

    def create(self, path: Path, preallocate_bytes: int) -> int:
        self.before("create", path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._open[descriptor] = (self._file_count, path)
        self.events.append(Event("create", self._file_count, path))
        self._file_count += 1
        if preallocate_bytes:
            os.ftruncate(descriptor, preallocate_bytes)
            self.events.append(Event("write", self._file_count - 1, data=bytes(preallocate_bytes)))
        self.sync_folder(path.parent)
        return descriptor

    def write(self, descriptor: int, data: memoryview, offset: int) -> None:
        number, path = self._open[descriptor]
        self.before("write", path)
        super().write(descriptor, data, offset)
        self.events.append(Event("write", number, offset=offset, data=bytes(data)))

    def sync(self, descriptor: int) -> None:
        number, path = self._open[descriptor]
        try:
            self.before("sync", path)
        except OSError:
            self.events.append(Event("doom", number))
            raise
        self.events.append(Event("sync", number))

    def close(self, descriptor: int) -> None:
        del self._open[descriptor]
        super().close(descriptor)

    def sync_folder(self, path: Path) -> None:
        self.before("sync_folder", path)
        self.events.append(Event("sync_folder", path=path))

    def rename(self, source: Path, target: Path) -> None:
        self.before("rename", target)
        super().rename(source, target)
        self.events.append(Event("rename", path=source, target=target))

    def unlink(self, path: Path) -> None:
        self.before("unlink", path)
        super().unlink(path)
        self.events.append(Event("unlink", path=path))

    def kill(self) -> None:
        """What the kernel does for a killed process: its files are closed, and stay as they are."""
        for descriptor in list(self._open):
            self.close(descriptor)
        self.before = lambda name, path: None


class _File:
    def __init__(self) -> None:
        self.durable = bytearray()
        self.pending: list[tuple[int, bytes]] = []
        self.doomed: list[tuple[int, bytes]] = []

    def sync(self) -> None:
        for offset, data in self.pending:
            _put(self.durable, offset, data)
        self.pending = []

    def left(self, keeps: Callable[[], bool]) -> bytes:
        content = bytearray(self.durable)
        lost: set[int] = (
            set()
        )  # a sector reaches the disk as it was at some moment, not without an earlier write
        for offset, data in (*self.doomed, *self.pending):
            at = 0
            while at < len(data):
                sector = (offset + at) // SECTOR_BYTES
                end = (sector + 1) * SECTOR_BYTES - offset
                if sector not in lost and keeps():
                    _put(content, offset + at, data[at:end])
                else:
                    lost.add(sector)
                at = end
        return bytes(content)


class _Folder:
    def __init__(self) -> None:
        self.durable: dict[str, int] = {}
        self.pending: list[tuple[str, int | None]] = []  # a name gets another file, or None: is gone
        self.now: dict[str, int] = {}

    def change(self, name: str, file: int | None) -> None:
        self.pending.append((name, file))
        _apply(self.now, name, file)

    def sync(self) -> None:
        self.durable, self.pending = dict(self.now), []

    def left(self, kept_count: int) -> dict[str, int]:
        entries = dict(self.durable)
        for name, file in self.pending[:kept_count]:
            _apply(entries, name, file)
        return entries


State = dict[Path, bytes]


class Disk:
    """What is on disk, and what only may be, after a number of recorded operations."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._folders: dict[Path, _Folder] = {}

    def take(self, event: Event) -> None:
        match event.name:
            case "create":
                self._files[event.file] = _File()
                self._folder(event.path).change(event.path.name, event.file)
            case "write":
                self._files[event.file].pending.append((event.offset, event.data))
            case "sync":
                self._files[event.file].sync()
            case "doom":
                file = self._files[event.file]
                file.doomed, file.pending = [*file.doomed, *file.pending], []
            case "rename":
                folder = self._folder(event.path)
                assert event.path.parent == event.target.parent, "files move within their folder only"
                file_number = folder.now[event.path.name]
                # One change for both names: a rename is atomic.
                folder.change(event.target.name, file_number)
                folder.change(event.path.name, None)
            case "unlink":
                self._folder(event.path).change(event.path.name, None)
            case "sync_folder":
                self._folders.setdefault(event.path, _Folder()).sync()

    def states(self, seed: int) -> Iterator[State]:
        """Some of what a power cut may leave now: the extremes, and two random mixtures."""
        for is_data_kept, are_entries_kept in itertools.product((False, True), repeat=2):
            yield self._state(partial(bool, is_data_kept), are_entries_kept.__mul__)
        for number in range(2):
            mixer = random.Random(2 * seed + number)
            yield self._state(partial(mixer.choice, (False, True)), partial(mixer.randint, 0))

    def _state(self, keeps: Callable[[], bool], kept_count: Callable[[int], int]) -> State:
        return {
            path / name: self._files[file].left(keeps)
            for path, folder in self._folders.items()
            for name, file in folder.left(kept_count(len(folder.pending))).items()
        }

    def _folder(self, path: Path) -> _Folder:
        return self._folders.setdefault(path.parent, _Folder())


def build(state: State, source: Path, folder: Path) -> None:
    """Put a state of what was under `source` under `folder`."""
    for path, data in state.items():
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset + len(data):
        content.extend(bytes(offset + len(data) - len(content)))
    content[offset : offset + len(data)] = data


def _apply(entries: dict[str, int], name: str, file: int | None) -> None:
    if file is None:
        entries.pop(name, None)
    else:
        entries[name] = file


@contextlib.contextmanager
def failing(files: RecordingFiles, error: BaseException, *steps: tuple[str, str]) -> Iterator[None]:
    """`error` at the last of these steps; each is an operation and the end of its path, met in this order."""
    left = list(steps)

    def before(operation: str, path: Path) -> None:
        if left and operation == left[0][0] and path.name.endswith(left[0][1]):
            left.pop(0)
            if not left:
                raise error

    files.before = before
    yield
    files.before = lambda name, path: None
