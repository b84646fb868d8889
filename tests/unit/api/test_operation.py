"""An operation knows its paths and checks its parameters."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from api.operation import OPERATIONS_BASES, START, TIME_FORM, Operation, one_of, whole
from api.problem import Problem


async def answer(request: web.Request) -> web.StreamResponse:
    return web.Response(text="answered")


def test_an_operation_of_the_process_answers_at_the_root_and_under_the_base() -> None:
    operation = Operation("GET", "/healthz", answer, "getHealth", "", bases=OPERATIONS_BASES)
    assert operation.paths() == ["/healthz", "/api/v1/healthz"]


async def test_a_parameter_that_is_not_in_the_table_is_refused() -> None:
    handler = Operation("GET", "/x", answer, "getX", "", parameters=(START,)).checked_handler()
    assert (await handler(make_mocked_request("GET", "/x?start=1"))).status == 200
    with pytest.raises(Problem, match="end: is not known here"):
        await handler(make_mocked_request("GET", "/x?end=1"))


async def test_a_word_that_is_not_offered_is_refused_even_where_nobody_reads_it() -> None:
    handler = Operation("GET", "/x", answer, "getX", "", parameters=(TIME_FORM,)).checked_handler()
    for query in ("", "?time=epoch_ms", "?time="):
        assert (await handler(make_mocked_request("GET", f"/x{query}"))).status == 200
    with pytest.raises(Problem, match="time: 'AAA' is not one of: rfc3339, epoch_ms"):
        await handler(make_mocked_request("GET", "/x?time=AAA"))


async def test_a_page_takes_any_query() -> None:
    handler = Operation("GET", "/", answer, "getPage", "", takes_any_query=True).checked_handler()
    assert (await handler(make_mocked_request("GET", "/?anything=1"))).status == 200


def test_parameters_carry_their_schema() -> None:
    assert one_of("order", "", "asc", "desc").schema == {"type": "string", "enum": ["asc", "desc"]}
    assert whole("limit", "", 1, 5).schema["maximum"] == 5
    assert START.is_required
