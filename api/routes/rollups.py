"""Energy and demand of days, months and years, with their evidence and their revisions."""

import asyncio
import datetime
import itertools
import re
import zoneinfo
from collections.abc import AsyncIterator, Callable
from typing import Final, NamedTuple, TypeVar, cast

import msgspec
import numpy as np
from aiohttp import web

from api import formats, problem, rollup_form, rollup_json, rollup_table, schemas
from api.context import CONTEXT
from api.formats import Format
from api.operation import (
    BOM,
    FORMAT,
    IF_NONE_MATCH,
    POINT,
    POINTS,
    STATION,
    TABLE_FORMS,
    TIME_FORM,
    UNIT,
    ZONE,
    Operation,
    Parameter,
    one_of,
)
from api.params import Params, parse_date
from api.problem import Problem
from api.rollup_json import RowWriter
from api.rollup_table import Rollups
from api.sample_form import SampleForm
from api.selection import SELECTIONS, path_point
from historian.energy import calendar
from historian.energy.calendar import PeriodName
from historian.errors import TimeError
from historian.model import timestamp

Result = TypeVar("Result")

_PERIODS: Final = ("day", "month", "year")
_THREAD_ROWS_MIN: Final = 200
_ARROW_THREAD_ROWS_MIN: Final = 20_000  # columns go out as they are: about a millisecond


async def get_rollups(request: web.Request) -> web.StreamResponse:
    """Rows of every whole period that the range touches, point by point."""
    context, params = request.app[CONTEXT], Params(request.query)
    asked, form = request.app[SELECTIONS].of(params), SampleForm.of(params)
    ids = asked.ids
    period = cast(PeriodName, params.choice("period", _PERIODS, "day"))
    zone = form.times.zone
    first, last = _dates(params, zone or timestamp.load_zone(context.registry.by_id(int(ids[0])).time_zone))
    choice = formats.choose_format(request)
    fields = rollup_table.chosen_fields(params)
    wanted = rollup_table.wanted_columns(fields)
    answer = await context.rollup.columns(ids.astype(np.int64), period, first, last, zone, wanted)

    held = request.headers.get("If-None-Match", "")

    def arrange() -> _Arranged:
        made = rollup_table.arrange(answer, asked.names, fields, form)
        representation = f"{choice.value} {form.times.is_epoch_ms} {form.times.zone_name} {form.unit}"
        etag = rollup_table.digest_of(made, representation)
        is_unchanged = rollup_form.is_unchanged(held, etag)
        is_arrow = choice is Format.ARROW and not is_unchanged
        return _Arranged(made, etag, is_unchanged, _encode_arrow(made) if is_arrow else b"")

    least = _ARROW_THREAD_ROWS_MIN if choice is Format.ARROW else _THREAD_ROWS_MIN
    found = await _beside_the_loop(answer.row_count, arrange, least)
    headers = {"ETag": found.etag, "Cache-Control": "no-cache"}
    if found.is_unchanged:
        return web.Response(status=304, headers=headers)
    if choice is Format.JSON:
        return await _reply_json(request, found.rollups, period, headers)
    if choice is Format.ARROW:
        return web.Response(body=found.arrow, content_type=formats.ARROW_TYPE, headers=headers)
    return await formats.reply_table(request, rollup_table.table_of(found.rollups), choice, etag=found.etag)


class _Arranged(NamedTuple):
    """An answer as it goes out; `arrow` where that was asked for."""

    rollups: Rollups
    etag: str
    is_unchanged: bool
    arrow: bytes


def _encode_arrow(rollups: Rollups) -> bytes:
    from api import rollup_arrow  # loads pyarrow, which not everybody needs

    return rollup_arrow.encode(rollups)


async def _reply_json(
    request: web.Request, rollups: Rollups, period: str, headers: dict[str, str]
) -> web.StreamResponse:
    """``{"period":…,"rows":[…],"time_zone":…}``, streamed where it is long."""
    head = b'{"period":' + msgspec.json.encode(period) + b',"rows":['
    zone_name = rollups.form.times.zone_name
    tail = (b'],"time_zone":' + msgspec.json.encode(zone_name) if zone_name else b"]") + b"}"
    if rollups.row_count <= rollup_json.CHUNK_ROWS:
        rows = await _beside_the_loop(
            rollups.row_count, lambda: RowWriter(rollups).rows(0, rollups.row_count)
        )
        return web.Response(body=head + rows[:-1] + tail, content_type="application/json", headers=headers)
    return await formats.reply_chunks(request, _chunks_of(rollups, head, tail), headers)


