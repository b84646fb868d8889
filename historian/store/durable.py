"""Every file operation of the store, in one place, so that a test can record, cut, tear and fail each.

Two promises: `sync` and `publish` return only when the data (and for `publish` the directory entry)
would survive a power cut; nothing here retries a failed sync, since the kernel may have dropped the
dirty pages with the first failure.
"""

import contextlib
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from historian.errors import StoreLocked
from historian.store import filenames

_PIECES_MAX = 512  # the system takes 1024 at once
_COPY_MODE = 0o600
_FOLDER_MODE = 0o700


class DurableFiles:
    """The real file system. Tests pass a subclass that records or fails."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and its parents, and their directory entries durable."""
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        for folder in missing:
            self.sync_folder(folder.parent)

    def create(self, path: Path, preallocate_bytes: int) -> int:
        """A new file open for writing at its start, its blocks reserved, its name durable."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _COPY_MODE)
        try:
            if preallocate_bytes:
                os.posix_fallocate(descriptor, 0, preallocate_bytes)
            self.sync_folder(path.parent)
        except OSError:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        return descriptor

    def reopen(self, path: Path) -> int:
        """A file that is there, open for reading and writing."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        """Cut what stands behind; durable with the next sync."""
        os.ftruncate(descriptor, size_bytes)

    def write(self, descriptor: int, data: memoryview, offset: int) -> None:
        """Write all of `data` at `offset`."""
        self.write_pieces(descriptor, [data], offset)

    def write_pieces(self, descriptor: int, pieces: Sequence[memoryview], offset: int) -> None:
        """Write all pieces one after the other from `offset` on, without joining them in memory first."""
        left = list(pieces)
        while left:
            written = os.pwritev(descriptor, left[:_PIECES_MAX], offset)
            offset += written
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if written:
                left[0] = left[0][written:]

    def sync(self, descriptor: int) -> None:
        """Return when the file's data are on disk."""
        os.fdatasync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def sync_folder(self, path: Path) -> None:
        """Return when the folder's entries are on disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def publish(self, path: Path, data: bytes) -> None:
        """Put a whole file in place: temporary name, write, sync, rename, sync folder.

        After a crash either the old file (or none) or the whole new one is there. Raises OSError; then it
        is not known which, unless the rename was not reached.
        """
        temporary = path.with_name(path.name + filenames.TEMPORARY_SUFFIX)
        with contextlib.suppress(FileNotFoundError):
            self.unlink(temporary)
        descriptor = self.create(temporary, 0)
        try:
            try:
                self.write(descriptor, memoryview(data), 0)
                self.sync(descriptor)
            finally:
                self.close(descriptor)
            self.rename(temporary, path)
        except OSError:
            with contextlib.suppress(OSError):  # on a full disk its space is needed
                self.unlink(temporary)
            raise
        self.sync_folder(path.parent)

    def rename(self, source: Path, target: Path) -> None:
        os.replace(source, target)

    def unlink(self, path: Path) -> None:
        os.unlink(path)

    def read(self, path: Path) -> bytes:
        """The whole file."""
        return path.read_bytes()

    def names(self, folder: Path) -> list[str]:
        """Names in a folder, sorted."""
        return sorted(os.listdir(folder))

    def size_bytes(self, path: Path) -> int:
        return path.stat().st_size

    def free_bytes(self, path: Path) -> int:
        """What an ordinary user may still write on the file system of `path`."""
        figures = os.statvfs(path)
        return figures.f_bavail * figures.f_frsize


class FolderLock:
    """Holds a data folder for one process; the kernel lets go of it when the process ends."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreLocked, naming the holder, where another process has the folder."""
        path = folder / filenames.LOCK
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _COPY_MODE)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StoreLocked(
                f"the data folder {folder} is in use by process {holder}; stop it first, "
                "or work through its HTTP address"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the folder back. Call once."""
        os.close(self._descriptor)
