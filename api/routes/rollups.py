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
import numpy.typing as npt
from aiohttp import web

from api import body_params, formats, json_body, problem, rollup_form, rollup_json, rollup_table, schemas
from api.as_of import AS_OF, moment_us, query_of
from api.body import read_body
from api.context import CONTEXT
from api.formats import Format
from api.operation import (
    BOM,
    FORMAT,
    IF_NONE_MATCH,
    JSON,
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
    whole,
)
from api.params import Params, parse_date, parse_time
from api.problem import Problem
from api.rollup_json import RowWriter
from api.rollup_table import Rollups
from api.sample_form import SampleForm
from api.schemas_query import RollupsBody
from api.selection import SELECTIONS, path_point
from historian.energy import calendar
from historian.energy.calendar import DateRange, PeriodName
from historian.errors import TimeError
from historian.model import timestamp
from historian.model.sample import PointIdColumn
from historian.rollup.billing import Asked, Billed
from historian.rollup.service import Past

Result = TypeVar("Result")

PERIODS: Final = ("day", "month", "year", "billing")
_NO_CUTS: Final = "none"
_CALENDAR: Final = ("day", "month", "year")
LOCKED_KEPT_S: Final = 300
_THREAD_ROWS_MIN: Final = 200
_ARROW_THREAD_ROWS_MIN: Final = 20_000  # columns go out as they are: about a millisecond


async def get_rollups(request: web.Request) -> web.StreamResponse:
    """Rows of every whole period that the range touches, point by point."""
    return await _reply_rollups(request, Params(request.query))


async def post_rollups(request: web.Request) -> web.StreamResponse:
    """The same question in a body, where an address cannot hold it."""
    body = json_body.decode(await read_body(request), RollupsBody)
    return await _reply_rollups(request, body_params.params_of(request, body))


async def _reply_rollups(request: web.Request, params: Params) -> web.StreamResponse:
    context = request.app[CONTEXT]
    selected, form = request.app[SELECTIONS].of(request, params), SampleForm.of(params)
    asked = read_asked(request, params, selected.ids, form.times.zone)
    choice = formats.choose_format(request)
    fields = rollup_table.chosen_fields(params)
    billed = await context.billing.answer(
        asked,
        rollup_table.wanted_columns(fields),
        has_bills=rollup_table.needs_bills(fields),
        has_events="events" in params.names("fields"),
    )
    held = request.headers.get("If-None-Match", "")
    is_named = bool(params.names("fields"))

    def arrange() -> _Arranged:
        made = rollup_table.arrange(billed, selected.names, fields, form, is_named=is_named)
        representation = f"{choice.value} {form.times.is_epoch_ms} {form.times.zone_name} {form.unit}"
        etag = rollup_table.digest_of(made, representation)
        is_unchanged = rollup_form.is_unchanged(held, etag)
        is_arrow = choice is Format.ARROW and not is_unchanged
        return _Arranged(made, etag, is_unchanged, _encode_arrow(made) if is_arrow else b"")

    least = _ARROW_THREAD_ROWS_MIN if choice is Format.ARROW else _THREAD_ROWS_MIN
    found = await _beside_the_loop(billed.rows.row_count, arrange, least)
    headers = {"ETag": found.etag, "Cache-Control": _cache_control(billed)}
    if found.is_unchanged:
        return web.Response(status=304, headers=headers)
    if choice is Format.JSON:
        return await _reply_json(request, found.rollups, asked.period, headers)
    if choice is Format.ARROW:
        return web.Response(body=found.arrow, content_type=formats.ARROW_TYPE, headers=headers)
    table = rollup_table.table_of(found.rollups)
    return await formats.reply_table(request, table, choice, headers=headers)


def _cache_control(billed: Billed) -> str:
    """Figures change at any time, but for locked ones: those stay, unless a person takes a lock back."""
    is_final = billed.locks is not None and bool((billed.locks.number >= 0).all())
    return f"private, max-age={LOCKED_KEPT_S}" if is_final else "no-cache"


def read_asked(
    request: web.Request, params: Params, selected: PointIdColumn, zone: zoneinfo.ZoneInfo | None
) -> Asked:
    """The periods that the parameters name, of these points. Raises Problem, QueryError, TimeError."""
    ids = selected.astype(np.int64)
    context = request.app[CONTEXT]
    period = cast(PeriodName, params.choice("period", PERIODS, "day"))
    own_zone = zone or timestamp.load_zone(context.registry.by_id(int(ids[0])).time_zone)
    first, last = read_dates(params, own_zone)
    context.rollup.check_size(len(ids), (last - first).days)
    parts = _parts(request, params, ids, period, DateRange(first, last), own_zone)
    as_of_us = moment_us(request, params)
    past = None if as_of_us is None else Past(as_of_us, query_of(request, params).reader)
    return Asked(ids, period, parts, zone, past)


def _parts(
    request: web.Request,
    params: Params,
    ids: npt.NDArray[np.int64],
    period: PeriodName,
    days: DateRange,
    zone: zoneinfo.ZoneInfo,
) -> list[DateRange]:
    """The periods asked for: by the calendar, by a cut-off day, or as they are cut by hand."""
    cuts = params.names("cuts")
    cutoff_day = params.whole("cutoff_day", 1, 28, 0) or None
    if (cuts or cutoff_day) and period != "billing":
        raise Problem.of_parameter(
            "period", "cuts and cutoff_day are for billing periods", "cuts、cutoff_day 仅用于 billing"
        )
    if not cuts:
        return request.app[CONTEXT].billing.parts(ids, period, *days, cutoff_day)
    inner = [] if cuts == [_NO_CUTS] else [_date_of("cuts", text, zone, is_end=False) for text in cuts]
    edges = [days.first, *inner, days.last]
    if any(one >= other for one, other in itertools.pairwise(edges)):
        raise Problem.of_parameter(
            "cuts",
            "are not dates between from and to, each after the one before",
            "须为 from 与 to 之间递增的日期",
        )
    return [DateRange(one, other) for one, other in itertools.pairwise(edges)]


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
    if period not in _CALENDAR:
        words = ", ".join(_CALENDAR)
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


