from pathlib import Path

import pytest

from drivers.gateway.csv_file import BadRow, ImportReport
from historian import cli, cli_import
from historian.store.durable import FolderLock

MAPPING = """
[time]
columns = ["time"]
time_zone = "Asia/Shanghai"
label = "period_end"
[[points]]
column = "E"
name = "a.energy"
unit = "kWh"
kind = "interval"
"""


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "f.csv").write_text("time,E\n2026-01-01 00:15,1.5\n2026-01-01 00:30,x\n2026-01-01 00:45,2\n")
    return [
        "import",
        "csv",
        str(tmp_path / "f.csv"),
        "--mapping",
        str(tmp_path / "m.toml"),
        "--data",
        str(tmp_path / "d"),
    ]


def test_import_into_a_folder_reports_and_keeps_bad_rows(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == cli_import.EXIT_ROWS_SET_ASIDE
    (kept,) = (tmp_path / "d" / "quarantine").iterdir()
    assert capsys.readouterr().out.splitlines() == [
        "f.csv: 3 rows",
        "             2  accepted  samples that are new",
        "             0  duplicate samples that were there already",
        "             0  replaced  samples that had another value before",
        "             0  missing   values the source says it does not have",
        "             1  bad rows  rows of which something was not taken",
        "  line 3: a.energy: 'x' is not a number",
        f"bad rows are kept in {kept}",
    ]
    assert kept.read_text().endswith("3\ta.energy: 'x' is not a number\t2026-01-01 00:30,x\n")


def test_import_again_finds_everything_there(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(arguments)
    capsys.readouterr()
    cli.main(arguments)
    assert "             2  duplicate " in capsys.readouterr().out


def test_folder_of_a_running_historian_points_to_its_address(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "d").mkdir()
    lock = FolderLock(tmp_path / "d")
    try:
        assert cli.main(arguments) == 1
    finally:
        lock.release()
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "to import into the running historian add --server http://127.0.0.1:8420" in told


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (2, "absent.csv: cannot be read: No such file or directory"),
        (4, "absent.csv:1: cannot be read: No such file or directory"),
    ],
)
def test_absent_file_is_one_line(
    arguments: list[str], place: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments[place] = str(tmp_path / "absent.csv")
    assert cli.main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"historian: {tmp_path}/{message}")


def test_file_that_ends_early_is_a_failure_after_its_report(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import gzip

    text = (
        "time,E\n" + "".join(f"2026-01-{day:02d} 00:15,{day * 7919 % 1000}\n" for day in range(1, 29)) * 2000
    )
    (tmp_path / "f.csv").write_bytes(gzip.compress(text.encode())[:-2000])
    assert cli.main(arguments) == 1
    told = capsys.readouterr()
    assert "accepted" in told.out
    assert "reading ended early" in told.err


def test_report_shows_the_first_bad_rows_and_counts_the_rest() -> None:
    examples = [BadRow(line, "x") for line in (2, 3)]
    report = ImportReport(rows=1_234_567, bad_rows=1002, bad_examples=examples, quarantine_path="q/f")
    assert cli_import.report_text("f", report).splitlines()[-4:] == [
        "  line 2: x",
        "  line 3: x",
        "  and 1 000 more",
        "bad rows are kept in q/f",
    ]
