"""Keeps a data folder from being started while a tool reads it; changes nothing in it but the lock's holder."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from historian.errors import StoreError
from historian.store import filenames
from historian.store.durable import FolderLock

_CANNOT_WRITE: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the folder for the block. Raises StoreLocked, naming the process, where another one has it.

    A folder without a lock file (a backup) or on a file system that cannot be written is read without:
    nothing can run in it.
    """
    if not folder.is_dir():
        raise StoreError(f"{folder} is no folder")
    if not (folder / filenames.LOCK).exists():
        yield
        return
    try:
        lock = FolderLock(folder)
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:
            raise
        yield
        return
    try:
        yield
    finally:
        lock.release()
