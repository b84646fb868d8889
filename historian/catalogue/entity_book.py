"""The book of entities: what each is, was, and was known to be. Changes are on disk when a call returns; all calls block."""

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from historian.catalogue import entity_table
from historian.catalogue.attribute_rule import Given, attribute_name, check_id, checked
from historian.catalogue.database import Database
from historian.catalogue.entity_table import EntityTable
from historian.clock import Clock
from historian.errors import (
    EntityChanged,
    EntityConflict,
    EntityError,
    EntityInvalid,
    EntityNotFound,
    ItemInvalid,
)
from historian.model.entity import BEGINNING_US, Entity, EntityKey, Span, Stated, spans_of, values_at
from historian.model.item import Items


class Change(NamedTuple):
    """What is stated of one entity.

    `valid_from_us` None: from the beginning for what was never stated, else from now, and only where it differs. `withdraws` names
    attributes whose step at exactly that moment is taken back. `expected` None: whatever is there; 0: it must be new; else the revision
    it must have.
    """

    key: EntityKey
    attributes: Mapping[str, Given] = {}
    valid_from_us: int | None = None
    withdraws: Sequence[str] = ()
    aliases: Sequence[str] = ()
    new_id: str | None = None
    author: str = ""
    reason: str = ""
    expected: int | None = None
    must_exist: bool = False


class Changed(NamedTuple):
    """What became of a change: the entity now, whether it is new, and how many statements and ids were added.

    `added` are the statements, `former` all that was stated of the same attributes before.
    """

    entity: Entity
    is_new: bool
    added_count: int
    added: Sequence[Stated] = ()
    former: Sequence[Stated] = ()


class Known(NamedTuple):
    """An entity with what holds, and its former ids."""

    entity: Entity
    held: Mapping[str, Span]
    aliases: Sequence[str]


class EntityBook:
    """Every entity of this historian."""

    def __init__(self, database: Database, items: Items, clock: Clock) -> None:
        self._database = database
        self._items = items
        self._clock = clock
        self._lock = threading.RLock()
        self._table = EntityTable(database)
        self._last_us = self._table.last_recorded_us()

    def get(self, key: EntityKey) -> Entity:
        """By id or former id. Raises EntityNotFound, ItemInvalid for a type that is none."""
        self._items.check_type(key.type)
        found = self._table.find(key)
        if found is None:
            raise EntityNotFound(*key)
        return found

    def known(self, key: EntityKey, at_us: int | None = None, as_of_us: int | None = None) -> Known:
        """What held at `at_us`, by what was recorded until `as_of_us`; both default to now, `at_us` to `as_of_us`."""
        entity = self.get(key)
        if as_of_us is not None and entity.created_us > as_of_us:
            raise EntityNotFound(*key)
        return self._fill([entity], at_us, as_of_us)[0]

    def page(
        self,
        entity_type: str,
        match: str | None = None,
        after: int = 0,
        limit: int = 1000,
        at_us: int | None = None,
        as_of_us: int | None = None,
    ) -> list[Known]:
        """As `known`, for up to `limit` entities by rising number, those made later than `as_of_us` too, without a value."""
        self._items.check_type(entity_type)
        return self._fill(self._table.page(entity_type, match, after, limit), at_us, as_of_us)

    def spans(self, entities: Sequence[Entity], as_of_us: int | None = None) -> list[dict[str, list[Span]]]:
        """Every step of each entity."""
        statements = self._table.statements([entity.number for entity in entities])
        return [spans_of(statements[entity.number], as_of_us) for entity in entities]

    def history(self, key: EntityKey) -> list[Stated]:
        """All that was ever stated of it, oldest statement first."""
        number = self.get(key).number
        return self._table.statements([number])[number]

    def aliases(self, entity: Entity) -> list[str]:
        """Former ids, sorted."""
        return self._table.aliases([entity.number])[entity.number]

    def by_numbers(self, numbers: Sequence[int]) -> dict[int, Entity]:
        """Entities by their numbers."""
        return self._table.by_numbers(numbers)

    def counts(self) -> dict[str, int]:
        """How many entities each type has."""
        return self._table.counts()

    def change(self, change: Change) -> Changed:
        """State it, on disk when this returns. Raises EntityError, ItemInvalid; then nothing was changed."""
        outcome = self.change_all([change])[0]
        if isinstance(outcome, Changed):
            return outcome
        raise outcome

    def change_all(self, changes: Sequence[Change]) -> list[Changed | EntityError | ItemInvalid]:
        """As `change` for each, in one transaction; what cannot be stated costs only itself."""
        outcomes: list[Changed | EntityError | ItemInvalid] = []
        with self._lock:
            # A clock that was set back must not put a later statement before an earlier one.
            self._last_us = now_us = max(self._clock.now_us(), self._last_us)
            with self._database.transaction() as connection:
                session = _Session(connection, self._table, self._items, now_us)
                for change in changes:
                    try:
                        outcomes.append(session.apply(change))
                    except (EntityError, ItemInvalid) as error:
                        outcomes.append(error)
        return outcomes

    def _fill(self, entities: list[Entity], at_us: int | None, as_of_us: int | None) -> list[Known]:
        if at_us is None:
            at_us = self._clock.now_us() if as_of_us is None else as_of_us
        numbers = [entity.number for entity in entities]
        aliases = self._table.aliases(numbers)
        return [
            Known(entity, values_at(spans, at_us), aliases[entity.number])
            for entity, spans in zip(entities, self.spans(entities, as_of_us), strict=True)
        ]


