"""The newest sample of many points, with its age."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
from aiohttp import web

from api import formats, problem, schemas
from api.as_of import AS_OF, moment_us, query_of
from api.context import CONTEXT
from api.formats import Format
from api.operation import POINTS, SAMPLE_FORM, STATION, TABLE_FORMS, Operation
from api.params import params_of
from api.sample_form import SampleForm, form_of, stored_label
from api.selection import SELECTIONS
from historian.model import quality as q
from historian.model.point import Point
from historian.query.engine import QueryEngine
from historian.query.latest import Latest


async def get_latest(request: web.Request) -> web.StreamResponse:
    """Newest by time, not by arrival."""
    params = params_of(request)
    selection, form = request.app[SELECTIONS].of(request, params), form_of(request)
    choice = formats.choose_format(request)
    engine = query_of(request, params)
    is_plain = not (form.unit or form.times.zone or form.is_quality_full)
    if choice is Format.ARROW:
        newest, now_us = await engine.latest_block(selection.ids)
        body = None if form.unit else selection.latest.encode_arrow(newest, now_us)
        if body is None:
            body = await formats.encode_arrow(selection.latest.table_of(newest, now_us, form))
        return formats.reply_arrow(body)
    if choice is Format.JSON and is_plain:
        newest, now_us = await engine.latest_block(selection.ids)
        before = _before_rows(form.times.time(now_us))
        body = selection.latest.encode_reply(before, newest, now_us, form.times.is_epoch_ms, _AFTER_ROWS)
        if body is not None:
            return _reply_json(body)
    return await _reply_rows(request, selection.points, form, choice, engine)


async def _reply_rows(
    request: web.Request, points: Sequence[Point], form: SampleForm, choice: Format, engine: QueryEngine
) -> web.StreamResponse:
    """With an object for each point: units, zones and qualities as asked for."""
    units = [form.unit_of(point.unit) for point in points]
    found = await engine.latest(points)
    if choice is not Format.JSON:
        table = formats.table_of(latest_rows(points, units, found, form), schemas.LatestRow)
        return await formats.reply_table(request, table, choice)

    def encode() -> bytes:
        return msgspec.json.encode(latest_rows(points, units, found, form))

    rows = encode() if len(points) < _THREAD_POINTS_MIN else await asyncio.to_thread(encode)
    as_of_us = moment_us(request, params_of(request))
    now_us = request.app[CONTEXT].clock.now_us() if as_of_us is None else as_of_us
    return _reply_json(b"".join((_before_rows(form.times.time(now_us)), rows, _AFTER_ROWS)))


def _before_rows(now: str | int) -> bytes:
    return b'{"now":%s,"latest":' % msgspec.json.encode(now)


def _reply_json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-cache"})


def latest_rows(
    points: Sequence[Point], units: Sequence[str], found: Sequence[Latest], form: SampleForm
) -> list[schemas.LatestRow]:
    """One row a point, as asked for. Raises Problem 422 for a unit of another dimension."""
    time = lru_cache(_KEPT_MAX)(form.times.time)
    local = lru_cache(_KEPT_MAX)(form.times.local)
    quality = lru_cache(_KEPT_MAX)(form.quality)
    return [
        schemas.LatestRow(
            point=point.name,
            station=point.station,
            unit=unit,
            label=stored_label(point),
            time=time(latest.time_us),
            value=form.number(latest.value, point.unit),
            quality=quality(latest.quality),
            origin=q.origin_name(latest.quality),
            age_s=latest.age_s,
            is_stale=latest.is_stale,
            time_local=local(latest.time_us),
        )
        for point, unit, latest in zip(points, units, found, strict=True)
    ]


_AFTER_ROWS: Final = b"}"
_KEPT_MAX: Final = 1024  # of times and qualities: meters read together have one time
_THREAD_POINTS_MIN: Final = 500  # encoding more takes longer than the loop may be held

OPERATIONS: Final = (
    Operation(
        "GET", "/latest", get_latest, "getLatest", "Newest sample of each point, with age and stale mark.",
        schemas.LatestReply, parameters=(POINTS, STATION, AS_OF, *SAMPLE_FORM),
        problems=(
            problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.INVALID_PARAMETER, problem.INVALID_TIME,
            problem.UNIT_MISMATCH, problem.QUERY_TOO_LARGE,
        ),
        reply_types=TABLE_FORMS, is_query=True,
    ),
)  # fmt: skip
