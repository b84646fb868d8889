"""The trail at the terminal: whole or broken, printed, taken away."""

import csv
import zoneinfo
from pathlib import Path

import pytest

from historian import cli
from historian.audit.trail import Trail
from historian.cli_audit import KINDS
from historian.clock import ManualClock
from historian.model.audit import AuditEntry, Change, Kind
from historian.model.timestamp import parse_time_us
from historian.store.durable import DurableFiles


@pytest.fixture
def data(tmp_path: Path) -> Path:
    clock = ManualClock(parse_time_us("2026-11-22T08:00:00Z"))
    trail = Trail(tmp_path / "audit", DurableFiles(), clock, zoneinfo.ZoneInfo("Asia/Shanghai"))
    edit = AuditEntry(kind=Kind.EDIT, who="li", object="p1", changes=(Change("value", "1", "2"),))
    trail.append([edit, AuditEntry(kind=Kind.CONFIG, object="p2")])
    trail.close()
    return tmp_path


def test_a_whole_trail_prints_its_anchor_and_holds_against_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["audit", "verify", str(data)]) == 0
    out = capsys.readouterr().out
    assert "whole" in out
    anchor = out.split("newest ")[1].split()[0]
    assert cli.main(["audit", "verify", str(data), "--anchor", anchor]) == 0
    assert cli.main(["audit", "verify", str(data), "--anchor", f"3:{'0' * 64}"]) == 1
    assert "the anchor names" in capsys.readouterr().err


def test_a_broken_trail_names_the_record(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [month] = (data / "audit").glob("*.jsonl")
    month.write_bytes(month.read_bytes().replace(b'"p1"', b'"p9"'))
    assert cli.main(["audit", "verify", str(data)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("2026-11.jsonl: record 1, byte ")


def test_no_trail_and_no_anchor_are_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["audit", "verify", str(tmp_path)]) == 1
    with pytest.raises(SystemExit):
        cli.main(["audit", "verify", str(tmp_path), "--anchor", "x"])
    assert "NUMBER:HASH" in capsys.readouterr().err


def test_records_are_printed_and_the_reading_is_on_record(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["audit", "list", "--data", str(data), "--who", "li"]) == 0
    assert "p1" in capsys.readouterr().out
    assert cli.main(["audit", "list", "--data", str(data), "--kind", "audit_read", "--form", "csv"]) == 0
    results = [row["result"] for row in csv.DictReader(capsys.readouterr().out.splitlines())]
    assert results == ["begun", "done", "begun"]


def test_an_export_has_every_column(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "trail.csv"
    assert cli.main(["audit", "export", str(target), "--data", str(data), "--object", "p1"]) == 0
    [row] = csv.DictReader(target.read_text().splitlines())
    assert (row["changes"], row["who"]) == ("value: 1 → 2", "li")
    assert cli.main(["audit", "export", str(target), "--data", str(data)]) == 1  # never over a file


def test_the_kinds_are_those_of_the_trail() -> None:
    assert tuple(Kind) == KINDS
