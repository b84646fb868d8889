"""The book of estimates: begun before the samples, completed after, there again after a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue import estimate_book
from historian.catalogue.database import Database
from historian.catalogue.estimate_book import EstimateBook
from historian.clock import ManualClock
from historian.errors import EditRefused

NOW_US = 1_700_000_000_000_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "catalogue.sqlite", "", is_synced=True)
    yield made
    made.close()


def test_an_entry_is_begun_and_completed_and_there_after_a_restart(database: Database) -> None:
    book = EstimateBook(database, ManualClock(NOW_US))
    begun = book.begin(7, (10, 20), 3, '{"a": 1}', "anna", "link down")
    assert begun[:5] == (1, 7, 10, 20, 3)
    assert (begun.recorded_us, begun.sequence) == (NOW_US, None)
    assert EstimateBook(database, ManualClock(0)).entries(7, 0, 10) == [begun]  # interrupted
    done = book.complete(begun, 42)
    again = EstimateBook(database, ManualClock(0))
    assert again.entries(7, 0, 10) == [done] == [begun._replace(sequence=42)]
    assert again.point_ids() == [7]


def test_entries_of_a_point_in_pages(database: Database) -> None:
    book = EstimateBook(database, ManualClock(NOW_US))
    for point_id in (1, 2, 1, 1):
        book.begin(point_id, (0, 1), 1, "{}", "", "r")
    assert [one.number for one in book.entries(1, 0, 2)] == [1, 3]
    assert [one.number for one in book.entries(1, 3, 2)] == [4]
    assert book.point_ids() == [1, 2]


def test_the_entries_of_a_point_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate_book, "ENTRIES_MAX", 2)
    book = EstimateBook(database, ManualClock(NOW_US))
    for _ in range(2):
        book.begin(1, (0, 1), 1, "{}", "", "r")
    book = EstimateBook(database, ManualClock(NOW_US))
    with pytest.raises(EditRefused, match="2 estimates are recorded"):
        book.begin(1, (0, 1), 1, "{}", "", "r")
    assert book.begin(2, (0, 1), 1, "{}", "", "r").number == 3
