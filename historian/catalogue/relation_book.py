"""The book of relations between entities. Rows are added and withdrawn, never changed; all calls block, changes until they are on disk."""

import sqlite3
import threading
from collections.abc import Sequence
from typing import Final, NamedTuple

from historian.catalogue.database import Database
from historian.catalogue.entity_book import EntityBook
from historian.clock import Clock
from historian.errors import EntityConflict, EntityError, EntityInvalid, ItemInvalid
from historian.model import relation
from historian.model.entity import BEGINNING_US, EntityKey
from historian.model.relation import POINT, Relation, RelationKind
from historian.model.timestamp import format_time

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS relation (
  number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, from_number INTEGER NOT NULL, to_number INTEGER NOT NULL,
  carrier TEXT NOT NULL, valid_from_us INTEGER NOT NULL, valid_to_us INTEGER, recorded_us INTEGER NOT NULL,
  author TEXT NOT NULL, reason TEXT NOT NULL, withdrawn_us INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS relation_from ON relation (from_number, kind);
CREATE INDEX IF NOT EXISTS relation_to ON relation (to_number, kind)
"""
PATH_LENGTH_MAX: Final = 100  # steps of a supply path that are looked at
_COLUMNS: Final = "number, kind, from_number, to_number, carrier, valid_from_us, valid_to_us, recorded_us, author, reason, withdrawn_us"


class Wanted(NamedTuple):
    """A relation that somebody states. `to` with the type ``point`` has the point's number as its id.

    `is_exchange` ends what would stand in the way at `valid_from_us`; `is_withdrawn` takes the relation back.
    """

    kind: str
    source: EntityKey
    to: EntityKey
    carrier: str = ""
    valid_from_us: int | None = None
    valid_to_us: int | None = None
    is_exchange: bool = False
    is_withdrawn: bool = False
    author: str = ""
    reason: str = ""


class Outcome(NamedTuple):
    """The relation as it is on record now, whether anything was changed, and what held before in its place."""

    relation: Relation
    is_changed: bool
    former: Sequence[Relation] = ()


class RelationBook:
    """Every relation of this historian."""

    def __init__(self, database: Database, entities: EntityBook, clock: Clock) -> None:
        self._database = database
        self._entities = entities
        self._clock = clock
        self._lock = threading.RLock()
        rows = database.rows("SELECT max(max(recorded_us), max(coalesce(withdrawn_us, 0))) FROM relation")
        self._last_us = int(rows[0][0] or 0)

    def of(
        self, key: EntityKey, kind: str | None = None, at_us: int | None = None, as_of_us: int | None = None
    ) -> list[Relation]:
        """Relations from and to an entity, by rising validity; `at_us` None: whenever they hold. Raises EntityError."""
        number = self._entities.get(key).number
        if kind is not None:
            relation.kind_of(kind)
        pointing = [each.id for each in relation.KINDS.values() if each.to_types == (POINT,)]
        marks = ", ".join("?" * len(pointing))
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM relation WHERE from_number = ? OR (to_number = ? AND kind NOT IN ({marks}))",  # noqa: S608 - marks and our own names
            (number, number, *pointing),
        )
        return _chosen([Relation(*row) for row in rows], kind, at_us, as_of_us)

    def of_point(
        self, point_id: int, at_us: int | None = None, as_of_us: int | None = None
    ) -> list[Relation]:
        """Relations that lead to a point."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM relation WHERE to_number = ? AND kind = 'measured_by'",  # noqa: S608 - our own names
            (point_id,),
        )
        return _chosen([Relation(*row) for row in rows], None, at_us, as_of_us)

    def page(self, after: int, limit: int) -> list[Relation]:
        """Relations in force by rising number."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM relation WHERE number > ? AND withdrawn_us IS NULL ORDER BY number LIMIT ?",  # noqa: S608 - our own names
            (after, limit),
        )
        return [Relation(*row) for row in rows]

    def state(self, wanted: Wanted) -> Outcome:
        """State or withdraw a relation. Raises EntityConflict that names what stands in the way, EntityError, ItemInvalid."""
        outcome = self.state_all([wanted])[0]
        if isinstance(outcome, Outcome):
            return outcome
        raise outcome

    def state_all(self, wanted: Sequence[Wanted]) -> list[Outcome | EntityError | ItemInvalid]:
        """As `state` for each, in one transaction; what cannot hold costs only itself."""
        outcomes: list[Outcome | EntityError | ItemInvalid] = []
        with self._lock:
            self._last_us = now_us = max(self._clock.now_us(), self._last_us)
            with self._database.transaction() as connection:
                for one in wanted:
                    try:
                        outcomes.append(self._apply(connection, one, now_us))
                    except (EntityError, ItemInvalid) as error:
                        outcomes.append(error)
        return outcomes

    def _apply(self, connection: sqlite3.Connection, wanted: Wanted, now_us: int) -> Outcome:
        kind = relation.kind_of(wanted.kind)
        relation.check(kind, wanted.source.type, wanted.to.type, wanted.carrier)
        source = self._entities.get(wanted.source).number
        to = int(wanted.to.id) if wanted.to.type == POINT else self._entities.get(wanted.to).number
        from_us = BEGINNING_US if wanted.valid_from_us is None else wanted.valid_from_us
        relation.check_span(from_us, wanted.valid_to_us)
        rivals = self._rivals(kind, source, to)
        same = next(
            (
                one
                for one in rivals
                if (one.from_number, one.to_number, one.carrier, one.valid_from_us)
                == (source, to, wanted.carrier, from_us)
            ),
            None,
        )
        if wanted.is_withdrawn:
            if same is None:
                raise EntityInvalid(
                    f"{kind.id}: nothing is stated for exactly this valid_from, so nothing is withdrawn"
                )
            _withdraw(connection, same, now_us)
            return Outcome(same._replace(withdrawn_us=now_us), True, [same])
        if same is not None and same.valid_to_us == wanted.valid_to_us:
            return Outcome(same, False)
        draft = Relation(
            0, kind.id, source, to, wanted.carrier, from_us, wanted.valid_to_us, now_us, wanted.author, wanted.reason
        )  # fmt: skip
        others = [one for one in rivals if one is not same and one.overlaps(from_us, wanted.valid_to_us)]
        ended = self._make_room(kind, draft, others, is_exchange=wanted.is_exchange)
        if kind.id == "supply_path":
            self._check_circle(draft)
        if same is not None:
            _withdraw(connection, same, now_us)
        for one in ended:
            _withdraw(connection, one, now_us)
            cut = one._replace(valid_to_us=from_us, recorded_us=now_us)
            _insert(connection, cut._replace(author=wanted.author, reason=wanted.reason))
        former = ended if same is None else [same, *ended]
        return Outcome(_insert(connection, draft), True, former)

    def _rivals(self, kind: RelationKind, source: int, to: int) -> list[Relation]:
        """Relations of the kind in force that share a side."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM relation WHERE (from_number = ? OR to_number = ?) AND kind = ?"  # noqa: S608 - our own names
            " AND withdrawn_us IS NULL ORDER BY number",
            (source, to, kind.id),
        )
        return [Relation(*row) for row in rows]

    def _make_room(
        self, kind: RelationKind, draft: Relation, others: list[Relation], *, is_exchange: bool
    ) -> list[Relation]:
        """What an exchange ends. Raises EntityConflict for what cannot hold at once with the draft."""
        ended = []
        for one in others:
            is_same_pair = (one.from_number, one.to_number, one.carrier) == (
                draft.from_number, draft.to_number, draft.carrier,
            )  # fmt: skip
            is_taken = ("from" in kind.alone and one.from_number == draft.from_number) or (
                "to" in kind.alone and one.to_number == draft.to_number
            )
            if not (is_taken or is_same_pair):
                continue
            if not (is_exchange and one.valid_from_us < draft.valid_from_us and one.valid_to_us is None):
                raise EntityConflict(self._conflict_text(kind, one))
            ended.append(one)
        return ended

    def _conflict_text(self, kind: RelationKind, one: Relation) -> str:
        named = self._entities.by_numbers(
            [one.from_number] + ([one.to_number] if kind.to_types != (POINT,) else [])
        )
        source = named[one.from_number].key
        to = named[one.to_number].key if one.to_number in named else EntityKey(POINT, str(one.to_number))
        since = "ever" if one.valid_from_us == BEGINNING_US else format_time(one.valid_from_us)
        until = "" if one.valid_to_us is None else f" until {format_time(one.valid_to_us)}"
        return (
            f"{kind.id}: {source.type} {source.id} is at {to.type} {to.id} since {since}{until}; end that first, "
            "or state an exchange"
        )

    def _check_circle(self, draft: Relation) -> None:
        """A supply path never leads back to where it began, for one carrier and at any one moment."""
        waiting, seen = [draft.to_number], {draft.to_number}
        for _ in range(PATH_LENGTH_MAX):
            if not waiting:
                return
            if draft.from_number in seen:
                break
            rows = self._database.rows(
                f"SELECT {_COLUMNS} FROM relation WHERE kind = 'supply_path' AND carrier = ? AND withdrawn_us IS NULL"  # noqa: S608 - marks and our own names
                f" AND from_number IN ({', '.join('?' * len(waiting))})",
                (draft.carrier, *waiting),
            )
            above = [Relation(*row) for row in rows]
            waiting = [
                one.to_number
                for one in above
                if one.overlaps(draft.valid_from_us, draft.valid_to_us) and one.to_number not in seen
            ]
            seen.update(waiting)
        raise EntityConflict("supply_path: it would lead back to where it began, or has more than 100 steps")


def _chosen(
    found: list[Relation], kind: str | None, at_us: int | None, as_of_us: int | None
) -> list[Relation]:
    chosen = [
        one
        for one in found
        if one.is_known_at(as_of_us) and kind in (None, one.kind) and (at_us is None or one.holds_at(at_us))
    ]
    return sorted(chosen, key=lambda one: (one.valid_from_us, one.number))


def _insert(connection: sqlite3.Connection, draft: Relation) -> Relation:
    cursor = connection.execute(
        "INSERT INTO relation (kind, from_number, to_number, carrier, valid_from_us, valid_to_us, recorded_us, author, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        draft[1:-1],
    )
    assert cursor.lastrowid is not None, "an inserted row has a number"
    return draft._replace(number=cursor.lastrowid)


def _withdraw(connection: sqlite3.Connection, one: Relation, now_us: int) -> None:
    connection.execute("UPDATE relation SET withdrawn_us = ? WHERE number = ?", (now_us, one.number))
