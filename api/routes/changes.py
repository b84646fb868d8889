"""The feed of changes: which days that were over got other figures; a consumer goes on where it stopped."""

from typing import Final

from aiohttp import web

from api import change_row, formats, problem
from api.context import CONTEXT
from api.operation import TIME_FORM, Operation, Parameter, whole
from api.params import Params
from api.reach import points_of
from api.sample_form import SampleForm
from api.schemas_terms import ChangesReply

_LIMIT_MAX: Final = 50_000
_LIMIT_DEFAULT: Final = 1_000


async def get_changes(request: web.Request) -> web.StreamResponse:
    """Changes after the cursor, in order. Without one only the cursor of now; `0` begins with the oldest kept."""
    context, params = request.app[CONTEXT], Params(request.query)
    times = SampleForm.of(params).times
    limit = params.whole("limit", 1, _LIMIT_MAX, _LIMIT_DEFAULT)
    since = params.text("since")
    place = change_row.read_place(since)
    page = await context.rollup.changes(place, limit)
    rows = change_row.rows_of(page, context, points_of(request), times)
    next_cursor = change_row.write_place(page.next_place)
    return formats.reply_json(ChangesReply(changes=rows, next=next_cursor, is_reset=page.is_reset))


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
