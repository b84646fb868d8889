"""Rows of entities: found by number, id and former id, in pages; statements keep their order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue import entity_table
from historian.catalogue.database import Database
from historian.catalogue.entity_table import EntityTable
from historian.errors import CatalogueError
from historian.model.entity import EntityKey, Stated


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "c.sqlite", entity_table.SCHEMA, is_synced=False)
    yield database
    database.close()


def make(database: Database, *ids: str, type_: str = "line") -> None:
    with database.transaction() as connection:
        for each in ids:
            entity_table.create(connection, EntityKey(type_, each), 7)


def test_entities_are_found_by_id_former_id_and_number(database: Database) -> None:
    make(database, "a", "b")
    table = EntityTable(database)
    found = table.find(EntityKey("line", "a"))
    assert found is not None
    with database.transaction() as connection:
        renamed = entity_table.rename(connection, found, "c", 9)
        entity_table.count_change(connection, renamed)
    again = table.find(EntityKey("line", "a"))
    assert again is not None
    assert (again.key.id, again.number, again.revision, again.created_us) == ("c", found.number, 1, 7)
    assert table.by_numbers([found.number, 99]) == {found.number: again}
    assert table.aliases([found.number]) == {found.number: ["a"]}
    assert table.find(EntityKey("bay", "c")) is None
    with database.transaction() as connection:
        entity_table.rename(connection, again, "a", 9)
    assert table.aliases([found.number]) == {found.number: ["c"]}


def test_pages_follow_the_number_and_match_a_glob(database: Database) -> None:
    make(database, "a1", "b1", "a2", "a3")
    make(database, "a4", type_="bay")
    table = EntityTable(database)
    first = table.page("line", "a*", 0, 2)
    assert [one.key.id for one in first] == ["a1", "a2"]
    assert [one.key.id for one in table.page("line", "a*", first[-1].number, 2)] == ["a3"]
    assert [one.key.id for one in table.page("line", None, 0, 9)] == ["a1", "b1", "a2", "a3"]
    assert table.counts() == {"bay": 1, "line": 4}


def test_statements_come_by_entity_in_the_order_of_their_recording(database: Database) -> None:
    make(database, "a", "b")
    table = EntityTable(database)
    assert table.last_recorded_us() == 0
    with database.transaction() as connection:
        for number, value in ((1, "x"), (2, "y"), (1, "z")):
            entity_table.add(connection, number, Stated(0, "name", 5, value, False, 8, "me", "why"))
    found = table.statements(list(range(1, 1200)))  # more than one part
    assert [one.value for one in found[1]] == ["x", "z"]
    assert found[2] == [Stated(2, "name", 5, "y", False, 8, "me", "why")]
    assert table.last_recorded_us() == 8


def test_a_row_that_is_neither_is_named(database: Database) -> None:
    make(database, "a")
    with database.transaction() as connection:
        entity_table.add(connection, 1, Stated(0, "name", 5, "x", 2, 8))  # type: ignore[arg-type]
    with pytest.raises(CatalogueError, match="row 1"):
        EntityTable(database).statements([1])
