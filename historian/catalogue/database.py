"""Opens the SQLite files of the catalogue: one way to set them up, one way to change them.

Durability: WAL mode. With ``is_synced`` each commit waits for the disk (``synchronous=FULL``), so a point that was
answered survives a power cut; without it a commit survives the death of the process but not always of the machine.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from historian.errors import CatalogueError, FormatTooNew

APPLICATION_ID: Final = 0x48534350  # "HSCP": tells our files from any other SQLite file
FORMAT_VERSION: Final = 4  # in SQLite's user_version; raised with every change of a table
# 1: each point had all its attributes in its own row
# 2: no statements about points, and figures that know of none
# 3: no entities
LOCK_WAIT_S: Final = 5.0  # how long one connection waits for another's transaction


class Database:
    """One SQLite connection that threads may share; changes are serialised by a lock.

    `schema` holds ``CREATE … IF NOT EXISTS`` statements; `upgrade` brings tables of an older format to today's,
    in one transaction with the number that says so. Raises CatalogueError where the file is not ours, damaged or not writable,
    FormatTooNew where a newer version wrote it.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        is_synced: bool,
        upgrade: Callable[[sqlite3.Connection], None] | None = None,
    ) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._errors_named():
            self._connection = sqlite3.connect(
                path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False
            )
        try:
            with self._errors_named():
                self._set_up(schema, is_synced, upgrade)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Finish and release the file; a second call does nothing."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All statements inside or none. Blocks until the commit; raises CatalogueError if it fails."""
        with self._lock, self._errors_named():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of one SELECT; Any, because only the statement knows the types of its columns."""
        with self._lock, self._errors_named():
            return self._connection.execute(statement, parameters).fetchall()

    def _set_up(
        self, schema: str, is_synced: bool, upgrade: Callable[[sqlite3.Connection], None] | None
    ) -> None:
        connection = self._connection
        application_id = int(connection.execute("PRAGMA application_id").fetchone()[0])
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        is_new = application_id == 0 and version == 0 and self._is_empty()
        if not is_new and application_id != APPLICATION_ID:
            raise CatalogueError(str(self.path), "is an SQLite file of another program; move it away")
        if version > FORMAT_VERSION:
            raise FormatTooNew(
                f"{self.path}: written in format {version}, this version reads up to {FORMAT_VERSION}"
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if is_synced else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        if upgrade is not None and not is_new:
            upgrade(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        for statement in filter(None, map(str.strip, schema.split(";"))):
            connection.execute(statement)
        connection.execute("COMMIT")

    def _is_empty(self) -> bool:
        return self._connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None

    @contextlib.contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise CatalogueError(str(self.path), str(error)) from error