class _Session:
    """Changes of one transaction; everything is checked before the first row of a change is written."""

    def __init__(self, connection: sqlite3.Connection, table: EntityTable, items: Items, now_us: int) -> None:
        self._connection = connection
        self._table = table
        self._items = items
        self._now_us = now_us
        self._statements: dict[int, list[Stated]] = {}

    def apply(self, change: Change) -> Changed:
        """Raises EntityError, ItemInvalid."""
        self._items.check_type(change.key.type)
        found = self._table.find(change.key)
        _check_expected(change, found)
        wanted = self._wanted(change)
        if found is None:
            check_id(change.key.id)
        aliases = self._new_aliases(change, found)
        new_id = self._new_id(change, found)
        statements = self._statements_of(found)
        drafts = [
            draft for name, value in wanted.items() for draft in self._draft(change, statements, name, value)
        ]
        drafts += [self._withdrawal(change, statements, name) for name in change.withdraws]
        entity = found or entity_table.create(self._connection, change.key, self._now_us)
        kept = self._statements.setdefault(entity.number, statements)
        touched = {draft.attribute for draft in drafts}
        former = [one for one in kept if one.attribute in touched]
        added = [entity_table.add(self._connection, entity.number, draft) for draft in drafts]
        kept += added
        for alias in aliases:
            entity_table.add_alias(self._connection, entity, alias, self._now_us)
        if new_id:
            entity = entity_table.rename(self._connection, entity, new_id, self._now_us)
        count = len(drafts) + len(aliases) + bool(new_id)
        if count or found is None:
            entity = entity_table.count_change(self._connection, entity)
        return Changed(entity, found is None, count, added, former)

    def _wanted(self, change: Change) -> dict[str, str | None]:
        wanted = {}
        for given, value in change.attributes.items():
            name = attribute_name(self._items, change.key.type, given)
            wanted[name] = checked(self._items, change.key.type, name, value)
        return wanted

    def _statements_of(self, found: Entity | None) -> list[Stated]:
        if found is None:
            return []
        if found.number not in self._statements:
            self._statements[found.number] = self._table.statements([found.number])[found.number]
        return self._statements[found.number]

    def _draft(self, change: Change, statements: list[Stated], name: str, value: str | None) -> list[Stated]:
        """The statement that is needed, none where the same is stated already."""
        own = [one for one in statements if one.attribute == name]
        if change.valid_from_us is None:
            held = values_at(spans_of(own), self._now_us).get(name)
            if (own or value is None) and (held.stated.value if held else None) == value:
                return []
            from_us = self._now_us if own else BEGINNING_US
        else:
            from_us = change.valid_from_us
        before = next((one for one in reversed(own) if one.valid_from_us == from_us), None)
        if before is not None and not before.is_withdrawn and before.value == value:
            return []
        return [self._stated(change, name, from_us, value, is_withdrawn=False)]

    def _withdrawal(self, change: Change, statements: list[Stated], given: str) -> Stated:
        name = attribute_name(self._items, change.key.type, given)
        from_us = BEGINNING_US if change.valid_from_us is None else change.valid_from_us
        last = next(
            (one for one in reversed(statements) if (one.attribute, one.valid_from_us) == (name, from_us)),
            None,
        )
        if last is None or last.is_withdrawn:
            raise EntityInvalid(
                f"{name}: nothing is stated for exactly this valid_from, so nothing is withdrawn"
            )
        return self._stated(change, name, from_us, None, is_withdrawn=True)

    def _stated(
        self, change: Change, name: str, from_us: int, value: str | None, *, is_withdrawn: bool
    ) -> Stated:
        return Stated(0, name, from_us, value, is_withdrawn, self._now_us, change.author, change.reason)

    def _new_aliases(self, change: Change, found: Entity | None) -> list[str]:
        fresh = []
        for alias in dict.fromkeys(change.aliases):
            check_id(alias)
            holder = self._table.find(EntityKey(change.key.type, alias))
            if holder is None and alias != change.key.id:
                fresh.append(alias)
            elif holder is None or found is None or holder.number != found.number:
                raise _taken(change.key.type, alias, holder)
        return fresh

    def _new_id(self, change: Change, found: Entity | None) -> str | None:
        if change.new_id is None or (found is not None and change.new_id == found.key.id):
            return None
        if found is None:
            raise EntityInvalid(f"a new {change.key.type} has the id of its path")
        check_id(change.new_id)
        holder = self._table.find(EntityKey(change.key.type, change.new_id))
        if holder is not None and holder.number != found.number:
            raise _taken(change.key.type, change.new_id, holder)
        return change.new_id


def _check_expected(change: Change, found: Entity | None) -> None:
    if change.must_exist and found is None:
        raise EntityNotFound(*change.key)
    revision = 0 if found is None else found.revision
    if change.expected is not None and change.expected != revision:
        seen = f"revision {change.expected}" if change.expected else "new"
        raise EntityChanged(
            f"{change.key.type} {change.key.id} is not {seen} but has revision {revision}; read it again and decide anew"
        )


def _taken(entity_type: str, alias: str, holder: Entity | None) -> EntityConflict:
    owner = f"leads to {holder.key.id}" if holder else "is the id of the same entity"
    return EntityConflict(f"{entity_type} {alias} {owner} already")