def read_dates(params: Params, zone: zoneinfo.ZoneInfo) -> tuple[datetime.date, datetime.date]:
    """``from`` and ``to`` as local dates, ``[first, last)``. Raises Problem."""
    first = _date(params, "from", zone, is_end=False)
    last = _date(params, "to", zone, is_end=True)
    if first >= last:
        raise Problem.of_parameter("to", "is not after from; ranges are [from, to)", "须晚于 from")
    return first, last


def _date(params: Params, name: str, zone: zoneinfo.ZoneInfo, *, is_end: bool) -> datetime.date:
    return _date_of(name, params.required_text(name), zone, is_end=is_end)


def _date_of(name: str, text: str, zone: zoneinfo.ZoneInfo, *, is_end: bool) -> datetime.date:
    """A local date: 2026-11-21, 2026-11 or 2026; or the local date of an instant, the one after it for an end."""
    if re.fullmatch(r"\d{4}", text):
        text = f"{text}-01-01"
    elif re.fullmatch(r"\d{4}-\d{2}", text):
        text = f"{text}-01"
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return parse_date(name, text)
    time_us = parse_time(name, text)
    try:
        date = calendar.local_date(time_us, zone)
        is_midnight = calendar.day_start_us(date, zone) == time_us
        return date + datetime.timedelta(days=1) if is_end and not is_midnight else date
    except (TimeError, OverflowError) as error:
        raise Problem.of_parameter(name, str(error), "超出日期范围", problem.INVALID_TIME) from error


PERIOD: Final = one_of("period", "Length of each row; day where absent.", *PERIODS)
_CALENDAR_PERIOD: Final = one_of("period", "Day, month or year.", *_CALENDAR)
CUTS: Final = Parameter(
    "cuts",
    "Billing periods as they were read: from `from` to the first of these dates, to the next …, to `to`; `none`: one period.",
    {"type": "string", "examples": ["2016-02-23,2016-03-23", "none"]},
)
CUTOFF_DAY: Final = whole(
    "cutoff_day",
    "Billing periods begin on this day of the month; else on the one stated of the points.",
    1,
    28,
)
_FIELDS: Final = Parameter(
    "fields",
    "Which figures to tell, comma-separated; all where absent. Fewer are quicker.",
    {"type": "string", "examples": ["energy", "max_demand,max_time"]},
)
_DATE_OR_TIME: Final = {"type": "string", "examples": ["2026-11-21", "2026-11", "2026", "1795190400000"]}
FROM: Final = Parameter(
    "from", "First local date, month or year; or an instant.", _DATE_OR_TIME, is_required=True
)
TO: Final = Parameter("to", "The date after the last; or an instant.", _DATE_OR_TIME, is_required=True)
_OTHER_ZONE: Final = ZONE._replace(
    description="Days of this zone instead of each point's own, and local times."
)
# Of whatever is told of whole periods of some points.
PERIODS_OF_POINTS: Final = (PERIOD, CUTOFF_DAY, POINTS, STATION, FROM, TO)
PERIOD_PROBLEMS: Final = (
    problem.INVALID_TIME, problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.UNIT_MISMATCH,
    problem.QUERY_TOO_LARGE, problem.QUERY_REFUSED,
)  # fmt: skip

OPERATIONS: Final = (
    Operation(
        "GET", "/rollups", get_rollups, "getRollups",
        "Energy, demand and their evidence by day, month or year; ETag and If-None-Match are honoured.",
        schemas.RollupsReply,
        parameters=(PERIOD, CUTOFF_DAY, CUTS, POINTS, STATION, FROM, TO, AS_OF, _OTHER_ZONE, TIME_FORM, UNIT, _FIELDS, FORMAT, BOM, IF_NONE_MATCH),
        problems=(
            problem.INVALID_TIME, problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.UNIT_MISMATCH,
            problem.QUERY_TOO_LARGE, problem.QUERY_REFUSED, problem.TARIFF_INVALID, problem.NOT_ACCEPTABLE,
        ),
        reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "POST", "/rollups", post_rollups, "queryRollups",
        "The same as GET, asked in a body: for more points than an address can name.", schemas.RollupsReply,
        parameters=(_OTHER_ZONE, TIME_FORM, UNIT, FORMAT, BOM, IF_NONE_MATCH),
        problems=(
            problem.MALFORMED_JSON, problem.INVALID_BODY, problem.BODY_TOO_LARGE, problem.INVALID_TIME,
            problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.UNIT_MISMATCH, problem.QUERY_TOO_LARGE,
            problem.QUERY_REFUSED, problem.TARIFF_INVALID, problem.NOT_ACCEPTABLE,
        ),
        request_types=((JSON, RollupsBody),), reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/rollups/{point}/{period}/{date}/revisions", get_revisions, "getRollupRevisions",
        "Every version of one figure, oldest first.", schemas.RevisionsReply,
        parameters=(
            POINT, _CALENDAR_PERIOD._replace(where="path", is_required=True),
            Parameter("date", "A local date in the period.", {"type": "string", "format": "date"}, "path", True),
            ZONE, TIME_FORM, UNIT,
        ),
        problems=(problem.POINT_NOT_FOUND, problem.UNIT_MISMATCH), is_query=True,
    ),
)  # fmt: skip
