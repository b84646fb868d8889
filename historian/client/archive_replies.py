"""What the historian tells of its archive, its items and its audit trail. Times have a zone; None as `valid_from`: since ever."""

import datetime
from typing import Any

import msgspec


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """A value and where it holds. `masked`: the caller has no right to see all of it."""

    value: str
    valid_from: datetime.datetime | None
    valid_to: datetime.datetime | None
    recorded_at: datetime.datetime
    item: str = ""
    unit: str = ""
    masked: bool = False


class EntityInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One entity. `changes` says how many statements a change has added, None where it was only read."""

    type: str
    id: str
    attributes: dict[str, Attribute]
    extra: dict[str, Attribute]
    aliases: list[str]
    created_at: datetime.datetime
    revision: int
    renamed_to: str = ""
    changes: int | None = None


class AttributeStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of an attribute; `value` None: there is none from then on."""

    number: int
    attribute: str
    value: str | None
    valid_from: datetime.datetime | None
    recorded_at: datetime.datetime
    item: str = ""
    withdrawn: bool = False
    masked: bool = False
    author: str = ""
    reason: str = ""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a relation; a point by its name or id."""

    type: str
    id: str


class RelationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One relation, as stated. `changed` is None where it was only read."""

    number: int
    kind: str
    name_zh: str
    name_en: str
    source: Party = msgspec.field(name="from")
    to: Party
    valid_from: datetime.datetime | None
    valid_to: datetime.datetime | None
    recorded_at: datetime.datetime
    carrier: str = ""
    item: str = ""
    author: str = ""
    reason: str = ""
    withdrawn_at: datetime.datetime | None = None
    changed: bool | None = None


class ChargeWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Something odd about a charge that was kept all the same."""

    id: str
    problem_zh: str
    problem_en: str
    treatment_zh: str = ""
    treatment_en: str = ""


class ChargeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An amount for ``[start, end)``, an exact decimal as text."""

    number: int
    item: str
    start: datetime.datetime
    end: datetime.datetime
    amount: str
    unit: str
    recorded_at: datetime.datetime
    document: str = ""
    author: str = ""
    reason: str = ""
    supersedes: int | None = None
    superseded_at: datetime.datetime | None = None
    warnings: list[ChargeWarning] = []


class ItemInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the standard, what most callers need of it; `errata` as plain values."""

    id: str
    slug: str
    table: int
    entity_type: str
    name_zh: str
    name_en: str
    kind: str
    unit: str
    interval_max: str | None = None
    personal_data: bool = False
    errata: list[Any] = []


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not taken; `line` counts from 1, the header included."""

    line: int
    detail: str


class ArchiveTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows of a CSV."""

    rows: int
    created: int
    changed: int
    unchanged: int
    rejected: int
    rejects: list[RejectedRow]
    rejects_omitted: int = 0


class AuditChange(msgspec.Struct, frozen=True, kw_only=True):
    """What was and is; None: there was or is none."""

    what: str
    old: str | None
    new: str | None


class AuditInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the trail; `begun` names the record of the beginning, 0 where there is none."""

    number: int
    time: datetime.datetime
    kind: str
    who: str
    who_kind: str
    address: str
    action: str
    object: str
    result: str
    changes: list[AuditChange]
    reason: str
    detail: str
    begun: int
    count: int
    request_id: str = ""
