"""Points in SQLite: one row each, what many have in common once, former names, and what they were before each change."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from historian.catalogue import point_upgrade
from historian.catalogue.database import Database
from historian.catalogue.definition import Definition, Numbered
from historian.catalogue.point_memory import Additions, PointRows
from historian.catalogue.text_column import unpack
from historian.errors import CatalogueError
from historian.model.point import Point

SCHEMA: Final = f"""
{point_upgrade.DEFINITION_TABLE};
{point_upgrade.STATION_TABLE};
CREATE TABLE IF NOT EXISTS point {point_upgrade.POINT_COLUMNS};
CREATE TABLE IF NOT EXISTS former_name (
  name TEXT PRIMARY KEY, point_id INTEGER NOT NULL REFERENCES point (id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS point_revision (
  point_id INTEGER NOT NULL REFERENCES point (id), revision INTEGER NOT NULL, valid_from_us INTEGER,
  recorded_us INTEGER NOT NULL, attributes TEXT NOT NULL, PRIMARY KEY (point_id, revision)
) STRICT, WITHOUT ROWID
"""

_LOAD_PART: Final = 100_000  # each part takes turns with other threads a few times
_LOAD: Final = (
    "SELECT count(*), max(id), group_concat(id), CAST(group_concat(name, char(10)) AS BLOB),"
    " group_concat(definition_id), group_concat(coalesce(station_id, 0)), count(name_zh) + count(name_en)"
    " FROM (SELECT * FROM point WHERE id > ? ORDER BY id LIMIT ?)"
)
_CACHE_KIB: Final = 64 * 1024  # names come in any order; their tree must stay in memory while many are added
_DEFINITION_COLUMNS: Final = ", ".join(Definition._fields)
_INSERT: Final = "INSERT INTO point VALUES (?, ?, ?, nullif(?, 0), nullif(?, ''), nullif(?, ''))"

_Value = TypeVar("_Value")


class PointRevision(NamedTuple):
    """What a point was said to be, from when on (None: from its beginning), and when that was recorded."""

    point: Point
    valid_from_us: int | None
    recorded_us: int


class PointTable:
    """Reads and writes points; keeps nothing in memory. Every write blocks until it is on disk."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, SCHEMA, is_synced=True, upgrade=point_upgrade.upgrade)
        self._database.rows(f"PRAGMA cache_size = -{_CACHE_KIB}")

    def close(self) -> None:
        """Release the file."""
        self._database.close()

    def load_definitions(self) -> Numbered[Definition]:
        """Every definition by its number. Raises CatalogueError where a row does not make one."""
        rows = self._database.rows(f"SELECT id, {_DEFINITION_COLUMNS} FROM definition ORDER BY id")  # noqa: S608 - our own names
        try:
            found = msgspec.convert([row[1:] for row in rows], list[Definition], strict=True)
        except msgspec.ValidationError as error:
            raise CatalogueError(str(self._database.path), f"table definition: {error}") from error
        return self._numbered("definition", [row[0] for row in rows], found)

    def load_stations(self) -> Numbered[str]:
        """Every station by its number."""
        rows = self._database.rows("SELECT id, name FROM station ORDER BY id")
        return self._numbered("station", [row[0] for row in rows], [row[1] for row in rows])

    def load_points(self, definition_count: int, station_count: int) -> Iterator[PointRows]:
        """Every point, by rising id, in parts. Raises CatalogueError where a row has a number that is not there."""
        after_id = 0
        while part := self._load_part(after_id):
            after_id = int(part.id[-1])
            if part.definition.max() > definition_count or part.station.max() > station_count:
                raise CatalogueError(
                    str(self._database.path),
                    f"table point: a point up to id {after_id} has no definition or station",
                )
            yield part

    def _load_part(self, after_id: int) -> PointRows | None:
        """The next points, joined by SQLite: a million rows are never a million Python objects."""
        count, last_id, ids, names, definitions, stations, label_count = self._database.rows(
            _LOAD, (after_id, _LOAD_PART)
        )[0]
        if count == 0:
            return None
        labels = self._labels(after_id, last_id) if label_count else {}
        row_ids = _numbers(ids)
        texts = [labels.get(point_id, ("", "")) for point_id in row_ids.tolist()] if labels else []
        return PointRows(
            row_ids,
            unpack(names, count),
            _numbers(definitions),
            _numbers(stations),
            [zh for zh, _ in texts],
            [en for _, en in texts],
        )

    def load_former_names(self) -> dict[str, int]:
        """Former name → id of the point that had it."""
        return dict(self._database.rows("SELECT name, point_id FROM former_name"))

    def highest_id(self) -> int:
        """The highest id ever given, also where its point is no longer there; 0 for none."""
        rows = self._database.rows("SELECT seq FROM sqlite_sequence WHERE name = 'point'")
        return int(rows[0][0]) if rows else 0

    def revision_counts(self) -> dict[int, int]:
        """How many statements were recorded about each point that ever changed."""
        return dict(self._database.rows("SELECT point_id, count(*) FROM point_revision GROUP BY point_id"))

    def insert(self, rows: PointRows, additions: Additions) -> None:
        """Add new points and what they refer to, all or none."""
        columns = (
            rows.id.tolist(),
            rows.name.split(),
            rows.definition.tolist(),
            rows.station.tolist(),
            rows.name_zh,
            rows.name_en,
        )
        with self._database.transaction() as connection:
            _add(connection, additions)
            connection.executemany(_INSERT, zip(*columns, strict=True))

    def change(
        self,
        before: Point,
        after: Point,
        numbers: tuple[int, int],
        additions: Additions,
        times_us: tuple[int | None, int],
    ) -> None:
        """Replace a point's attributes, keeping what it was; a changed name goes to the former names.

        `numbers` are those of its definition and station; `times_us` from when on it holds, and now.
        """
        with self._database.transaction() as connection:
            _add(connection, additions)
            _keep(connection, before, after, *times_us)
            connection.execute(
                "UPDATE point SET name = ?, definition_id = ?, station_id = nullif(?, 0),"
                " name_zh = nullif(?, ''), name_en = nullif(?, '') WHERE id = ?",
                (after.name, *numbers, after.name_zh, after.name_en, after.id),
            )
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

    def _labels(self, after_id: int, last_id: int) -> dict[int, tuple[str, str]]:
        rows = self._database.rows(
            "SELECT id, coalesce(name_zh, ''), coalesce(name_en, '') FROM point"
            " WHERE id > ? AND id <= ? AND (name_zh IS NOT NULL OR name_en IS NOT NULL)",
            (after_id, last_id),
        )
        return {point_id: (name_zh, name_en) for point_id, name_zh, name_en in rows}

    def _numbered(self, table: str, numbers: list[int], values: Sequence[_Value]) -> Numbered[_Value]:
        numbered = Numbered(values)
        if numbers != list(range(1, len(numbered) + 1)):
            raise CatalogueError(str(self._database.path), f"table {table}: rows are missing or there twice")
        return numbered


def _numbers(joined: str) -> npt.NDArray[np.uint32]:
    return np.fromstring(joined, np.uint32, sep=",")


def _add(connection: sqlite3.Connection, additions: Additions) -> None:
    connection.executemany(
        point_upgrade.INSERT_DEFINITION,
        ((number, *msgspec.to_builtins(definition)) for number, definition in additions.definitions),
    )
    connection.executemany("INSERT INTO station VALUES (?, ?)", additions.stations)


def _keep(
    connection: sqlite3.Connection, before: Point, after: Point, valid_from_us: int | None, recorded_us: int
) -> None:
    count = connection.execute(
        "SELECT count(*) FROM point_revision WHERE point_id = ?", (before.id,)
    ).fetchone()[0]
    statement = "INSERT INTO point_revision VALUES (?, ?, ?, ?, ?)"
    if count == 0:  # the first change also records what the point was from its beginning
        connection.execute(statement, (before.id, 0, None, recorded_us, _text(before)))
        count = 1
    connection.execute(statement, (after.id, count, valid_from_us, recorded_us, _text(after)))


def _text(point: Point) -> str:
    return msgspec.json.encode(point).decode()
