"""Entities of the archive: listed, told as of any moment, stated, with their history."""

import asyncio
from typing import Final

import msgspec
from aiohttp import web
from msgspec import UNSET

from api import cursor, formats, json_body, problem
from api.as_of import AS_OF, moment_us
from api.author import author_of
from api.body import read_body
from api.context import CONTEXT
from api.entity_form import (
    AT,
    ID,
    IF_MATCH,
    IF_NEW,
    TYPE,
    EntityForm,
    at_us,
    etag_of,
    expected_of,
    key_of,
    moment_of,
)
from api.entity_note import note_entity
from api.entity_reach import is_reached, require_entity, require_type
from api.operation import CURSOR, JSON, TIME_FORM, Operation, Parameter, whole
from api.params import Params
from api.schemas_entities import EntitiesReply, EntityBody, EntityReply, HistoryReply
from historian.catalogue.entity_book import Change
from historian.model.access import Right
from historian.model.entity import BEGINNING_US, EXTRA

PAGE_MAX: Final = 5_000
PAGE_DEFAULT: Final = 500


async def list_entities(request: web.Request) -> web.StreamResponse:
    """A page of entities of a type."""
    params = Params(request.query)
    entity_type, match = params.required_text("type"), params.text("match")
    form, limit = (
        EntityForm.of(request, entity_type, params),
        params.whole("limit", 1, PAGE_MAX, PAGE_DEFAULT),
    )
    scope = f"entities {entity_type} {match}"
    after = cursor.read(params.text("cursor"), scope) or 0
    as_of_us, at = moment_us(request, params), at_us(params)
    require_type(request, entity_type)
    book = request.app[CONTEXT].archive.entities
    found = await asyncio.to_thread(book.page, entity_type, match, after, limit + 1, at, as_of_us)
    following = cursor.write(found[limit - 1].entity.number, scope) if len(found) > limit else ""
    page = [one for one in found[:limit] if as_of_us is None or one.entity.created_us <= as_of_us]
    told = await asyncio.to_thread(
        lambda: [form.reply(known) for known in page if is_reached(request, known.entity)]
    )
    return formats.reply_json(EntitiesReply(entities=told, count=len(told), next=following))


async def get_entity(request: web.Request) -> web.StreamResponse:
    """One entity, as it is, was, or was known to be."""
    params, key = Params(request.query), key_of(request)
    form = EntityForm.of(request, key.type, params)
    as_of_us, at = moment_us(request, params), at_us(params)
    require_type(request, key.type)
    known = await asyncio.to_thread(request.app[CONTEXT].archive.entities.known, key, at, as_of_us)
    await asyncio.to_thread(require_entity, request, known.entity, key)
    return formats.reply_json(form.reply(known, key.id), headers=etag_of(known.entity.revision))


async def get_history(request: web.Request) -> web.StreamResponse:
    """All that was ever stated of an entity."""
    params, key = Params(request.query), key_of(request)
    form, attribute = EntityForm.of(request, key.type, params), params.text("attribute")
    book = request.app[CONTEXT].archive.entities
    require_type(request, key.type)
    entity = await asyncio.to_thread(book.get, key)
    await asyncio.to_thread(require_entity, request, entity, key)
    stated = await asyncio.to_thread(book.history, key)
    told = [form.stated(one) for one in stated if attribute in (None, one.attribute)]
    return formats.reply_json(HistoryReply(type=key.type, id=entity.key.id, statements=told))


async def put_entity(request: web.Request) -> web.StreamResponse:
    """Make the entity, or state attributes of the one that is there."""
    return await _change(request, must_exist=False)


async def patch_entity(request: web.Request) -> web.StreamResponse:
    """State attributes of an entity that is there."""
    return await _change(request, must_exist=True)


