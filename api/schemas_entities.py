"""Bodies and replies of the catalogue of items and of the archive of entities."""

import msgspec

from historian.model.item import AnnexUnit, EntityType, Erratum


class ItemReply(msgspec.Struct, frozen=True, kw_only=True):
    """One item: names, unit, kind, promised interval, and what is wrong with its row."""

    id: str
    slug: str
    table: int
    row: int
    entity_type: str
    category_zh: str
    category_en: str
    name_zh: str
    name_en: str
    attribute: str
    kind: str
    value_type: str
    unit: str
    unit_draft: str
    ucum: str
    quantity: str
    update_zh: str
    interval_max: str | None
    periods: tuple[str, ...]
    aggregation: tuple[str, ...]
    description_zh: str
    choices: tuple[str, ...]
    personal_data: bool
    reserved: bool
    errata: list[Erratum]


class ItemsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The items asked for; with all of them the types of entities, the units of annex A and errata of no item."""

    items: list[ItemReply]
    count: int
    entity_types: tuple[EntityType, ...]
    units: tuple[AnnexUnit, ...]
    errata: list[Erratum]
