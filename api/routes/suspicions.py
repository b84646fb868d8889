"""Points whose values may have the wrong magnitude: told with numbers, a factor and what to look at; never changed."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from api import formats, problem
from api.context import CONTEXT
from api.errors import prefers_chinese
from api.formats import Format
from api.operation import BOM, END, FORMAT, POINT, POINTS, START, STATION, TABLE_FORMS, TIME_FORM, Operation
from api.params import Params
from api.schemas_watch import SuspicionRow, SuspicionsReply
from api.selection import SELECTIONS, path_point
from api.time_form import TimeForm
from historian.model.point import Point
from historian.rollup.suspicions import PointSuspicion


async def get_suspicions(request: web.Request) -> web.StreamResponse:
    """Of many points."""
    return await _reply(request, request.app[SELECTIONS].of(request, Params(request.query)).points)


async def get_point_suspicions(request: web.Request) -> web.StreamResponse:
    """Of one point."""
    return await _reply(request, [path_point(request).point])


async def _reply(request: web.Request, points: Sequence[Point]) -> web.StreamResponse:
    context, params = request.app[CONTEXT], Params(request.query)
    span, form, choice = params.span(), TimeForm.of(params), formats.choose_format(request)
    items = context.archive.items
    found = await context.watch.suspicions.find(points, span, lambda point: items.find(point.item))
    is_zh = prefers_chinese(request.headers.get("Accept-Language", ""))
    rows = [_row_of(one, form, is_zh) for one in found]
    headers = {"Content-Language": "zh" if is_zh else "en", "Vary": "Accept-Language"}
    if choice is not Format.JSON:
        flat = [{**_fields_of(row), "numbers": _text_of(row.numbers)} for row in rows]
        columns = [
            formats.listed(name, [row[name] for row in flat]) for name in SuspicionRow.__struct_fields__
        ]
        return await formats.reply_table(request, formats.Table(tuple(columns), len(rows)), choice)
    start, end = form.time(span.start_us), form.time(span.end_us)
    reply = SuspicionsReply(start=start, end=end, point_count=len(points), suspicions=rows)
    return formats.reply_json(reply, headers=headers)


def _row_of(one: PointSuspicion, form: TimeForm, is_zh: bool) -> SuspicionRow:
    english, chinese = one.told.advice
    return SuspicionRow(
        point=one.point.name,
        station=one.point.station,
        kind=one.told.kind,
        against=one.told.against,
        factor=one.told.factor,
        numbers=one.told.numbers,
        advice=chinese if is_zh else english,
        start=form.time(one.span.start_us),
        end=form.time(one.span.end_us),
    )


def _fields_of(row: SuspicionRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in SuspicionRow.__struct_fields__}


def _text_of(numbers: dict[str, float]) -> str:
    """One cell: ``ratio=1000 scale=1000``."""
    return " ".join(f"{name}={value:g}" for name, value in numbers.items())


_PROBLEMS: Final = (
    problem.POINT_NOT_FOUND, problem.INVALID_TIME, problem.INVALID_PARAMETER, problem.QUERY_TOO_LARGE,
    problem.NOT_ACCEPTABLE,
)  # fmt: skip
_FORM: Final = (START, END, TIME_FORM, FORMAT, BOM)

OPERATIONS: Final = (
    Operation(
        "GET", "/suspicions", get_suspicions, "listSuspicions",
        "Points whose values may have the wrong magnitude (W for kW, multiplier twice, word order), and what to look at.",
        SuspicionsReply, parameters=(POINTS, STATION, *_FORM), problems=(*_PROBLEMS, problem.STATION_NOT_FOUND),
        reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/points/{point}/suspicions", get_point_suspicions, "getSuspicions", "The same of one point.",
        SuspicionsReply, parameters=(POINT, *_FORM), problems=_PROBLEMS, reply_types=TABLE_FORMS, is_query=True,
    ),
)  # fmt: skip
