"""The access file: people, former passwords, tokens, sessions, failed logins, the token of the first start.

It is a file of its own that only the account of the historian may read. Passwords are hashes, tokens and sessions digests.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any, Final

import msgspec

from historian.access.lockout import Failures
from historian.access.record import Person, Session, Token
from historian.catalogue.database import Database

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS person (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS former_password (
  number INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT NOT NULL, password TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS former_password_of ON former_password (person, number);
CREATE TABLE IF NOT EXISTS token (id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, record TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS session (
  digest BLOB PRIMARY KEY, person TEXT NOT NULL, record TEXT NOT NULL, seen_us INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS failure (
  key TEXT PRIMARY KEY, count INTEGER NOT NULL, last_us INTEGER NOT NULL, locked_until_us INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS known_address (
  person TEXT NOT NULL, address TEXT NOT NULL, last_us INTEGER NOT NULL, PRIMARY KEY (person, address)
) STRICT;
CREATE TABLE IF NOT EXISTS setup (one INTEGER PRIMARY KEY CHECK (one = 1), digest BLOB NOT NULL, expires_us INTEGER NOT NULL)
STRICT;
CREATE TABLE IF NOT EXISTS change (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO change VALUES (1, 0)
"""
_FILE_MODE: Final = 0o600
Statement = tuple[str, tuple[Any, ...]]  # SQL and its parameters
KNOWN_ADDRESSES_MAX: Final = 20  # of one person


class Loaded(msgspec.Struct, frozen=True):
    """All that is kept, by what it is looked up by; `change` grows with every change of it."""

    change: int
    people: dict[str, Person]
    tokens: dict[bytes, Token]
    sessions: dict[bytes, Session]
    seen_us: dict[bytes, int]
    failures: dict[str, Failures]
    known: dict[str, frozenset[str]]
    setup: tuple[bytes, int] | None


class AccessTable:
    """The file. Changes block until SQLite has synced; each one raises the number of changes.

    Raises CatalogueError where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _FILE_MODE))
        path.chmod(_FILE_MODE)  # SQLite's own files beside it get the same
        self.database = Database(path, SCHEMA, is_synced=True)
        # A connection of its own: it sees changes of every other, and never waits for one that writes.
        self._watch = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._data_version = -1

    def close(self) -> None:
        """Release the file; a second call does nothing."""
        self._watch.close()
        self.database.close()

    def has_moved(self) -> bool:
        """Whether anything was written since asked last; costs microseconds and waits for nobody."""
        version = int(self._watch.execute("PRAGMA data_version").fetchone()[0])
        is_moved, self._data_version = version != self._data_version, version
        return is_moved

    def change_number(self) -> int:
        """How many changes there were."""
        return int(self._watch.execute("SELECT number FROM change").fetchone()[0])

    def load(self) -> Loaded:
        """All of it, of one moment."""
        with self.database.transaction() as connection:
            return _load(connection)

    def write(self, *statements: Statement) -> int:
        """All statements or none; the number of the change, when it is on disk."""
        with self.database.transaction() as connection:
            for statement, parameters in statements:
                connection.execute(statement, parameters)
            connection.execute("UPDATE change SET number = number + 1")
            return int(connection.execute("SELECT number FROM change").fetchone()[0])

    def former_passwords(self, person_id: str, count: int) -> list[str]:
        """Hashes of the person's last passwords, newest first."""
        statement = "SELECT password FROM former_password WHERE person = ? ORDER BY number DESC LIMIT ?"
        return [row[0] for row in self.database.rows(statement, (person_id, count))]


def _load(connection: sqlite3.Connection) -> Loaded:
    sessions = connection.execute("SELECT digest, record, seen_us FROM session").fetchall()
    known: dict[str, set[str]] = {}
    for person, address in connection.execute("SELECT person, address FROM known_address"):
        known.setdefault(person, set()).add(address)
    return Loaded(
        change=int(connection.execute("SELECT number FROM change").fetchone()[0]),
        people={
            row[0]: msgspec.json.decode(row[1], type=Person)
            for row in connection.execute("SELECT id, record FROM person ORDER BY id")
        },
        tokens={
            row[0]: msgspec.json.decode(row[1], type=Token)
            for row in connection.execute("SELECT digest, record FROM token ORDER BY rowid")
        },
        sessions={row[0]: msgspec.json.decode(row[1], type=Session) for row in sessions},
        seen_us={row[0]: int(row[2]) for row in sessions},
        failures={
            row[0]: Failures(*row[1:])
            for row in connection.execute("SELECT key, count, last_us, locked_until_us FROM failure")
        },
        known={person: frozenset(addresses) for person, addresses in known.items()},
        setup=connection.execute("SELECT digest, expires_us FROM setup").fetchone(),
    )
