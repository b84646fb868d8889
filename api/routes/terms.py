"""What was stated about a point beside its attributes: tariffs, meter exchanges, registers; told, stated, withdrawn."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from msgspec import UNSET

from api import edit_body, formats, json_body, problem
from api.as_of import AS_OF, moment_us
from api.audit_note import note_of
from api.author import decision_of
from api.body import read_body
from api.context import CONTEXT, ApiContext
from api.operation import JSON, POINT, TIME_FORM, Operation, Parameter
from api.params import Params, path_number
from api.reach import points_of
from api.sample_form import SampleForm
from api.schemas_terms import StatementReply, StepReply, TermBody, TermInForce, TermsReply, WithdrawBody
from api.selection import path_point
from api.time_form import TimeForm
from historian.model import timestamp
from historian.model.access import Right
from historian.model.point import DAY_US
from historian.model.term import (
    EVENTS,
    FIGURE_KINDS,
    CheckTerm,
    PartsTerm,
    PhasesTerm,
    PointTerms,
    RatesTerm,
    RatioTerm,
    Span,
    Statement,
    Step,
    TariffTerm,
    Term,
    TriangleTerm,
)
from historian.rollup.tariff_book import TariffBook


async def get_terms(request: web.Request) -> web.StreamResponse:
    """What holds of a point, now or as it was known, and all that was stated."""
    context, params = request.app[CONTEXT], Params(request.query)
    named, times = path_point(request), SampleForm.of(params).times
    as_of_us = moment_us(request, params)
    book, point_id = context.terms, named.point.id
    statements = book.statements(point_id)
    if as_of_us is not None:
        statements = [one for one in statements if one.recorded_us <= as_of_us]
    terms = await asyncio.to_thread(
        lambda: book.of(point_id) if as_of_us is None else book.as_of(point_id, as_of_us)
    )
    return formats.reply_json(
        TermsReply(
            point=named.point.name,
            in_force=[_in_force(span, times) for span in _spans_of(terms)],
            multiplier=_steps_of(
                terms.multiplier or (Step(timestamp.TIME_MIN_US, named.point.multiplier),), times
            ),
            capacity=_steps_of(terms.capacity, times),
            statements=[_reply_of(one, times) for one in statements],
            renamed_to=named.renamed_to,
        )
    )


async def post_term(request: web.Request) -> web.StreamResponse:
    """State that a term holds."""
    context = request.app[CONTEXT]
    named, times = path_point(request), SampleForm.of(Params(request.query)).times
    body = json_body.decode(await read_body(request), TermBody)
    decision = decision_of(request, body)
    check_names(body.term, context.tariffs, request)
    from_us = edit_body.time_of(body.valid_from, "/valid_from")
    to_us = None if body.valid_to is UNSET else edit_body.time_of(body.valid_to, "/valid_to")
    made = await asyncio.to_thread(
        context.terms.state, named.point.id, body.term, from_us, to_us, decision.author, decision.reason
    )
    note_of(request).change(None, made.term, f"term.{made.number}")
    await _follow(context, made)
    return formats.reply_json(_reply_of(made, times), status=201)


async def _follow(context: ApiContext, stated: Statement) -> None:
    """Figures follow what decides them; an event reaches as far as readings do, so all after it is looked at."""
    if stated.kind in FIGURE_KINDS:
        await context.rollup.restated(stated.point_id, stated.valid_from_us, stated.valid_to_us)
    elif stated.kind in EVENTS:
        await context.rollup.restated(stated.point_id, stated.valid_from_us - EVENT_REACH_US)


async def post_withdraw(request: web.Request) -> web.StreamResponse:
    """Take a statement back."""
    named, times = path_point(request), SampleForm.of(Params(request.query)).times
    body = json_body.decode(await read_body(request), WithdrawBody)
    decision = decision_of(request, body)
    number = path_number(request, "a statement", "编号")
    gone = await asyncio.to_thread(
        request.app[CONTEXT].terms.withdraw, named.point.id, number, decision.reason
    )
    note_of(request).change(gone.term, None, f"term.{gone.number}")
    await _follow(request.app[CONTEXT], gone)
    return formats.reply_json(_reply_of(gone, times))


def check_names(term: Term, tariffs: TariffBook, request: web.Request) -> None:
    """Raise TariffNotFound, TariffError or PointNotFound for what the term names and nobody knows."""
    if isinstance(term, TariffTerm):
        tariffs.check(term.calendar, frozenset(term.options))
    elif isinstance(term, RatesTerm | TriangleTerm | PhasesTerm | PartsTerm):
        for name in filter(None, term.names):
            points_of(request).get(name)
    elif isinstance(term, RatioTerm | CheckTerm):
        for name in term.inputs if isinstance(term, RatioTerm) else (term.point,):
            points_of(request).get(name)


def _spans_of(terms: PointTerms) -> list[Span]:
    return [span for kind in terms.spans for span in terms.of_kind(kind)] + list(terms.events)


def _in_force(span: Span, times: TimeForm) -> TermInForce:
    is_event = type(span.term).__struct_config__.tag in EVENTS
    return TermInForce(
        term=span.term,
        valid_from=times.time(span.from_us),
        valid_to=None if is_event or span.to_us == timestamp.TIME_MAX_US else times.time(span.to_us),
    )


def _steps_of(steps: Sequence[Step], times: TimeForm) -> list[StepReply]:
    return [
        StepReply(
            valid_from=None if step.from_us == timestamp.TIME_MIN_US else times.time(step.from_us),
            value=step.value,
        )
        for step in steps
    ]


def _reply_of(one: Statement, times: TimeForm) -> StatementReply:
    return StatementReply(
        number=one.number,
        term=one.term,
        valid_from=times.time(one.valid_from_us),
        recorded_at=times.time(one.recorded_us),
        author=one.author,
        reason=one.reason,
        state="stated" if one.withdrawn_us is None else "withdrawn",
        valid_to=times.time(one.valid_to_us),
        withdrawn_at=times.time(one.withdrawn_us),
        withdrawn_reason=one.withdrawn_reason,
    )


EVENT_REACH_US: Final = 40 * DAY_US  # to the reading before it, as a rule
NUMBER: Final = Parameter("number", "As recorded.", {"type": "integer", "minimum": 1}, "path", True)
_PROBLEMS: Final = (
    problem.MALFORMED_JSON, problem.POINT_NOT_FOUND, problem.INVALID_BODY, problem.TERM_INVALID, problem.EDIT_REFUSED,
    problem.INVALID_TIME, problem.TARIFF_NOT_FOUND, problem.BODY_TOO_LARGE,
)  # fmt: skip

OPERATIONS: Final = (
    Operation(
        "GET", "/points/{point}/terms", get_terms, "getTerms",
        "What was stated of a point beside its attributes, and what holds when.", TermsReply,
        parameters=(POINT, AS_OF, TIME_FORM), problems=(problem.POINT_NOT_FOUND, problem.INVALID_TIME),
    ),
    Operation(
        "POST", "/points/{point}/terms", post_term, "stateTerm",
        "State a tariff, a meter exchange, a register …; figures follow.", StatementReply,
        parameters=(POINT, TIME_FORM), problems=_PROBLEMS, request_types=((JSON, TermBody),), status=201, right=Right.CONFIGURE,
    ),
    Operation(
        "POST", "/points/{point}/terms/{number}/withdraw", post_withdraw, "withdrawTerm",
        "Take a statement back; it stays on record.", StatementReply,
        parameters=(POINT, NUMBER, TIME_FORM), problems=_PROBLEMS, request_types=((JSON, WithdrawBody),), right=Right.CONFIGURE,
    ),
)  # fmt: skip
