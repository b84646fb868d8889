"""Relations of entities: meters at metering points, lines of substations, accounts of customers, supply paths."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from aiohttp import web

from api import formats, json_body, problem
from api.as_of import AS_OF, moment_us
from api.author import author_of
from api.body import read_body
from api.context import CONTEXT, ApiContext
from api.entity_form import AT, ID, TYPE, EntityForm, at_us, key_of, moment_of
from api.entity_note import note_relation
from api.entity_reach import reached_relations, require_entity, require_type
from api.operation import JSON, TIME_FORM, Operation, Parameter
from api.params import Params
from api.problem import Fault, Problem
from api.schemas_entities import PartyBody, PartyReply, RelationBody, RelationReply, RelationsReply
from historian.catalogue.relation_book import Wanted
from historian.errors import PointNotFound
from historian.model import relation
from historian.model.access import Right
from historian.model.entity import Entity, EntityKey
from historian.model.relation import POINT, Relation


async def get_relations(request: web.Request) -> web.StreamResponse:
    """Relations from and to an entity; with ``at`` only those that hold then."""
    params, key = Params(request.query), key_of(request)
    form, kind = EntityForm.of(request, key.type, params), params.text("kind")
    as_of_us, at = moment_us(request, params), at_us(params)
    context = request.app[CONTEXT]
    require_type(request, key.type)

    def find() -> tuple[Entity, list[RelationReply]]:
        entity = context.archive.entities.get(key)
        require_entity(request, entity, key)
        found = context.archive.relations.of(key, kind, at, as_of_us)
        return entity, _replies(context, form, reached_relations(request, found))

    entity, told = await asyncio.to_thread(find)
    return formats.reply_json(RelationsReply(type=key.type, id=entity.key.id, relations=told))


async def put_relation(request: web.Request) -> web.StreamResponse:
    """State a relation, end it, exchange one for another, or take it back; the same again changes nothing."""
    key, context = key_of(request), request.app[CONTEXT]
    form = EntityForm.of(request, key.type, Params(request.query))
    body = json_body.decode(await read_body(request), RelationBody)
    if (body.to is None) == (body.source is None):
        text, zh = "name one other side, by to or by from", "以 to 或 from 指明另一方，二者取一"
        raise Problem(problem.INVALID_BODY, text, zh, faults=(Fault(text, zh, pointer="/to"),))
    other = _party(context, body.to or body.source)
    wanted = Wanted(
        body.kind,
        key if body.to is not None else other,
        other if body.to is not None else key,
        body.carrier,
        None if body.valid_from is None else moment_of(request, body.valid_from, "/valid_from"),
        None if body.valid_to is None else moment_of(request, body.valid_to, "/valid_to"),
        body.exchange,
        body.withdraw,
        author_of(request, body.author),
        body.reason,
    )

    def state() -> tuple[RelationReply, list[RelationReply]]:
        outcome = context.archive.relations.state(wanted)
        told, *former = _replies(context, form, [outcome.relation, *outcome.former])
        return msgspec.structs.replace(told, changed=outcome.is_changed), former

    reply, former = await asyncio.to_thread(state)
    note_relation(request, body, reply, former)
    return formats.reply_json(reply)


def _party(context: ApiContext, body: PartyBody | None) -> EntityKey:
    assert body is not None, "one side was just seen"
    if body.type == POINT:
        return EntityKey(POINT, str(context.registry.get(body.id).id))
    return EntityKey(body.type, body.id)


def _replies(context: ApiContext, form: EntityForm, found: Sequence[Relation]) -> list[RelationReply]:
    numbers = {one.from_number for one in found} | {
        one.to_number for one in found if relation.kind_of(one.kind).to_types != (POINT,)
    }
    entities = context.archive.entities.by_numbers(sorted(numbers))
    return [_reply(context, form, entities, one) for one in found]


def _reply(
    context: ApiContext, form: EntityForm, entities: dict[int, Entity], one: Relation
) -> RelationReply:
    kind = relation.kind_of(one.kind)
    source = entities[one.from_number].key
    if kind.to_types == (POINT,):
        to = EntityKey(POINT, _point_name(context, one.to_number))
    else:
        to = entities[one.to_number].key
    return RelationReply(
        number=one.number,
        kind=kind.id,
        name_zh=kind.name_zh,
        name_en=kind.name_en,
        source=PartyReply(type=source.type, id=source.id),
        to=PartyReply(type=to.type, id=to.id),
        valid_from=form.since(one.valid_from_us),
        valid_to=form.times.time(one.valid_to_us),
        recorded_at=form.times.time(one.recorded_us),
        carrier=one.carrier,
        item=kind.item,
        author=one.author,
        reason=one.reason,
        withdrawn_at=form.times.time(one.withdrawn_us),
    )


def _point_name(context: ApiContext, point_id: int) -> str:
    try:
        return context.registry.by_id(point_id).name
    except PointNotFound:  # of a catalogue that was put together from two
        return str(point_id)


_KIND: Final = Parameter(
    "kind", "Only relations of this kind.", {"type": "string", "enum": sorted(relation.KINDS)}
)
_PROBLEMS: Final = (
    problem.ENTITY_NOT_FOUND,
    problem.ITEM_INVALID,
    problem.ENTITY_INVALID,
    problem.INVALID_TIME,
)

OPERATIONS: Final = (
    Operation(
        "GET", "/entities/{type}/{id}/relations", get_relations, "getRelations",
        "Relations from and to an entity; with at, those that hold then.", RelationsReply,
        parameters=(TYPE, ID, _KIND, AT, AS_OF, TIME_FORM), problems=_PROBLEMS,
    ),
    Operation(
        "PUT", "/entities/{type}/{id}/relations", put_relation, "putRelation",
        "State, end, exchange or withdraw a relation; overlaps that cannot be are refused by name.", RelationReply,
        parameters=(TYPE, ID, TIME_FORM),
        problems=(
            problem.MALFORMED_JSON, problem.INVALID_BODY, *_PROBLEMS, problem.ENTITY_CONFLICT, problem.POINT_NOT_FOUND,
            problem.BODY_TOO_LARGE,
        ),
        request_types=((JSON, RelationBody),), right=Right.CONFIGURE,
        is_global=True,  # no station is known of what it tells
    ),
)  # fmt: skip
