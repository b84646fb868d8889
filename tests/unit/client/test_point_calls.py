import json

from historian.client import point_calls
from historian.client.exchange import Reply
from historian.client.replies import PointAttributes
from historian.model.term import BillingTerm


def test_names_are_quoted_and_what_is_none_is_not_sent() -> None:
    call = point_calls.put_point("热.a b", PointAttributes(unit="kW", kind="mean_power"))
    assert call.request.path == "/api/v1/points/%E7%83%AD.a%20b"
    assert json.loads(call.request.body) == {"unit": "kW", "kind": "mean_power"}


def test_what_would_do_more_the_second_time_is_not_repeated() -> None:
    stated = point_calls.state_term("a", BillingTerm(), valid_from=0, reason="r", valid_to=1)
    assert not stated.request.is_repeatable
    assert json.loads(stated.request.body)["term"]["kind"] == "billing"
    assert not point_calls.patch_point("a", PointAttributes()).request.is_repeatable
    assert point_calls.put_point("a", PointAttributes()).request.is_repeatable


def test_any_other_operation_as_plain_values() -> None:
    call = point_calls.plain("GET", "/factors", {"region": "CN"})
    assert (call.request.path, call.request.query, call.request.is_repeatable) == (
        "/api/v1/factors", (("region", "CN"),), True,
    )  # fmt: skip
    assert call.read(Reply(200, {}, b'{"a":1}')) == {"a": 1}
    assert not point_calls.plain("POST", "/dry-run", body={"x": 1}).request.is_repeatable
