"""A point beside its item: what it takes, where it differs, what cannot be measured."""

import pytest

from historian.catalogue import item_check
from historian.catalogue.item_files import load_items
from historian.errors import ItemInvalid
from historian.model.point import Point, PointKind
from historian.resources import config_dir

ITEMS = load_items(config_dir() / "standard" / "catalogue.toml")
QUARTER_US = 900_000_000


def ids(**fields: object) -> list[str]:
    point = Point(**({"id": 1, "name": "a", "unit": "kW", "kind": PointKind.MEAN_POWER} | fields))  # type: ignore[arg-type]
    return [notice.id for notice in item_check.notices_of(ITEMS, point)]


def test_a_point_takes_unit_kind_and_longest_interval() -> None:
    assert item_check.inherited(ITEMS.get("T2.06")) == {
        "unit": "kW",
        "kind": PointKind.MEAN_POWER,
        "interval_us": QUARTER_US,
    }
    assert "interval_us" not in item_check.inherited(ITEMS.get("T3.05"))


def test_what_agrees_is_told_only_of_its_errata() -> None:
    assert ids(item="T2.06") == ["load-described-as-energy"]
    assert ids(item="T5.04", unit="V", kind=PointKind.INSTANTANEOUS, interval_us=300_000_000) == []
    assert ids(item="T2.06", interval_us=60_000_000) == ["load-described-as-energy"]


@pytest.mark.parametrize("item", ["", "T9.99", "T1.04"])
def test_a_point_without_an_item_that_is_measured_has_nothing_to_tell(item: str) -> None:
    assert ids(item=item) == []


def test_differences_are_told_before_errata() -> None:
    assert ids(item="T2.06", unit="MW", interval_us=2 * QUARTER_US) == [
        "unit-differs", "interval-longer", "load-described-as-energy",
    ]  # fmt: skip
    assert ids(item="T2.06", kind=PointKind.INTERVAL)[0] == "kind-differs"


def test_a_unit_of_another_dimension_is_said_to_be_one() -> None:
    point = Point(id=1, name="a", unit="kWh", kind=PointKind.MEAN_POWER, item="T2.06")
    notice = item_check.notices_of(ITEMS, point)[0]
    assert "dimension" in notice.problem_en
    assert "量纲" in notice.problem_zh
    foreign = Point(id=1, name="a", unit="hp", kind=PointKind.MEAN_POWER, item="T2.06")
    assert "dimension" in item_check.notices_of(ITEMS, foreign)[0].problem_en


@pytest.mark.parametrize(
    ("name", "said"), [("T6.03", "empty"), ("T1.04", "attribute"), ("T2.09", "charge"), ("x", "not in")]
)
def test_what_points_do_not_measure_is_refused(name: str, said: str) -> None:
    with pytest.raises(ItemInvalid, match=said):
        item_check.measured_item(ITEMS, name)
    assert item_check.measured_item(ITEMS, "service.bay.voltage").id == "T5.04"
