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
from api.params import Params
from api.sample_form import SampleForm, stored_label
from api.selection import select_points
from historian.model import quality as q
from historian.model.point import Point
from historian.query.latest import Latest


async def get_latest(request: web.Request) -> web.StreamResponse:
    """Newest by time, not by arrival."""
    context, params = request.app[CONTEXT], Params(request.query)
    points, form = select_points(context, params), SampleForm.of(params)
    units = [form.unit_of(point.unit) for point in points]
    as_of_us = moment_us(request, params)
    found = await query_of(request, params).latest(points)
    choice = formats.choose_format(request)
    if choice is not Format.JSON:
        table = formats.table_of(_rows_of(points, units, found, form), schemas.LatestRow)
        return await formats.reply_table(request, table, choice)
    now = form.times.time(context.clock.now_us() if as_of_us is None else as_of_us)

    def encode() -> bytes:
        rows = _rows_of(points, units, found, form)
        return msgspec.json.encode(schemas.LatestReply(now=now, latest=rows))

    body = encode() if len(points) < _THREAD_POINTS_MIN else await asyncio.to_thread(encode)
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-cache"})


def _rows_of(
    points: Sequence[Point], units: Sequence[str], found: Sequence[Latest], form: SampleForm
) -> list[schemas.LatestRow]:
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
