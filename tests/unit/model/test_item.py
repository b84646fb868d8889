"""Items are found by id and slug; a row that cannot be meant is refused."""

import msgspec
import pytest

from historian.catalogue.item_files import load_items
from historian.errors import ItemInvalid
from historian.model.item import Item
from historian.model.point import PointKind
from historian.resources import config_dir

ITEMS = load_items(config_dir() / "standard" / "catalogue.toml")


def test_an_item_is_found_by_id_and_by_slug() -> None:
    assert ITEMS.get("T2.06") is ITEMS.get("power.user.load")
    assert ITEMS.find("T2.07") is not None
    assert ITEMS.find("load") is None
    with pytest.raises(ItemInvalid, match=r"T9\.99"):
        ITEMS.get("T9.99")


def test_kinds_of_items_are_kinds_of_points_or_none() -> None:
    assert ITEMS.get("T2.06").point_kind is PointKind.MEAN_POWER
    assert ITEMS.get("T2.09").point_kind is None
    assert [ITEMS.get(name).promised_s for name in ("T2.06", "T6.06", "T3.05")] == [900, 86_400, 0]


def test_attributes_of_a_type_are_its_values_and_not_its_relations() -> None:
    assert list(ITEMS.attributes_of("line")) == ["name", "voltage_level", "capacity"]
    assert list(ITEMS.attributes_of("customer_site")) == ["name", "address"]
    assert [item.id for item in ITEMS.charges_of("thermal_account")] == ["T4.07", "T4.08"]
    with pytest.raises(ItemInvalid, match="power_account"):
        ITEMS.attributes_of("house")


@pytest.mark.parametrize("wrong", [{"unit": "Var"}, {"value_type": "enum"}, {"choices": ["a"]}])
def test_a_row_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    row = msgspec.to_builtins(ITEMS.get("T1.01")) | wrong
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(row, Item)
