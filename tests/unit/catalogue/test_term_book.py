"""The book of terms: recorded, withdrawn, told as of a moment, and there again after a restart."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import ManualClock
from historian.errors import CatalogueError, PointNotFound, TermInvalid, TimeError
from historian.model import timestamp
from historian.model.point import PointDraft, PointKind
from historian.model.term import (
    NO_TERMS,
    BillingTerm,
    ExchangeTerm,
    RegisterTerm,
    RetiredTerm,
    Step,
    TariffTerm,
)
from historian.model.timerange import TimeRange

NOW_US = 1_700_000_000_000_000
YESTERDAY_US = NOW_US - 86_400_000_000
TARIFF = TariffTerm(calendar="CN-32-2025")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_US)


@pytest.fixture
def registry(tmp_path: Path, clock: ManualClock) -> Iterator[Registry]:
    made = Registry(tmp_path / "catalogue.sqlite", clock, "Asia/Shanghai")
    made.create(PointDraft(name="E", unit="kWh", kind=PointKind.REGISTER, multiplier=80.0))
    made.create(PointDraft(name="P", unit="kW", kind=PointKind.MEAN_POWER))
    yield made
    made.close()


@pytest.fixture
def book(tmp_path: Path, registry: Registry, clock: ManualClock) -> Iterator[TermBook]:
    made = TermBook(tmp_path / "catalogue.sqlite", registry, clock)
    yield made
    made.close()


def test_a_point_of_which_nothing_was_stated_has_no_terms(book: TermBook) -> None:
    assert (book.of(1), book.digest(1), book.ids()) == (NO_TERMS, "", set())


def test_what_was_stated_holds_and_is_there_after_a_restart(
    book: TermBook, tmp_path: Path, registry: Registry, clock: ManualClock
) -> None:
    before = book.revision
    made = book.state(1, TARIFF, YESTERDAY_US, None, "anna", "contract 17")
    assert book.revision > before
    assert book.of(1).at("tariff", NOW_US) == TARIFF
    book.close()
    again = TermBook(tmp_path / "catalogue.sqlite", registry, clock)
    assert again.statements(1) == [made]
    assert (again.of(1), again.digest(1)) == (book.of(1), book.digest(1))
    again.close()


def test_a_withdrawn_statement_no_longer_holds_but_did_then(book: TermBook, clock: ManualClock) -> None:
    made = book.state(1, TARIFF, YESTERDAY_US, None, "", "typo")
    clock.advance(10.0)
    book.withdraw(1, made.number, "wrong account")
    assert book.of(1) == NO_TERMS
    assert book.as_of(1, NOW_US).at("tariff", NOW_US) == TARIFF
    assert book.as_of(1, clock.now_us()) == NO_TERMS
    assert book.as_of(1, NOW_US - 1) == NO_TERMS
    with pytest.raises(TermInvalid, match="withdrawn already"):
        book.withdraw(1, made.number, "again")


def test_a_multiplier_that_changed_comes_as_steps(
    book: TermBook, registry: Registry, clock: ManualClock
) -> None:
    clock.advance(60.0)
    registry.update(1, {"multiplier": 120.0}, valid_from_us=YESTERDAY_US)
    assert book.of(1).multiplier == (Step(timestamp.TIME_MIN_US, 80.0), Step(YESTERDAY_US, 120.0))
    assert book.as_of(1, NOW_US).multiplier == (Step(timestamp.TIME_MIN_US, 80.0),)
    digest = book.digest(1)
    registry.update(1, {"name_en": "meter"})
    assert book.digest(1) == digest
    registry.update(1, {"multiplier": 100.0}, valid_from_us=YESTERDAY_US - 1)
    assert book.of(1).multiplier == (Step(timestamp.TIME_MIN_US, 80.0), Step(YESTERDAY_US - 1, 100.0))


def another_register(registry: Registry) -> int:
    return registry.create(PointDraft(name="E2", unit="kWh", kind=PointKind.REGISTER)).id


def test_equal_terms_have_equal_digests_whenever_they_were_stated(
    book: TermBook, registry: Registry, clock: ManualClock
) -> None:
    other = another_register(registry)
    book.state(1, RegisterTerm(modulus=1e6), YESTERDAY_US, None, "a", "x")
    clock.advance(5.0)
    book.state(other, RegisterTerm(modulus=1e6), YESTERDAY_US, None, "b", "y")
    assert book.digest(1) == book.digest(other) != ""
    book.state(other, ExchangeTerm(old_end=1.0, new_start=0.0), YESTERDAY_US, None, "", "z")
    assert book.digest(1) != book.digest(other)


def test_a_tariff_decides_no_figures_of_days(book: TermBook) -> None:
    book.state(1, TARIFF, YESTERDAY_US, None, "a", "x")
    book.state(1, BillingTerm(cutoff_day=25), YESTERDAY_US, None, "a", "x")
    assert book.digest(1) == ""
    assert book.of(1).has_bill


@pytest.mark.parametrize(
    ("term", "from_us", "to_us", "reason", "error"),
    [
        (RegisterTerm(modulus=1e6), NOW_US, None, "r", TermInvalid),  # P is no register
        (ExchangeTerm(old_end=1.0, new_start=0.0), NOW_US, None, "r", TermInvalid),
        (TARIFF, NOW_US, NOW_US, "r", TimeError),
        (TARIFF, NOW_US, None, " ", TermInvalid),
    ],
)
def test_what_cannot_be_is_refused_and_not_kept(
    book: TermBook, term: RegisterTerm, from_us: int, to_us: int | None, reason: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        book.state(2, term, from_us, to_us, "", reason)
    assert book.statements(2) == []


def test_an_event_has_no_end(book: TermBook) -> None:
    with pytest.raises(TermInvalid, match="valid_to"):
        book.state(1, ExchangeTerm(old_end=1.0, new_start=0.0), YESTERDAY_US, NOW_US, "", "r")


def test_an_unknown_point_has_no_terms_to_be_stated(book: TermBook) -> None:
    with pytest.raises(PointNotFound):
        book.state(9, TARIFF, NOW_US, None, "", "r")


def test_a_damaged_row_is_named(
    book: TermBook, tmp_path: Path, registry: Registry, clock: ManualClock
) -> None:
    book.state(1, TARIFF, NOW_US, None, "", "r")
    book.close()
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as connection:
        connection.execute("UPDATE statement SET term = '{}'")
    with pytest.raises(CatalogueError, match="statement 1"):
        TermBook(tmp_path / "catalogue.sqlite", registry, clock)


def test_who_is_retired_is_known_at_once_and_after_a_start(
    book: TermBook, tmp_path: Path, registry: Registry, clock: ManualClock
) -> None:
    assert book.retired() == {}
    made = book.state(2, RetiredTerm(), YESTERDAY_US, None, "", "feeder closed")
    book.state(2, RetiredTerm(is_retired=False), NOW_US, None, "", "open again")
    before = book.retired()
    assert before == {2: (TimeRange(YESTERDAY_US, NOW_US),)}
    with contextlib.closing(TermBook(tmp_path / "catalogue.sqlite", registry, clock)) as again:
        assert again.retired() == before
    book.withdraw(2, made.number, "wrong feeder")
    assert (book.retired(), before) == ({}, {2: (TimeRange(YESTERDAY_US, NOW_US),)})
