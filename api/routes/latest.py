"""The newest sample of many points, with its age."""

from typing import Final

from aiohttp import web

from api import formats, problem, schemas
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
    found = await context.query.latest(points)
    rows = [_row(point, unit, latest, form) for point, unit, latest in zip(points, units, found, strict=True)]
    choice = formats.choose_format(request)
    if choice is not Format.JSON:
        return await formats.reply_table(request, formats.table_of(rows, schemas.LatestRow), choice)
    now = form.times.time(context.clock.now_us())
    return formats.reply_json(
        schemas.LatestReply(now=now, latest=rows), headers={"Cache-Control": "no-cache"}
    )


def _row(point: Point, unit: str, latest: Latest, form: SampleForm) -> schemas.LatestRow:
    return schemas.LatestRow(
        point=point.name,
        station=point.station,
        unit=unit,
        label=stored_label(point),
        time=form.times.time(latest.time_us),
        value=form.number(latest.value, point.unit),
        quality=form.quality(latest.quality),
        origin=q.origin_name(latest.quality),
        age_s=latest.age_s,
        is_stale=latest.is_stale,
        time_local=form.times.local(latest.time_us),
    )


OPERATIONS: Final = (
    Operation(
        "GET", "/latest", get_latest, "getLatest", "Newest sample of each point, with age and stale mark.",
        schemas.LatestReply, parameters=(POINTS, STATION, *SAMPLE_FORM),
        problems=(
            problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.INVALID_PARAMETER, problem.UNIT_MISMATCH,
            problem.QUERY_TOO_LARGE,
        ),
        reply_types=TABLE_FORMS, is_query=True,
    ),
)  # fmt: skip
