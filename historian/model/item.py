"""Items of the standard's tables: what an attribute, a measurement or an amount is, and where the draft errs."""

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec

from historian.errors import ItemInvalid
from historian.model.point import PointKind
from historian.model.unit import UNITS

ItemKind = Literal[
    "attribute",  # of an entity, stated when it changes
    "instantaneous",
    "mean_power",
    "interval",
    "register",
    "ratio",
    "billing_amount",  # money for a period of its own
]
ValueType = Literal["string", "date", "code", "enum", "decimal", "reference", "graph"]
Check = Literal["uscc", "industry_code"]

POINT_KINDS: Final[Mapping[str, PointKind]] = MappingProxyType({kind.value: kind for kind in PointKind})
"""Kinds of items that points measure."""

RELATION_TYPES: Final = frozenset({"reference", "graph"})  # of values that are relations between entities
EXTENSION_TABLE: Final = 0
SECONDS_A_DAY: Final = 86_400


class Erratum(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in the draft, and the treatment that was chosen."""

    id: str
    places: tuple[str, ...]
    problem_zh: str
    problem_en: str
    treatment_zh: str
    treatment_en: str


class EntityType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of thing that the tables speak of."""

    id: str
    name_zh: str
    name_en: str


class AnnexUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A row of annex A: what is stored, and what the draft prints."""

    row: int
    name_zh: str
    name_en: str
    unit: str
    unit_draft: str
    errata: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a table, or an extension (table 0).

    `unit` is empty where the value has none; `interval_max_s` 0 where the draft names no longest interval, `periods` are
    ISO 8601 durations of what comes once a day, month or year.
    """

    id: str
    slug: str
    table: Annotated[int, msgspec.Meta(ge=0, le=6)]
    row: int
    entity_type: str
    category_zh: str
    category_en: str
    name_zh: str
    name_en: str
    kind: ItemKind
    value_type: ValueType
    unit: str = ""
    unit_draft: str = ""
    ucum: str = ""
    quantity: str = ""
    update_zh: str = ""
    interval_max_s: int = 0
    periods: tuple[str, ...] = ()
    aggregation: tuple[str, ...] = ()
    description_zh: str = ""
    errata: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    check: Check | None = None
    refers_to: str = ""
    is_personal: bool = False
    decimals_max: int | None = None
    is_reserved: bool = False

    def __post_init__(self) -> None:
        """Refuse what the tables cannot mean."""
        if self.unit and self.unit not in UNITS:
            raise ValueError(f"unit: {self.unit} is not a unit's own symbol")
        if (self.value_type == "enum") != bool(self.choices):
            raise ValueError("choices: for values of type enum, and only for them")

    @property
    def name(self) -> str:
        """The last word of the slug: how an entity's attribute is called."""
        return self.slug.rpartition(".")[2]

    @property
    def point_kind(self) -> PointKind | None:
        """The kind of points that measure it; None where it is no measurement."""
        return POINT_KINDS.get(self.kind)

    @property
    def is_plain_attribute(self) -> bool:
        """Whether entities carry it as a value (a relation is stated apart)."""
        return self.kind == "attribute" and self.value_type not in RELATION_TYPES and not self.is_reserved

    @property
    def promised_s(self) -> int:
        """The longest interval that is promised, in seconds: as the draft names it, or a day. 0: none of fixed length."""
        return self.interval_max_s or (SECONDS_A_DAY if "P1D" in self.periods else 0)


class ItemFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of items, as it is written."""

    entity_types: tuple[EntityType, ...]
    items: tuple[Item, ...]
    units: tuple[AnnexUnit, ...]
    errata: tuple[Erratum, ...]


class Items:
    """All items, found by id or slug."""

    def __init__(self, file: ItemFile) -> None:
        self.entity_types = file.entity_types
        self.items = file.items
        self.units = file.units
        self.errata = {erratum.id: erratum for erratum in file.errata}
        self._by_name = {name: item for item in file.items for name in (item.id, item.slug)}

    def get(self, name: str) -> Item:
        """By id (T2.06) or slug. Raises ItemInvalid that says where to look."""
        item = self._by_name.get(name)
        if item is None:
            raise ItemInvalid(f"item {name!r} is not in the catalogue; GET /catalogue/items lists all")
        return item

    def find(self, name: str) -> Item | None:
        """As `get`, but None where there is none."""
        return self._by_name.get(name)

    def errata_of(self, item: Item) -> list[Erratum]:
        """What is wrong with the row, in the order in which the row names it."""
        return [self.errata[name] for name in item.errata]

    def attributes_of(self, entity_type: str) -> Mapping[str, Item]:
        """The attributes that entities of a type carry, by name. Raises ItemInvalid for a type that is none."""
        self.check_type(entity_type)
        return self._attributes[entity_type]

    def charges_of(self, entity_type: str) -> list[Item]:
        """Billing amounts of accounts of a type."""
        return [
            item for item in self.items if item.entity_type == entity_type and item.kind == "billing_amount"
        ]

    def check_type(self, entity_type: str) -> None:
        """Raise ItemInvalid for a type that is none."""
        if entity_type not in self._attributes:
            raise ItemInvalid(
                f"{entity_type!r} is no type of entity; there are: {', '.join(sorted(self._attributes))}"
            )

    @cached_property
    def _attributes(self) -> dict[str, dict[str, Item]]:
        return {
            each.id: {
                item.name: item
                for item in self.items
                if item.entity_type == each.id and item.is_plain_attribute
            }
            for each in self.entity_types
        }
