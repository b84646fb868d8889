"""Dual-energy checks: two measurements of the same energy, and by how much they differ."""

from fractions import Fraction
from typing import Final

from aiohttp import web

from api import formats
from api.as_of import AS_OF
from api.context import CONTEXT
from api.operation import TIME_FORM, ZONE, Operation
from api.params import Params
from api.routes.rollups import PERIOD_PROBLEMS, PERIODS_OF_POINTS, read_asked
from api.sample_form import SampleForm
from api.schemas_derived import CheckReplyRow, ChecksReply, CheckSuggestion
from api.selection import SELECTIONS
from api.time_form import TimeForm
from historian.energy import fixed_point
from historian.rollup.check_maker import CheckRow


async def get_checks(request: web.Request) -> web.StreamResponse:
    """Checks of every whole period that the range touches, point by point."""
    context, params = request.app[CONTEXT], Params(request.query)
    selected, times = request.app[SELECTIONS].of(request, params), SampleForm.of(params).times
    asked = read_asked(request, params, selected.ids, times.zone)
    rows = await context.derived.checks.rows(asked)
    return formats.reply_json(
        ChecksReply(period=asked.period, rows=[_row_of(row, asked.period, times) for row in rows])
    )


def _row_of(row: CheckRow, period: str, times: TimeForm) -> CheckReplyRow:
    ratio = row.energy / row.other_energy if row.energy is not None and row.other_energy else None
    return CheckReplyRow(
        point=row.point.name,
        other=row.other.name,
        period=period,
        period_start=times.time(row.period_start_us),
        period_end=times.time(row.period_end_us),
        unit=row.unit,
        energy=_number(row.energy),
        other_energy=_number(row.other_energy),
        residual=_number(row.residual),
        ratio=_number(ratio),
        limit=_number(row.limit),
        tolerance=row.term.tolerance,
        steps=row.term.steps,
        is_exceeded=row.is_exceeded,
        suggestions=[
            CheckSuggestion(kind=one.kind, point=one.side, numbers=one.numbers) for one in row.suggestions
        ],
        state=row.state,
        warnings=list(row.warnings),
    )


def _number(amount: Fraction | None) -> float | None:
    return None if amount is None else fixed_point.to_float(amount)


OPERATIONS: Final = (
    Operation(
        "GET", "/checks", get_checks, "getChecks",
        "Two measurements of the same energy by period: both, their difference, the tolerance, and what may be behind it.",
        ChecksReply,
        parameters=(*PERIODS_OF_POINTS, AS_OF, ZONE, TIME_FORM), problems=PERIOD_PROBLEMS, is_query=True,
    ),
)  # fmt: skip
