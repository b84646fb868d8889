"""Load curves: a day in slots, of one point or the sum of several, with other days laid over it."""

import datetime
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import numpy as np
from aiohttp import web

from api import curve_form, formats, problem, schemas
from api.as_of import AS_OF, moment_us, query_of
from api.context import CONTEXT
from api.curve_cache import CURVES, key_of
from api.curve_form import Day
from api.formats import Format
from api.operation import (
    DATE,
    INTERVAL,
    JSON,
    POINT,
    POINTS,
    SAMPLE_FORM,
    STATION,
    TABLE_FORMS,
    Operation,
    Parameter,
    one_of,
)
from api.overlay import Overlay, read_overlays
from api.params import Params, params_of
from api.sample_form import form_of
from api.selection import SELECTIONS, path_point
from historian.energy import calendar
from historian.model import timestamp
from historian.model.point import MINUTE_US, Point, PointKind, format_interval
from historian.model.sample import PointIdColumn
from historian.rollup.curve import PointCurves
from historian.rollup.ratio_maker import RatioMaker
from historian.rollup.service import Past

INTERVAL_DEFAULT_US: Final = 15 * MINUTE_US


async def get_point_curve(request: web.Request) -> web.StreamResponse:
    """The curve of one point."""
    named = path_point(request)
    ids = np.array([named.point.id], np.uint32)

    def who() -> Mapping[str, Any]:
        return {"point": named.point.name, "renamed_to": named.renamed_to}

    return await _remembered(request, [named.point], ids, lambda: named.point.name, who)


async def get_sum_curve(request: web.Request) -> web.StreamResponse:
    """The sum of the curves of several points or a station's."""
    params = params_of(request)
    selection = request.app[SELECTIONS].of(request, params)
    station = params.text("station") or ""

    def who() -> Mapping[str, Any]:
        return {"points": selection.names_json, "station": station}

    return await _remembered(
        request, selection.points, selection.ids, lambda: station or "+".join(selection.names), who
    )


async def _remembered(
    request: web.Request,
    points: Sequence[Point],
    ids: PointIdColumn,
    name: Callable[[], str],
    who: Callable[[], Mapping[str, Any]],
) -> web.StreamResponse:
    """The reply of before, where it would be the same; else a new one, which is kept if it may be."""
    curves, key = request.app[CURVES], key_of(request)
    version = curves.version_of(ids)  # before anything is read
    body = curves.find(key, version)
    if body is not None:
        return web.Response(body=body, content_type=JSON)
    reply = await _reply_curve(request, points, ids, name(), who())
    if isinstance(reply, web.Response) and _may_be_kept(request, reply) and curves.is_own(points):
        curves.keep(key, version, cast("bytes", reply.body))
    return reply


def _may_be_kept(request: web.Request, reply: web.Response) -> bool:
    """JSON of what is known now; flat rows are JSON too, with headers of their own."""
    is_now = "as_of" not in params_of(request).given
    return is_now and reply.content_type == JSON and "Cache-Control" not in reply.headers


async def _reply_curve(
    request: web.Request, points: Sequence[Point], ids: PointIdColumn, name: str, who: Mapping[str, Any]
) -> web.StreamResponse:
    params = params_of(request)
    asked, form = params.once(_read_asked), form_of(request)
    zone = form.times.zone or timestamp.load_zone(points[0].time_zone)
    day = await _read_day(request, points, ids, asked.date, asked.interval_us, zone)
    lined_up = [
        curve_form.line_up(
            day, overlay, await _read_day(request, points, ids, overlay.date, asked.interval_us, zone)
        )
        for overlay in asked.overlays
    ]
    choice = formats.choose_format(request)
    if choice is not Format.JSON:
        table = curve_form.table_of(day, name, asked.label, lined_up, form)
        return await formats.reply_table(request, table, choice)
    interval = format_interval(asked.interval_us)
    return formats.reply_json(
        curve_form.reply_of(day, asked.date.isoformat(), interval, asked.label, lined_up, form, who)
    )


class _Asked(NamedTuple):
    """What is asked of a curve, whomever it is of."""

    date: datetime.date
    interval_us: int
    label: str
    overlays: list[Overlay]
    has_simultaneity: bool


