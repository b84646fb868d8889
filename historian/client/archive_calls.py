"""Calls about the archive: entities, their relations and charges, items of the standard, CSV; and about the audit trail."""

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from historian.client.archive_replies import (
    ArchiveTaken,
    AttributeStatement,
    AuditInfo,
    ChargeInfo,
    EntityInfo,
    ItemInfo,
    Party,
    RelationInfo,
)
from historian.client.errors import InvalidArgument
from historian.client.exchange import API, CSV, Call, Page, Pages, Reply, Request, decoder, given
from historian.client.moment import Moment, moment_text, optional_text
from historian.client.point_calls import json_request

ArchiveTable = Literal["entities", "relations", "charges", "points"]
Value = str | int | float | bool | None


class SinceEver(msgspec.Struct, frozen=True):
    """A begin that lies before everything."""


SINCE_EVER: Final = SinceEver()


class _Entities(msgspec.Struct):
    entities: list[EntityInfo]
    next: str = ""


class _History(msgspec.Struct):
    statements: list[AttributeStatement]


class _Relations(msgspec.Struct):
    relations: list[RelationInfo]


class _Charges(msgspec.Struct):
    charges: list[ChargeInfo]


class _Items(msgspec.Struct):
    items: list[ItemInfo]


class _Records(msgspec.Struct):
    records: list[AuditInfo]
    next: str = ""


def path_of(entity_type: str, entity_id: str, rest: str = "") -> str:
    """The path of an entity."""
    kind, name = (urllib.parse.quote(text, safe="") for text in (entity_type, entity_id))
    return f"{API}/entities/{kind}/{name}{rest}"


def entities(
    entity_type: str,
    *,
    match: str | None = None,
    at: Moment | None = None,
    as_of: Moment | None = None,
    page_size: int = 500,
) -> Pages[EntityInfo]:
    """Entities of a type; `match` is a pattern on the id, `at` asks what held then, `as_of` what was known then."""
    read = decoder(_Entities)

    def page(reply: Reply) -> Page[EntityInfo]:
        told = read(reply)
        return Page(told.entities, told.next)

    query = given(type=entity_type, match=match, limit=str(page_size)) + _moments(at, as_of)
    return Pages(Call(Request("GET", f"{API}/entities", query), page))


def entity(
    entity_type: str, entity_id: str, *, at: Moment | None = None, as_of: Moment | None = None
) -> Call[EntityInfo]:
    """One entity, by its id or a former one. Raises Problem 404."""
    return Call(Request("GET", path_of(entity_type, entity_id), _moments(at, as_of)), decoder(EntityInfo))


def entity_history(
    entity_type: str, entity_id: str, *, attribute: str | None = None
) -> Call[list[AttributeStatement]]:
    """All that was ever stated of an entity, oldest first."""
    read = decoder(_History)
    request = Request("GET", path_of(entity_type, entity_id, "/history"), given(attribute=attribute))
    return Call(request, lambda reply: read(reply).statements)


def put_entity(
    entity_type: str,
    entity_id: str,
    attributes: Mapping[str, Value] | None = None,
    *,
    extra: Mapping[str, str | None] | None = None,
    withdraw: Sequence[str] = (),
    aliases: Sequence[str] = (),
    new_id: str | None = None,
    valid_from: Moment | SinceEver | None = None,
    reason: str = "",
    author: str = "",
    revision: int | None = None,
) -> Call[EntityInfo]:
    """Make the entity, or state attributes of it; what is left out stays.

    `revision` asks that it is still as it was read (Problem 412), 0 that it is not there yet. Without it the same again
    changes nothing, and is sent again after a lost connection.
    """
    body: dict[str, Any] = {
        "attributes": dict(attributes or {}), "extra": dict(extra or {}), "withdraw": list(withdraw),
        "aliases": list(aliases), "reason": reason, "author": author,
    }  # fmt: skip
    if new_id is not None:
        body["id"] = new_id
    if valid_from is not None:
        ever = isinstance(valid_from, SinceEver)
        body["valid_from"] = None if ever else moment_text("valid_from", valid_from)  # type: ignore[arg-type]
    guard = (
        ()
        if revision is None
        else (("If-Match", f'"{revision}"'),)
        if revision
        else (("If-None-Match", "*"),)
    )
    request = json_request("PUT", path_of(entity_type, entity_id), body)
    is_harmless = revision is None and new_id is None and not withdraw
    return Call(request._replace(headers=guard, is_repeatable=is_harmless), decoder(EntityInfo))


