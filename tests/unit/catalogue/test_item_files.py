"""Items come from a file; what contradicts itself has file and line. The shipped file says what the draft says."""

import tomllib
from pathlib import Path

import pytest

from historian.catalogue.item_files import load_items
from historian.errors import SettingsError
from historian.resources import config_dir

TEXT = """[[entity_types]]
id = "bay"
name_zh = "间隔"
name_en = "bay"
[[items]]
id = "T5.04"
slug = "service.bay.voltage"
table = 5
row = 4
entity_type = "bay"
category_zh = "能源计量"
category_en = "energy metering"
name_zh = "电压"
name_en = "voltage"
kind = "instantaneous"
value_type = "decimal"
errata = []
"""
END = "units = []\nerrata = []\n"


def put(folder: Path, text: str) -> Path:
    path = folder / "items.toml"
    path.write_text(END + text, encoding="utf-8")
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    assert load_items(put(tmp_path, TEXT)).get("T5.04").name == "voltage"


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ('entity_type = "bay"', 'entity_type = "door"', 12, "door is no entity type"),
        ("errata = []\n", 'errata = ["x"]\n', 19, "erratum x is not described"),
        ("errata = []\n", 'refers_to = "door"\n', 19, "door is no entity type"),
        ('"instantaneous"', '"guess"', 17, "allowed"),
    ],
)
def test_a_contradiction_is_told_by_its_line(
    tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    with pytest.raises(SettingsError, match=rf"items\.toml:{line}: .*{problem}"):
        load_items(put(tmp_path, TEXT.replace(old, new)))


def test_an_item_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    item = TEXT[TEXT.index("[[items]]") :]
    with pytest.raises(SettingsError, match=r"T5\.04 is there already"):
        load_items(put(tmp_path, TEXT + item))


def test_an_erratum_of_a_unit_is_described(tmp_path: Path) -> None:
    unit = '[[units]]\nrow = 1\nname_zh = "电流"\nname_en = "current"\nunit = "A"\nunit_draft = "A"\nerrata = ["y"]\n'
    text = (END + TEXT + unit).replace("units = []\n", "")
    path = tmp_path / "items.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="erratum y is not described"):
        load_items(path)


def test_the_shipped_items_are_those_of_the_tables(shared: Path) -> None:
    truth = tomllib.loads((shared / "standard" / "catalogue.toml").read_text(encoding="utf-8"))
    items = load_items(config_dir() / "standard" / "catalogue.toml")
    for row in truth["item"]:
        item = items.get(row["id"])
        assert (item.slug, item.table, item.row, item.entity_type) == (
            row["slug"], row["table"], row["row"], row["entity_type"],
        )  # fmt: skip
        assert (item.name_zh, item.unit, item.value_type, list(item.errata)) == (
            row["name_zh"], row["unit"], row["value_type"], row["errata"],
        )  # fmt: skip
        assert item.interval_max_s == row["max_interval_s"]
        assert item.is_personal == row.get("personal_data", False)
    assert {each["id"] for each in truth["erratum"]} == set(items.errata)
