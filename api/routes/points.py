"""Points: list, read, make, change, rename."""

import asyncio
from typing import Final

import msgspec
from aiohttp import web

from api import cursor, formats, json_body, point_body, precondition, problem, schemas
from api.audit_note import note_of
from api.body import read_body
from api.context import CONTEXT
from api.formats import Format
from api.operation import (
    BOM,
    CURSOR,
    FORMAT,
    IF_NONE_MATCH,
    JSON,
    POINT,
    STATION,
    TABLE_FORMS,
    Operation,
    Parameter,
    whole,
)
from api.params import Params
from api.precondition import IF_MATCH, POINT_TURN
from api.reach import points_of
from api.rollup_form import is_unchanged
from api.selection import path_point
from historian.errors import HistorianError, PointNotFound
from historian.model.access import Right
from historian.model.audit import CHANGES_MAX
from historian.model.point import Point

PAGE_POINTS_MAX: Final = 10_000
PAGE_POINTS_DEFAULT: Final = 1_000


async def list_points(request: web.Request) -> web.StreamResponse:
    """A page of points by rising id."""
    params = Params(request.query)
    match, station, item = params.text("match"), params.text("station"), params.text("item")
    limit = params.whole("limit", 1, PAGE_POINTS_MAX, PAGE_POINTS_DEFAULT)
    scope = f"points {match} {station} {item}"
    after_id = cursor.read(params.text("cursor"), scope)
    registry = points_of(request)
    points = registry.list(match, station, item, after_id or 0, limit + 1)
    next_cursor = cursor.write(points[limit - 1].id, scope) if len(points) > limit else ""
    choice = formats.choose_format(request)
    if choice is not Format.JSON:
        table = point_body.table_of(points[:limit])
        return await formats.reply_table(request, table, choice, next_cursor=next_cursor or None)
    replies = [point_body.reply_of(point) for point in points[:limit]]
    return formats.reply_json(schemas.PointsReply(points=replies, count=len(replies), next=next_cursor))


async def post_points(request: web.Request) -> web.StreamResponse:
    """Make many points; one that cannot be made costs only itself."""
    bodies = json_body.decode(await read_body(request), list[schemas.PointBody])
    items = request.app[CONTEXT].archive.items
    drafts = [
        point_body.draft_or_refusal(body, items, pointer=f"/{index}") for index, body in enumerate(bodies)
    ]
    registry = points_of(request)
    outcomes = await asyncio.to_thread(point_body.create_each, registry, drafts)
    rejects = [
        schemas.PointReject(
            index=index, name=str(body.name), code=point_body.code_of(outcome), detail=str(outcome)
        )
        for index, (body, outcome) in enumerate(zip(bodies, outcomes, strict=True))
        if isinstance(outcome, HistorianError)
    ]
    made = [outcome for outcome in outcomes if not isinstance(outcome, HistorianError)]
    reply = schemas.PointsMadeReply(
        created=sum(is_new for _, is_new in made),
        existing=sum(not is_new for _, is_new in made),
        rejected=len(rejects),
        rejects=rejects,
        points=[point_body.reply_of(point, items=items) for point, _ in made],
    )
    note = note_of(request)
    new = [point for point, is_new in made if is_new]
    note.change(None, {str(point.id): point.name for point in new[:CHANGES_MAX]}, "points")
    note.detail = f"{reply.created} made, {reply.existing} there already, {reply.rejected} refused"
    return formats.reply_json(reply)


async def get_point(request: web.Request) -> web.StreamResponse:
    """One point, under its name, a former name or its id."""
    named = path_point(request)
    headers = {"ETag": precondition.etag_of_point(named.point), "Cache-Control": "no-cache"}
    if is_unchanged(request.headers.get("If-None-Match", ""), headers["ETag"]):
        return web.Response(status=304, headers=headers)
    return formats.reply_json(point_body.reply_of(named.point, named.renamed_to), headers=headers)


async def put_point(request: web.Request) -> web.StreamResponse:
    """Make the point, or change the one of that name so that it is as described."""
    body = json_body.decode(await read_body(request), schemas.PointBody)
    registry, items = points_of(request), request.app[CONTEXT].archive.items
    name = request.match_info["point"]
    try:
        existing = registry.get(name)
    except PointNotFound:
        precondition.require_match(request, None)
        draft = point_body.draft_of(msgspec.structs.replace(body, name=name), items)
        point = await asyncio.to_thread(registry.create, draft)
        reply = point_body.reply_of(point, items=items)
        note_of(request).change(None, reply)
        return formats.reply_json(reply, status=201, headers={"ETag": precondition.etag_of_point(point)})
    if not body.item:
        point_body.require(body, "unit", "kind")
    return await _change(request, existing, body)


