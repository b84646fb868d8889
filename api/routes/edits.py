"""Corrections by hand: told what they would change, then made, each with its reason."""

import asyncio
from typing import Final

from aiohttp import web

from api import edit_body, formats, json_body, precondition, problem, schemas_edits
from api.audit_note import note_of
from api.author import decision_of
from api.body import read_body
from api.context import CONTEXT
from api.edit_body import check_fields
from api.operation import JSON, POINT, QUALITY, TIME_FORM, Operation, one_of
from api.params import Params
from api.precondition import IF_MATCH
from api.sample_form import SampleForm, stored_label
from api.schemas_edits import EditBody, SampleChange, SampleState
from api.selection import Named, path_point
from historian.edit.editor import Editor
from historian.edit.moved import MovedPeriods
from historian.edit.plan import EditPlan
from historian.model import quality as q
from historian.model.access import Right
from historian.model.point import Point
from historian.model.timestamp import format_time


async def post_edits(request: web.Request) -> web.StreamResponse:
    """Correct, estimate, delete, undelete or restore samples of one point; with `dry_run` only tell."""
    context, params = request.app[CONTEXT], Params(request.query)
    named, form = path_point(request), SampleForm.of(params)
    is_dry = params.is_set("dry_run")
    body = json_body.decode(await read_body(request), EditBody)
    decision = decision_of(request, body)
    check_fields(body)
    editor = Editor(context.query, context.sink, context.clock, context.settings)
    plan = await _plan(editor, named.point, body)
    etag = precondition.etag_of_columns(f"{named.point.id} {body.kind}", list(plan[:6]))
    precondition.require_match(request, etag)
    moved = await editor.moved(named.point, plan)
    note_of(request).change(*_noted(plan), body.kind)
    sequence = 0 if is_dry else (await editor.apply(named.point, plan, decision)).sequence
    reply = schemas_edits.EditReply(
        point=named.point.name,
        unit=named.point.unit,
        label=stored_label(named.point),
        kind=body.kind,
        reason=decision.reason,
        author=decision.author,
        dry_run=is_dry,
        changed=plan.change_count,
        unchanged=plan.unchanged_count,
        missing=plan.missing_count,
        changes=await asyncio.to_thread(_changes_of, plan, form),
        rollups=_rollups_of(moved, named),
        seq=sequence,
        renamed_to=named.renamed_to,
    )
    return formats.reply_json(reply, headers={"ETag": etag})


async def _plan(editor: Editor, point: Point, body: EditBody) -> EditPlan:
    if body.kind in ("correct", "estimate"):
        return await editor.plan_values(point, edit_body.values_of(body, point))
    if body.kind == "restore":
        as_of_us = edit_body.time_of(body.as_of, "/as_of")
        return await editor.plan_restore(point, edit_body.span_of(body), as_of_us)
    has_times = isinstance(body.times, list)
    where = edit_body.times_of(body) if has_times else edit_body.span_of(body)
    return await editor.plan_marks(point, where, "delete" if body.kind == "delete" else "undelete")


def _noted(plan: EditPlan) -> tuple[str, str]:
    """The first change and how many there are; each is in `/revisions` with its reason for ever."""
    if not plan.change_count:
        return "", ""
    old = plan.old_value[0] if plan.has_old[0] else None
    return f"{old}", f"{plan.value[0]} at {format_time(int(plan.time_us[0]))}, {plan.change_count} samples"


def _changes_of(plan: EditPlan, form: SampleForm) -> list[SampleChange]:
    rows = zip(*(column.tolist() for column in plan[:6]), strict=True)
    return [
        SampleChange(
            time=form.times.time(time_us),
            old=_state_of(old_value, old_bits, form) if has_old else None,
            new=_state_of(value, bits, form),
        )
        for time_us, has_old, old_value, old_bits, value, bits in rows
    ]


def _state_of(value: float, bits: int, form: SampleForm) -> SampleState:
    return SampleState(
        value=value,
        quality=form.quality(bits),
        origin=q.origin_name(bits),
        is_deleted=bool(bits & q.DELETED),
    )


def _rollups_of(moved: MovedPeriods, named: Named) -> schemas_edits.MovedRollups:
    return schemas_edits.MovedRollups(
        time_zone=named.point.time_zone,
        days=[day.isoformat() for day in moved.days],
        months=[day.isoformat() for day in moved.months],
        years=[day.isoformat() for day in moved.years],
    )


_DRY_RUN: Final = one_of(
    "dry_run", "1 tells what would change and changes nothing.", "0", "1", "false", "true"
)

OPERATIONS: Final = (
    Operation(
        "POST", "/points/{point}/edits", post_edits, "editSamples",
        "Correct, estimate, delete, undelete or restore samples, with a reason; deleting marks, nothing is destroyed.",
        schemas_edits.EditReply, parameters=(POINT, _DRY_RUN, TIME_FORM, QUALITY, IF_MATCH),
        problems=(
            problem.MALFORMED_JSON, problem.POINT_NOT_FOUND, problem.INVALID_BODY, problem.EDIT_REFUSED,
            problem.UNIT_MISMATCH, problem.QUERY_TOO_LARGE, problem.BODY_TOO_LARGE, problem.QUEUE_FULL,
            problem.LOG_FAILED, problem.DISK_RESERVE, problem.PRECONDITION_FAILED,
        ),
        request_types=((JSON, EditBody),), right=Right.EDIT,
    ),
)  # fmt: skip
