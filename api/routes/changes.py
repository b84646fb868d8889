"""The feed of changes: which days that were over got other figures; a consumer goes on where it stopped."""

import datetime
from typing import Final

from aiohttp import web

from api import cursor, formats, problem
from api.context import CONTEXT
from api.operation import TIME_FORM, Operation, Parameter, whole
from api.params import Params
from api.sample_form import SampleForm
from api.schemas_terms import ChangeRow, ChangesReply

_LIMIT_MAX: Final = 50_000
_LIMIT_DEFAULT: Final = 1_000
_SCOPE: Final = "changes"


async def get_changes(request: web.Request) -> web.StreamResponse:
    """Changes after the cursor, in order. Without one only the cursor of now; `0` begins with the oldest kept."""
    context, params = request.app[CONTEXT], Params(request.query)
    times = SampleForm.of(params).times
    limit = params.whole("limit", 1, _LIMIT_MAX, _LIMIT_DEFAULT)
    since = params.text("since")
    place = 0 if since == "0" else cursor.read(since, _SCOPE)
    page = await context.rollup.changes(place, limit)
    changes = page.changes
    names = context.registry.names(changes.point_id)
    rows = zip(
        changes.point_id.tolist(), names, changes.day.tolist(), changes.revision.tolist(),
        changes.is_complete.tolist(), page.time_us.tolist(), strict=True,
    )  # fmt: skip
    replies = [
        ChangeRow(
            point=name,
            date=datetime.date.fromordinal(day).isoformat(),
            revision=revision,
            is_complete=bool(is_complete),
            changed_at=times.time(time_us),
            is_locked=context.billing.is_locked(point_id, day),
        )
        for point_id, name, day, revision, is_complete, time_us in rows
    ]
    next_cursor = cursor.write(page.next_place, _SCOPE)
    return formats.reply_json(ChangesReply(changes=replies, next=next_cursor, is_reset=page.is_reset))


_SINCE: Final = Parameter(
    "since",
    "The `next` of the answer before; `0` for all that is kept; absent: only where one is now.",
    {"type": "string"},
)
_LIMIT: Final = whole("limit", f"Changes in one answer; {_LIMIT_DEFAULT} where absent.", 1, _LIMIT_MAX)

OPERATIONS: Final = (
    Operation(
        "GET", "/changes", get_changes, "getChanges",
        "Days that are over and got other figures, in order; `is_reset` where some were forgotten before they were asked for.",
        ChangesReply, parameters=(_SINCE, _LIMIT, TIME_FORM), problems=(problem.INVALID_CURSOR,),
    ),
)  # fmt: skip
