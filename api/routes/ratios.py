"""Derived ratios of periods: load of transformers and lines, power factor; made anew on aggregates."""

from typing import Final

from aiohttp import web

from api import formats
from api.as_of import AS_OF
from api.context import CONTEXT
from api.operation import TIME_FORM, ZONE, Operation
from api.params import Params
from api.routes.rollups import PERIOD_PROBLEMS, PERIODS_OF_POINTS, read_asked
from api.sample_form import SampleForm
from api.schemas_derived import RatioReplyRow, RatiosReply
from api.selection import SELECTIONS
from api.time_form import TimeForm
from historian.energy.ratio import POWER_FACTOR_STANDARDS
from historian.model import unit
from historian.rollup.ratio_maker import RatioRow


async def get_ratios(request: web.Request) -> web.StreamResponse:
    """Ratios of every whole period that the range touches, point by point."""
    context, params = request.app[CONTEXT], Params(request.query)
    selected, times = request.app[SELECTIONS].of(request, params), SampleForm.of(params).times
    asked = read_asked(request, params, selected.ids, times.zone)
    rows = await context.derived.ratios.rows(asked)
    return formats.reply_json(
        RatiosReply(period=asked.period, rows=[_row_of(row, asked.period, times) for row in rows])
    )


def _row_of(row: RatioRow, period: str, times: TimeForm) -> RatioReplyRow:
    def number(value: float | None) -> float | None:
        return None if value is None else unit.convert(value, "1", row.point.unit)

    is_power_factor = row.term.formula == "power_factor"
    return RatioReplyRow(
        point=row.point.name,
        period=period,
        period_start=times.time(row.period_start_us),
        period_end=times.time(row.period_end_us),
        formula=row.term.formula,
        inputs=list(row.term.inputs),
        basis=row.basis,
        unit=row.point.unit,
        ratio=number(row.ratio),
        max=number(row.max_ratio),
        max_start=times.time(row.max_start_us),
        max_end=times.time(row.max_end_us),
        mean=number(row.mean),
        over_capacity_count=row.over_count,
        slot_count=row.slot_count,
        value_count=row.value_count,
        state=row.state,
        capacity=row.capacity,
        capacity_unit=row.capacity_unit,
        assumed_power_factor=row.term.assumed_power_factor,
        rounded=row.rounded,
        standards=list(POWER_FACTOR_STANDARDS) if is_power_factor else [],
        warnings=list(row.warnings),
    )


OPERATIONS: Final = (
    Operation(
        "GET", "/ratios", get_ratios, "getRatios",
        "Load ratios and power factors by period, made anew of sums and means, with the maximum and its time.",
        RatiosReply,
        parameters=(*PERIODS_OF_POINTS, AS_OF, ZONE, TIME_FORM), problems=PERIOD_PROBLEMS, is_query=True,
    ),
)  # fmt: skip
