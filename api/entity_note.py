"""Changes of entities and relations for the audit trail: what held before, what holds now, and why."""

from collections.abc import Sequence

from aiohttp import web

from api.audit_note import note_of
from api.context import CONTEXT
from api.personal import masked
from api.schemas_entities import RelationBody, RelationReply
from historian.catalogue.entity_book import Change, Changed
from historian.model.entity import BEGINNING_US, spans_of, values_at
from historian.model.timestamp import format_time


def note_entity(request: web.Request, change: Change, made: Changed) -> None:
    """Each attribute with what held at its moment before. Personal data are masked: who reads the trail has no right to them."""
    note, key = note_of(request), made.entity.key
    note.reason = change.reason
    items = request.app[CONTEXT].archive.items.attributes_of(key.type)
    if made.is_new:
        note.change(None, f"{key.type} {key.id}", "entity")
    spans = spans_of(made.former)
    for one in made.added:
        held = values_at(spans, one.valid_from_us).get(one.attribute)
        old = None if held is None else held.stated.value
        new = None if one.is_withdrawn else one.value
        since = "" if one.valid_from_us == BEGINNING_US else f" from {format_time(one.valid_from_us)}"
        item = items.get(one.attribute)
        old, new = (None if text is None else masked(item, text) for text in (old, new))
        note.change(old, new, one.attribute + since)
    if change.aliases:
        note.change(None, ", ".join(change.aliases), "aliases")
    if key.id != change.key.id and change.new_id:
        note.change(change.key.id, key.id, "id")


def note_relation(
    request: web.Request, body: RelationBody, made: RelationReply, former: Sequence[RelationReply]
) -> None:
    """The relation, and those that it ends, replaces or takes back."""
    note = note_of(request)
    note.reason = body.reason
    if not made.changed:
        return
    new = None if body.withdraw else _text_of(made)
    note.change("; ".join(map(_text_of, former)) or None, new, made.kind)


def _text_of(one: RelationReply) -> str:
    carrier = f" {one.carrier}" if one.carrier else ""
    span = f"[{one.valid_from or ''}, {one.valid_to or ''})"
    return f"{one.source.type} {one.source.id} > {one.to.type} {one.to.id}{carrier} {span}"
