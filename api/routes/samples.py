"""Samples of one point: recorded, at a time, interpolated, for a plot, in figures; and its gaps."""

from typing import Final, Literal, NamedTuple, cast

from aiohttp import web

from api import cursor, formats, point_answer, problem, schemas
from api.as_of import AS_OF, moment_us, query_of
from api.formats import Format
from api.operation import (
    AT_TIME,
    BOM,
    CURSOR,
    END,
    FORMAT,
    INTERVAL,
    MAX_GAP,
    NOT_DUE,
    POINT,
    QUALITY,
    SAMPLE_FORM,
    START,
    TABLE_FORMS,
    TIME_FORM,
    UNIT,
    ZONE,
    Operation,
    one_of,
    whole,
)
from api.params import Params, params_of
from api.sample_form import SampleColumns, SampleForm, reply_samples
from api.selection import path_point
from api.time_form import TimeForm
from historian.model.point import format_interval
from historian.model.timerange import TimeRange
from historian.query.gaps import Gap

Boundary = Literal["inside", "outside", "interpolated"]
Order = Literal["asc", "desc"]
AtMode = Literal["before", "after", "exact", "interpolated"]
GapMode = Literal["break", "hold"]
Basis = Literal["time", "event"]

SAMPLES_PAGE_MAX: Final = 2_000_000
PLOT_WIDTH_DEFAULT: Final = 1_000
PLOT_WIDTH_MAX: Final = 20_000


class _Recorded(NamedTuple):
    """What is asked of `get_recorded`."""

    span: TimeRange
    boundary: Boundary
    order: Order
    limit: int | None
    cursor: str | None


def _read_recorded(params: Params) -> _Recorded:
    return _Recorded(
        params.span(),
        cast(Boundary, params.choice("boundary", ("inside", "outside", "interpolated"), "inside")),
        cast(Order, params.choice("order", ("asc", "desc"), "asc")),
        params.whole("limit", 1, SAMPLES_PAGE_MAX),
        params.text("cursor"),
    )


async def get_recorded(request: web.Request) -> web.StreamResponse:
    """Samples as they were stored."""
    params = params_of(request)
    named = path_point(request)
    asked = params.once(_read_recorded)
    scope, resume_us = "", None
    if asked.limit is not None or asked.cursor is not None:
        moment = moment_us(request, params)
        scope = f"recorded {named.point.id} {asked.span} {asked.boundary} {asked.order} {moment}"
        resume_us = cursor.read(asked.cursor, scope)
    page = await query_of(request, params).recorded(
        named.point, asked.span, asked.boundary, asked.order, asked.limit, resume_us
    )
    following = "" if page.next_time_us is None else cursor.write(page.next_time_us, scope)
    columns = SampleColumns(page.run.time_us, page.run.value, page.run.quality)
    return await reply_samples(request, named, asked.span, columns, next_cursor=following)


async def get_at(request: web.Request) -> web.StreamResponse:
    """The sample at, before or after an instant, or the value interpolated there."""
    params = params_of(request)
    named, form = path_point(request), SampleForm.of(params)
    form.unit_of(named.point.unit)
    time_us = params.time_us("time")
    mode = params.choice("mode", ("before", "after", "exact", "interpolated"), "before")
    run = await query_of(request, params).at(named.point, time_us, cast(AtMode, mode))
    answer = point_answer.of_sample(named, run, form, time_us, mode)
    return await point_answer.reply(request, answer)


async def get_interpolated(request: web.Request) -> web.StreamResponse:
    """A value every interval; gaps break the row unless they are to be held."""
    params = params_of(request)
    named, span = path_point(request), params.span()
    interval_us = params.interval_us("interval", named.point.interval_us)
    gaps = params.choice("gaps", ("break", "hold"), "break")
    columns = await query_of(request, params).interpolated(
        named.point, span, interval_us, cast(GapMode, gaps), params.interval_us("max_gap")
    )
    return await reply_samples(
        request, named, span, SampleColumns(*columns), interval=format_interval(interval_us)
    )


async def get_plot(request: web.Request) -> web.StreamResponse:
    """What a chart of so many pixel columns can show."""
    params = params_of(request)
    named, span, form = path_point(request), params.span(), SampleForm.of(params)
    form.unit_of(named.point.unit)
    width = params.whole("width", 1, PLOT_WIDTH_MAX, PLOT_WIDTH_DEFAULT)
    plot = await query_of(request, params).plot(named.point, span, width)
    return await point_answer.reply(request, point_answer.of_plot(named, plot, form, span, width))


