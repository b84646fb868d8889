"""The tour of README.md, typed as it stands there, against a running historian."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

TOUR_LINE = re.compile(r"^curl .*127\.0\.0\.1:8420.*$", re.MULTILINE)


@pytest.fixture(scope="module")
def answers(historian: Any, root: Path) -> list[str]:
    """What each line of the tour prints."""
    if shutil.which("curl") is None:
        pytest.skip("needs Debian's package curl")
    lines = TOUR_LINE.findall((root / "README.md").read_text(encoding="utf-8"))
    assert len(lines) == 5, "the tour has five lines"
    here = historian.address.removeprefix("http://")
    return [run(line.replace("127.0.0.1:8420", here)) for line in lines]


def run(line: str) -> str:
    command = ["bash", "-c", line.replace("curl -s", "curl -sS --fail-with-body", 1)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_it_is_ready(answers: list[str]) -> None:
    assert json.loads(answers[0])["ready"] is True


def test_the_demo_substation_has_points(answers: list[str]) -> None:
    names = {row["point"] for row in json.loads(answers[1])["latest"]}
    assert {"demo110.f101.p", "demo110.f101.ua"} <= names


def test_a_load_curve_has_96_slots_and_its_maximum(answers: list[str]) -> None:
    curve = json.loads(answers[2])
    assert len(curve["values"]) == 96


def test_january_is_what_the_readme_says(answers: list[str]) -> None:
    january = json.loads(answers[3])["rollups"][0]
    assert round(january["energy"], 2) == 126_238.29


def test_line_protocol_makes_a_point(answers: list[str], historian: Any) -> None:
    assert answers[4] == ""
    assert historian.get("points/meter.hall.power")["name"] == "meter.hall.power"