def relations(
    entity_type: str,
    entity_id: str,
    *,
    kind: str | None = None,
    at: Moment | None = None,
    as_of: Moment | None = None,
) -> Call[list[RelationInfo]]:
    """Relations from and to an entity; with `at` those that hold then."""
    read, query = decoder(_Relations), given(kind=kind) + _moments(at, as_of)
    request = Request("GET", path_of(entity_type, entity_id, "/relations"), query)
    return Call(request, lambda reply: read(reply).relations)


def put_relation(
    entity_type: str,
    entity_id: str,
    kind: str,
    *,
    to: Party | None = None,
    source: Party | None = None,
    carrier: str = "",
    valid_from: Moment | None = None,
    valid_to: Moment | None = None,
    exchange: bool = False,
    withdraw: bool = False,
    reason: str = "",
    author: str = "",
) -> Call[RelationInfo]:
    """State a relation from the entity `to` another, or from a `source` to it; end it, exchange it, take it back."""
    if (to is None) == (source is None):
        raise InvalidArgument("name one other side, by to= or by source=")
    body = {
        "kind": kind, "to": to, "from": source, "carrier": carrier, "exchange": exchange, "withdraw": withdraw,
        "valid_from": optional_text("valid_from", valid_from), "valid_to": optional_text("valid_to", valid_to),
        "reason": reason, "author": author,
    }  # fmt: skip
    request = json_request("PUT", path_of(entity_type, entity_id, "/relations"), body)
    return Call(request._replace(is_repeatable=not withdraw), decoder(RelationInfo))


def charges(
    entity_type: str,
    entity_id: str,
    *,
    item: str | None = None,
    as_of: Moment | None = None,
    superseded: bool = False,
) -> Call[list[ChargeInfo]]:
    """Billing amounts of an account; with `superseded` all that were ever recorded."""
    read = decoder(_Charges)
    query = given(item=item, superseded="1" if superseded else None) + _moments(None, as_of)
    request = Request("GET", path_of(entity_type, entity_id, "/charges"), query)
    return Call(request, lambda reply: read(reply).charges)


def record_charge(
    entity_type: str,
    entity_id: str,
    *,
    start: Moment,
    end: Moment,
    amount: str | int | float,
    item: str = "",
    unit: str = "",
    document: str = "",
    supersedes: int | None = None,
    reason: str = "",
    author: str = "",
) -> Call[ChargeInfo]:
    """Record an amount for ``[start, end)``; one of the same period is superseded, the same again changes nothing."""
    body = {
        "start": moment_text("start", start), "end": moment_text("end", end), "amount": amount, "item": item,
        "unit": unit, "document": document, "supersedes": supersedes, "reason": reason, "author": author,
    }  # fmt: skip
    return Call(json_request("POST", path_of(entity_type, entity_id, "/charges"), body), decoder(ChargeInfo))


def items(
    *, table: int | None = None, entity_type: str | None = None, kind: str | None = None
) -> Call[list[ItemInfo]]:
    """Items of the standard's tables."""
    read = decoder(_Items)
    query = given(table=None if table is None else str(table), entity_type=entity_type, kind=kind)
    return Call(Request("GET", f"{API}/catalogue/items", query), lambda reply: read(reply).items)


def export_archive(table: ArchiveTable) -> Call[str]:
    """A table of the archive as CSV, as it is known now."""
    request = Request("GET", f"{API}/archive/{table}", accept=CSV)
    return Call(request, lambda reply: reply.body.decode("utf-8-sig"))


def import_archive(table: ArchiveTable, text: str) -> Call[ArchiveTaken]:
    """Rows of CSV into a table; a bad row costs only itself, the same again changes nothing."""
    request = Request("POST", f"{API}/archive/{table}", body=text.encode(), content_type=CSV)
    return Call(request, decoder(ArchiveTaken))


def audit(
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    who: str | None = None,
    kind: str | None = None,
    object: str | None = None,
    page_size: int = 1000,
) -> Pages[AuditInfo]:
    """Records of the audit trail in their order, from yesterday's midnight UTC where `since` is None. Asks for the right audit."""
    read = decoder(_Records)

    def page(reply: Reply) -> Page[AuditInfo]:
        told = read(reply)
        return Page(told.records, told.next)

    query = given(
        since=optional_text("since", since), until=optional_text("until", until), who=who, kind=kind,
        object=object, limit=str(page_size),
    )  # fmt: skip
    return Pages(Call(Request("GET", f"{API}/audit", query), page))


def _moments(at: Moment | None, as_of: Moment | None) -> tuple[tuple[str, str], ...]:
    return given(at=optional_text("at", at), as_of=optional_text("as_of", as_of))
