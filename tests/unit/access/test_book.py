from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.access.book import Book
from historian.access.record import Person
from historian.clock import ManualClock
from historian.errors import AccessConflict, AccessInvalid, AccessNotFound
from historian.model.access import Right, Role
from historian.settings import AccessSettings

LIMITS = AccessSettings(sessions_per_person_max=2, session_idle_s=60, session_s_max=600)
DAY_US = 86_400_000_000
START_US = 1_795_190_400_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_US)


@pytest.fixture
def book(tmp_path: Path, clock: ManualClock) -> Iterator[Book]:
    book = Book(tmp_path / "access.sqlite", clock, LIMITS)
    book.add_person(Person(id="anna", roles=(Role.ADMIN,), password="x", password_us=START_US))
    yield book
    book.close()


def token(book: Book, days: int = 1) -> str:
    return book.add_token("telegraf", [Right.WRITE], ("S1",), "anna", START_US + days * DAY_US)[1]


def session(book: Book, address: str = "10.0.0.1", *, is_display: bool = False) -> str:
    return book.open_session("anna", address, START_US + 600_000_000, is_display=is_display)[1]


def test_the_file_is_for_its_owner_alone(book: Book, tmp_path: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("access.sqlite*")} == {0o600}


def test_a_token_is_known_until_it_ends(book: Book, clock: ManualClock) -> None:
    text = token(book)
    caller = book.caller_of_token(text)
    assert caller is not None
    assert (caller.identity.rights, caller.identity.stations) == ({Right.WRITE}, {"S1"})
    assert book.caller_of_token(text + "x") is None
    clock.advance(86_400)
    assert book.caller_of_token(text) is None


def test_a_token_is_revoked_at_once_and_its_text_is_nowhere(book: Book, tmp_path: Path) -> None:
    text = token(book)
    book.revoke_token(book.tokens()[0].id)
    assert book.caller_of_token(text) is None
    assert book.ended_token(text) == book.tokens()[0]
    assert book.ended_token(text + "x") is None
    secret = text.rpartition("_")[2].encode()
    assert all(secret not in path.read_bytes() for path in tmp_path.iterdir())
    with pytest.raises(AccessNotFound):
        book.revoke_token("none")


@pytest.mark.parametrize("days", [0, 366])
def test_a_token_ends_within_bounds(book: Book, days: int) -> None:
    with pytest.raises(AccessInvalid):
        token(book, days)


def test_a_session_ends_when_idle_and_in_any_case(book: Book, clock: ManualClock) -> None:
    text = session(book)
    for _ in range(9):
        clock.advance(59)
        assert book.caller_of_session(text, "10.0.0.9") is not None
    idle = session(book)
    clock.advance(60)
    assert book.caller_of_session(idle, "10.0.0.1") is None
    clock.advance(10)
    assert book.caller_of_session(text, "10.0.0.1") is None


def test_a_display_reads_from_its_address_alone_and_may_be_idle(book: Book, clock: ManualClock) -> None:
    text = session(book, is_display=True)
    clock.advance(300)
    assert book.caller_of_session(text, "10.0.0.2") is None
    caller = book.caller_of_session(text, "10.0.0.1")
    assert caller is not None
    assert caller.identity.rights == {Right.READ}


def test_the_oldest_session_makes_room(book: Book, clock: ManualClock) -> None:
    texts = []
    for _ in range(3):
        texts.append(session(book))
        clock.advance(1)
    assert [book.caller_of_session(text, "") is not None for text in texts] == [False, True, True]
    assert book.end_sessions_of("anna") == 2
    assert book.caller_of_session(texts[2], "") is None


def test_a_restart_keeps_tokens_and_sessions(book: Book, tmp_path: Path, clock: ManualClock) -> None:
    first, second = token(book), session(book)
    clock.advance(50)
    assert book.caller_of_session(second, "") is not None
    book.close()
    clock.advance(50)
    again = Book(tmp_path / "access.sqlite", clock, LIMITS)
    assert again.caller_of_token(first) is not None
    assert again.caller_of_session(second, "") is not None
    again.close()


def test_what_another_process_changes_is_followed(book: Book, tmp_path: Path, clock: ManualClock) -> None:
    text = token(book)
    book.follow()
    other = Book(tmp_path / "access.sqlite", clock, LIMITS)
    other.revoke_token(other.tokens()[0].id)
    other.close()
    assert book.caller_of_token(text) is not None
    assert book.follow()
    assert book.caller_of_token(text) is None
    assert not book.follow()


def test_somebody_can_always_administer(book: Book) -> None:
    for changes in ({"roles": (Role.VIEWER,)}, {"is_disabled": True}):
        with pytest.raises(AccessConflict):
            book.change_person("anna", changes)
    book.add_person(Person(id="bert", roles=(Role.ADMIN,), password="y"))
    text = session(book)
    book.change_person("anna", {"is_disabled": True})
    assert book.caller_of_session(text, "") is None


def test_an_account_is_one(book: Book) -> None:
    with pytest.raises(AccessConflict):
        book.add_person(Person(id="anna"))


def test_the_setup_token_serves_once(book: Book, clock: ManualClock) -> None:
    text = book.make_setup_token()
    assert not book.is_setup_token("setup_x")
    assert book.use_setup_token(text, Person(id="first", roles=(Role.ADMIN,), password="z")).id == "first"
    with pytest.raises(AccessConflict):
        book.use_setup_token(text, Person(id="second"))
    late = book.make_setup_token()
    clock.advance(86_400)
    assert not book.is_setup_token(late)
