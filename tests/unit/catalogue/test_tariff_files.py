"""Calendars and tables of holidays come from files; a fault has file and line."""

from pathlib import Path

import pytest

from historian.catalogue import tariff_files
from historian.errors import SettingsError, TariffError

CALENDAR = 'id = "T"\nversion = 1\n\n[[seasons]]\nname = "all"\nflat = ["00:00-24:00"]\n'
HOLIDAYS = 'id = "CN"\nversion = 1\nyears = []\n'


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_calendars_and_holidays_lie_side_by_side(tmp_path: Path) -> None:
    put(tmp_path, "a.toml", CALENDAR.replace("version = 1", "version = 2"))
    put(tmp_path, "b.toml", CALENDAR)
    put(tmp_path, "holidays-cn.toml", HOLIDAYS)
    assert [file.calendar.version for file in tariff_files.load_calendars(tmp_path)] == [1, 2]
    assert list(tariff_files.load_holidays(tmp_path)) == ["CN"]


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ('"00:00-24:00"', '"0-24"', 6, "'0-24' is no window; allowed"),
        ("name =", "shoulder =", 5, "seasons[0].shoulder is not known"),
        ("version = 1", "version = 0", 2, "allowed: a whole number at least 1"),
        ('id = "T"', 'id = "T x"', 1, "allowed: text of the form"),
    ],
)
def test_a_fault_has_file_and_line(tmp_path: Path, old: str, new: str, line: int, problem: str) -> None:
    path = put(tmp_path, "t.toml", CALENDAR.replace(old, new))
    with pytest.raises(SettingsError) as raised:
        tariff_files.load_calendar(path)
    assert (raised.value.path, raised.value.line) == (str(path), line)
    assert problem in str(raised.value)


def test_a_fault_found_by_compiling_has_its_line_too(tmp_path: Path) -> None:
    file = tariff_files.load_calendar(put(tmp_path, "t.toml", CALENDAR))
    error = file.error(TariffError("T", ("seasons", 0, "flat"), "24:00 is late"))
    assert str(error) == f"{file.path}:6: 24:00 is late"
    assert file.error(TariffError("T", ("seasons", 0, "peak"), "x")).line == 4


def test_nothing_stands_twice(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        put(tmp_path, name, CALENDAR)
    with pytest.raises(SettingsError, match=r"b\.toml:1: version 1 of T is already in .*a\.toml"):
        tariff_files.load_calendars(tmp_path)
    for name in ("holidays-a.toml", "holidays-b.toml"):
        put(tmp_path, name, HOLIDAYS)
    with pytest.raises(SettingsError, match=r"holidays-b\.toml:1: CN has a table already"):
        tariff_files.load_holidays(tmp_path)


def test_a_folder_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tariff_files, "FILES_MAX", 1)
    for name in ("a.toml", "b.toml"):
        put(tmp_path, name, CALENDAR)
    with pytest.raises(SettingsError, match="2 files; allowed: 1"):
        tariff_files.load_calendars(tmp_path)
