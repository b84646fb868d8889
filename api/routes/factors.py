"""Conversion factors: told in all their versions, and put in a new one."""

import asyncio
from typing import Final

from aiohttp import web

from api import formats, json_body, problem
from api.as_of import AS_OF, moment_us
from api.audit_note import note_of
from api.author import decision_of
from api.body import read_body
from api.context import CONTEXT
from api.operation import JSON, TIME_FORM, Operation, Parameter
from api.params import Params
from api.problem import Problem
from api.sample_form import SampleForm
from api.schemas_derived import FactorBody, FactorsReply, FactorTableReply, FactorVersionReply
from api.time_form import TimeForm
from historian.model.access import Right
from historian.rollup.factor_book import FactorVersion

_FILTERS: Final = ("carrier", "basis", "region")


async def list_factors(request: web.Request) -> web.StreamResponse:
    """Tables of factors, all or those of a carrier, a basis or a region."""
    context, params = request.app[CONTEXT], Params(request.query)
    times, as_of_us = SampleForm.of(params).times, moment_us(request, params)
    wanted = {name: params.text(name) for name in _FILTERS}
    book = context.derived.factors
    tables: list[FactorTableReply] = []
    for table_id in book.ids():
        versions = book.versions(table_id, as_of_us)
        if _fits(versions[-1], wanted):
            tables.append(
                FactorTableReply(id=table_id, versions=[_version_of(one, times) for one in versions])
            )
    return formats.reply_json(FactorsReply(factors=tables))


async def put_factors(request: web.Request) -> web.StreamResponse:
    """Put a table of factors or the next version of one."""
    context, times = request.app[CONTEXT], SampleForm.of(Params(request.query)).times
    body = json_body.decode(await read_body(request), FactorBody)
    if body.table.id != request.match_info["factor"]:
        raise Problem.of_parameter(
            "factor", f"is not the table's id, {body.table.id!r}", "与因子表的 id 不同"
        )
    decision = decision_of(request, body)
    book = context.derived.factors
    old = book.versions(body.table.id)[-1].table if body.table.id in book.ids() else None
    made = await asyncio.to_thread(book.put, body.table, decision.author, decision.reason)
    note_of(request).change(old, made.table)
    return formats.reply_json(_version_of(made, times))


def _fits(version: FactorVersion, wanted: dict[str, str | None]) -> bool:
    table = version.table
    known: dict[str, set[str]] = {
        "carrier": {table.carrier},
        "basis": {table.basis},
        "region": {*table.values, *table.hours},
    }
    return all(value is None or value in known[name] for name, value in wanted.items())


def _version_of(one: FactorVersion, times: TimeForm) -> FactorVersionReply:
    return FactorVersionReply(
        table=one.table, recorded_at=times.time(one.recorded_us), author=one.author, reason=one.reason
    )


def _filter(name: str) -> Parameter:
    return Parameter(name, f"Only tables of this {name}.", {"type": "string"})


_FACTOR: Final = Parameter("factor", "Id of the table.", {"type": "string"}, "path", True)

OPERATIONS: Final = (
    Operation(
        "GET", "/factors", list_factors, "listFactors", "Conversion factors with their origin, in all versions.",
        FactorsReply, parameters=(*map(_filter, _FILTERS), AS_OF, TIME_FORM), problems=(problem.INVALID_TIME,),
    ),
    Operation(
        "PUT", "/factors/{factor}", put_factors, "putFactors",
        "Put a table of factors, or the next version of one; versions are never changed.", FactorVersionReply,
        parameters=(_FACTOR, TIME_FORM),
        problems=(
            problem.MALFORMED_JSON, problem.INVALID_BODY, problem.FACTOR_MISSING, problem.EDIT_REFUSED,
            problem.BODY_TOO_LARGE,
        ),
        request_types=((JSON, FactorBody),), right=Right.CONFIGURE, is_global=True,
    ),
)  # fmt: skip