async def _chunks_of(rollups: Rollups, head: bytes, tail: bytes) -> AsyncIterator[bytes]:
    """One piece is made while the one before goes out."""
    writer = await asyncio.to_thread(RowWriter, rollups)
    size = rollup_json.CHUNK_ROWS
    ends = [*range(size, rollups.row_count, size), rollups.row_count]
    making = asyncio.create_task(asyncio.to_thread(writer.rows, 0, ends[0]))
    try:
        yield head
        for first, last in itertools.pairwise(ends):
            rows = await making
            making = asyncio.create_task(asyncio.to_thread(writer.rows, first, last))
            yield rows
        yield (await making)[:-1] + tail
    finally:
        making.cancel()


async def get_revisions(request: web.Request) -> web.StreamResponse:
    """Every version of one figure."""
    named = path_point(request)
    period, date_text = request.match_info["period"], request.match_info["date"]
    if period not in _PERIODS:
        words = ", ".join(_PERIODS)
        raise Problem.of_parameter("period", f"{period!r} is not one of: {words}", f"可选值：{words}")
    date = parse_date("date", date_text)
    form = SampleForm.of(Params(request.query))
    rows = await request.app[CONTEXT].rollup.revisions(named.point, cast(PeriodName, period), date)
    replies = rollup_form.replies_of(rows, {named.point.id: named.point.name}, form)
    return formats.reply_json(
        schemas.RevisionsReply(point=named.point.name, period=period, date=date_text, revisions=replies)
    )


async def _beside_the_loop(
    row_count: int, work: Callable[[], Result], least: int = _THREAD_ROWS_MIN
) -> Result:
    return work() if row_count < least else await asyncio.to_thread(work)


def _dates(params: Params, zone: zoneinfo.ZoneInfo) -> tuple[datetime.date, datetime.date]:
    first = _date(params, "from", zone, is_end=False)
    last = _date(params, "to", zone, is_end=True)
    if first >= last:
        raise Problem.of_parameter("to", "is not after from; ranges are [from, to)", "须晚于 from")
    return first, last


def _date(params: Params, name: str, zone: zoneinfo.ZoneInfo, *, is_end: bool) -> datetime.date:
    """A local date: 2026-11-21, 2026-11 or 2026; or the local date of an instant, the one after it for an end."""
    text = params.required_text(name)
    if re.fullmatch(r"\d{4}", text):
        text = f"{text}-01-01"
    elif re.fullmatch(r"\d{4}-\d{2}", text):
        text = f"{text}-01"
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return parse_date(name, text)
    time_us = params.time_us(name)
    try:
        date = calendar.local_date(time_us, zone)
        is_midnight = calendar.day_start_us(date, zone) == time_us
        return date + datetime.timedelta(days=1) if is_end and not is_midnight else date
    except (TimeError, OverflowError) as error:
        raise Problem.of_parameter(name, str(error), "超出日期范围", problem.INVALID_TIME) from error


_PERIOD: Final = one_of("period", "Length of each row; day where absent.", *_PERIODS)
_FIELDS: Final = Parameter(
    "fields",
    "Which figures to tell, comma-separated; all where absent. Fewer are quicker.",
    {"type": "string", "examples": ["energy", "max_demand,max_time"]},
)
_DATE_OR_TIME: Final = {"type": "string", "examples": ["2026-11-21", "2026-11", "2026", "1795190400000"]}
_FROM: Final = Parameter(
    "from", "First local date, month or year; or an instant.", _DATE_OR_TIME, is_required=True
)
_TO: Final = Parameter("to", "The date after the last; or an instant.", _DATE_OR_TIME, is_required=True)
_OTHER_ZONE: Final = ZONE._replace(
    description="Days of this zone instead of each point's own, and local times."
)

OPERATIONS: Final = (
    Operation(
        "GET", "/rollups", get_rollups, "getRollups",
        "Energy, demand and their evidence by day, month or year; ETag and If-None-Match are honoured.",
        schemas.RollupsReply,
        parameters=(_PERIOD, POINTS, STATION, _FROM, _TO, _OTHER_ZONE, TIME_FORM, UNIT, _FIELDS, FORMAT, BOM, IF_NONE_MATCH),
        problems=(
            problem.INVALID_TIME, problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.UNIT_MISMATCH,
            problem.QUERY_TOO_LARGE, problem.NOT_ACCEPTABLE,
        ),
        reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/rollups/{point}/{period}/{date}/revisions", get_revisions, "getRollupRevisions",
        "Every version of one figure, oldest first.", schemas.RevisionsReply,
        parameters=(
            POINT, _PERIOD._replace(where="path", is_required=True),
            Parameter("date", "A local date in the period.", {"type": "string", "format": "date"}, "path", True),
            ZONE, TIME_FORM, UNIT,
        ),
        problems=(problem.POINT_NOT_FOUND, problem.UNIT_MISMATCH), is_query=True,
    ),
)  # fmt: skip
