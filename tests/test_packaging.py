"""The wheel: built from the tree, unpacked and started away from the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.source_tree import ROOT, our_files

START = """
import sys
sys.path.insert(0, sys.argv[1])
from historian import cli
try:
    cli.main(["--help"])
except SystemExit as end:
    assert end.code == 0, end.code
from historian import resources
resources.make_siblings_importable()
import api, drivers
print("\\n@", api.__file__, drivers.__file__, resources.config_dir(), resources.web_dir(), sep="\\n@")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the tree as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    return next(folder.glob("*.whl"))


def test_only_historian_enters_site_packages(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"historian"}


def test_the_wheel_holds_every_shipped_file_and_the_pages_parts(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = [path for path in our_files() if path.split("/")[0] in {"drivers", "api", "config"}]
    assert {f"historian/_app/{path}" for path in shipped if not path.endswith("/.npmrc")} <= names
    assert {path for path in our_files() if path.startswith("historian/")} <= names
    assert "historian/_app/api/web/vendor/uPlot.esm.js" in names, "run `make web` first"
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name]


def test_the_command_starts_from_the_wheel_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(place)
    command = [sys.executable, "-I", "-c", START, str(place)]
    run = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=100)
    assert "usage: historian" in run.stdout
    found = [line[1:] for line in run.stdout.splitlines() if line.startswith("@/")]
    assert len(found) == 4
    assert all(path.startswith(f"{place}/historian/_app/") and Path(path).exists() for path in found)
