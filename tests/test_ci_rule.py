"""The rules of CI themselves: a skip fails there, and elsewhere only shows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import ROOT

SKIPPING = {
    "at run time": "import pytest\ndef test_it(): pytest.skip('no tool')\n",
    "by a mark": "import pytest\n@pytest.mark.skipif(True, reason='no tool')\ndef test_it(): pass\n",
    "in a fixture": "import pytest\n@pytest.fixture\ndef tool(): pytest.skip('no tool')\ndef test_it(tool): pass\n",
    "a whole module": "import pytest\npytest.skip('no tool', allow_module_level=True)\n",
}
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n"


def run_pytest(folder: Path, test: str, ci: str) -> "subprocess.CompletedProcess[str]":
    """Run one test file under our conftest.py."""
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "test_one.py").write_text(test)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-ra",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
    ]
    environment = {**os.environ, "CI": ci}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("test", SKIPPING.values(), ids=SKIPPING.keys())
def test_a_skip_is_a_failure_in_ci(tmp_path: Path, test: str) -> None:
    run = run_pytest(tmp_path, test, ci="true")
    assert run.returncode != 0
    assert "in CI a skipped test is a failure" in run.stdout
    assert "no tool" in run.stdout


def test_elsewhere_a_skip_is_named_with_its_reason(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, SKIPPING["at run time"], ci="")
    assert run.returncode == 0
    assert "no tool" in run.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, EXPECTED_FAILURE, ci="true").returncode == 0


def test_a_present_package_needs_no_installing() -> None:
    run = subprocess.run(
        [ROOT / ".ci" / "debian-packages", "bash"], capture_output=True, text=True, timeout=60
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
