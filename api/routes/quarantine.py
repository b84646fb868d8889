"""The quarantine over HTTP: what waits there, releasing it into the store, giving it up."""

from typing import Final, cast

import numpy as np
from aiohttp import web

from api import cursor, edit_body, formats, json_body, problem
from api.audit_note import note_of
from api.author import decision_of
from api.body import read_body
from api.caller import identity_of
from api.context import CONTEXT, ApiContext
from api.formats import Format
from api.operation import (
    BOM,
    CURSOR,
    FORMAT,
    JSON,
    QUALITY,
    TABLE_FORMS,
    TIME_FORM,
    ZONE,
    Operation,
    Parameter,
    one_of,
    whole,
)
from api.params import Params
from api.problem import Fault, Problem
from api.reach import REACHES, points_of
from api.sample_form import SampleForm
from api.schemas_edits import (
    DecisionReply,
    EraseBody,
    QuarantineReply,
    QuarantineRow,
    RefusedEntry,
    ReleaseBody,
)
from api.selection import find_point
from historian.errors import PointNotFound
from historian.model import quality as q
from historian.model.access import Right
from historian.model.ports import REJECT_CODES, Outcome
from historian.model.quarantine import (
    STATES,
    DecisionResult,
    NewStamp,
    QuarantinedSample,
    QuarantineState,
    parse_shift_us,
)

ENTRIES_PAGE_DEFAULT: Final = 1_000
ENTRIES_PAGE_MAX: Final = 10_000
CODES: Final = (REJECT_CODES[Outcome.TIME_TOO_OLD], REJECT_CODES[Outcome.TIME_IN_FUTURE])


async def get_quarantine(request: web.Request) -> web.StreamResponse:
    """Entries by rising id."""
    context, params = request.app[CONTEXT], Params(request.query)
    form = SampleForm.of(params)
    name, code = params.text("point"), params.text("code")
    point_id = None if name is None else find_point(points_of(request), name).point.id
    if code is not None:
        code = params.choice("code", CODES, code)
    state = cast("QuarantineState", params.choice("state", STATES, "kept"))
    limit = params.whole("limit", 1, ENTRIES_PAGE_MAX, ENTRIES_PAGE_DEFAULT)
    scope = f"quarantine {point_id} {code} {state}"
    after_id = cursor.read(params.text("cursor"), scope) or 0
    desk = context.quarantine
    found = await desk.entries(point_id=point_id, code=code, state=state, after_id=after_id, limit=limit + 1)
    page = found[:limit]
    following = cursor.write(page[-1].id, scope) if len(found) > limit else ""
    rows = [_row_of(entry, context, form) for entry in page if _is_seen(request, entry)]
    choice = formats.choose_format(request)
    if choice is not Format.JSON:
        table = formats.table_of(rows, QuarantineRow)
        return await formats.reply_table(request, table, choice, next_cursor=following or None)
    return formats.reply_json(QuarantineReply(kept=desk.kept_count, entries=rows, next=following))


async def post_release(request: web.Request) -> web.StreamResponse:
    """Into the store, under the right stamp; what is not on disk there stays here."""
    context = request.app[CONTEXT]
    body = json_body.decode(await read_body(request), ReleaseBody)
    decision = decision_of(request, body)
    note_of(request).change(None, body, "released")
    result = await context.quarantine.release(body.ids, _stamp_of(body), decision, body.on_conflict)
    return formats.reply_json(_reply_of(result, context))


async def post_erase(request: web.Request) -> web.StreamResponse:
    """Given up; the entries stay as evidence."""
    context = request.app[CONTEXT]
    body = json_body.decode(await read_body(request), EraseBody)
    decision = decision_of(request, body)
    note_of(request).change(body.ids, None, "erased")
    return formats.reply_json(_reply_of(await context.quarantine.erase(body.ids, decision), context))


def _stamp_of(body: ReleaseBody) -> NewStamp:
    has_shift, has_time = isinstance(body.shift, str), isinstance(body.time, str | int)
    if has_shift and has_time:
        raise _wrong("/shift", "and time exclude each other", "不能与 time 同时给出")
    if has_time:
        if len(body.ids) != 1:
            raise _wrong(
                "/time", "is one sample's; name one id, or give a shift", "只能用于一个 id；多个请用 shift"
            )
        return NewStamp(time_us=edit_body.time_of(body.time, "/time"))
    return NewStamp(shift_us=_shift_us(body.shift)) if isinstance(body.shift, str) else NewStamp()


