"""The command line against the running demo: the same year again, shuffled and in pieces, changes no figure."""

import gzip
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PIECES = 3


def historian_command(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "historian.cli", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)


def figures(historian: Any) -> list[dict[str, Any]]:
    """The months of 2018, without when they were computed."""
    rows = historian.get("rollups?period=month&points=steel.import.energy&from=2018-01-01&to=2019-01-01")[
        "rows"
    ]
    return [{name: value for name, value in row.items() if name != "computed_at"} for row in rows]


def test_the_year_again_shuffled_and_in_pieces_changes_nothing(
    historian: Any, root: Path, tmp_path: Path
) -> None:
    before = figures(historian)
    assert before[0]["energy"] == 126_238.29
    header, *rows = gzip.decompress((root / "config" / "demo" / "steel.csv.gz").read_bytes()).splitlines(
        keepends=True
    )
    random.Random(1).shuffle(rows)
    for piece in range(PIECES):
        path = tmp_path / f"piece{piece}.csv"
        path.write_bytes(header + b"".join(rows[piece::PIECES]))
        done = historian_command(
            root, "import", "csv", str(path), "--mapping", "config/demo/steel.toml", "--data", str(tmp_path),
            "--server", historian.address,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "46 720  duplicate" in done.stdout
    assert figures(historian) == before


@pytest.mark.parametrize("form", ["table", "csv"])
def test_query_tells_what_the_page_shows(historian: Any, root: Path, form: str) -> None:
    arguments = [
        "query",
        "load-curve",
        "steel.import.energy",
        "--date",
        "2018-11-22",
        "--server",
        historian.address,
    ]
    done = historian_command(root, *arguments, "--form", form)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 97
    assert "628.72" in lines[39]


def test_bad_rows_stay_on_this_side(historian: Any, root: Path, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(
        "date,Usage_kWh,Lagging_Current_Reactive_Power_kVarh,Leading_Current_Reactive_Power_kVarh,CO2(tCO2)\n"
        "01/01/2999 00:15,1,2,3,4\n01/01/2018 00:15,3.17,2.95,0,x\n"
    )
    done = historian_command(
        root, "import", "csv", str(tmp_path / "f.csv"), "--mapping", "config/demo/steel.toml", "--data", str(tmp_path),
        "--server", historian.address,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert (
        "line 2: steel.import.energy: quarantined_in_future; steel.reactive.lag: quarantined_in_future"
        in done.stdout
    )
    assert "line 3: steel.co2: 'x' is not a number" in done.stdout
    (kept,) = (tmp_path / "quarantine").iterdir()
    assert kept.read_text().count("\n") == 3
