"""Bodies and replies of the catalogue of items and of the archive of entities."""

import msgspec
from msgspec import UNSET, UnsetType

from historian.catalogue.item_check import Notice
from historian.model.item import AnnexUnit, EntityType, Erratum

Value = str | int | float | bool | None  # of an attribute


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


class EntityBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is stated of an entity. Decimals come as text where every digit counts; null: there is none from then on.

    `valid_from` null: since ever; absent: since ever for what was never stated, else from now.
    """

    attributes: dict[str, Value] = {}
    extra: dict[str, str | None] = {}
    withdraw: list[str] = []
    aliases: list[str] = []
    id: str | UnsetType = UNSET
    valid_from: str | int | UnsetType | None = UNSET
    author: str = ""
    reason: str = ""


class AttributeReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value and where it holds; `valid_from` null: since ever, `valid_to` null: no later one is known."""

    value: str
    valid_from: str | int | None
    valid_to: str | int | None
    recorded_at: str | int
    item: str = ""
    unit: str = ""
    masked: bool = False


class EntityReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entity. `renamed_to` appears where it was asked for under a former id, `changes` after it was changed."""

    type: str
    id: str
    attributes: dict[str, AttributeReply]
    extra: dict[str, AttributeReply]
    aliases: list[str]
    created_at: str | int
    revision: int
    renamed_to: str = ""
    changes: int | UnsetType = UNSET


class EntitiesReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of entities; `next` is the cursor of the page after it, absent on the last."""

    entities: list[EntityReply]
    count: int
    next: str = ""


class StatedReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One statement, as it was recorded."""

    number: int
    attribute: str
    value: str | None
    valid_from: str | int | None
    recorded_at: str | int
    item: str = ""
    withdrawn: bool = False
    masked: bool = False
    author: str = ""
    reason: str = ""


class HistoryReply(msgspec.Struct, frozen=True, kw_only=True):
    """All that was ever stated of an entity, oldest statement first."""

    type: str
    id: str
    statements: list[StatedReply]


class PartyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The other side of a relation; a point by its name or id."""

    type: str
    id: str


class RelationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A relation of the entity in the path: exactly one of `to` and `from` names the other side."""

    kind: str
    to: PartyBody | None = None
    source: PartyBody | None = msgspec.field(name="from", default=None)
    carrier: str = ""
    valid_from: str | int | None = None
    valid_to: str | int | None = None
    exchange: bool = False
    withdraw: bool = False
    author: str = ""
    reason: str = ""


class PartyReply(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a relation."""

    type: str
    id: str


class RelationReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One relation, as stated."""

    number: int
    kind: str
    name_zh: str
    name_en: str
    source: PartyReply = msgspec.field(name="from")
    to: PartyReply
    valid_from: str | int | None
    valid_to: str | int | None
    recorded_at: str | int
    carrier: str = ""
    item: str = ""
    author: str = ""
    reason: str = ""
    withdrawn_at: str | int | None = None
    changed: bool | UnsetType = UNSET


class RelationsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Relations from and to an entity, by rising validity."""

    type: str
    id: str
    relations: list[RelationReply]


class ChargeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An amount of money for ``[start, end)``, as the bill says; `amount` as text where every digit counts."""

    start: str | int
    end: str | int
    amount: str | int | float
    item: str = ""
    unit: str = ""
    document: str = ""
    supersedes: int | None = None
    author: str = ""
    reason: str = ""


class ChargeReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One charge. `warnings` name charges of the same kind that share some of its period."""

    number: int
    item: str
    start: str | int
    end: str | int
    amount: str
    unit: str
    recorded_at: str | int
    document: str = ""
    author: str = ""
    reason: str = ""
    supersedes: int | None = None
    superseded_at: str | int | None = None
    warnings: list[Notice] = []


class ChargesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Charges of an account by rising start."""

    type: str
    id: str
    charges: list[ChargeReply]


class RowReject(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not taken; `line` counts from 1, the header included."""

    line: int
    detail: str


class ArchiveReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows of a table; `rejects_omitted` were rejected and are not listed."""

    rows: int
    created: int
    changed: int
    unchanged: int
    rejected: int
    rejects: list[RowReject]
    rejects_omitted: int
