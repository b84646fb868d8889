"""Locked periods: figures that were billed stay as they were told, until somebody takes the lock back."""

import asyncio
import datetime
from typing import Final

from aiohttp import web

from api import formats, json_body, problem
from api.audit_note import note_of
from api.author import decision_of
from api.body import read_body
from api.context import CONTEXT
from api.operation import JSON, POINTS, STATION, TIME_FORM, Operation
from api.params import Params, path_number
from api.routes.rollups import CUTOFF_DAY, CUTS, FROM, PERIOD, TO, read_asked
from api.routes.terms import NUMBER
from api.sample_form import SampleForm
from api.schemas_terms import LockedPeriod, LocksReply, WithdrawBody
from api.selection import SELECTIONS
from api.time_form import TimeForm
from historian.catalogue.lock_book import Lock
from historian.model.access import Right


async def get_locks(request: web.Request) -> web.StreamResponse:
    """Every lock of the points, those taken back too."""
    context, params = request.app[CONTEXT], Params(request.query)
    selected, times = request.app[SELECTIONS].of(request, params), SampleForm.of(params).times
    found = [
        _reply_of(lock, name, times)
        for point_id, name in zip(selected.ids.tolist(), selected.names, strict=True)
        for lock in context.billing.locks_of(point_id)
    ]
    return formats.reply_json(LocksReply(locks=found))


async def post_locks(request: web.Request) -> web.StreamResponse:
    """Lock every period asked for, all or none."""
    context, params = request.app[CONTEXT], Params(request.query)
    selected, times = request.app[SELECTIONS].of(request, params), SampleForm.of(params).times
    asked = read_asked(request, params, selected.ids, times.zone)
    body = json_body.decode(await read_body(request), WithdrawBody)
    decision = decision_of(request, body)
    made = await context.billing.lock(asked, decision.author, decision.reason)
    names = dict(zip(selected.ids.tolist(), selected.names, strict=True))
    for lock in made:
        note_of(request).change(
            None, "locked", f"{names[lock.key.point_id]} {lock.key.period} {lock.key.first_day}"
        )
    replies = [_reply_of(lock, names[lock.key.point_id], times) for lock in made]
    return formats.reply_json(LocksReply(locks=replies), status=201)


async def post_unlock(request: web.Request) -> web.StreamResponse:
    """Take a lock back; figures are those of the samples again."""
    context, times = request.app[CONTEXT], SampleForm.of(Params(request.query)).times
    number = path_number(request, "a lock", "锁定编号")
    body = json_body.decode(await read_body(request), WithdrawBody)
    decision = decision_of(request, body)
    gone = await asyncio.to_thread(context.billing.unlock, number, decision.author, decision.reason)
    note_of(request).change("locked", None, f"lock.{gone.number}")
    return formats.reply_json(_reply_of(gone, context.registry.by_id(gone.key.point_id).name, times))


def _reply_of(lock: Lock, name: str, times: TimeForm) -> LockedPeriod:
    energy = lock.figures.get("energy")
    return LockedPeriod(
        number=lock.number,
        point=name,
        period=lock.key.period,
        first_day=datetime.date.fromordinal(lock.key.first_day),
        last_day=datetime.date.fromordinal(lock.key.last_day - 1),
        time_zone=lock.time_zone,
        energy=None if energy is None else float(energy),
        locked_at=times.time(lock.locked_us),
        author=lock.author,
        reason=lock.reason,
        unlocked_at=times.time(lock.unlocked_us),
        unlock_author=lock.unlock_author,
        unlock_reason=lock.unlock_reason,
    )


_PROBLEMS: Final = (
    problem.MALFORMED_JSON, problem.INVALID_BODY, problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND,
    problem.LOCK_REFUSED, problem.EDIT_REFUSED, problem.QUERY_TOO_LARGE, problem.QUERY_REFUSED, problem.INVALID_TIME,
    problem.BODY_TOO_LARGE,
)  # fmt: skip

OPERATIONS: Final = (
    Operation(
        "GET", "/rollups/locks", get_locks, "getLocks", "Locked periods of some points, those taken back too.",
        LocksReply, parameters=(POINTS, STATION, TIME_FORM),
        problems=(problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND), is_query=True,
    ),
    Operation(
        "POST", "/rollups/locks", post_locks, "lockRollups",
        "Lock whole periods that are over: their rows stay as they are, state `final`.", LocksReply,
        parameters=(PERIOD, CUTOFF_DAY, CUTS, POINTS, STATION, FROM, TO, TIME_FORM), problems=_PROBLEMS,
        request_types=((JSON, WithdrawBody),), status=201, right=Right.EDIT,
    ),
    Operation(
        "POST", "/rollups/locks/{number}/unlock", post_unlock, "unlockRollup", "Take a lock back.", LockedPeriod,
        parameters=(NUMBER, TIME_FORM), problems=_PROBLEMS, request_types=((JSON, WithdrawBody),), right=Right.EDIT, is_global=True,
    ),
)  # fmt: skip