async def patch_point(request: web.Request) -> web.StreamResponse:
    """Change the attributes that are given; ``name`` renames, and the former name goes on answering."""
    body = json_body.decode(await read_body(request), schemas.PointBody)
    return await _change(request, path_point(request).point, body)


async def _change(request: web.Request, point: Point, body: schemas.PointBody) -> web.StreamResponse:
    registry, items = points_of(request), request.app[CONTEXT].archive.items
    changes, valid_from_us = point_body.changes_of(body, items)

    def change() -> Point:
        changed = registry.update(point.id, changes, valid_from_us) if changes else point
        if body.name is not msgspec.UNSET and body.name != changed.name:
            return registry.rename(point.id, body.name)
        return changed

    async with request.app[POINT_TURN]:
        point = registry.by_id(point.id)
        precondition.require_match(request, precondition.etag_of_point(point))
        changed = await asyncio.to_thread(change)
    note_of(request).change(point_body.reply_of(point), point_body.reply_of(changed))
    if (changed.multiplier, changed.capacity) != (point.multiplier, point.capacity):
        context = request.app[CONTEXT]
        await context.rollup.restated(
            point.id, context.clock.now_us() if valid_from_us is None else valid_from_us
        )
    headers = {"ETag": precondition.etag_of_point(changed)}
    return formats.reply_json(point_body.reply_of(changed, items=items), headers=headers)


_MATCH: Final = Parameter("match", "Glob on the name: * ? […], minding case.", {"type": "string"})
_ITEM: Final = Parameter("item", "Item of the standard's catalogue, such as T2.06.", {"type": "string"})
_LIMIT: Final = whole("limit", f"Points on a page; {PAGE_POINTS_DEFAULT} where absent.", 1, PAGE_POINTS_MAX)
_BODY_PROBLEMS: Final = (
    problem.MALFORMED_JSON, problem.INVALID_BODY, problem.POINT_INVALID, problem.ITEM_INVALID, problem.UNIT_MISMATCH, problem.INVALID_TIME,
    problem.BODY_TOO_LARGE,
)  # fmt: skip
_POINT_BODY: Final = ((JSON, schemas.PointBody),)

OPERATIONS: Final = (
    Operation(
        "GET", "/points", list_points, "listPoints", "A page of points by rising id.", schemas.PointsReply,
        parameters=(_MATCH, STATION, _ITEM, _LIMIT, CURSOR, FORMAT, BOM), problems=(problem.INVALID_CURSOR, problem.NOT_ACCEPTABLE),
        reply_types=TABLE_FORMS,
    ),
    Operation(
        "POST", "/points", post_points, "createPoints", "Make many points; one fault costs only itself.",
        schemas.PointsMadeReply, problems=_BODY_PROBLEMS, request_types=((JSON, list[schemas.PointBody]),), right=Right.CONFIGURE,
    ),
    Operation(
        "GET", "/points/{point}", get_point, "getPoint", "One point.", schemas.PointReply,
        parameters=(POINT, IF_NONE_MATCH), problems=(problem.POINT_NOT_FOUND,),
    ),
    Operation(
        "PUT", "/points/{point}", put_point, "putPoint",
        "Make the point (201) or change it; unit and kind are required or come from its item, the rest has defaults.",
        schemas.PointReply, parameters=(POINT, IF_MATCH), problems=(problem.POINT_CONFLICT, problem.PRECONDITION_FAILED, problem.POINTS_FULL, *_BODY_PROBLEMS),
        request_types=_POINT_BODY, may_create=True, right=Right.CONFIGURE,
    ),
    Operation(
        "PATCH", "/points/{point}", patch_point, "patchPoint", "Change or rename the point.", schemas.PointReply,
        parameters=(POINT, IF_MATCH), problems=(problem.POINT_NOT_FOUND, problem.POINT_CONFLICT, problem.PRECONDITION_FAILED, *_BODY_PROBLEMS),
        request_types=_POINT_BODY, right=Right.CONFIGURE,
    ),
)  # fmt: skip
