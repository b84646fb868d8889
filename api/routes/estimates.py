"""Estimates for what is missing: made, stored with their method and what they rest on, and listed."""

import asyncio
import datetime
import itertools
from collections.abc import Sequence
from typing import Final

import msgspec
from aiohttp import web
from msgspec import UNSET

from api import cursor, edit_body, formats, json_body, problem
from api.audit_note import note_of
from api.author import decision_of
from api.body import read_body
from api.context import CONTEXT
from api.operation import CURSOR, JSON, POINT, TIME_FORM, Operation, one_of, whole
from api.params import Params
from api.problem import Fault, Problem
from api.reach import points_of
from api.sample_form import SampleForm
from api.schemas_edits import MovedRollups
from api.schemas_vee import (
    EstimatedSample,
    EstimateEntryReply,
    EstimateListReply,
    EstimatesBody,
    EstimatesReply,
    StretchBody,
)
from api.selection import path_point
from api.time_form import TimeForm
from historian.catalogue.estimate_book import EstimateEntry
from historian.energy.estimate_inputs import EstimateRecord
from historian.model.access import Right
from historian.model.point import Point
from historian.rollup.estimator import Asked

_SCOPE: Final = "estimates"
_LIMIT_MAX: Final = 1_000
_LIMIT_DEFAULT: Final = 100


async def post_estimates(request: web.Request) -> web.StreamResponse:
    """Fill what is missing; with `dry_run` only tell."""
    params, named = Params(request.query), path_point(request)
    times, is_dry = SampleForm.of(params).times, params.is_set("dry_run")
    body = json_body.decode(await read_body(request), EstimatesBody)
    decision = decision_of(request, body)
    estimator = request.app[CONTEXT].vee.estimator
    planned = await estimator.plan(_asked_of(request, named.point, body))
    number = sequence = overtaken = 0
    if not is_dry and len(planned.estimate.time_us):
        stored = await estimator.store(planned, decision)
        note_of(request).change(
            None, f"{len(planned.estimate.time_us)} samples", f"estimate.{stored.entry.number}"
        )
        number, sequence, overtaken = stored.entry.number, stored.entry.sequence or 0, stored.overtaken_count
    made = planned.estimate
    pairs = zip(made.time_us.tolist(), made.value.tolist(), strict=True)
    return formats.reply_json(
        EstimatesReply(
            point=named.point.name,
            unit=named.point.unit,
            dry_run=is_dry,
            count=len(made.time_us),
            unchanged=planned.unchanged_count,
            samples=[EstimatedSample(time=times.time(time_us), value=value) for time_us, value in pairs],
            record=made.record,
            rollups=_rollups_of(named.point, planned.days),
            number=number,
            seq=sequence,
            overtaken=overtaken,
            renamed_to=named.renamed_to,
        )
    )


async def get_estimates(request: web.Request) -> web.StreamResponse:
    """Estimates made of the point, in the order of their making."""
    params, named = Params(request.query), path_point(request)
    times, limit = SampleForm.of(params).times, params.whole("limit", 1, _LIMIT_MAX, _LIMIT_DEFAULT)
    after = cursor.read(params.text("cursor"), f"{_SCOPE} {named.point.id}")
    book = request.app[CONTEXT].vee.estimator.book
    entries = await asyncio.to_thread(book.entries, named.point.id, after or 0, limit + 1)
    is_more = len(entries) > limit
    return formats.reply_json(
        EstimateListReply(
            point=named.point.name,
            estimates=[_entry_of(one, times) for one in entries[:limit]],
            renamed_to=named.renamed_to,
            next=cursor.write(entries[limit - 1].number, f"{_SCOPE} {named.point.id}") if is_more else "",
        )
    )


def _asked_of(request: web.Request, point: Point, body: EstimatesBody) -> Asked:
    registry = points_of(request)
    start_us, end_us = _stretch_of(body, "")
    outages = [] if body.outages is UNSET else body.outages
    spans = sorted(_stretch_of(one, f"/outages/{place}") for place, one in enumerate(outages))
    if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)):
        raise _problem("/outages", "overlap each other", "相互重叠")
    return Asked(
        point,
        start_us,
        end_us,
        like_days=() if body.like_days is UNSET else body.like_days,
        alternate=None if body.alternate is UNSET else registry.get(body.alternate),
        register=None if body.register is UNSET else registry.get(body.register),
        outages=spans,
    )


def _stretch_of(one: EstimatesBody | StretchBody, pointer: str) -> tuple[int, int]:
    start_us = edit_body.time_of(one.start, f"{pointer}/start")
    end_us = edit_body.time_of(one.end, f"{pointer}/end")
    if start_us >= end_us:
        raise _problem(f"{pointer}/end", "is not after start; ranges are [start, end)", "须晚于 start")
    return start_us, end_us


def _problem(pointer: str, en: str, zh: str) -> Problem:
    return Problem(
        problem.INVALID_BODY, f"{pointer}: {en}", f"{pointer}：{zh}", faults=(Fault(en, zh, pointer=pointer),)
    )


def _rollups_of(point: Point, days: Sequence[datetime.date]) -> MovedRollups:
    return MovedRollups(
        time_zone=point.time_zone,
        days=[day.isoformat() for day in days],
        months=sorted({day.replace(day=1).isoformat() for day in days}),
        years=sorted({day.replace(month=1, day=1).isoformat() for day in days}),
    )


def _entry_of(one: EstimateEntry, times: TimeForm) -> EstimateEntryReply:
    return EstimateEntryReply(
        number=one.number,
        start=times.time(one.start_us),
        end=times.time(one.end_us),
        count=one.sample_count,
        record=msgspec.json.decode(one.record, type=EstimateRecord),
        recorded_at=times.time(one.recorded_us),
        author=one.author,
        reason=one.reason,
        seq=one.sequence,
    )


_DRY_RUN: Final = one_of(
    "dry_run", "1 tells what would be estimated and stores nothing.", "0", "1", "false", "true"
)
_LIMIT: Final = whole("limit", f"Entries in one answer; {_LIMIT_DEFAULT} where absent.", 1, _LIMIT_MAX)

OPERATIONS: Final = (
    Operation(
        "POST", "/points/{point}/estimates", post_estimates, "estimateSamples",
        "Fill what is missing in a range with estimates; measured samples are never overwritten.", EstimatesReply,
        parameters=(POINT, _DRY_RUN, TIME_FORM),
        problems=(
            problem.MALFORMED_JSON, problem.POINT_NOT_FOUND, problem.INVALID_BODY, problem.EDIT_REFUSED,
            problem.INVALID_TIME, problem.UNIT_MISMATCH, problem.BODY_TOO_LARGE, problem.QUEUE_FULL,
            problem.LOG_FAILED, problem.DISK_RESERVE,
        ),
        request_types=((JSON, EstimatesBody),), right=Right.EDIT,
    ),
    Operation(
        "GET", "/points/{point}/estimates", get_estimates, "getEstimates",
        "Estimates that were made so, with method and what they rest on.", EstimateListReply,
        parameters=(POINT, _LIMIT, CURSOR, TIME_FORM), problems=(problem.POINT_NOT_FOUND, problem.INVALID_CURSOR),
    ),
)  # fmt: skip
