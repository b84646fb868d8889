"""Entities, their former ids and what was stated of them, in SQLite: statements are added, never changed."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from historian.catalogue.database import Database
from historian.errors import CatalogueError
from historian.model.entity import Entity, EntityKey, Stated

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entity (
  number INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, id TEXT NOT NULL, created_us INTEGER NOT NULL,
  revision INTEGER NOT NULL, UNIQUE (type, id)
) STRICT;
CREATE INDEX IF NOT EXISTS entity_by_type ON entity (type, number);
CREATE TABLE IF NOT EXISTS entity_alias (
  type TEXT NOT NULL, id TEXT NOT NULL, entity INTEGER NOT NULL REFERENCES entity (number), recorded_us INTEGER NOT NULL,
  PRIMARY KEY (type, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entity_alias_by_entity ON entity_alias (entity);
CREATE TABLE IF NOT EXISTS entity_statement (
  number INTEGER PRIMARY KEY AUTOINCREMENT, entity INTEGER NOT NULL REFERENCES entity (number), attribute TEXT NOT NULL,
  valid_from_us INTEGER NOT NULL, value TEXT, is_withdrawn INTEGER NOT NULL, recorded_us INTEGER NOT NULL,
  author TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entity_statement_by_entity ON entity_statement (entity, number)
"""

PART: Final = 500  # parameters of one statement
_ENTITY: Final = "number, type, id, created_us, revision"
_STATED: Final = "number, attribute, valid_from_us, value, is_withdrawn, recorded_us, author, reason"


class EntityTable:
    """Reads and writes; keeps nothing in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: EntityKey) -> Entity | None:
        """By id, else by former id."""
        rows = self._database.rows(f"SELECT {_ENTITY} FROM entity WHERE type = ? AND id = ?", key)  # noqa: S608 - our own names
        if not rows:
            rows = self._database.rows(
                f"SELECT {_ENTITY} FROM entity WHERE number ="  # noqa: S608 - our own names
                " (SELECT entity FROM entity_alias WHERE type = ? AND id = ?)",
                key,
            )
        return _entity(rows[0]) if rows else None

    def by_numbers(self, numbers: Sequence[int]) -> dict[int, Entity]:
        """The entities of these numbers."""
        return {
            row[0]: _entity(row)
            for marks, part in _parts(numbers)
            for row in self._database.rows(f"SELECT {_ENTITY} FROM entity WHERE number IN ({marks})", part)  # noqa: S608 - marks only
        }

    def page(self, entity_type: str, match: str | None, after: int, limit: int) -> list[Entity]:
        """Entities of a type by rising number; `match` is a glob on the id."""
        condition, more = ("AND id GLOB ?", (match,)) if match is not None else ("", ())
        rows = self._database.rows(
            f"SELECT {_ENTITY} FROM entity WHERE type = ? AND number > ? {condition} ORDER BY number LIMIT ?",  # noqa: S608 - our own names
            (entity_type, after, *more, limit),
        )
        return [_entity(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many entities each type has."""
        return dict(self._database.rows("SELECT type, count(*) FROM entity GROUP BY type"))

    def aliases(self, numbers: Sequence[int]) -> dict[int, list[str]]:
        """Former ids of these entities, sorted."""
        found: dict[int, list[str]] = {number: [] for number in numbers}
        for marks, part in _parts(numbers):
            statement = f"SELECT entity, id FROM entity_alias WHERE entity IN ({marks}) ORDER BY id"  # noqa: S608 - marks only
            for number, alias in self._database.rows(statement, part):
                found[number].append(alias)
        return found

    def statements(self, numbers: Sequence[int]) -> dict[int, list[Stated]]:
        """What was stated of these entities, by rising number of the statement."""
        found: dict[int, list[Stated]] = {number: [] for number in numbers}
        for marks, part in _parts(numbers):
            statement = (
                f"SELECT entity, {_STATED} FROM entity_statement WHERE entity IN ({marks}) ORDER BY number"  # noqa: S608 - marks only
            )
            for number, *row in self._database.rows(statement, part):
                found[number].append(_stated(row))
        return found

    def last_recorded_us(self) -> int:
        """When the newest statement was recorded; 0 where there is none."""
        rows = self._database.rows("SELECT recorded_us FROM entity_statement ORDER BY number DESC LIMIT 1")
        return int(rows[0][0]) if rows else 0


def create(connection: sqlite3.Connection, key: EntityKey, now_us: int) -> Entity:
    """A new entity, inside the caller's transaction."""
    cursor = connection.execute(
        "INSERT INTO entity (type, id, created_us, revision) VALUES (?, ?, ?, 0)", (*key, now_us)
    )
    assert cursor.lastrowid is not None, "an inserted row has a number"
    return Entity(cursor.lastrowid, key, now_us, 0)


def add(connection: sqlite3.Connection, number: int, draft: Stated) -> Stated:
    """Record a statement, inside the caller's transaction; it gets its number."""
    cursor = connection.execute(
        "INSERT INTO entity_statement (entity, attribute, valid_from_us, value, is_withdrawn, recorded_us, author, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, *draft[1:]),
    )
    assert cursor.lastrowid is not None, "an inserted row has a number"
    return draft._replace(number=cursor.lastrowid)


def add_alias(connection: sqlite3.Connection, entity: Entity, alias: str, now_us: int) -> None:
    """Let another id lead to the entity, inside the caller's transaction."""
    connection.execute(
        "INSERT INTO entity_alias VALUES (?, ?, ?, ?)", (entity.key.type, alias, entity.number, now_us)
    )


def rename(connection: sqlite3.Connection, entity: Entity, new_id: str, now_us: int) -> Entity:
    """Give it another id, inside the caller's transaction; the former one goes on leading to it."""
    connection.execute("DELETE FROM entity_alias WHERE type = ? AND id = ?", (entity.key.type, new_id))
    connection.execute("UPDATE entity SET id = ? WHERE number = ?", (new_id, entity.number))
    add_alias(connection, entity, entity.key.id, now_us)
    return entity._replace(key=entity.key._replace(id=new_id))


def count_change(connection: sqlite3.Connection, entity: Entity) -> Entity:
    """The entity with the next revision, inside the caller's transaction."""
    connection.execute("UPDATE entity SET revision = revision + 1 WHERE number = ?", (entity.number,))
    return entity._replace(revision=entity.revision + 1)


def _parts(numbers: Sequence[int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for first in range(0, len(numbers), PART):
        part = tuple(numbers[first : first + PART])
        yield ", ".join("?" * len(part)), part


def _entity(row: tuple[Any, ...]) -> Entity:
    return Entity(row[0], EntityKey(row[1], row[2]), row[3], row[4])


def _stated(row: Sequence[Any]) -> Stated:
    number, attribute, valid_from_us, value, is_withdrawn, recorded_us, author, reason = row
    if is_withdrawn not in (0, 1):
        raise CatalogueError("entity_statement", f"row {number} is neither stated nor withdrawn")
    return Stated(number, attribute, valid_from_us, value, bool(is_withdrawn), recorded_us, author, reason)
