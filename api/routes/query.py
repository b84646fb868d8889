"""One question about many points in one call: samples, plots, figures, newest values."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import msgspec
from aiohttp import web

from api import body_params, cursor, formats, json_body, point_answer, problem, schemas, schemas_query
from api.as_of import moment_us, query_of
from api.body import read_body
from api.context import CONTEXT
from api.errors import prefers_chinese, problem_of
from api.formats import Format
from api.operation import JSON, SAMPLE_FORM, TABLE_FORMS, Operation
from api.params import Params
from api.point_answer import Page, PointAnswer
from api.problem import Fault, Problem
from api.reach import points_of
from api.routes.latest import latest_rows
from api.routes.samples import PLOT_WIDTH_DEFAULT, PLOT_WIDTH_MAX, AtMode, Basis, Boundary, GapMode, Order
from api.sample_form import SampleColumns, SampleForm
from api.schemas_query import QueryBody, QueryFault, QueryKind, QueryReply
from api.selection import Named, find_point, select_points
from historian.errors import HistorianError, QueryTooLarge
from historian.model.point import format_interval
from historian.model.timerange import TimeRange
from historian.query.engine import QueryEngine
from historian.query.limits import check_count_of_points, check_sample_count, expected_sample_count

_COMMON: Final = frozenset({"kind", "points", "station", "as_of", "limit", "cursor"})
_SPAN: Final = frozenset({"start", "end"})
_OWN: Final[dict[QueryKind, frozenset[str]]] = {
    "recorded": _SPAN | {"boundary", "order"},
    "interpolated": _SPAN | {"interval", "gaps", "max_gap"},
    "at": frozenset({"time", "mode"}),
    "plot": _SPAN | {"width"},
    "summary": _SPAN | {"interval", "basis"},
    "latest": frozenset(),
}
_POINTS_AT_ONCE: Final = 50  # asked for between two looks at others on the loop


class _Question(NamedTuple):
    """One question about one point after the other."""

    kind: QueryKind
    params: Params
    engine: QueryEngine
    form: SampleForm
    scope: str


class _Answers(NamedTuple):
    """What was found, and the cursor of the rest."""

    found: list[PointAnswer | tuple[str, HistorianError]]
    next_cursor: str


async def post_query(request: web.Request) -> web.StreamResponse:
    """Answers in the order of the points; a point that cannot be answered costs only itself."""
    body = json_body.decode(await read_body(request), QueryBody)
    _check_fields(body)
    params = body_params.params_of(request, body)
    asked = _Question(
        body.kind, params, query_of(request, params), SampleForm.of(params), _scope_of(request, body, params)
    )
    chosen = _chosen(request, body, params)
    answers = await _ask(asked, chosen, params)
    return await _reply(request, body.kind, answers)


def _check_fields(body: QueryBody) -> None:
    allowed = _COMMON | _OWN[body.kind]
    for name in body.__struct_fields__:
        if name not in allowed and getattr(body, name) is not msgspec.UNSET:
            words = ", ".join(sorted(allowed))
            raise Problem(
                problem.INVALID_BODY,
                f"/{name}: means nothing for kind {body.kind}; allowed: {words}",
                f"/{name}：对 {body.kind} 无意义；可用：{words}",
                faults=(Fault(f"means nothing for kind {body.kind}", pointer=f"/{name}"),),
            )


def _scope_of(request: web.Request, body: QueryBody, params: Params) -> str:
    """What a cursor is good for: the same question of the same points, answered as of the same moment."""
    asked = msgspec.structs.replace(body, cursor=msgspec.UNSET, limit=msgspec.UNSET)
    return f"query {msgspec.json.encode(asked).decode()} {moment_us(request, params)}"


class _Chosen(NamedTuple):
    """A point in its place among those asked for: its index in a list, its id at a station, where others may come to."""

    place: int
    name: str
    found: Named | HistorianError


def _chosen(request: web.Request, body: QueryBody, params: Params) -> list[_Chosen]:
    context = request.app[CONTEXT]
    if body.points is msgspec.UNSET or body.station is not msgspec.UNSET:
        points = sorted(
            select_points(points_of(request), params, context.settings.query.points_max),
            key=lambda point: point.id,
        )
        return [_Chosen(point.id, point.name, Named(point, "")) for point in points]
    check_count_of_points(context.query.limits, len(body.points))
    chosen: list[_Chosen] = []
    for place, name in enumerate(dict.fromkeys(body.points)):
        try:
            chosen.append(_Chosen(place, name, find_point(points_of(request), name)))
        except HistorianError as error:
            chosen.append(_Chosen(place, name, error))
    return chosen


async def _ask(asked: _Question, chosen: Sequence[_Chosen], params: Params) -> _Answers:
    limit = params.whole("limit", 1, 10**9)
    place = cursor.read_pair(params.text("cursor"), asked.scope)
    rest = [one for one in chosen if place is None or one.place >= place[0]]
    if asked.kind == "recorded":
        return await _ask_recorded(asked, rest, limit, None if place is None else place[1])
    part = rest if limit is None else rest[:limit]
    following = "" if len(part) == len(rest) else cursor.write_pair(rest[len(part)].place, 0, asked.scope)
    points = [one.found for one in part if isinstance(one.found, Named)]
    _check_size(asked, points)
    return _Answers([await _answer_or_fault(asked, one) for one in part], following)


def _check_size(asked: _Question, points: Sequence[Named]) -> None:
    """Refuse before work what all points together ask for. Raises QueryTooLarge, Problem."""
    limits, params = asked.engine.limits, asked.params
    slots, scanned = 0, 0
    params.interval_us("max_gap")
    if asked.kind == "at":
        params.time_us("time")
    if asked.kind in ("interpolated", "plot", "summary"):
        span = params.span()
        scanned = expected_sample_count([named.point for named in points], span)
        for named in points:
            slots += _slot_count(asked, named, span)
    if slots > limits.slots_max:
        raise QueryTooLarge(
            f"{slots} slots are asked for in all, the limit is {limits.slots_max}; page with a limit"
        )
    check_sample_count(scanned, limits.scanned_samples_max)


def _slot_count(asked: _Question, named: Named, span: TimeRange) -> int:
    params = asked.params
    if asked.kind == "plot":
        return params.whole("width", 1, PLOT_WIDTH_MAX, PLOT_WIDTH_DEFAULT)
    default_us = named.point.interval_us if asked.kind == "interpolated" else span.duration_us
    interval_us = params.interval_us("interval", default_us)
    return -(-span.duration_us // interval_us)


async def _ask_recorded(
    asked: _Question, rest: Sequence[_Chosen], limit: int | None, resume_us: int | None
) -> _Answers:
    """Pages hold `limit` samples and may end in the middle of a point."""
    limits, span = asked.engine.limits, asked.params.span()
    room = limits.samples_max if limit is None else limit
    check_sample_count(room, limits.samples_max)
    if limit is None:
        known = [one.found.point for one in rest if isinstance(one.found, Named)]
        if len(known) > 1:  # a single one is cut to where it has samples
            check_sample_count(expected_sample_count(known, span), limits.samples_max)
    found: list[PointAnswer | tuple[str, HistorianError]] = []
    for number, one in enumerate(rest):
        if room == 0:
            return _Answers(found, cursor.write_pair(one.place, _START, asked.scope))
        if number % _POINTS_AT_ONCE == _POINTS_AT_ONCE - 1:
            await asyncio.sleep(0)
        begin_us = None if number or resume_us == _START else resume_us
        try:
            answer, count, next_us = await _recorded(asked, one, span, limit and room, begin_us)
        except HistorianError as error:
            found.append((one.name, error))
            continue
        found.append(answer)
        if limit is None and count > room:
            raise QueryTooLarge(
                f"the points have more than {limits.samples_max} samples there; page with a limit"
            )
        room -= min(count, room)
        if next_us is not None:
            return _Answers(found, cursor.write_pair(one.place, next_us, asked.scope))
    return _Answers(found, "")


async def _recorded(
    asked: _Question, one: _Chosen, span: TimeRange, room: int | None, begin_us: int | None
) -> tuple[PointAnswer, int, int | None]:
    """The answer, how many samples it has, and where the point goes on."""
    if isinstance(one.found, HistorianError):
        raise one.found
    params = asked.params
    boundary = params.choice("boundary", ("inside", "outside", "interpolated"), "inside")
    order = params.choice("order", ("asc", "desc"), "asc")
    page = await asked.engine.recorded(
        one.found.point, span, cast(Boundary, boundary), cast(Order, order), room, begin_us
    )
    columns = SampleColumns(page.run.time_us, page.run.value, page.run.quality)
    answer = point_answer.of_samples(one.found, columns, asked.form, Page(span))
    return answer, page.run.sample_count, page.next_time_us


async def _answer_or_fault(asked: _Question, one: _Chosen) -> PointAnswer | tuple[str, HistorianError]:
    try:
        if isinstance(one.found, HistorianError):
            raise one.found
        return await _answer(asked, one.found)
    except HistorianError as error:
        return one.name, error


async def _answer(asked: _Question, named: Named) -> PointAnswer:
    params, engine, form = asked.params, asked.engine, asked.form
    match asked.kind:
        case "at":
            time_us = params.time_us("time")
            mode = params.choice("mode", ("before", "after", "exact", "interpolated"), "before")
            run = await engine.at(named.point, time_us, cast(AtMode, mode))
            return point_answer.of_sample(named, run, form, time_us, mode)
        case "interpolated":
            span, interval_us = params.span(), params.interval_us("interval", named.point.interval_us)
            gaps = params.choice("gaps", ("break", "hold"), "break")
            columns = await engine.interpolated(
                named.point, span, interval_us, cast(GapMode, gaps), params.interval_us("max_gap")
            )
            page = Page(span, format_interval(interval_us))
            return point_answer.of_samples(named, SampleColumns(*columns), form, page)
        case "plot":
            span, width = params.span(), params.whole("width", 1, PLOT_WIDTH_MAX, PLOT_WIDTH_DEFAULT)
            return point_answer.of_plot(named, await engine.plot(named.point, span, width), form, span, width)
        case "summary":
            basis = params.choice("basis", ("time", "event"), "time")
            found = await engine.summary(
                [named.point], params.span(), params.interval_us("interval"), cast(Basis, basis)
            )
            return point_answer.of_summary(named, found, form, basis)
        case _:
            (row,) = latest_rows(
                [named.point], [form.unit_of(named.point.unit)], await engine.latest([named.point]), form
            )
            return point_answer.of_rows(row, [row], schemas.LatestRow)


async def _reply(request: web.Request, kind: QueryKind, answers: _Answers) -> web.StreamResponse:
    choice = formats.choose_format(request)
    if choice is not Format.JSON:
        for one in answers.found:
            if not isinstance(one, PointAnswer):
                raise one[1]  # a table has no place for a fault, and must not pass over it
        table = point_answer.joined([one.table() for one in answers.found if isinstance(one, PointAnswer)])
        return await formats.reply_table(request, table, choice, next_cursor=answers.next_cursor or None)
    is_zh = prefers_chinese(request.headers.get("Accept-Language", ""))

    def encode() -> bytes:
        parts = [
            one.encode() if isinstance(one, PointAnswer) else _fault_of(*one, is_zh) for one in answers.found
        ]
        head = b'{"kind":%s,"results":[' % msgspec.json.encode(kind)
        tail = b',"next":%s}' % msgspec.json.encode(answers.next_cursor) if answers.next_cursor else b"}"
        return b"".join((head, b",".join(parts), b"]", tail))

    is_small = len(answers.found) < _POINTS_AT_ONCE
    text = encode() if is_small else await asyncio.to_thread(encode)
    return web.Response(body=text, content_type=JSON, headers={"Cache-Control": "no-cache"})


def _fault_of(name: str, error: HistorianError, is_zh: bool) -> bytes:
    fault = problem_of(error)
    kind = fault.kind
    told = QueryFault(
        type=kind.uri,
        title=kind.title_zh if is_zh else kind.title_en,
        status=kind.status,
        detail=fault.zh if is_zh else fault.en,
        code=kind.code,
    )
    return msgspec.json.encode({"point": name, "error": told})


_START: Final = -(2**62)  # in a cursor: the point begins at its beginning

OPERATIONS: Final = (
    Operation(
        "POST", "/query", post_query, "query",
        "The retrieval calls for many points at once; an entry for each point, faults among them.", QueryReply,
        parameters=SAMPLE_FORM,
        problems=(
            problem.MALFORMED_JSON, problem.INVALID_BODY, problem.BODY_TOO_LARGE, problem.INVALID_TIME,
            problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.UNIT_MISMATCH, problem.QUERY_TOO_LARGE,
            problem.INVALID_CURSOR, problem.NOT_ACCEPTABLE,
        ),
        request_types=((JSON, schemas_query.QueryBody),), reply_types=TABLE_FORMS, is_query=True,
    ),
)  # fmt: skip
