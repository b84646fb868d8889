"""The audit trail: who did what and when, for auditors; reading it is written down, too."""

import contextlib
from typing import Final

from aiohttp import web

from api import cursor, formats, problem
from api.auth import GATE
from api.caller import identity_of
from api.context import CONTEXT
from api.errors import REQUEST_ID
from api.formats import Format
from api.operation import BOM, CURSOR, FORMAT, TABLE_FORMS, Operation, Parameter, one_of, whole
from api.params import Params, parse_time
from api.peer import address_of
from api.schemas_audit import AuditChange, AuditReply, AuditRow
from historian.errors import AuditUnavailable
from historian.model.access import Right
from historian.model.audit import AuditEntry, AuditQuestion, AuditRecord, Kind
from historian.model.point import DAY_US
from historian.model.timestamp import TIME_MAX_US

RECORDS_PAGE_DEFAULT: Final = 1_000
RECORDS_PAGE_MAX: Final = 10_000


async def get_audit(request: web.Request) -> web.StreamResponse:
    """Records in the order they were written, from `since` on; of the last day where nothing is said."""
    context, params = request.app[CONTEXT], Params(request.query)
    question = _question_of(params, context.clock.now_us())
    scope = f"audit {question}"
    place = cursor.read(params.text("cursor"), scope)
    choice = formats.choose_format(request)
    who = identity_of(request)
    reading = AuditEntry(
        kind=Kind.AUDIT_READ, who=who.name, who_kind=who.kind, address=address_of(request, request.app[GATE].proxies),
        request_id=request.get(REQUEST_ID, ""), action="getAudit", object=str(request.rel_url),
    )  # fmt: skip
    if place is not None:
        context.audit.note(reading)  # as a count: else each page adds a record to what is paged, without end
    else:
        with contextlib.suppress(AuditUnavailable):  # just then somebody must be able to look
            await context.audit.record(reading)
    page = await context.audit.read(question, place)
    following = "" if page.next_place is None else cursor.write(page.next_place, scope)
    rows = [_row_of(record) for record in page.records]
    if choice is not Format.JSON:
        return await formats.reply_table(
            request, formats.table_of(rows, AuditRow), choice, next_cursor=following or None
        )
    anchor = context.audit.status().anchor
    return formats.reply_json(AuditReply(records=rows, anchor=str(anchor), next=following))


def _question_of(params: Params, now_us: int) -> AuditQuestion:
    since, until = params.text("since"), params.text("until")
    return AuditQuestion(
        since_us=now_us // DAY_US * DAY_US - DAY_US if since is None else parse_time("since", since),
        until_us=TIME_MAX_US if until is None else parse_time("until", until),
        who=params.text("who") or "",
        kind=params.choice("kind", ("", *Kind), ""),
        object=params.text("object") or "",
        limit=params.whole("limit", 1, RECORDS_PAGE_MAX, RECORDS_PAGE_DEFAULT),
    )


def _row_of(record: AuditRecord) -> AuditRow:
    return AuditRow(
        number=record.number,
        time=record.time,
        local=record.local,
        kind=record.kind,
        who=record.who,
        who_kind=record.who_kind,
        address=record.address,
        request_id=record.request_id,
        action=record.action,
        object=record.object,
        result=record.result,
        changes=[AuditChange(what=one.what, old=one.old, new=one.new) for one in record.changes],
        reason=record.reason,
        detail=record.detail,
        begun=record.begun,
        count=record.count,
    )


_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "string", "examples": ["2026-11-21T00:00:00+08:00", "1795190400000"]}
_SINCE: Final = Parameter("since", "From this instant on; yesterday's midnight UTC where absent.", _TIME)
_UNTIL: Final = Parameter("until", "Before this instant.", _TIME)
_WHO: Final = Parameter("who", "Only of this person, token or part of the system.", _TEXT)
_KIND: Final = one_of("kind", "Only of this kind.", *Kind)
_OBJECT: Final = Parameter("object", "Only where the object has this in it, such as a point's name.", _TEXT)
_LIMIT: Final = whole(
    "limit", f"Records on a page; {RECORDS_PAGE_DEFAULT} where absent.", 1, RECORDS_PAGE_MAX
)

OPERATIONS: Final = (
    Operation(
        "GET", "/audit", get_audit, "getAudit",
        "The audit trail in its order; a page may hold fewer records than asked for and still have a `next`.",
        AuditReply, parameters=(_SINCE, _UNTIL, _WHO, _KIND, _OBJECT, _LIMIT, CURSOR, FORMAT, BOM),
        problems=(
            problem.INVALID_TIME, problem.INVALID_CURSOR, problem.NOT_ACCEPTABLE, problem.AUDIT_UNAVAILABLE,
        ),
        reply_types=TABLE_FORMS, right=Right.AUDIT,
        is_global=True,  # no station is known of what it tells
    ),
)  # fmt: skip
