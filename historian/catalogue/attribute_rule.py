"""What an attribute of an entity may be: by the item that describes it, or free text under ``extra``."""

import datetime
import decimal
import re
from collections.abc import Mapping
from typing import Final

from historian.errors import EntityInvalid
from historian.model import industry, uscc
from historian.model.entity import EXTRA
from historian.model.item import Item, Items

Given = str | int | float | bool | None  # as JSON has it; exact decimals come as text

TEXT_LENGTH_MAX: Final = 500
EXTRA_NAME_LENGTH_MAX: Final = 60
ID_LENGTH_MAX: Final = 100
DIGITS_MAX: Final = 30
_ID: Final = re.compile(r"[^\s/?#%,\\\"'\x00-\x1f\x7f]+")
_DECIMAL: Final = re.compile(r"[+-]?\d+(\.\d+)?")
MASK: Final = "*"


def check_id(entity_id: str) -> None:
    """Raise EntityInvalid for an id that cannot stand in a path. Bare numbers may: they are text all the same."""
    fits = len(entity_id) <= ID_LENGTH_MAX and _ID.fullmatch(entity_id) and entity_id.isprintable()
    if not fits or entity_id in (".", ".."):
        raise EntityInvalid(
            f"id {entity_id!r} is not allowed: 1 to {ID_LENGTH_MAX} printable signs, no blank, none of / \\ ? # % , ' \""
        )


def item_of(items: Items, entity_type: str, attribute: str) -> Item | None:
    """The item of an attribute, None for a free one. Raises EntityInvalid that lists what the type has."""
    if attribute.startswith(EXTRA):
        return None
    known = items.attributes_of(entity_type)
    found = known.get(attribute)
    if found is None:
        raise EntityInvalid(_unknown(items, entity_type, attribute, known))
    return found


def attribute_name(items: Items, entity_type: str, given: str) -> str:
    """The name under which an attribute is kept; its item's id or slug is taken, too. Raises EntityInvalid."""
    if given.startswith(EXTRA):
        name = given.removeprefix(EXTRA)
        if not name.strip() or len(name) > EXTRA_NAME_LENGTH_MAX or not name.isprintable():
            raise EntityInvalid(f"extra {name!r}: a name has 1 to {EXTRA_NAME_LENGTH_MAX} printable signs")
        return given
    known = items.attributes_of(entity_type)
    item = items.find(given)
    if item is not None and known.get(item.name) is item:
        return item.name
    if given not in known:
        raise EntityInvalid(_unknown(items, entity_type, given, known))
    return given


def checked(items: Items, entity_type: str, attribute: str, given: Given) -> str | None:
    """The value in its one spelling, None for none. Raises EntityInvalid naming the attribute and what it takes."""
    if given is None:
        return None
    item = item_of(items, entity_type, attribute)
    try:
        return _checked_text(given) if item is None else _checked(item, given)
    except EntityInvalid as error:
        raise EntityInvalid(f"{attribute}: {error}") from error


def decimal_text(given: Given, decimals_max: int | None = None) -> str:
    """An exact decimal without needless zeros. Raises EntityInvalid for what is none, or has too many digits."""
    text = str(given).strip() if isinstance(given, (str, int)) and not isinstance(given, bool) else ""
    if isinstance(given, float):
        text = format(decimal.Decimal(repr(given)), "f")
    if not _DECIMAL.fullmatch(text) or not text.isascii() or len(text) > DIGITS_MAX:
        raise EntityInvalid(f"{given!r} is no decimal of up to {DIGITS_MAX} digits such as 12.5")
    whole, _, part = text.removeprefix("+").partition(".")
    sign, whole = ("-" if whole.startswith("-") else ""), whole.lstrip("-").lstrip("0") or "0"
    part = part.rstrip("0")
    if decimals_max is not None and len(part) > decimals_max:
        raise EntityInvalid(f"{given!r} has {len(part)} decimals, {decimals_max} are taken")
    number = f"{whole}.{part}" if part else whole
    return number if number == "0" else sign + number


def _checked(item: Item, given: Given) -> str:
    if item.is_personal and isinstance(given, str) and MASK in given:
        raise EntityInvalid("a masked value is not taken; leave it out, or state the value itself")
    if item.value_type == "decimal":
        return decimal_text(given)
    text = _checked_text(given)
    if item.value_type == "date":
        return _date(text)
    if item.value_type == "enum" and text not in item.choices:
        raise EntityInvalid(f"{text!r} is not one of: {', '.join(item.choices)}")
    if item.check == "uscc":
        return uscc.normalised(text)
    if item.check == "industry_code":
        return industry.normalised(text)
    return text


def _checked_text(given: Given) -> str:
    if not isinstance(given, str):
        raise EntityInvalid(f"{given!r} is not text; write it in quotes, so that no zero is lost")
    text = given.strip()
    if not text or len(text) > TEXT_LENGTH_MAX or not text.isprintable():
        raise EntityInvalid(f"1 to {TEXT_LENGTH_MAX} printable signs are taken; null says that there is none")
    return text


def _date(text: str) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise EntityInvalid(f"{text!r} is no date such as 2026-11-21")


def _unknown(items: Items, entity_type: str, given: str, known: Mapping[str, Item]) -> str:
    relations = {item.name for item in items.items if item.entity_type == entity_type and item.refers_to}
    hint = "; it is a relation" if given in relations else ""
    names = ", ".join(known) or "none"
    return f"{given!r} is no attribute of {entity_type}{hint}; there are: {names}; what is not of the tables goes under extra"
