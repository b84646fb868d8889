"""Takes samples in: JSON columns, Arrow or CSV at /ingest, InfluxDB line protocol at /api/v2/write."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, cast

from aiohttp import web
from msgspec import UNSET, UnsetType

from api import csv_rows, formats, ingest_series, json_body, json_series, lane, line_intake, problem, schemas
from api.arrow_lane import ArrowLane
from api.body import THREAD_BYTES_MIN, read_body
from api.caller import identity_of
from api.context import CONTEXT, ApiContext
from api.direct_body import Body
from api.idempotency import IDEMPOTENCY_KEY, Told, told_once
from api.intake import REJECTS_LISTED_MAX, Intake, Within
from api.lane import LANES
from api.line_intake import LinePoints
from api.operation import ARROW, CSV, JSON, Operation, Parameter, one_of
from api.params import Params
from api.problem import Fault, Problem
from api.reach import REACHES, Points, points_of
from api.stored_offset import StoredOffsets
from historian.model.access import Right
from historian.model.ports import OnConflict

Result = TypeVar("Result")

LINE_POINTS: Final = web.AppKey("line_points", LinePoints)
STORED_OFFSETS: Final = web.AppKey("stored_offsets", StoredOffsets)
ARROW_LANE: Final = web.AppKey("arrow_lane", ArrowLane)

_ARROW_BYTES_MIN: Final = 8 << 20  # its columns are used where they lie
LANE_BYTES_MIN: Final = 16 << 10  # a smaller body is through before another could be let in
_KERNEL_BYTES_MIN: Final = 1 << 20  # a kernel reads less in well under the 5 ms the loop may be held
_TAKEN: Final = (JSON, ARROW, CSV)
_ON_CONFLICT_WORDS: Final = ("replace", "keep", "reject")


async def post_ingest(request: web.Request) -> web.StreamResponse:
    """Samples of many points; the answer tells what became of each and comes when they are on disk."""
    on_conflict = _on_conflict_of_query(request)
    _check_content_type(request)
    body = await read_body(request)
    told = await _in_turn(
        request, body, lambda: told_once(request, body, lambda now_us: _take(request, body, on_conflict))
    )
    return formats.reply_json(told.reply, headers=told.headers)


async def _in_turn(request: web.Request, body: Body, work: Callable[[], Awaitable[Told]]) -> Told:
    """Large bodies one after another, so that what is asked meanwhile need not wait for all of them."""
    if len(body) < LANE_BYTES_MIN:
        return await work()
    return await lane.within(request, request.app[LANES].ingest, work)


async def _take(request: web.Request, body: Body, on_conflict: OnConflict | None) -> schemas.IngestReply:
    context = request.app[CONTEXT]
    within, points = _within_of(request), points_of(request)
    if request.content_type == ARROW:
        intake = Intake("index", within)
        arrow = request.app[ARROW_LANE]
        await _in_thread(body, lambda: arrow.take(intake, body), _ARROW_BYTES_MIN)
    elif request.content_type == CSV:
        intake = Intake("line", within)
        await _in_thread(body, lambda: csv_rows.take_rows(intake, bytes(body), points))
    else:
        intake = Intake("index", within)
        on_conflict = _agreed(
            on_conflict, await _take_json(intake, body, points, request.app[STORED_OFFSETS])
        )
    _count_refused(context, intake)
    intake.require_readable_time()
    return await _send(request, intake, on_conflict or "replace")


async def post_lines(request: web.Request) -> web.StreamResponse:
    """InfluxDB line protocol: 204 where all was taken, 400 with the first faulty lines otherwise."""
    precision = Params(request.query).choice("precision", line_intake.PRECISIONS, "ns")
    body = await read_body(request)

    async def take(now_us: int) -> schemas.IngestReply:
        within = _within_of(request)
        intake = Intake("line", within)
        lines = request.app[LINE_POINTS]
        # A point made by the way belongs to no station, so only who may write to all of them makes any.
        await lines.take_lines(intake, body, precision, now_us, may_create=within is None)
        _count_refused(request.app[CONTEXT], intake)
        return await _send(request, intake, "replace")

    told = await _in_turn(request, body, lambda: told_once(request, body, take, depends_on_now=True))
    if told.reply.rejected == 0:
        return web.Response(status=204, headers=told.headers)
    raise _lines_refused(told)


def _lines_refused(told: Told) -> Problem:
    reply = told.reply
    taken = reply.accepted + reply.duplicate + reply.replaced
    omitted = f", {reply.rejects_omitted} more are not listed" if reply.rejects_omitted else ""
    first = reply.rejects[0]
    return Problem(
        problem.LINES_REFUSED,
        f"{reply.rejected} values were refused and {taken} taken; line {first.line}: {first.detail}{omitted}",
        f"拒绝 {reply.rejected} 个值，接收 {taken} 个；第 {first.line} 行：{first.detail}",
        faults=tuple(Fault(entry.detail, line=entry.line or 0, code=entry.code) for entry in reply.rejects),
        headers=told.headers,
        accepted=taken,
        rejected=reply.rejected,
    )


def _within_of(request: web.Request) -> Within | None:
    identity = identity_of(request)
    if identity.stations is None:
        return None
    reaches = request.app[REACHES]
    return lambda ids: reaches.within(identity, ids)


def _count_refused(context: ApiContext, intake: Intake) -> None:
    """Count what never reaches the sink, which counts the rest: every sample sent is in the metric once."""
    for code, count in (*intake.refused_counts.items(), *intake.passed_over_counts.items()):
        context.metrics.counter(
            "historian_ingest_samples_total", "Samples by what became of them", outcome=code
        ).add(count)


async def _take_json(
    intake: Intake, body: Body, points: Points, offsets: StoredOffsets
) -> OnConflict | UnsetType:
    """Put the samples into the intake; what the body says of conflicts. Raises Problem."""
    columns = await _in_thread(body, lambda: json_series.read_columns(body), _KERNEL_BYTES_MIN)
    if columns is not None:
        ingest_series.take_columns(intake, columns, points, offsets)
        return UNSET
    asked = await _in_thread(body, lambda: json_body.decode(body, schemas.IngestBody))
    await _in_thread(body, lambda: ingest_series.take_series(intake, asked.series, points))
    return asked.on_conflict


async def _send(request: web.Request, intake: Intake, on_conflict: OnConflict) -> schemas.IngestReply:
    context = request.app[CONTEXT]
    limit = context.settings.ingest.batch_samples_max
    if intake.sample_count > limit:
        raise Problem(
            problem.BODY_TOO_LARGE,
            f"{intake.sample_count} samples in one request, {limit} are taken; send them in parts",
            f"一次请求含 {intake.sample_count} 个样本，上限 {limit}；请分批发送",
        )
    return await intake.send(context.sink, on_conflict)


def _on_conflict_of_query(request: web.Request) -> OnConflict | None:
    params = Params(request.query)
    if params.text("on_conflict") is None:
        return None
    return cast("OnConflict", params.choice("on_conflict", _ON_CONFLICT_WORDS, "replace"))


def _agreed(in_query: OnConflict | None, in_body: OnConflict | UnsetType) -> OnConflict | None:
    """What address and body ask together: one word. Neither is dropped, or a value meant to stay would go."""
    if in_body is UNSET:
        return in_query
    if in_query is not None and in_query != in_body:
        raise Problem(
            problem.INVALID_PARAMETER,
            f"on_conflict is {in_query} in the address and {in_body} in the body; say it once",
            f"on_conflict 在地址中为 {in_query}，在正文中为 {in_body}；请只写一处",
            faults=(Fault(f"the body says {in_body}", parameter="on_conflict"),),
        )
    return in_body


def _check_content_type(request: web.Request) -> None:
    if request.content_type not in _TAKEN:
        taken = ", ".join(_TAKEN)
        raise Problem(
            problem.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type {request.content_type} is not taken; send one of: {taken}",
            f"不支持 Content-Type {request.content_type}；可用：{taken}",
            headers={"Accept": taken},
        )


async def _in_thread(body: Body, work: Callable[[], Result], bytes_min: int = THREAD_BYTES_MIN) -> Result:
    """What takes long goes to a thread, so that the loop is not held."""
    return work() if len(body) < bytes_min else await asyncio.to_thread(work)


_ON_CONFLICT: Final = one_of(
    "on_conflict", "What happens where another value is stored; a JSON body may say it instead.",
    *_ON_CONFLICT_WORDS,
)  # fmt: skip
_PRECISION: Final = one_of("precision", "Unit of the times; ns where absent.", *line_intake.PRECISIONS)
_BUCKET: Final = Parameter("bucket", "Taken for compatibility; it has no meaning here.", {"type": "string"})
_REFUSALS: Final = (
    problem.KEY_UNDER_WAY,
    problem.KEY_REUSED,
    problem.BODY_TOO_SLOW,
    problem.BODY_TOO_LARGE,
    problem.BUSY,
    problem.QUEUE_FULL,
    problem.LOG_FAILED,
    problem.DISK_RESERVE,
)

OPERATIONS: Final = (
    Operation(
        "POST", "/ingest", post_ingest, "ingest",
        f"Samples of many points, durable when answered; lists at most {REJECTS_LISTED_MAX} rejects.",
        schemas.IngestReply, parameters=(_ON_CONFLICT, IDEMPOTENCY_KEY),
        problems=(
            problem.MALFORMED_JSON, problem.MALFORMED_BODY, problem.INVALID_TIME, problem.INVALID_BODY,
            problem.UNSUPPORTED_MEDIA_TYPE, *_REFUSALS,
        ),
        request_types=((JSON, schemas.IngestBody), (ARROW, None), (CSV, None)), right=Right.WRITE,
    ),
    Operation(
        "POST", "/api/v2/write", post_lines, "writeLines",
        "InfluxDB line protocol; the point of a field is named measurement.tagvalue….field, tags by key.",
        parameters=(
            _PRECISION, _BUCKET, _BUCKET._replace(name="org"), _BUCKET._replace(name="orgID"),
            _BUCKET._replace(name="bucketID"), IDEMPOTENCY_KEY,
        ),
        problems=(problem.LINES_REFUSED, *_REFUSALS),
        request_types=(("text/plain", None),), reply_types=(), status=204, bases=("",), may_be_empty=True,
        right=Right.WRITE,
    ),
)  # fmt: skip
