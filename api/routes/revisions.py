"""Every version that samples of a point ever had, with when, from where and why each came."""

from collections.abc import Iterator
from typing import Final, Literal

from aiohttp import web

from api import cursor, formats, problem, schemas_edits
from api.context import CONTEXT
from api.formats import Format
from api.operation import (
    AT_TIME,
    CURSOR,
    END,
    POINT,
    SAMPLE_FORM,
    START,
    TABLE_FORMS,
    TIME_FORM,
    Operation,
    whole,
)
from api.params import Params
from api.problem import Problem
from api.sample_form import SampleForm, stored_label
from api.selection import path_point
from historian.model import quality as q
from historian.model.point import Point
from historian.model.sample import Versions
from historian.model.timerange import TimeRange
from historian.query.versions import is_newest

SAMPLES_PAGE_DEFAULT: Final = 1_000
SAMPLES_PAGE_MAX: Final = 10_000


async def get_revisions(request: web.Request) -> web.StreamResponse:
    """The versions of the sample at `time`, or of every sample of a range."""
    params = Params(request.query)
    named, form = path_point(request), SampleForm.of(params)
    unit = form.unit_of(named.point.unit)
    asked = _span_of(params)
    limit = params.whole("limit", 1, SAMPLES_PAGE_MAX, SAMPLES_PAGE_DEFAULT)
    scope = f"revisions {named.point.id} {asked}"
    resume_us = cursor.read(params.text("cursor"), scope)
    span = asked if resume_us is None else TimeRange(resume_us, asked.end_us)
    page = await request.app[CONTEXT].query.versions(named.point, span, limit)
    following = "" if page.next_time_us is None else cursor.write(page.next_time_us, scope)
    rows = list(_rows_of(page.versions, named.point, form))
    choice = formats.choose_format(request)
    if choice is not Format.JSON:
        table = formats.table_of(rows, schemas_edits.RevisionRow)
        return await formats.reply_table(request, table, choice, next_cursor=following or None)
    reply = schemas_edits.SampleRevisionsReply(
        point=named.point.name,
        unit=unit,
        label=stored_label(named.point),
        revisions=rows,
        renamed_to=named.renamed_to,
        next=following,
    )
    return formats.reply_json(reply)


def _span_of(params: Params) -> TimeRange:
    has_range = params.text("start") is not None or params.text("end") is not None
    if params.text("time") is None:
        if not has_range:
            raise Problem.of_parameter("time", "or start and end are required", "或 start 与 end 必须给出")
        return params.span()
    if has_range:
        raise Problem.of_parameter("time", "excludes start and end", "不能与 start、end 同时给出")
    time_us = params.time_us("time")
    return TimeRange(time_us, time_us + 1)


def _rows_of(versions: Versions, point: Point, form: SampleForm) -> Iterator[schemas_edits.RevisionRow]:
    newest = is_newest(versions).tolist()
    columns = [column.tolist() for column in versions[1:7]]
    for is_last, row in zip(newest, zip(*columns, strict=True), strict=True):
        time_us, value, bits, sequence, arrival_us, origin = row
        state: Literal["superseded", "current", "deleted"] = "superseded"
        if is_last:
            state = "deleted" if bits & q.DELETED else "current"
        yield schemas_edits.RevisionRow(
            time=form.times.time(time_us),
            value=form.number(value, point.unit),
            quality=form.quality(bits),
            origin=q.origin_name(bits),
            sequence=sequence,
            arrived_at=form.times.time(arrival_us),
            source=versions.origins[origin].source,
            reason=versions.origins[origin].reason,
            state=state,
            time_local=form.times.local(time_us),
            arrived_at_local=form.times.local(arrival_us),
        )


_LIMIT: Final = whole(
    "limit",
    f"Samples on a page, each with all its versions; {SAMPLES_PAGE_DEFAULT} where absent.",
    1,
    SAMPLES_PAGE_MAX,
)
_FORM: Final = tuple(entry for entry in SAMPLE_FORM if entry is not TIME_FORM)

OPERATIONS: Final = (
    Operation(
        "GET", "/points/{point}/revisions", get_revisions, "getSampleRevisions",
        "Every version of the sample at `time`, or of all from `start` to `end`, oldest first.",
        schemas_edits.SampleRevisionsReply,
        parameters=(
            POINT, AT_TIME, START._replace(is_required=False), END._replace(is_required=False), _LIMIT, CURSOR, *_FORM
        ),
        problems=(
            problem.INVALID_TIME, problem.POINT_NOT_FOUND, problem.UNIT_MISMATCH, problem.QUERY_TOO_LARGE,
            problem.NOT_ACCEPTABLE, problem.INVALID_CURSOR,
        ),
        reply_types=TABLE_FORMS, is_query=True,
    ),
)  # fmt: skip
