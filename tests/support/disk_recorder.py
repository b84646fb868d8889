"""Stands in for the module `os` inside `historian.store.durable`: does everything, and writes down what was done.

It sits below `DurableFiles`, so that what is proven is the module's own order of writes, syncs and renames, and
a version of it that leaves one out is found out.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from historian.store import durable


class Killed(BaseException):
    """The process ends here; nothing of it may go on."""


class Event(NamedTuple):
    """One operation: what was done, to which file (by number) or path, and its data."""

    name: str  # create, write, extend, truncate, failed, sync, doom, rename, unlink, sync_folder, note
    file: int = -1
    path: Path = Path()
    target: Path = Path()
    offset: int = 0
    data: bytes = b""
    note: Any = None


class _Open(NamedTuple):
    number: int  # of the file; -1 for a folder and what is open for reading only
    path: Path


class DiskRecorder:
    """The real file system, every change recorded.

    `before` is asked before each operation and may raise: OSError to fail it, Killed to end the process there.
    It may return a number of bytes for a write that is to be a short one.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.before: Callable[[str, Path], int | None] = lambda name, path: None
        self._lock = threading.Lock()
        self._file_count = 0
        self._numbers: dict[Path, int] = {}  # the file that has this name now
        self._open: dict[int, _Open] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)  # constants, and what changes nothing

    def know(self, files: dict[Path, bytes]) -> None:
        """Files that were there before the first operation."""
        for path, data in sorted(files.items()):
            self._numbers[path] = self._file_count
            self.events.append(Event("create", self._file_count, path))
            self.events.append(Event("write", self._file_count, data=data))
            self.events.append(Event("sync", self._file_count))
            self._file_count += 1
        for folder in sorted({path.parent for path in files}):
            self.events.append(Event("sync_folder", path=folder))

    def note(self, what: Any) -> None:
        """Put something else than a file operation into the order of events: durable at once."""
        self.events.append(Event("note", note=what))

    def open(self, path: Any, flags: int, mode: int = 0o777) -> int:
        place = Path(path)
        if flags & os.O_DIRECTORY or not flags & (os.O_WRONLY | os.O_RDWR):
            self.before("open_folder" if flags & os.O_DIRECTORY else "open", place)
            descriptor = os.open(place, flags, mode)
            self._open[descriptor] = _Open(-1, place)
            return descriptor
        self.before("create", place)
        is_new = not place.exists()
        descriptor = os.open(place, flags, mode)
        with self._lock:
            if is_new:
                self._numbers[place] = self._file_count
                self.events.append(Event("create", self._file_count, place))
                self._file_count += 1
            number = self._numbers.get(place, -1)
            self._open[descriptor] = _Open(number, place)
            if flags & os.O_TRUNC and not is_new:
                self.events.append(Event("truncate", number, offset=0))
        return descriptor

    def posix_fallocate(self, descriptor: int, offset: int, size: int) -> None:
        number, path = self._open[descriptor]
        self.before("extend", path)
        os.posix_fallocate(descriptor, offset, size)
        self.events.append(Event("extend", number, offset=offset + size))

    def ftruncate(self, descriptor: int, size: int) -> None:
        number, path = self._open[descriptor]
        self.before("truncate", path)
        os.ftruncate(descriptor, size)
        self.events.append(Event("truncate", number, offset=size))

    def pwrite(self, descriptor: int, data: Any, offset: int) -> int:
        number, path = self._open[descriptor]
        try:
            short = self.before("write", path)
        except OSError:
            self.events.append(Event("failed", number))
            raise
        part = bytes(data) if short is None else bytes(data)[:short]
        written = os.pwrite(descriptor, part, offset)
        self.events.append(Event("write", number, offset=offset, data=part[:written]))
        return written

    def pwritev(self, descriptor: int, buffers: Any, offset: int, flags: int = 0) -> int:
        return self.pwrite(descriptor, b"".join(map(bytes, buffers)), offset)

    def fdatasync(self, descriptor: int) -> None:
        """Nothing is brought to the real disk: the tests would be slow, and prove no more."""
        number, path = self._open[descriptor]
        if number < 0:
            self.before("sync_folder", path)
            self.events.append(Event("sync_folder", path=path))
            return
        try:
            self.before("sync", path)
        except OSError:
            self.events.append(Event("doom", number))
            raise
        self.events.append(Event("sync", number))

    fsync = fdatasync

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        os.close(descriptor)

    def replace(self, source: Any, target: Any) -> None:
        old, new = Path(source), Path(target)
        self.before("rename", new)
        os.replace(old, new)
        with self._lock:
            self._numbers[new] = self._numbers.pop(old)
            self.events.append(Event("rename", path=old, target=new))

    rename = replace

    def unlink(self, path: Any) -> None:
        place = Path(path)
        self.before("unlink", place)
        os.unlink(place)
        with self._lock:
            self._numbers.pop(place, None)
            self.events.append(Event("unlink", path=place))

    remove = unlink

    def kill(self) -> None:
        """What the kernel does for a killed process: its files are closed, and stay as they are."""
        self.before = lambda name, path: None
        for descriptor in list(self._open):
            with contextlib.suppress(OSError):
                self.close(descriptor)


@contextlib.contextmanager
def recording(recorder: DiskRecorder) -> Iterator[DiskRecorder]:
    """Every operation of `DurableFiles` goes through `recorder` meanwhile."""
    before = durable.os
    durable.os = recorder  # type: ignore[assignment]
    try:
        yield recorder
    finally:
        recorder.kill()
        durable.os = before


class _Unsynced:
    """`os` without syncs: for a folder that is looked at once and thrown away."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def fdatasync(self, descriptor: int) -> None:
        """Not wanted."""

    fsync = fdatasync


@contextlib.contextmanager
def unsynced() -> Iterator[None]:
    """`DurableFiles` saves itself every sync meanwhile."""
    before = durable.os
    durable.os = _Unsynced()  # type: ignore[assignment]
    try:
        yield
    finally:
        durable.os = before


@contextlib.contextmanager
def failing(recorder: DiskRecorder, error: BaseException, *steps: tuple[str, str]) -> Iterator[None]:
    """`error` at the last of these steps; each is an operation and the end of its path, met in this order."""
    left = list(steps)

    def before(operation: str, path: Path) -> None:
        if left and operation == left[0][0] and path.name.endswith(left[0][1]):
            left.pop(0)
            if not left:
                raise error

    recorder.before = before
    yield
    recorder.before = lambda name, path: None
