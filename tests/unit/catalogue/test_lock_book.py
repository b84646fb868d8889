"""Locked periods: kept as they were told, found again, taken back with a reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue.database import Database
from historian.catalogue.lock_book import Figures, LockBook, PeriodKey
from historian.clock import ManualClock
from historian.errors import CatalogueError, LockRefused

NOW_US = 1_700_000_000_000_000
MONTH = PeriodKey(3, "month", 739_000, 739_030)
ROW: Figures = {"energy": 12.5, "state": "complete", "max_start_us": None}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_US)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "c.sqlite", "", is_synced=True)
    yield made
    made.close()


def test_a_lock_is_there_after_a_restart(database: Database, clock: ManualClock) -> None:
    book = LockBook(database, clock)
    assert not book.has_any
    [made] = book.lock([(MONTH, "Asia/Shanghai", ROW)], "anna", "bill 11")
    again = LockBook(database, clock)
    assert again.held(MONTH) == made == again.covering(3, 739_029)
    assert again.covering(3, 739_030) is None
    assert again.held(MONTH._replace(period="billing")) is None


def test_what_is_locked_is_not_locked_twice_and_nothing_of_the_lot_is(
    database: Database, clock: ManualClock
) -> None:
    book = LockBook(database, clock)
    book.lock([(MONTH, "UTC", ROW)], "", "r")
    other = MONTH._replace(point_id=4)
    with pytest.raises(LockRefused, match="locked already"):
        book.lock([(other, "UTC", ROW), (MONTH, "UTC", ROW)], "", "r")
    assert book.held(other) is None


def test_a_lock_taken_back_held_until_then(database: Database, clock: ManualClock) -> None:
    book = LockBook(database, clock)
    [made] = book.lock([(MONTH, "UTC", ROW)], "", "r")
    clock.advance(5.0)
    gone = book.unlock(made.number, "ben", "wrong meter")
    assert (gone.unlock_author, gone.unlock_reason) == ("ben", "wrong meter")
    assert book.held(MONTH) is None
    assert book.held(MONTH, NOW_US + 1) == gone
    assert book.held(MONTH, NOW_US - 1) is None
    assert book.held(MONTH, clock.now_us()) is None
    with pytest.raises(LockRefused):
        book.unlock(made.number, "", "again")
    [second] = book.lock([(MONTH, "UTC", ROW)], "", "r")
    assert LockBook(database, clock).of_point(3) == [gone, second]


def test_a_damaged_lock_is_named(database: Database, clock: ManualClock) -> None:
    LockBook(database, clock).lock([(MONTH, "UTC", ROW)], "", "r")
    with database.transaction() as connection:
        connection.execute("UPDATE figure_lock SET figures = '['")
    with pytest.raises(CatalogueError, match="figure_lock 1"):
        LockBook(database, clock)
