"""``as_of=``: the answer that would have been given at an earlier moment."""

from typing import Final

from aiohttp import web

from api import problem
from api.context import CONTEXT
from api.operation import Parameter
from api.params import Params
from api.problem import Problem
from historian.model import timestamp
from historian.model.point import SECOND_US
from historian.query.engine import QueryEngine

AS_OF: Final = Parameter(
    "as_of",
    "Answer with what was known at this moment, which lies in the past.",
    {"type": "string", "examples": ["2026-11-21T00:00:00+08:00", "1795190400000"]},
)


def moment_us(request: web.Request, params: Params) -> int | None:
    """The moment asked for, None where none was. Raises Problem for one that has not come yet."""
    if params.text("as_of") is None:
        return None
    as_of_us = params.time_us("as_of")
    now_us = request.app[CONTEXT].clock.now_us()
    if as_of_us > now_us:
        now = timestamp.format_time(now_us)
        raise Problem.of_parameter(
            "as_of",
            f"has not come yet; it is {now}, and what will be known is not known now",
            f"尚未到来；现在是 {now}",
            problem.INVALID_TIME,
        )
    return as_of_us


def query_of(request: web.Request, params: Params) -> QueryEngine:
    """The engine that answers the request, as of the moment it asks for."""
    context = request.app[CONTEXT]
    as_of_us = moment_us(request, params)
    if as_of_us is None:
        return context.query
    return context.query.as_of(as_of_us, context.settings.ingest.future_fence_s * SECOND_US)
