"""What does not come: points overdue now, gaps of many points, and the outages that explain them."""

import asyncio
from collections import Counter
from typing import Final

import numpy as np
from aiohttp import web

from api import cursor, formats, json_body, problem
from api.audit_note import note_of
from api.author import author_of
from api.body import read_body
from api.context import CONTEXT
from api.formats import Format
from api.operation import (
    BOM,
    CURSOR,
    END,
    FORMAT,
    JSON,
    NOT_DUE,
    POINTS,
    START,
    STATION,
    TABLE_FORMS,
    TIME_FORM,
    Operation,
    whole,
)
from api.params import Params, parse_time
from api.problem import Problem
from api.schemas_watch import (
    OutageBody,
    OutageReply,
    OutagesReply,
    OverdueReply,
    OverdueRow,
    PointGapRow,
    PointGapsReply,
)
from api.selection import SELECTIONS
from api.time_form import TimeForm
from api.watched import WATCHED, check_station, watched_ids
from historian.catalogue.journal import Outage
from historian.model.access import Right
from historian.model.point import SECOND_US, format_interval, station_source
from historian.query.overdue import Overdue

PAGE_MAX: Final = 10_000
PAGE_DEFAULT: Final = 1_000


async def get_overdue(request: web.Request) -> web.StreamResponse:
    """A page of the points that are overdue, by rising id."""
    context, params = request.app[CONTEXT], Params(request.query)
    limit, form = params.whole("limit", 1, PAGE_MAX, PAGE_DEFAULT), TimeForm.of(params)
    scope = f"overdue {params.names('points')} {params.text('station')} {params.text('item')}"
    after_id, choice = cursor.read(params.text("cursor"), scope) or 0, formats.choose_format(request)
    watch = context.watch.overdue
    silence = await watch.silence(np.sort(watched_ids(request, params)))
    rows = np.flatnonzero(silence.is_overdue & (silence.point_id > after_id))
    page = rows[:limit].tolist()
    told = await watch.told(silence, page)
    next_cursor = cursor.write(int(silence.point_id[page[-1]]), scope) if len(rows) > limit else ""
    replies = [_overdue_row(one, silence.now_us, form) for one in told]
    if choice is not Format.JSON:
        table = formats.table_of(replies, OverdueRow)
        return await formats.reply_table(request, table, choice, next_cursor=next_cursor or None)
    reply = OverdueReply(
        now=form.time(silence.now_us),
        point_count=len(silence.point_id),
        overdue_count=silence.overdue_count,
        overdue=replies,
        next=next_cursor,
    )
    return formats.reply_json(reply)


async def get_gaps(request: web.Request) -> web.StreamResponse:
    """Gaps of the points, point by point and in order of time."""
    context, params = request.app[CONTEXT], Params(request.query)
    selected, span, form = request.app[SELECTIONS].of(request, params), params.span(), TimeForm.of(params)
    choice = formats.choose_format(request)
    found = await context.query.gaps_of_many(selected.points, span, params.is_set("not_due"))
    rows = [
        PointGapRow(
            point=point.name,
            station=point.station,
            start=form.time(gap.start_us),
            end=form.time(gap.end_us),
            missing_count=gap.missing_count,
            cause=gap.cause,
            detail=gap.detail,
        )
        for point, gaps in zip(selected.points, found, strict=True)
        for gap in gaps
    ]
    if choice is not Format.JSON:
        return await formats.reply_table(request, formats.table_of(rows, PointGapRow), choice)
    by_cause: Counter[str] = Counter()
    for row in rows:
        by_cause[row.cause] += row.missing_count
    start, end = form.time(span.start_us), form.time(span.end_us)
    return formats.reply_json(
        PointGapsReply(start=start, end=end, gaps=rows, missing_by_cause=dict(by_cause))
    )


