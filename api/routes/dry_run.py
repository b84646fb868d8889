"""Dry runs: which days and months would move, and by how much, if something were stated. Nothing is stored."""

from typing import Any, Final

import numpy as np
from aiohttp import web
from msgspec import UNSET
from multidict import MultiDict

from api import edit_body, formats, json_body, problem
from api.body import read_body
from api.context import CONTEXT
from api.operation import JSON, TIME_FORM, Operation
from api.params import Params
from api.problem import Fault, Problem
from api.routes.rollups import read_asked
from api.routes.terms import check_names
from api.sample_form import SampleForm
from api.schemas_terms import DryRunReply, MovedFigure
from api.schemas_vee import DryRunBody
from api.selection import SELECTIONS, Selection
from api.time_form import TimeForm
from historian.energy.calendar import DateRange
from historian.model import timestamp
from historian.model.term import EVENTS, Span, Step, TariffTerm, kind_of
from historian.rollup.point_unit import units_of
from historian.rollup.trial import Moved, Trial


async def post_dry_run(request: web.Request) -> web.StreamResponse:
    """Compute figures both ways and tell what differs."""
    context, times = request.app[CONTEXT], SampleForm.of(Params(request.query)).times
    body = json_body.decode(await read_body(request), DryRunBody)
    if body.term is UNSET and body.multiplier is UNSET and body.calendar is UNSET:
        raise _problem(
            "/term", "or multiplier or calendar: state what to try", "须给出 term、multiplier 或 calendar"
        )
    params = _params_of(body)
    selected = request.app[SELECTIONS].of(request, params)
    asked = read_asked(request, params, selected.ids.astype(np.int64), None)
    trial = Trial(
        asked.point_id,
        DateRange(asked.parts[0].first, asked.parts[-1].last),
        _span_of(request, body, selected),
        _multiplier_of(body),
        None if body.calendar is UNSET else body.calendar,
    )
    found = await context.vee.trials.run(trial)
    names = dict(zip(selected.ids.tolist(), selected.points, strict=True))
    rows = [
        _row_of(one, names[one.point_id].name, units_of(names[one.point_id]).energy, times)
        for one in found.rows
    ]
    return formats.reply_json(
        DryRunReply(
            dry_run=True,
            looked_at=found.looked_at,
            moved_days=found.moved_days,
            moved_months=found.moved_months,
            rows=rows,
            is_cut=found.is_cut,
        )
    )


def _params_of(body: DryRunBody) -> Params:
    """The selection and the dates, as other questions have them in their address."""
    given = MultiDict({"from": body.first, "to": body.last})
    if body.points is not UNSET:
        given["points"] = ",".join(body.points)
    if body.station is not UNSET:
        given["station"] = body.station
    return Params(given)


def _span_of(request: web.Request, body: DryRunBody, selected: Selection) -> Span | None:
    """The term on trial. Raises what stating it would."""
    if body.term is UNSET:
        return None
    context, kind = request.app[CONTEXT], kind_of(body.term)
    if kind in EVENTS and body.valid_from is UNSET:
        raise _problem("/valid_from", f"is required: {kind} happens at it", "必须给出")
    from_us = (
        timestamp.TIME_MIN_US
        if body.valid_from is UNSET
        else edit_body.time_of(body.valid_from, "/valid_from")
    )
    to_us = None if body.valid_to is UNSET else edit_body.time_of(body.valid_to, "/valid_to")
    is_own = (
        body.calendar is not UNSET
        and isinstance(body.term, TariffTerm)
        and body.term.calendar == body.calendar.id
    )
    if not is_own:
        check_names(body.term, context.tariffs, request)
    for point_id in selected.ids.tolist():
        context.terms.check(point_id, body.term, from_us, to_us)
    return Span(from_us, timestamp.TIME_MAX_US if to_us is None else to_us, body.term)


def _multiplier_of(body: DryRunBody) -> Step | None:
    if body.multiplier is UNSET:
        return None
    given = body.multiplier.valid_from
    from_us = timestamp.TIME_MIN_US if given is UNSET else edit_body.time_of(given, "/multiplier/valid_from")
    return Step(from_us, body.multiplier.value)


def _row_of(one: Moved, name: str, unit: str | None, times: TimeForm) -> MovedFigure:
    return MovedFigure(
        point=name,
        period=one.period,
        date=one.date.isoformat(),
        unit=unit or "",
        before=_told(one.before, times),
        after=_told(one.after, times),
        locked=one.is_locked,
    )


def _told(figures: dict[str, Any], times: TimeForm) -> dict[str, Any]:
    return {name: times.time(value) if name == "max_time" else value for name, value in figures.items()}


def _problem(pointer: str, en: str, zh: str) -> Problem:
    return Problem(
        problem.INVALID_BODY, f"{pointer}: {en}", f"{pointer}：{zh}", faults=(Fault(en, zh, pointer=pointer),)
    )


OPERATIONS: Final = (
    Operation(
        "POST", "/dry-run", post_dry_run, "dryRun",
        "Which days and months would move, and by how much, with another term, multiplier or calendar; nothing is stored.",
        DryRunReply, parameters=(TIME_FORM,),
        problems=(
            problem.MALFORMED_JSON, problem.INVALID_BODY, problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND,
            problem.TERM_INVALID, problem.TARIFF_NOT_FOUND, problem.TARIFF_INVALID, problem.INVALID_TIME,
            problem.QUERY_TOO_LARGE, problem.QUERY_REFUSED, problem.BODY_TOO_LARGE,
        ),
        request_types=((JSON, DryRunBody),), is_query=True,
    ),
)  # fmt: skip
