"""Looks into an SQLite file of a data folder without writing a byte to the folder."""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from historian.errors import CatalogueError
from historian.store import filenames

SUFFIX: Final = Path(filenames.ROLLUP).suffix
LOG_SUFFIX: Final = "-wal"
SHARED_SUFFIX: Final = "-shm"  # there while a process has the file open, or did when it was killed
SIDE_SUFFIXES: Final = (LOG_SUFFIX, SHARED_SUFFIX, "-journal")
PROBLEMS_MAX: Final = 5


@contextlib.contextmanager
def opened(path: Path, *, is_live: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection that reads. Raises CatalogueError.

    Where SQLite's own log holds commits that are not in the file yet, both are copied aside first: to read
    them in place, SQLite would write beside them. With `is_live` it may: another process does so anyway.
    """
    with contextlib.ExitStack() as stack:
        log = path.with_name(path.name + LOG_SUFFIX)
        if is_live:
            address = f"file:{_quoted(path)}?mode=ro"
        elif log.exists() and log.stat().st_size:
            aside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="historian-")))
            for source in (path, log):
                shutil.copyfile(source, aside / source.name)
            address = f"file:{_quoted(aside / path.name)}"
        else:
            address = f"file:{_quoted(path)}?mode=ro&immutable=1"
        try:
            connection = sqlite3.connect(address, uri=True)
        except sqlite3.Error as error:
            raise CatalogueError(str(path), str(error)) from error
        stack.callback(connection.close)
        try:
            yield connection
        except sqlite3.Error as error:
            raise CatalogueError(str(path), str(error)) from error


def problems_of(path: Path) -> list[str]:
    """What SQLite's own check of the whole file finds; empty where it is sound."""
    try:
        with opened(path) as connection:
            rows = connection.execute(f"PRAGMA integrity_check({PROBLEMS_MAX})").fetchall()
    except CatalogueError as error:
        return [str(error).removeprefix(f"{path}: ")]
    return [str(row[0]) for row in rows if row[0] != "ok"]


def copy_live(source: Path, target: Path) -> None:
    """Copy a file that another process may be writing to, as it is at one moment. Raises CatalogueError."""
    with contextlib.ExitStack() as stack:
        try:
            there = sqlite3.connect(f"file:{_quoted(source)}?mode=ro", uri=True)
            stack.callback(there.close)
            here = sqlite3.connect(target)
            stack.callback(here.close)
            there.backup(here)
            here.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
        except sqlite3.Error as error:
            raise CatalogueError(str(source), f"cannot be copied: {error}") from error


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
