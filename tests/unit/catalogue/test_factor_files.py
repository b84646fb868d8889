"""Factors come from files; a fault has file and line."""

from pathlib import Path

import pytest

from historian import resources
from historian.catalogue import factor_files
from historian.errors import SettingsError

TABLE = """[[tables]]
id = "grid"
version = 1
carrier = "electricity"
basis = "location"
unit = "kgCO2/kWh"
source = "notice"
confidence = "high"
values = { CN = 0.5 }
"""


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    paths = [
        put(tmp_path, "a.toml", TABLE),
        put(tmp_path, "b.toml", TABLE.replace("version = 1", "version = 2")),
    ]
    assert [factor.label for factor in factor_files.load_factors(paths)] == ["grid/CN@1", "grid/CN@2"]


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ('"kgCO2/kWh"', '"kg/kWh"', 6, "gives no known mass"),
        ("CN = 0.5", "CN = -0.5", 9, "-0.5 of CN is negative; allowed: at least 0"),
        ('"location"', '"guess"', 5, 'basis is "guess"; allowed: one of'),
        ("source", "origin", 7, "origin is not known"),
    ],
)
def test_a_fault_has_file_and_line(tmp_path: Path, old: str, new: str, line: int, problem: str) -> None:
    path = put(tmp_path, "f.toml", TABLE.replace(old, new))
    with pytest.raises(SettingsError) as raised:
        factor_files.load_factors([path])
    assert (raised.value.path, raised.value.line) == (str(path), line)
    assert problem in str(raised.value)


def test_nothing_stands_twice(tmp_path: Path) -> None:
    path = put(tmp_path, "f.toml", TABLE + TABLE)
    with pytest.raises(SettingsError, match=r"f\.toml:11: grid/CN@1 is already in"):
        factor_files.load_factors([path])


def test_the_shipped_factors_are_complete() -> None:
    factors = factor_files.load_factors([resources.config_dir() / "standard" / "factors.toml"])
    provinces = [
        factor.region for factor in factors if factor.id.startswith("cn-province") and factor.year == 2022
    ]
    assert (len(factors), len(provinces), len(set(provinces))) == (110, 30, 30)
    assert all(factor.source and factor.confidence for factor in factors)