def _read_asked(params: Params) -> _Asked:
    date = params.date("date")
    interval_us = params.interval_us("interval", INTERVAL_DEFAULT_US)
    label = params.choice("label", ("start", "end"), "end")
    return _Asked(
        date, interval_us, label, read_overlays(params.names("compare"), date), params.is_set("simultaneity")
    )


async def _read_day(
    request: web.Request,
    points: Sequence[Point],
    ids: PointIdColumn,
    date: datetime.date,
    interval_us: int,
    zone: zoneinfo.ZoneInfo,
) -> Day:
    params = params_of(request)
    reader, as_of_us = query_of(request, params).reader, moment_us(request, params)
    context = request.app[CONTEXT]
    rollup = context.rollup
    if len(points) == 1:
        if points[0].kind is PointKind.RATIO:
            past = None if as_of_us is None else Past(as_of_us, reader)
            derived = await _derived_curve(context.derived.ratios, points[0], date, interval_us, zone, past)
            if derived is not None:
                return Day(points, zone, derived)
        own = await rollup.load_curve(points, date, interval_us, zone, reader, as_of_us)
        past = None if as_of_us is None else Past(as_of_us, reader)
        return Day(
            points, zone, await context.derived.slots.marked(points[0], own, date, interval_us, zone, past)
        )
    if params.once(
        _read_asked
    ).has_simultaneity:  # needs every single curve, which the quick way does not make
        curves = await rollup.load_curve(points, date, interval_us, zone, reader, as_of_us)
        return Day(points, zone, curves, has_simultaneity=True)
    sums = await rollup.sum_curve(ids.astype(np.int64), date, interval_us, zone, reader, as_of_us)
    return Day(points, zone, sums)


async def _derived_curve(
    ratios: RatioMaker,
    point: Point,
    date: datetime.date,
    interval_us: int,
    zone: zoneinfo.ZoneInfo,
    past: Past | None,
) -> PointCurves | None:
    """The curve of a ratio that is made of other points'; None where the point's own samples are the ratio."""
    edges_us = calendar.slot_edges_us(date, zone, interval_us)
    term = ratios.term_of(point, int(edges_us[0]), past)
    return None if term is None else await ratios.curve(point, term, edges_us, zone, past)


_SIMULTANEITY: Final = one_of(
    "simultaneity",
    "1 tells the simultaneity of the sum, which needs every single curve.",
    "0",
    "1",
    "false",
    "true",
)
_LABEL: Final = one_of("label", "Whether labels name each slot's start or its end (default).", "start", "end")
_COMPARE: Final = Parameter(
    "compare", "Other days over it: -1d, -7d, -2w or dates, comma-separated.", {"type": "string"}
)
_ZONE_AND_FORM: Final = (DATE, INTERVAL, _LABEL, _COMPARE, AS_OF, *SAMPLE_FORM)
_PROBLEMS: Final = (
    problem.INVALID_TIME, problem.POINT_NOT_FOUND, problem.UNIT_MISMATCH, problem.QUERY_TOO_LARGE,
    problem.QUERY_REFUSED, problem.NOT_ACCEPTABLE,
)  # fmt: skip

OPERATIONS: Final = (
    Operation(
        "GET", "/points/{point}/load-curve", get_point_curve, "getLoadCurve",
        "A day in slots with its figures; `tz` asks for the day of another zone than the point's.",
        schemas.LoadCurveReply, parameters=(POINT, *_ZONE_AND_FORM), problems=_PROBLEMS, reply_types=TABLE_FORMS,
        is_query=True, is_quick=True,
    ),
    Operation(
        "GET", "/load-curve", get_sum_curve, "getSumLoadCurve",
        "The sum of several points' curves, and how many points lack in each slot.",
        schemas.LoadCurveReply, parameters=(POINTS, STATION, _SIMULTANEITY, *_ZONE_AND_FORM),
        problems=(*_PROBLEMS, problem.STATION_NOT_FOUND), reply_types=TABLE_FORMS, is_query=True, is_quick=True,
    ),
)  # fmt: skip
