"""The book of factors: put once, never changed, told as of a moment, there again after a restart."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from historian import resources
from historian.catalogue.database import Database
from historian.catalogue.factor_files import load_tables
from historian.clock import ManualClock
from historian.errors import CatalogueError, FactorError
from historian.model.factor import FactorTable
from historian.rollup.factor_book import SHIPPED, FactorBook

NOW_US = 1_700_000_000_000_000


def table(value: float = 0.5, **more: Any) -> FactorTable:
    return FactorTable(
        **{
            "id": "own", "version": 1, "carrier": "electricity", "basis": "location", "unit": "kgCO2/kWh",
            "source": "s", "confidence": "high", "values": {"plant": value},
        }
        | more
    )  # fmt: skip


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_US)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "catalogue.sqlite", "", is_synced=True)
    yield made
    made.close()


def test_what_is_shipped_comes_in_once_and_goes_together(database: Database, clock: ManualClock) -> None:
    shipped = load_tables([resources.config_dir() / "standard" / "factors.toml"])
    book = FactorBook(database, clock, shipped)
    assert book.ids() == sorted({one.id for one in shipped})
    assert book.versions("cn-market-2023")[0].reason == SHIPPED
    clock.advance(9.0)
    again = FactorBook(database, clock, shipped)
    assert again.versions("cn-market-2023")[0].recorded_us == NOW_US
    assert again.factors() == book.factors()


def test_a_version_follows_and_the_one_before_stays(database: Database, clock: ManualClock) -> None:
    book = FactorBook(database, clock)
    book.put(table(0.5), "anna", "measured")
    clock.advance(10.0)
    book.put(table(0.4, version=2), "anna", "corrected")
    assert [one.value for one in book.factors()] == [0.4]
    assert [one.value for one in book.factors(NOW_US)] == [0.5]
    assert [one.value for one in book.factors(NOW_US - 1)] == [0.5]
    again = FactorBook(database, clock)
    assert [(one.table.version, one.author) for one in again.versions("own")] == [(1, "anna"), (2, "anna")]


@pytest.mark.parametrize("version", [1, 3])
def test_a_version_that_does_not_follow_is_refused(
    database: Database, clock: ManualClock, version: int
) -> None:
    book = FactorBook(database, clock)
    book.put(table(), "", "r")
    with pytest.raises(FactorError, match="does not follow; allowed: 2"):
        book.put(table(0.7, version=version), "", "r")
    assert [one.value for one in book.factors()] == [0.5]


def test_the_same_again_changes_nothing(database: Database, clock: ManualClock) -> None:
    book = FactorBook(database, clock)
    made = book.put(table(), "", "r")
    assert book.put(table(version=2), "", "again") == made
    assert len(book.versions("own")) == 1


def test_no_factor_has_two_values(database: Database, clock: ManualClock) -> None:
    book = FactorBook(database, clock, [table()])
    with pytest.raises(FactorError, match="plant has such a factor already, in own"):
        book.put(table(0.6, id="other"), "", "r")
    book.put(table(0.6, id="other", year=2025), "", "another year")
    book.put(table(0.6, id="third", basis="market"), "", "another basis")


def test_an_unknown_table_has_no_versions(database: Database, clock: ManualClock) -> None:
    assert FactorBook(database, clock).versions("nobody") == []


def test_a_damaged_row_is_named(database: Database, clock: ManualClock, tmp_path: Path) -> None:
    FactorBook(database, clock, [table()])
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as connection:
        connection.execute("UPDATE factor_table SET body = '{}'")
    with pytest.raises(CatalogueError, match="factors own@1"):
        FactorBook(database, clock)
