"""Carbon dioxide and coal equivalent of periods: energy times factors, each of them named."""

import asyncio
from collections.abc import Sequence
from typing import Final, cast

import msgspec
from aiohttp import web

from api import carbon_form, problem
from api.as_of import AS_OF
from api.context import CONTEXT
from api.operation import TIME_FORM, ZONE, Operation, Parameter, one_of
from api.params import Params
from api.routes.rollups import PERIOD_PROBLEMS, PERIODS_OF_POINTS, read_asked
from api.sample_form import SampleForm
from api.schemas_derived import CarbonReply
from api.selection import SELECTIONS
from api.time_form import TimeForm
from historian.rollup.carbon_row import AskedBasis, CarbonAsk, CarbonRow, CoalBasis

_BASES: Final = ("location", "market", "footprint", "none")
_COAL: Final = ("equivalent", "equal_value")


async def get_carbon(request: web.Request) -> web.StreamResponse:
    """Carbon of every whole period that the range touches, point by point."""
    context, params = request.app[CONTEXT], Params(request.query)
    selected, form = request.app[SELECTIONS].of(request, params), SampleForm.of(params)
    asked = read_asked(request, params, selected.ids, form.times.zone)
    ask = CarbonAsk(
        basis=cast(AskedBasis, params.choice("basis", _BASES, "location")),
        coal=cast(CoalBasis, params.choice("coal", _COAL, "equivalent")),
        region=params.text("region") or "",
        may_be_provisional=params.is_set("provisional"),
    )
    rows = await context.derived.carbon.make(asked, ask)
    has_totals = len(selected.points) > 1
    reply = await asyncio.to_thread(_reply_of, rows, asked.period, ask.basis, form.times, has_totals)
    return web.Response(body=reply, content_type="application/json")


def _reply_of(rows: Sequence[CarbonRow], period: str, basis: str, times: TimeForm, has_totals: bool) -> bytes:
    return msgspec.json.encode(
        CarbonReply(
            period=period,
            basis=basis,
            rows=[carbon_form.row_of(row, period, times) for row in rows],
            totals=carbon_form.totals_of(rows, times) if has_totals else [],
        )
    )


_BASIS: Final = one_of(
    "basis",
    "Which answer is wanted; location where absent; none: coal equivalent only.",
    *_BASES,
)
_COAL_BASIS: Final = one_of(
    "coal", "Coal of equal heat (当量, default) or that was used to make it (等价).", *_COAL
)
_REGION: Final = Parameter("region", "Instead of the region stated of the points.", {"type": "string"})
_PROVISIONAL: Final = one_of(
    "provisional",
    "1: where a year has no factor yet the newest before it stands in.",
    "0",
    "1",
    "false",
    "true",
)

OPERATIONS: Final = (
    Operation(
        "GET", "/carbon", get_carbon, "getCarbon",
        "Carbon dioxide and coal equivalent by period, each factor named; a missing one is refused with what there is.",
        CarbonReply,
        parameters=(*PERIODS_OF_POINTS, _BASIS, _COAL_BASIS, _REGION, _PROVISIONAL, AS_OF, ZONE, TIME_FORM),
        problems=(*PERIOD_PROBLEMS, problem.FACTOR_MISSING),
        is_query=True,
    ),
)  # fmt: skip
