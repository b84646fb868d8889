"""The archive's tables by command: into a folder and into a running historian, and out again."""

import argparse
import csv
from pathlib import Path
from typing import Any

import msgspec
import pytest

from historian import cli, cli_archive
from historian.catalogue.archive_csv import Reject, Report
from historian.errors import StoreLocked
from historian.store.durable import FolderLock

ROWS = 'type,id,attribute,value\nline,L1,name,"甲\n乙"\nline,L1,extra.x,"a, b"\nline,L2,colour,red\n'


@pytest.fixture
def place(tmp_path: Path) -> list[str]:
    (tmp_path / "in.csv").write_text(ROWS.replace("甲\n乙", "甲"), encoding="utf-8")
    (tmp_path / "d").mkdir()
    return ["--data", str(tmp_path / "d")]


def options_of(arguments: list[str]) -> argparse.Namespace:
    return cli.make_parser().parse_args(arguments)


def test_a_table_goes_into_a_folder_and_out_again(
    place: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taking = options_of(["archive", "import", "entities", str(tmp_path / "in.csv"), *place])
    assert cli_archive.run(taking) == cli_archive.EXIT_ROWS_REJECTED
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "in.csv: 3 rows: 1 new, 1 changed, 0 there already, 1 rejected"
    assert told[1].startswith("  line 4: 'colour' is no attribute of line")
    out = tmp_path / "out.csv"
    assert cli_archive.run(options_of(["archive", "export", "entities", str(out), *place])) == 0
    assert list(csv.reader(out.read_text(encoding="utf-8").splitlines()))[1:] == [
        ["line", "L1", "", "", ""], ["line", "L1", "extra.x", "a, b", ""], ["line", "L1", "name", "甲", ""],
    ]  # fmt: skip
    assert not (tmp_path / "out.csv.part").exists()


def test_a_folder_in_use_is_left_alone_and_no_file_is_made(place: list[str], tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "d")
    with pytest.raises(StoreLocked):
        cli_archive.run(options_of(["archive", "export", "points", str(tmp_path / "out.csv"), *place]))
    lock.release()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == []


def test_a_long_file_is_sent_in_parts_and_told_by_its_own_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_text(ROWS, encoding="utf-8")
    sent: list[str] = []

    def answer(_server: str, method: str, _table: str, body: bytes) -> bytes:
        sent.append(body.decode())
        rejects: list[dict[str, Any]] = [{"line": 2, "detail": "no"}]
        counts = {"rows": body.count(b"line,"), "created": 0, "changed": 0, "unchanged": 0}
        return msgspec.json.encode({**counts, "rejects": rejects, "rejects_omitted": int(len(sent) == 2)})

    monkeypatch.setattr(cli_archive, "_ask", answer)
    monkeypatch.setattr(cli_archive, "SENT_ROWS", 2)
    arguments = ["archive", "import", "entities", str(tmp_path / "in.csv"), "--server", "http://h:1"]
    assert cli_archive.run(options_of(arguments)) == cli_archive.EXIT_ROWS_REJECTED
    assert sent == [
        'type,id,attribute,value\r\nline,L1,name,"甲\n乙"\r\nline,L1,extra.x,"a, b"\r\n',
        "type,id,attribute,value\r\nline,L2,colour,red\r\n",
    ]
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  line 2: no", "  line 5: no", "  line 5: one of those that the answer did not list",
    ]  # fmt: skip


def test_a_report_shows_the_first_rejects() -> None:
    report = Report(30, 0, 0, 0, [Reject(line, "no") for line in range(30)])
    assert cli_archive.report_text("f", report).splitlines()[-1] == "  and 10 more"