async def _change(request: web.Request, *, must_exist: bool) -> web.StreamResponse:
    params, key = Params(request.query), key_of(request)
    form = EntityForm.of(request, key.type, params)
    expected = expected_of(request)
    body = json_body.decode(await read_body(request), EntityBody)
    change = Change(
        key,
        body.attributes | {EXTRA + name: value for name, value in body.extra.items()},
        _valid_from_us(request, body),
        body.withdraw,
        body.aliases,
        None if body.id is UNSET else body.id,
        author_of(request, body.author),
        body.reason,
        expected,
        must_exist,
    )
    book = request.app[CONTEXT].archive.entities
    made = await asyncio.to_thread(book.change, change)
    note_entity(request, change, made)
    known = await asyncio.to_thread(book.known, made.entity.key)
    reply = msgspec.structs.replace(form.reply(known), changes=made.added_count)
    return formats.reply_json(
        reply, status=201 if made.is_new else 200, headers=etag_of(made.entity.revision)
    )


def _valid_from_us(request: web.Request, body: EntityBody) -> int | None:
    if body.valid_from is UNSET:
        return None
    if body.valid_from is None:
        return BEGINNING_US
    return moment_of(request, body.valid_from, "/valid_from")


_TYPE_ASKED: Final = Parameter(
    "type", "Type of entity, such as power_account.", {"type": "string"}, is_required=True
)
_MATCH: Final = Parameter("match", "Glob on the id: * ? […], minding case.", {"type": "string"})
_LIMIT: Final = whole("limit", f"Entities on a page; {PAGE_DEFAULT} where absent.", 1, PAGE_MAX)
_ATTRIBUTE: Final = Parameter("attribute", "Only this attribute.", {"type": "string"})
_READ_PROBLEMS: Final = (problem.ENTITY_NOT_FOUND, problem.ITEM_INVALID, problem.INVALID_TIME)
_WRITE_PROBLEMS: Final = (
    problem.MALFORMED_JSON, problem.INVALID_BODY, problem.INVALID_TIME, problem.ITEM_INVALID, problem.ENTITY_INVALID,
    problem.ENTITY_CONFLICT, problem.ENTITY_CHANGED, problem.BODY_TOO_LARGE,
)  # fmt: skip

OPERATIONS: Final = (
    Operation(
        "GET", "/entities", list_entities, "listEntities", "A page of entities of a type.", EntitiesReply,
        parameters=(_TYPE_ASKED, _MATCH, AT, AS_OF, _LIMIT, CURSOR, TIME_FORM),
        problems=(problem.ITEM_INVALID, problem.INVALID_CURSOR, problem.INVALID_TIME),
    ),
    Operation(
        "GET", "/entities/{type}/{id}", get_entity, "getEntity",
        "One entity: what holds, or held at a moment, by what is or was known.", EntityReply,
        parameters=(TYPE, ID, AT, AS_OF, TIME_FORM), problems=_READ_PROBLEMS,
    ),
    Operation(
        "PUT", "/entities/{type}/{id}", put_entity, "putEntity",
        "Make the entity (201), or state attributes of it; what is left out stays.", EntityReply,
        parameters=(TYPE, ID, IF_MATCH, IF_NEW, TIME_FORM), problems=_WRITE_PROBLEMS,
        request_types=((JSON, EntityBody),), may_create=True, right=Right.CONFIGURE,
        is_global=True,  # no station is known of what it tells
    ),
    Operation(
        "PATCH", "/entities/{type}/{id}", patch_entity, "patchEntity",
        "State, withdraw or end attributes of an entity, rename it, add former ids.", EntityReply,
        parameters=(TYPE, ID, IF_MATCH, TIME_FORM), problems=(problem.ENTITY_NOT_FOUND, *_WRITE_PROBLEMS),
        request_types=((JSON, EntityBody),), right=Right.CONFIGURE,
        is_global=True,  # no station is known of what it tells
    ),
    Operation(
        "GET", "/entities/{type}/{id}/history", get_history, "getEntityHistory",
        "All that was ever stated of an entity, corrections and withdrawals too.", HistoryReply,
        parameters=(TYPE, ID, _ATTRIBUTE, TIME_FORM), problems=_READ_PROBLEMS,
    ),
)  # fmt: skip