def _shift_us(text: str) -> int:
    try:
        return parse_shift_us(text)
    except ValueError as error:
        raise _wrong("/shift", str(error), "应为如 -8h、30m、-3650d") from None


def _wrong(pointer: str, en: str, zh: str) -> Problem:
    return Problem(
        problem.INVALID_BODY, f"{pointer}: {en}", f"{pointer}：{zh}", faults=(Fault(en, zh, pointer=pointer),)
    )


def _reply_of(result: DecisionResult, context: ApiContext) -> DecisionReply:
    return DecisionReply(
        done=result.done,
        already=result.already,
        refused=[RefusedEntry(id=one.id, code=one.code, detail=one.detail) for one in result.refused],
        kept=context.quarantine.kept_count,
        seq=result.sequence,
    )


def _is_seen(request: web.Request, entry: QuarantinedSample) -> bool:
    within = request.app[REACHES].within(identity_of(request), np.array([entry.point_id]))
    return within is None or bool(within[0])


def _row_of(entry: QuarantinedSample, context: ApiContext, form: SampleForm) -> QuarantineRow:
    try:
        point = context.registry.by_id(entry.point_id)
        name, unit = point.name, point.unit
    except PointNotFound:
        name, unit = str(entry.point_id), ""
    return QuarantineRow(
        id=entry.id,
        point=name,
        time=form.times.time(entry.time_us),
        value=entry.value,
        unit=unit,
        quality=form.quality(entry.quality),
        origin=q.origin_name(entry.quality),
        code=entry.code,
        source=entry.source,
        arrived_at=form.times.time(entry.arrival_us),
        state=entry.state,
        stored_time=form.times.time(entry.stored_time_us),
        decided_at=form.times.time(entry.decided_us),
        author=entry.author,
        reason=entry.reason,
        time_local=form.times.local(entry.time_us),
        arrived_at_local=form.times.local(entry.arrival_us),
    )


_POINT: Final = Parameter("point", "Only of this point: name, former name or id.", {"type": "string"})
_CODE: Final = one_of("code", "Only those that are here for this reason.", *CODES)
_STATE: Final = one_of("state", "`released` and `erased` ones are kept as evidence.", *STATES)
_LIMIT: Final = whole(
    "limit", f"Entries on a page; {ENTRIES_PAGE_DEFAULT} where absent.", 1, ENTRIES_PAGE_MAX
)
_DECISION_PROBLEMS: Final = (
    problem.MALFORMED_JSON, problem.INVALID_BODY, problem.EDIT_REFUSED, problem.BODY_TOO_LARGE, problem.STORE_FAULT,
)  # fmt: skip

OPERATIONS: Final = (
    Operation(
        "GET", "/quarantine", get_quarantine, "getQuarantine",
        "Samples stamped outside the time fence, which wait for a decision; by rising id.",
        QuarantineReply,
        parameters=(_POINT, _CODE, _STATE, _LIMIT, CURSOR, ZONE, TIME_FORM, QUALITY, FORMAT, BOM),
        problems=(
            problem.POINT_NOT_FOUND, problem.INVALID_CURSOR, problem.NOT_ACCEPTABLE, problem.STORE_FAULT,
        ),
        reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "POST", "/quarantine/release", post_release, "releaseQuarantined",
        "Store samples of the quarantine, their stamps moved or given; only what is on disk leaves it.",
        DecisionReply, problems=(*_DECISION_PROBLEMS, problem.QUEUE_FULL, problem.LOG_FAILED, problem.DISK_RESERVE),
        request_types=((JSON, ReleaseBody),), right=Right.EDIT, is_global=True,
    ),
    Operation(
        "POST", "/quarantine/erase", post_erase, "eraseQuarantined",
        "Give samples of the quarantine up, with a reason; the entries stay as evidence.",
        DecisionReply, problems=_DECISION_PROBLEMS, request_types=((JSON, EraseBody),), right=Right.EDIT, is_global=True,
    ),
)  # fmt: skip
