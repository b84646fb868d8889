"""Parameters out of a body, by the rules of the address."""

import pytest
from aiohttp.test_utils import make_mocked_request

from api import body_params
from api.problem import Problem
from api.schemas_query import QueryBody, RollupsBody


def test_the_body_says_what_is_asked_and_the_address_how_it_is_answered() -> None:
    request = make_mocked_request("POST", "/x?unit=W&time=epoch_ms&points=evil&format=csv")
    body = QueryBody(kind="at", points=["a", "b"], time=1_795_190_400_000)
    params = body_params.params_of(request, body)
    assert params.names("points") == ["a", "b"]
    assert params.time_us("time") == 1_795_190_400_000_000
    assert params.wants_epoch_ms()
    assert (params.text("unit"), params.text("format"), params.text("station")) == ("W", None, None)


def test_a_field_keeps_the_name_of_its_json() -> None:
    params = body_params.params_of(
        make_mocked_request("POST", "/x"), RollupsBody(from_="2026-01", to="2026-02")
    )
    assert (params.text("from"), params.text("to")) == ("2026-01", "2026-02")


def test_an_entry_is_one_name() -> None:
    with pytest.raises(Problem) as refusal:
        body_params.params_of(make_mocked_request("POST", "/x"), QueryBody(kind="at", points=["a", "b,c"]))
    assert refusal.value.faults[0].pointer == "/points/1"
