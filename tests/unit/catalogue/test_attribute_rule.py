"""Attributes are what their items say, or free text; what is wrong says what there is."""

import pytest

from historian.catalogue import attribute_rule
from historian.catalogue.attribute_rule import Given
from historian.catalogue.item_files import load_items
from historian.errors import EntityInvalid
from historian.resources import config_dir

ITEMS = load_items(config_dir() / "standard" / "catalogue.toml")


@pytest.mark.parametrize(
    ("entity_type", "attribute", "given", "kept"),
    [
        ("enterprise", "entity_name", " 某某公司 ", "某某公司"),
        ("enterprise", "established_on", "2001-02-28", "2001-02-28"),
        ("enterprise", "uscc", "9144030071526726xg", "9144030071526726XG"),
        ("enterprise", "uscc", None, None),
        ("enterprise", "industry_code", "3011", "C3011@2017"),
        ("power_account", "use_type", "agricultural", "agricultural"),
        ("power_account", "account_no", "0320100012345", "0320100012345"),
        ("substation", "voltage_level", 110, "110"),
        ("substation", "voltage_level", "110.50", "110.5"),
        ("substation", "capacity", 63000.5, "63000.5"),
        ("bay", "extra.手车", "A3", "A3"),
    ],
)
def test_a_value_is_kept_in_one_spelling(entity_type: str, attribute: str, given: Given, kept: str) -> None:
    assert attribute_rule.checked(ITEMS, entity_type, attribute, given) == kept


@pytest.mark.parametrize(
    ("entity_type", "attribute", "given", "said"),
    [
        ("enterprise", "established_on", "2001-02-30", "no date"),
        ("enterprise", "established_on", "20010228", "no date"),
        ("enterprise", "uscc", "914403001922038217", "uscc: .*place 18"),
        ("enterprise", "legal_representative", "张***", "masked"),
        ("power_account", "use_type", "farming", "agricultural"),
        ("power_account", "account_no", 320100012345, "not text"),
        ("substation", "voltage_level", "110kV", "no decimal"),
        ("substation", "voltage_level", "1e3", "no decimal"),
        ("substation", "voltage_level", True, "no decimal"),
        ("substation", "voltage_level", float("nan"), "no decimal"),
        ("substation", "voltage_level", "1" * 31, "30 digits"),
        ("substation", "name", "", "printable"),
        ("substation", "name", "a\nb", "printable"),
        ("substation", "name", "x" * 501, "500"),
        ("substation", "colour", "red", "voltage_level"),
        ("bay", "extra.a", 1, "not text"),
    ],
)
def test_what_is_wrong_says_what_is_taken(entity_type: str, attribute: str, given: Given, said: str) -> None:
    with pytest.raises(EntityInvalid, match=said):
        attribute_rule.checked(ITEMS, entity_type, attribute, given)


def test_an_attribute_is_named_by_word_item_or_slug() -> None:
    names = ["name", "T2.10", "power.substation.name", "extra.x"]
    assert [attribute_rule.attribute_name(ITEMS, "substation", name) for name in names] == [
        "name", "name", "name", "extra.x",
    ]  # fmt: skip
    for wrong in ("T2.14", "load_ratio", "extra.", "extra." + "x" * 61):
        with pytest.raises(EntityInvalid):
            attribute_rule.attribute_name(ITEMS, "substation", wrong)
    with pytest.raises(EntityInvalid, match="it is a relation"):
        attribute_rule.attribute_name(ITEMS, "line", "substation")


def test_decimals_have_one_spelling_and_as_many_places_as_allowed() -> None:
    given: list[Given] = ["-0.00", "007.50", "+3", 1e-7, -12.30, "-0.5", 0.1]
    assert [attribute_rule.decimal_text(one) for one in given] == [
        "0", "7.5", "3", "0.0000001", "-12.3", "-0.5", "0.1",
    ]  # fmt: skip
    assert attribute_rule.decimal_text("1.230", 2) == "1.23"
    with pytest.raises(EntityInvalid, match="3 decimals"):
        attribute_rule.decimal_text("1.234", 2)


@pytest.mark.parametrize("wrong", ["", "a b", "a/b", "..", "x" * 101, "a,b", "a\n", "a?"])
def test_an_id_fits_into_a_path(wrong: str) -> None:
    with pytest.raises(EntityInvalid):
        attribute_rule.check_id(wrong)
    attribute_rule.check_id("0320100012345")
    attribute_rule.check_id("国网:330-001")
