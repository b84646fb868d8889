"""Accounts, locks and tokens by command, while a server has the same file open."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from historian import cli
from historian.access import door
from historian.access.book import Book
from historian.access.password import Cost
from historian.cli_access import RIGHTS, ROLES
from historian.clock import SystemClock
from historian.model.access import Right, Role
from historian.settings import AccessSettings

GOOD = "Correct-Horse-7-battery"
Do = Callable[..., str]


@pytest.fixture
def do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Do:
    def run(*words: str, given: str = GOOD, code: int = 0) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{given}\n"))
        assert cli.main(["access", *words, "--data", str(tmp_path)]) == code
        told = capsys.readouterr()
        return told.err if code else told.out

    cheap = Cost(2, 1, 1)
    monkeypatch.setattr(door.Door.__init__, "__defaults__", (cheap,))
    return run


def test_what_is_done_by_command_is_followed_by_a_running_server(do: Do, tmp_path: Path) -> None:
    running = Book(tmp_path / "access.sqlite", SystemClock(), AccessSettings())
    assert do("add", "chief", "--role", "admin") == "chief: made\n"
    text = do("token", "telegraf", "--right", "write", "--station", "S1", "--days", "9").split()[-1]
    assert running.follow()
    assert running.has_admin()
    caller = running.caller_of_token(text)
    assert caller is not None
    assert (caller.identity.rights, caller.identity.stations) == ({Right.WRITE}, {"S1"})
    do("revoke", text.split("_")[1])
    running.follow()
    assert running.caller_of_token(text) is None
    for _ in range(5):
        running.lockouts.note_failure("chief", "10.0.0.7")
    assert "lock account:chief" in do("list")
    assert do("unlock", "chief") == "chief: 1 locks or counts dropped\n"
    running.follow()
    assert running.lockouts.locked_s("chief", "10.0.0.8") == 0
    assert do("sign-out", "chief") == "chief: 0 sessions ended\n"
    assert "next login" in do("reset", "chief", given="Another-Horse-8-staple")
    assert "must-change-password" in do("list")
    running.close()


def test_what_is_refused_leaves_no_account(do: Do) -> None:
    assert "tried first" in do("add", "anna", given="Password-2026!", code=1)
    assert "no account" in do("add", "Anna", code=1)
    assert do("list").strip() == ""
    assert "no account" in do("reset", "anna", code=1)


def test_roles_and_rights_are_those_of_the_model() -> None:
    assert set(ROLES) == set(Role)
    assert set(RIGHTS) == set(Right) - {Right.ADMINISTER}