async def get_outages(request: web.Request) -> web.StreamResponse:
    """What the journal holds for the points of a station, and for the historian itself."""
    context, params = request.app[CONTEXT], Params(request.query)
    selected, span, form = request.app[SELECTIONS].of(request, params), params.span(), TimeForm.of(params)
    sources = [source for point in selected.points for source in point.outage_sources]
    found = await asyncio.to_thread(context.watch.journal.outages, sources, *span)
    return formats.reply_json(OutagesReply(outages=[_outage_reply(one, form) for one in found]))


async def post_outage(request: web.Request) -> web.StreamResponse:
    """Record why the samples of a station did not come for some time that is over."""
    context, form = request.app[CONTEXT], TimeForm.of(Params(request.query))
    body = json_body.decode(await read_body(request), OutageBody)
    check_station(request, body.station)
    start_us, end_us = (
        parse_time(name, str(text)) for name, text in (("start", body.start), ("end", body.end))
    )
    if end_us <= start_us:
        raise Problem.of_parameter("end", "is not after start; ranges are [start, end)", "须晚于 start")
    author = author_of(request, body.author)
    detail = f"{body.detail} ({author})" if author else body.detail
    outage = Outage(station_source(body.station), start_us, end_us, body.cause, detail)
    context.watch.journal.record(outage)
    await asyncio.to_thread(context.watch.journal.flush)
    reply = _outage_reply(outage, form)
    note_of(request).change(None, reply, "outage")
    note_of(request).reason = body.detail
    return formats.reply_json(reply, status=201)


def _overdue_row(one: Overdue, now_us: int, form: TimeForm) -> OverdueRow:
    return OverdueRow(
        point=one.point.name,
        station=one.point.station,
        item=one.point.item,
        interval=format_interval(one.point.interval_us),
        since=form.time(one.since_us),
        due=form.time(one.due_us),
        silent_s=None if one.since_us is None else (now_us - one.since_us) / SECOND_US,
        missing=one.missing_count,
        cause=one.cause,
        detail=one.detail,
    )


def _outage_reply(outage: Outage, form: TimeForm) -> OutageReply:
    return OutageReply(
        source=outage.source,
        start=form.time(outage.start_us),
        end=form.time(outage.end_us),
        cause=outage.cause,
        detail=outage.detail,
    )


_LIMIT: Final = whole("limit", "Rows of a page; 1000 where absent.", 1, PAGE_MAX)
_PROBLEMS: Final = (
    problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.INVALID_PARAMETER, problem.QUERY_TOO_LARGE,
    problem.NOT_ACCEPTABLE,
)  # fmt: skip
_OF_POINTS: Final = (POINTS, STATION, START, END, TIME_FORM)

OPERATIONS: Final = (
    Operation(
        "GET", "/overdue", get_overdue, "listOverdue",
        "Points whose newest sample is older than they promise: since when, and why.", OverdueReply,
        parameters=(*WATCHED, _LIMIT, CURSOR, TIME_FORM, FORMAT, BOM), problems=(*_PROBLEMS, problem.INVALID_CURSOR),
        reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/gaps", get_gaps, "listGaps", "Where samples of many points are missing, and why.", PointGapsReply,
        parameters=(*_OF_POINTS, NOT_DUE, FORMAT, BOM), problems=(*_PROBLEMS, problem.INVALID_TIME),
        reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/outages", get_outages, "listOutages",
        "Times in which sources delivered nothing, as drivers, collectors and this process told them.", OutagesReply,
        parameters=_OF_POINTS, problems=(*_PROBLEMS, problem.INVALID_TIME), is_query=True,
    ),
    Operation(
        "POST", "/outages", post_outage, "recordOutage",
        "Record why samples of a station did not come: a file that is missing, a collector that was off.", OutageReply,
        parameters=(TIME_FORM,), request_types=((JSON, OutageBody),),
        problems=(problem.MALFORMED_JSON, problem.INVALID_BODY, problem.INVALID_TIME, problem.STATION_NOT_FOUND),
        status=201, right=Right.WRITE, is_decision=True,
    ),
)  # fmt: skip
