"""The tours of README.md and of the HTTP interface's page, typed as they stand there, against a running historian."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ADDRESS = "127.0.0.1:8420"
TOUR_LINE = re.compile(rf"^curl .*{re.escape(ADDRESS)}.*$", re.MULTILINE)
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def shell(historian: Any) -> Any:
    """Runs commands with the documented address replaced by the running one's; answers what they print."""
    if shutil.which("curl") is None:
        pytest.skip("needs Debian's package curl")
    here = historian.address.removeprefix("http://")

    def run(commands: str) -> str:
        commands = commands.replace(ADDRESS, here).replace("curl -s", "curl -sS --fail-with-body")
        done = subprocess.run(["bash", "-ec", commands], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="module")
def answers(shell: Any, root: Path) -> list[str]:
    """What each line of the README's tour prints."""
    lines = TOUR_LINE.findall((root / "README.md").read_text(encoding="utf-8"))
    assert len(lines) == 5, "the tour has five lines"
    return [shell(line) for line in lines]


def test_it_is_ready(answers: list[str]) -> None:
    assert json.loads(answers[0])["status"] == "ready"


def test_the_demo_substation_has_points(answers: list[str]) -> None:
    names = {row["point"] for row in json.loads(answers[1])["latest"]}
    assert {"demo110.f101.p", "demo110.f101.ua"} <= names


def test_a_load_curve_has_96_slots(answers: list[str]) -> None:
    assert len(json.loads(answers[2])["values"]) == 96


def test_january_is_what_the_readme_says(answers: list[str]) -> None:
    january = json.loads(answers[3])["rows"][0]
    assert round(january["energy"], 2) == 126_238.29


def test_line_protocol_makes_a_point(answers: list[str], historian: Any) -> None:
    assert answers[4] == ""
    assert historian.get("points/meter.hall.power")["name"] == "meter.hall.power"


def test_the_quick_start_of_the_http_interface_works(shell: Any, root: Path) -> None:
    page = (root / "docs/integrator/api.md").read_text(encoding="utf-8")
    quick_start = SHELL_BLOCK.search(page)
    assert quick_start
    printed = shell(quick_start[1].replace("\ncurl", "\necho; curl"))
    _made, ingested, recorded, curve, rollups = (json.loads(line) for line in printed.splitlines() if line)
    assert ingested["accepted"] + ingested["duplicate"] == 3
    assert recorded["values"] == [1.25, 1.5, 1.75]
    assert len(curve["values"]) == 96
    assert rollups["rows"][0]["energy"] == 4.5
