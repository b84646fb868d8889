"""The book of charges: amounts of money for periods of their own, as bills say. Superseded, never changed; all calls block.

A period is never taken for a calendar month: it is what the bill says. A correction supersedes the amount of the same period, or the one
that it names.
"""

import sqlite3
import threading
from collections.abc import Sequence
from typing import Final, NamedTuple

from historian.catalogue.attribute_rule import Given, decimal_text
from historian.catalogue.database import Database
from historian.catalogue.entity_book import EntityBook
from historian.clock import Clock
from historian.errors import EntityError, EntityInvalid, ItemInvalid
from historian.model.entity import EntityKey
from historian.model.item import Item, Items
from historian.model.timestamp import format_time

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS charge (
  number INTEGER PRIMARY KEY AUTOINCREMENT, entity INTEGER NOT NULL, item TEXT NOT NULL, start_us INTEGER NOT NULL,
  end_us INTEGER NOT NULL, amount TEXT NOT NULL, unit TEXT NOT NULL, document TEXT NOT NULL, recorded_us INTEGER NOT NULL,
  author TEXT NOT NULL, reason TEXT NOT NULL, supersedes INTEGER, superseded_us INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS charge_by_entity ON charge (entity, item, start_us)
"""
DOCUMENT_LENGTH_MAX: Final = 200
PERIOD_US_MAX: Final = 3 * 366 * 86_400_000_000
_COLUMNS: Final = "number, entity, item, start_us, end_us, amount, unit, document, recorded_us, author, reason, supersedes, superseded_us"


class Charge(NamedTuple):
    """An amount for ``[start_us, end_us)``; `amount` is an exact decimal, below 0 for what was paid back."""

    number: int
    entity: int
    item: str
    start_us: int
    end_us: int
    amount: str
    unit: str
    document: str
    recorded_us: int
    author: str = ""
    reason: str = ""
    supersedes: int | None = None
    superseded_us: int | None = None

    def is_known_at(self, time_us: int | None) -> bool:
        """Whether it counted by what was recorded until then; None: now."""
        if time_us is None:
            return self.superseded_us is None
        return self.recorded_us <= time_us and (self.superseded_us is None or self.superseded_us > time_us)


class Billed(NamedTuple):
    """A charge that somebody states; `item` by id or slug, or empty where the account has one kind of charge."""

    key: EntityKey
    item: str
    start_us: int
    end_us: int
    amount: Given
    unit: str = ""
    document: str = ""
    supersedes: int | None = None
    author: str = ""
    reason: str = ""


class Outcome(NamedTuple):
    """The charge as it is on record, whether it is new, and charges of the same kind that share some of its period."""

    charge: Charge
    is_new: bool
    overlapping: Sequence[Charge]


class ChargeBook:
    """Every charge of this historian."""

    def __init__(self, database: Database, entities: EntityBook, items: Items, clock: Clock) -> None:
        self._database = database
        self._entities = entities
        self._items = items
        self._clock = clock
        self._lock = threading.RLock()
        rows = database.rows("SELECT max(max(recorded_us), max(coalesce(superseded_us, 0))) FROM charge")
        self._last_us = int(rows[0][0] or 0)

    def of(
        self, key: EntityKey, item: str | None = None, as_of_us: int | None = None, *, has_all: bool = False
    ) -> list[Charge]:
        """Charges of an account by rising start; with `has_all` those superseded too. Raises EntityError, ItemInvalid."""
        number = self._entities.get(key).number
        wanted = None if item is None else self._item(key.type, item).id
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM charge WHERE entity = ? ORDER BY start_us, number",  # noqa: S608 - our own names
            (number,),
        )
        found = [Charge(*row) for row in rows]
        return [one for one in found if wanted in (None, one.item) and (has_all or one.is_known_at(as_of_us))]

    def page(self, after: int, limit: int) -> list[Charge]:
        """Charges that count, by rising number."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM charge WHERE number > ? AND superseded_us IS NULL ORDER BY number LIMIT ?",  # noqa: S608 - our own names
            (after, limit),
        )
        return [Charge(*row) for row in rows]

    def state(self, billed: Billed) -> Outcome:
        """Record a charge. Raises EntityError, ItemInvalid."""
        outcome = self.state_all([billed])[0]
        if isinstance(outcome, Outcome):
            return outcome
        raise outcome

    def state_all(self, billed: Sequence[Billed]) -> list[Outcome | EntityError | ItemInvalid]:
        """As `state` for each, in one transaction; what cannot be recorded costs only itself."""
        outcomes: list[Outcome | EntityError | ItemInvalid] = []
        with self._lock:
            self._last_us = now_us = max(self._clock.now_us(), self._last_us)
            with self._database.transaction() as connection:
                for one in billed:
                    try:
                        outcomes.append(self._apply(connection, one, now_us))
                    except (EntityError, ItemInvalid) as error:
                        outcomes.append(error)
        return outcomes

    def _apply(self, connection: sqlite3.Connection, billed: Billed, now_us: int) -> Outcome:
        entity = self._entities.get(billed.key).number
        draft = self._draft(billed, entity, now_us)
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM charge WHERE entity = ? AND item = ? AND superseded_us IS NULL"  # noqa: S608 - our own names
            " AND ((start_us < ? AND end_us > ?) OR number = ?) ORDER BY start_us, number",
            (entity, draft.item, draft.end_us, draft.start_us, billed.supersedes or 0),
        )
        found = [Charge(*row) for row in rows]
        before = self._superseded(billed, draft, found)
        others = [one for one in found if one is not before]
        if before is not None:
            if before[2:8] == draft[2:8]:
                return Outcome(before, False, others)
            connection.execute(
                "UPDATE charge SET superseded_us = ? WHERE number = ?", (now_us, before.number)
            )
            draft = draft._replace(supersedes=before.number)
        return Outcome(_insert(connection, draft), True, others)

    def _draft(self, billed: Billed, entity: int, now_us: int) -> Charge:
        item = self._item(billed.key.type, billed.item)
        if billed.end_us <= billed.start_us or billed.end_us - billed.start_us > PERIOD_US_MAX:
            raise EntityInvalid(
                f"period [{format_time(billed.start_us)}, {format_time(billed.end_us)}) is not allowed: it is as the bill "
                "says, of some length and up to three years"
            )
        if billed.unit not in ("", item.unit):
            raise EntityInvalid(f"unit {billed.unit!r} is not {item.unit}, in which {item.id} is counted")
        document = billed.document.strip()
        if len(document) > DOCUMENT_LENGTH_MAX or not (document.isprintable() or not document):
            raise EntityInvalid(f"document: up to {DOCUMENT_LENGTH_MAX} printable signs")
        amount = decimal_text(billed.amount, item.decimals_max)
        return Charge(
            0, entity, item.id, billed.start_us, billed.end_us, amount, item.unit, document, now_us, billed.author, billed.reason
        )  # fmt: skip

    def _item(self, entity_type: str, name: str) -> Item:
        charges = self._items.charges_of(entity_type)
        if not name and len(charges) == 1:
            return charges[0]
        for item in charges:
            if name in (item.id, item.slug, item.name):
                return item
        there = ", ".join(f"{item.id} ({item.name})" for item in charges) or "none"
        raise EntityInvalid(f"item {name!r} is no charge of a {entity_type}; there are: {there}")

    @staticmethod
    def _superseded(billed: Billed, draft: Charge, found: list[Charge]) -> Charge | None:
        if billed.supersedes is not None:
            before = next((one for one in found if one.number == billed.supersedes), None)
            if before is None:
                raise EntityInvalid(
                    f"charge {billed.supersedes} is none of this account that counts, so it is not superseded"
                )
            return before
        return next(
            (one for one in found if (one.start_us, one.end_us) == (draft.start_us, draft.end_us)), None
        )


def _insert(connection: sqlite3.Connection, draft: Charge) -> Charge:
    cursor = connection.execute(
        "INSERT INTO charge (entity, item, start_us, end_us, amount, unit, document, recorded_us, author, reason, supersedes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        draft[1:-1],
    )
    assert cursor.lastrowid is not None, "an inserted row has a number"
    return draft._replace(number=cursor.lastrowid)