async def get_summary(request: web.Request) -> web.StreamResponse:
    """Figures of the range, or of each interval in it."""
    params = params_of(request)
    named, span, form = path_point(request), params.span(), SampleForm.of(params)
    form.unit_of(named.point.unit)
    basis = params.choice("basis", ("time", "event"), "time")
    found = await query_of(request, params).summary(
        [named.point], span, params.interval_us("interval"), cast(Basis, basis)
    )
    return await point_answer.reply(request, point_answer.of_summary(named, found, form, basis))


async def get_gaps(request: web.Request) -> web.StreamResponse:
    """Where samples are missing, and why."""
    params = params_of(request)
    named, span, form = path_point(request), params.span(), TimeForm.of(params)
    found = await query_of(request, params).gaps(named.point, span, params.is_set("not_due"))
    rows = [_gap_row(gap, form) for gap in found]
    choice = formats.choose_format(request)
    if choice is not Format.JSON:
        return await formats.reply_table(request, formats.table_of(rows, schemas.GapRow), choice)
    reply = schemas.GapsReply(
        point=named.point.name,
        start=form.time(span.start_us),
        end=form.time(span.end_us),
        gaps=rows,
        renamed_to=named.renamed_to,
    )
    return formats.reply_json(reply)


def _gap_row(gap: Gap, form: TimeForm) -> schemas.GapRow:
    return schemas.GapRow(
        start=form.time(gap.start_us),
        end=form.time(gap.end_us),
        missing_count=gap.missing_count,
        cause=gap.cause,
        detail=gap.detail,
        start_local=form.local(gap.start_us),
        end_local=form.local(gap.end_us),
    )


_LIMIT: Final = whole("limit", "Samples on a page; all where absent.", 1, SAMPLES_PAGE_MAX)
_WIDTH: Final = whole("width", f"Pixel columns; {PLOT_WIDTH_DEFAULT} where absent.", 1, PLOT_WIDTH_MAX)
_BOUNDARY: Final = one_of(
    "boundary", "`outside` adds the samples next to the range, `interpolated` the values on its edges.",
    "inside", "outside", "interpolated",
)  # fmt: skip
_ORDER: Final = one_of("order", "By time, rising or falling.", "asc", "desc")
_MODE: Final = one_of(
    "mode", "Which sample; `before` and `after` take one at the instant too.",
    "before", "after", "exact", "interpolated",
)  # fmt: skip
_GAPS: Final = one_of("gaps", "`hold` keeps the last value, as suspect.", "break", "hold")
_BASIS: Final = one_of("basis", "Weigh by time held, or each sample alike.", "time", "event")
_READ_PROBLEMS: Final = (
    problem.INVALID_TIME, problem.INVALID_PARAMETER, problem.POINT_NOT_FOUND, problem.UNIT_MISMATCH,
    problem.QUERY_TOO_LARGE, problem.NOT_ACCEPTABLE,
)  # fmt: skip

OPERATIONS: Final = (
    Operation(
        "GET", "/points/{point}/recorded", get_recorded, "getRecorded", "Samples as stored.", schemas.SamplesReply,
        parameters=(POINT, START, END, _BOUNDARY, _ORDER, _LIMIT, CURSOR, AS_OF, *SAMPLE_FORM),
        problems=(*_READ_PROBLEMS, problem.INVALID_CURSOR), reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/points/{point}/at", get_at, "getAt", "One sample, or the value at an instant.",
        schemas.SampleReply, parameters=(POINT, AT_TIME.required(), _MODE, AS_OF, ZONE, UNIT, QUALITY, FORMAT, BOM),
        problems=_READ_PROBLEMS, reply_types=TABLE_FORMS, is_query=True, is_quick=True,
    ),
    Operation(
        "GET", "/points/{point}/interpolated", get_interpolated, "getInterpolated", "A value every interval.",
        schemas.SamplesReply, parameters=(POINT, START, END, INTERVAL, _GAPS, MAX_GAP, AS_OF, *SAMPLE_FORM),
        problems=_READ_PROBLEMS, reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/points/{point}/plot", get_plot, "getPlot", "First, last, lowest and highest of each pixel column.",
        schemas.PlotReply, parameters=(POINT, START, END, _WIDTH, AS_OF, *SAMPLE_FORM),
        problems=_READ_PROBLEMS, reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/points/{point}/summary", get_summary, "getSummary", "Figures of the range or of each interval.",
        schemas.SummaryReply, parameters=(POINT, START, END, INTERVAL, _BASIS, AS_OF, *SAMPLE_FORM),
        problems=_READ_PROBLEMS, reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/points/{point}/gaps", get_gaps, "getGaps", "Where samples are missing, and why.",
        schemas.GapsReply, parameters=(POINT, START, END, NOT_DUE, AS_OF, ZONE, TIME_FORM, FORMAT),
        problems=_READ_PROBLEMS, reply_types=TABLE_FORMS, is_query=True,
    ),
)  # fmt: skip
