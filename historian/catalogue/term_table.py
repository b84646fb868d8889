"""Statements about points in SQLite: rows are added and withdrawn, never changed.

The tables lie in the registry's file, so that points and what was stated of them are never apart.
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from historian.catalogue.database import Database
from historian.errors import CatalogueError, TermInvalid
from historian.model import term
from historian.model.term import Statement

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS statement (
  number INTEGER PRIMARY KEY AUTOINCREMENT, point_id INTEGER NOT NULL, kind TEXT NOT NULL,
  valid_from_us INTEGER NOT NULL, valid_to_us INTEGER, recorded_us INTEGER NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL, term TEXT NOT NULL, withdrawn_us INTEGER, withdrawn_reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS statement_by_point ON statement (point_id, number);
CREATE TABLE IF NOT EXISTS calendar (
  id TEXT NOT NULL, version INTEGER NOT NULL, recorded_us INTEGER NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS day_flag (
  number INTEGER PRIMARY KEY AUTOINCREMENT, calendar TEXT NOT NULL, date TEXT NOT NULL, flag TEXT NOT NULL,
  recorded_us INTEGER NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL, withdrawn_us INTEGER
) STRICT
"""

_COLUMNS: Final = "number, point_id, valid_from_us, valid_to_us, recorded_us, author, reason, term, withdrawn_us, withdrawn_reason"


class TermTable:
    """The file. Blocking: a change waits for the disk."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path, SCHEMA, is_synced=True)

    def close(self) -> None:
        """Release the file."""
        self.database.close()

    def load(self) -> list[Statement]:
        """Every statement by rising number. Raises CatalogueError where a row does not make one."""
        rows = self.database.rows(f"SELECT {_COLUMNS} FROM statement ORDER BY number")  # noqa: S608 - our own names
        return [self._statement(row) for row in rows]

    def add(self, draft: Statement) -> Statement:
        """Record a statement; it gets its number."""
        text = msgspec.json.encode(draft.term).decode()
        with self.database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO statement (point_id, kind, valid_from_us, valid_to_us, recorded_us, author, reason, term)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (draft.point_id, draft.kind, draft.valid_from_us, draft.valid_to_us, draft.recorded_us, draft.author, draft.reason, text),
            )  # fmt: skip
            number = cursor.lastrowid
        assert number is not None, "an inserted row has a number"
        return msgspec.structs.replace(draft, number=number)

    def withdraw(self, number: int, time_us: int, reason: str) -> None:
        """From now on the statement does not hold; it stays on record."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE statement SET withdrawn_us = ?, withdrawn_reason = ? WHERE number = ? AND withdrawn_us IS NULL",
                (time_us, reason, number),
            )

    def _statement(self, row: tuple[Any, ...]) -> Statement:
        try:
            made = term.decode(row[7])
        except TermInvalid as error:
            raise CatalogueError(str(self.database.path), f"statement {row[0]}: {error}") from error
        return Statement(
            number=row[0],
            point_id=row[1],
            valid_from_us=row[2],
            valid_to_us=row[3],
            recorded_us=row[4],
            author=row[5],
            reason=row[6],
            term=made,
            withdrawn_us=row[8],
            withdrawn_reason=row[9],
        )
