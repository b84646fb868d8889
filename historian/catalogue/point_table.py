"""Points in SQLite: one row each, their former names, and what they were before each change."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from historian.catalogue.database import Database
from historian.errors import CatalogueError
from historian.model.point import Point

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS point (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, kind TEXT NOT NULL,
  interval_us INTEGER NOT NULL, label TEXT NOT NULL, time_zone TEXT NOT NULL, station TEXT NOT NULL,
  item TEXT NOT NULL, name_zh TEXT NOT NULL, name_en TEXT NOT NULL, range_low REAL, range_high REAL,
  multiplier REAL NOT NULL, capacity REAL, source TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS former_name (
  name TEXT PRIMARY KEY, point_id INTEGER NOT NULL REFERENCES point (id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS point_revision (
  point_id INTEGER NOT NULL REFERENCES point (id), revision INTEGER NOT NULL, valid_from_us INTEGER,
  recorded_us INTEGER NOT NULL, attributes TEXT NOT NULL, PRIMARY KEY (point_id, revision)
) STRICT, WITHOUT ROWID
"""

_COLUMNS: Final = Point.__struct_fields__
_COLUMN_LIST: Final = ", ".join(_COLUMNS)
_INSERT: Final = f"INSERT INTO point ({_COLUMN_LIST}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - our own names
_UPDATE: Final = f"UPDATE point SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE id = ?"  # noqa: S608 - our own names


class PointRevision(NamedTuple):
    """What a point was said to be, from when on (None: from its beginning), and when that was recorded."""

    point: Point
    valid_from_us: int | None
    recorded_us: int


class PointTable:
    """Reads and writes points; keeps nothing in memory. Every write blocks until it is on disk."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, SCHEMA, is_synced=True)

    def close(self) -> None:
        """Release the file."""
        self._database.close()

    def load_points(self) -> list[Point]:
        """Every point, by rising id. Raises CatalogueError where a row does not make a point."""
        rows = self._database.rows(f"SELECT {_COLUMN_LIST} FROM point ORDER BY id")  # noqa: S608 - our own names
        try:
            return msgspec.convert(
                [dict(zip(_COLUMNS, row, strict=True)) for row in rows], list[Point], strict=True
            )
        except msgspec.ValidationError as error:
            raise CatalogueError(str(self._database.path), f"table point: {error}") from error

    def load_former_names(self) -> dict[str, int]:
        """Former name → id of the point that had it."""
        return dict(self._database.rows("SELECT name, point_id FROM former_name"))

    def highest_id(self) -> int:
        """The highest id ever given, also where its point is no longer there; 0 for none."""
        rows = self._database.rows("SELECT seq FROM sqlite_sequence WHERE name = 'point'")
        return int(rows[0][0]) if rows else 0

    def revision_count(self) -> int:
        """How many changes were recorded, over all points."""
        return int(self._database.rows("SELECT count(*) FROM point_revision")[0][0])

    def insert(self, points: Iterable[Point]) -> None:
        """Add new points, all or none."""
        with self._database.transaction() as connection:
            connection.executemany(_INSERT, map(_row, points))

    def change(self, before: Point, after: Point, valid_from_us: int | None, recorded_us: int) -> None:
        """Replace a point's attributes, keeping what it was; a changed name goes to the former names."""
        with self._database.transaction() as connection:
            self._keep(connection, before, after, valid_from_us, recorded_us)
            connection.execute(_UPDATE, (*_row(after), after.id))
            if after.name != before.name:
                connection.execute("DELETE FROM former_name WHERE name = ?", (after.name,))
                connection.execute("INSERT INTO former_name VALUES (?, ?)", (before.name, before.id))

    def load_revisions(self, point_id: int) -> list[PointRevision]:
        """What was recorded of the point, oldest statement first; empty if it never changed."""
        rows = self._database.rows(
            "SELECT attributes, valid_from_us, recorded_us FROM point_revision"
            " WHERE point_id = ? ORDER BY revision",
            (point_id,),
        )
        return [
            PointRevision(msgspec.json.decode(attributes, type=Point), valid_from_us, recorded_us)
            for attributes, valid_from_us, recorded_us in rows
        ]

    def _keep(
        self,
        connection: sqlite3.Connection,
        before: Point,
        after: Point,
        valid_from_us: int | None,
        recorded_us: int,
    ) -> None:
        count = connection.execute(
            "SELECT count(*) FROM point_revision WHERE point_id = ?", (before.id,)
        ).fetchone()[0]
        statement = "INSERT INTO point_revision VALUES (?, ?, ?, ?, ?)"
        if count == 0:  # the first change also records what the point was from its beginning
            connection.execute(statement, (before.id, 0, None, recorded_us, _text(before)))
            count = 1
        connection.execute(statement, (after.id, count, valid_from_us, recorded_us, _text(after)))


def _row(point: Point) -> Sequence[object]:
    values: dict[str, object] = msgspec.to_builtins(point)
    return [values[name] for name in _COLUMNS]


def _text(point: Point) -> str:
    return msgspec.json.encode(point).decode()
