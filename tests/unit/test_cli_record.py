"""What commands do to a data folder is on record; what cannot be put on record does not change it."""

import argparse
import errno
from pathlib import Path

import pytest

from historian import cli_record
from historian.audit.reader import read
from historian.audit.verify import verify
from historian.errors import AuditUnavailable, HistorianError
from historian.model.audit import AuditQuestion, AuditRecord
from historian.model.timestamp import TIME_MAX_US
from historian.store.durable import DurableFiles


def told(data: Path) -> list[AuditRecord]:
    assert verify(data / "audit").faults == []
    return read(data / "audit", DurableFiles(), AuditQuestion(0, TIME_MAX_US)).records[1:]


def options(**named: object) -> argparse.Namespace:
    return argparse.Namespace(**named)


def test_a_decision_is_told_before_and_after_with_its_reason(tmp_path: Path) -> None:
    erase = options(
        command="quarantine", quarantine_kind="erase", data=tmp_path, ids=["3", "5-7"], reason="a test"
    )
    assert cli_record.run(erase, lambda: len(told(tmp_path)) - 1) == 0
    begun, done = told(tmp_path)
    assert (begun.kind, begun.action, begun.object) == ("edit", "quarantine erase", "3 5-7")
    assert (done.result, done.begun, done.reason, done.who_kind) == ("done", begun.number, "a test", "local")


def test_a_command_that_fails_says_so(tmp_path: Path) -> None:
    def fail() -> int:
        raise HistorianError("no")

    backup = options(command="backup", folder=tmp_path, target=Path("b"))
    with pytest.raises(HistorianError):
        cli_record.run(backup, fail)
    assert [one.result for one in told(tmp_path)] == ["begun", "failed"]


def test_a_restore_is_told_in_what_it_made(tmp_path: Path) -> None:
    restore = options(command="restore", folder=tmp_path, backup=Path("b"))
    assert cli_record.run(restore, lambda: 0) == 0
    assert [one.result for one in told(tmp_path)] == ["done"]


@pytest.mark.parametrize(
    "silent",
    [
        options(command="verify", folder=Path("x")),
        options(command="export", server="http://127.0.0.1:1", data=Path("x")),
        options(command="quarantine", quarantine_kind="list", data=Path("x")),
        options(command="backup", folder=Path("nowhere"), target=Path("b")),
    ],
)
def test_what_changes_nothing_here_is_not_told(silent: argparse.Namespace) -> None:
    assert cli_record.run(silent, lambda: 7) == 7


def test_a_change_that_cannot_be_told_is_not_made_a_backup_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(files: DurableFiles, descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(DurableFiles, "sync", fail)
    erase = options(command="quarantine", quarantine_kind="erase", data=tmp_path, ids=["3"], reason="x")
    with pytest.raises(AuditUnavailable, match="nothing was done"):
        cli_record.run(erase, lambda: pytest.fail("done all the same"))
    assert cli_record.run(options(command="backup", folder=tmp_path, target=Path("b")), lambda: 0) == 0
    assert "No space left" in capsys.readouterr().err
