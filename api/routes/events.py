"""The feed of changes as Server-Sent Events: for those who want to hear of a change when it happens."""

from typing import Final

from aiohttp import web
from aiohttp.hdrs import METH_HEAD

from api import change_row, event_stream, problem
from api.auth import GATE
from api.caller import identity_of
from api.event_stream import EVENT_STREAMS, Wanted
from api.operation import POINTS, STATION, TIME_FORM, Operation, Parameter
from api.params import Params, params_of
from api.reach import points_of
from api.selection import SELECTIONS
from api.time_form import TimeForm

_LAST_EVENT_ID: Final = "Last-Event-ID"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}  # nobody between may hold events back


async def get_events(request: web.Request) -> web.StreamResponse:
    """Changes from a place on, as they happen; the connection stays open."""
    params = params_of(request)
    times = TimeForm.of(params)
    wanted = _wanted(request, params)
    place = change_row.read_place(request.headers.get(_LAST_EVENT_ID) or params.text("since"))
    streams, transport = request.app[EVENT_STREAMS], request.transport
    if transport is None:
        raise ConnectionResetError("the client went away")
    response = web.StreamResponse(headers=_HEADERS)
    response.content_type = event_stream.CONTENT_TYPE
    response.charset = "utf-8"
    response.force_close()
    streams.admit(transport)
    try:
        writer = await response.prepare(request)
        assert writer is not None, "the response is prepared once"
        if request.method != METH_HEAD:
            gate = request.app[GATE]
            await streams.follow(writer, place, wanted, times, lambda: gate.still_admits(request))
        await response.write_eof()
    except ConnectionError:
        transport.abort()
        raise
    finally:
        streams.release(transport)
    return response


def _wanted(request: web.Request, params: Params) -> Wanted:
    """Who is asked for; looked up again and again, because points may come to a station."""
    if params.text("station") is None and not params.names("points"):
        is_limited = identity_of(request).stations is not None
        return lambda: points_of(request).select_ids() if is_limited else None
    selections = request.app[SELECTIONS]
    selections.of(request, params)  # what nobody knows is refused at once
    return lambda: selections.of(request, params).ids


_SINCE: Final = Parameter(
    "since", "Where to go on: an `id` or the `next` of /changes; `0` for all that is kept; absent: from now on.",
    {"type": "string"},
)  # fmt: skip
_LAST_ID: Final = Parameter(
    _LAST_EVENT_ID, "The `id` of the last event received; goes before `since`.", {"type": "string"}, "header"
)

OPERATIONS: Final = (
    Operation(
        "GET", "/events", get_events, "getEvents",
        "The changes of /changes as Server-Sent Events; resumes exactly, `reset` where some were forgotten.",
        parameters=(_SINCE, _LAST_ID, POINTS, STATION, TIME_FORM),
        problems=(
            problem.INVALID_CURSOR, problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.TOO_MANY_FOLLOWERS,
        ),
        reply_types=(event_stream.CONTENT_TYPE,),
    ),
)  # fmt: skip
