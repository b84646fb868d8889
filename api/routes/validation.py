"""What validation rules find in a point's samples: those in force, or others on trial."""

from collections.abc import Sequence
from typing import Final, Literal

from aiohttp import web

from api import edit_body, formats, json_body, problem
from api.body import read_body
from api.context import CONTEXT
from api.operation import END, JSON, POINT, START, TIME_FORM, Operation
from api.params import Params
from api.problem import Fault, Problem
from api.sample_form import SampleForm
from api.schemas_vee import FindingReply, UncheckedReply, ValidationBody, ValidationReply
from api.selection import Named, path_point
from api.time_form import TimeForm
from historian.energy.finding import Finding
from historian.model import timestamp
from historian.model.term import NO_TERMS, PointTerms, RulesTerm, Span, with_span
from historian.model.timerange import TimeRange
from historian.rollup import prepared, rule_check
from historian.rollup.day_maker import Metered
from historian.rollup.findings import Findings, Told


async def get_validation(request: web.Request) -> web.StreamResponse:
    """Findings by the rules in force at each sample's time."""
    params, named = Params(request.query), path_point(request)
    span = params.span()
    terms = request.app[CONTEXT].terms.of(named.point.id)
    if not prepared.has_rules(terms):
        terms = NO_TERMS
    broken = await request.app[CONTEXT].derived.slots.findings(named.point, span.start_us, span.end_us)
    return await _reply(request, named, terms, span, SampleForm.of(params).times, broken)


async def post_validation(request: web.Request) -> web.StreamResponse:
    """The same by rules on trial; nothing is stored."""
    named, times = path_point(request), SampleForm.of(Params(request.query)).times
    body = json_body.decode(await read_body(request), ValidationBody)
    span = TimeRange(edit_body.time_of(body.start, "/start"), edit_body.time_of(body.end, "/end"))
    if span.is_empty:
        text = "is not after start; ranges are [start, end)"
        raise Problem(
            problem.INVALID_BODY, f"/end: {text}", "/end：须晚于 start", faults=(Fault(text, pointer="/end"),)
        )
    terms, term = request.app[CONTEXT].terms.of(named.point.id), RulesTerm(body.rules)
    rule_check.check_reach(body.rules, named.point)
    always = Span(timestamp.TIME_MIN_US, timestamp.TIME_MAX_US, term)
    return await _reply(request, named, with_span(terms, always), span, times)


async def _reply(
    request: web.Request,
    named: Named,
    terms: PointTerms,
    span: TimeRange,
    times: TimeForm,
    broken: Sequence[Finding] = (),
) -> web.StreamResponse:
    """`broken`: slots that do not fit those of other points."""
    found = await request.app[CONTEXT].vee.find(Metered(named.point, terms), span.start_us, span.end_us)
    told = [*found.told, *(Told(one, "suspect") for one in broken)]
    found = found._replace(told=sorted(told, key=lambda one: one.finding.start_us))
    return formats.reply_json(_reply_of(named, span, found, times))


def _reply_of(named: Named, span: TimeRange, found: Findings, times: TimeForm) -> ValidationReply:
    return ValidationReply(
        point=named.point.name,
        unit=named.point.unit,
        start=times.time(span.start_us),
        end=times.time(span.end_us),
        findings=[_finding_of(one, times) for one in found.told],
        unchecked=[
            UncheckedReply(rule=one.rule, start=times.time(one.start_us), end=times.time(one.end_us))
            for one in found.unchecked
        ],
        samples=found.sample_count,
        suspect=found.suspect_count,
        bad=found.bad_count,
        is_cut=found.is_cut,
        renamed_to=named.renamed_to,
    )


def _finding_of(told: Told, times: TimeForm) -> FindingReply:
    one = told.finding
    return FindingReply(
        rule=one.rule,
        start=times.time(one.start_us),
        end=times.time(one.end_us),
        count=one.count,
        worst=one.worst,
        mark=_MARKS.get(told.mark),
        detail=one.limits,
    )


_MARKS: Final[dict[str, Literal["suspect", "bad"]]] = {"suspect": "suspect", "bad": "bad"}
_PROBLEMS: Final = (problem.POINT_NOT_FOUND, problem.INVALID_TIME, problem.QUERY_TOO_LARGE)

OPERATIONS: Final = (
    Operation(
        "GET", "/points/{point}/validation", get_validation, "getValidation",
        "What the rules in force find in the samples of a range, and which of them could not be looked for.",
        ValidationReply, parameters=(POINT, START, END, TIME_FORM), problems=(*_PROBLEMS, problem.UNIT_MISMATCH), is_query=True,
    ),
    Operation(
        "POST", "/points/{point}/validation", post_validation, "tryValidation",
        "What other rules would find; nothing is stored.", ValidationReply, parameters=(POINT, TIME_FORM),
        problems=(
            *_PROBLEMS, problem.MALFORMED_JSON, problem.INVALID_BODY, problem.TERM_INVALID, problem.BODY_TOO_LARGE,
        ),
        request_types=((JSON, ValidationBody),), is_query=True,
    ),
)  # fmt: skip
