from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.access.book import Book
from historian.access.record import Person
from historian.clock import ManualClock
from historian.settings import AccessSettings

START_US = 1_795_190_400_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_US)


@pytest.fixture
def book(tmp_path: Path, clock: ManualClock) -> Iterator[Book]:
    book = Book(tmp_path / "access.sqlite", clock, AccessSettings())
    book.add_person(Person(id="anna"))
    yield book
    book.close()


def test_failures_lock_longer_each_time_and_end(book: Book, clock: ManualClock) -> None:
    locks = [book.lockouts.note_failure("anna", "10.0.0.1") for _ in range(7)]
    assert locks == [0, 0, 0, 0, 60, 120, 240]
    clock.advance(240)
    assert book.lockouts.locked_s("anna", "10.0.0.2") == 0


def test_an_attacker_does_not_lock_out_who_was_here_before(book: Book) -> None:
    book.open_session("anna", "10.0.0.1", START_US + 600_000_000, is_display=False)
    for _ in range(10):
        book.lockouts.note_failure("anna", "10.0.0.66")
    assert book.lockouts.locked_s("anna", "10.0.0.7") > 0
    assert book.lockouts.locked_s("anna", "10.0.0.1") == 0
    assert book.lockouts.forget_failures("anna") == 1
    assert book.lockouts.locked_s("anna", "10.0.0.7") == 0


def test_counts_outlast_a_restart_and_an_address_is_unlocked(
    book: Book, tmp_path: Path, clock: ManualClock
) -> None:
    for _ in range(5):
        book.lockouts.note_failure("anna", "10.0.0.66")
    again = Book(tmp_path / "access.sqlite", clock, AccessSettings())
    assert again.lockouts.locks() == book.lockouts.locks() != {}
    again.close()
    assert [book.lockouts.forget_address("10.0.0.66") for _ in range(2)] == [1, 0]
