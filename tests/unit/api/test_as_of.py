"""Which engine answers, by the moment that is asked for."""

import pytest
from aiohttp.test_utils import make_mocked_request

from api.as_of import moment_us, query_of
from api.context import CONTEXT, ApiContext
from api.params import Params
from api.problem import Problem
from api.server import make_app
from tests.unit.api.conftest import NOW


async def test_no_moment_asks_the_engine_of_now(context: ApiContext) -> None:
    request = make_mocked_request("GET", "/", app=make_app(context))
    params = Params(request.query)
    assert moment_us(request, params) is None
    assert query_of(request, params) is request.app[CONTEXT].query


async def test_now_itself_may_be_asked_for_and_a_moment_later_not(context: ApiContext) -> None:
    app = make_app(context)
    request = make_mocked_request("GET", f"/?as_of={NOW}", app=app)
    assert moment_us(request, Params(request.query)) == context.clock.now_us()
    assert query_of(request, Params(request.query)) is not context.query
    later = make_mocked_request("GET", "/?as_of=2026-11-22T08:00:00.001Z", app=app)
    with pytest.raises(Problem, match="has not come yet"):
        moment_us(later, Params(later.query))
