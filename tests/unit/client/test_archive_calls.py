import json

import pytest

from historian.client import InvalidArgument, archive_calls, event_stream
from historian.client.archive_calls import SINCE_EVER
from historian.client.archive_replies import Party
from historian.client.exchange import Reply


def test_an_entity_is_sent_as_it_was_given() -> None:
    call = archive_calls.put_entity("meter", "a/b", {"name": None}, valid_from=SINCE_EVER, reason="r")
    assert call.request.path == "/api/v1/entities/meter/a%2Fb"
    assert json.loads(call.request.body) == {
        "attributes": {"name": None}, "extra": {}, "withdraw": [], "aliases": [], "reason": "r", "author": "",
        "valid_from": None,
    }  # fmt: skip
    assert "valid_from" not in json.loads(archive_calls.put_entity("meter", "a").request.body)


def test_what_may_not_be_done_twice_is_not_sent_again() -> None:
    put = archive_calls.put_entity
    assert put("meter", "a").request.is_repeatable
    for call in (
        put("meter", "a", revision=3),
        put("meter", "a", new_id="b"),
        put("meter", "a", withdraw=["x"]),
    ):
        assert not call.request.is_repeatable
    relate = archive_calls.put_relation
    assert relate("meter", "a", "meter_at", to=Party(type="metering_point", id="p")).request.is_repeatable
    assert not relate(
        "meter", "a", "meter_at", to=Party(type="x", id="p"), withdraw=True
    ).request.is_repeatable


@pytest.mark.parametrize(("revision", "header"), [(3, ("If-Match", '"3"')), (0, ("If-None-Match", "*"))])
def test_a_revision_is_asked_for(revision: int, header: tuple[str, str]) -> None:
    assert archive_calls.put_entity("meter", "a", revision=revision).request.headers == (header,)


def test_a_relation_has_one_other_side() -> None:
    party = Party(type="meter", id="a")
    for sides in ({}, {"to": party, "source": party}):
        with pytest.raises(InvalidArgument, match="one other side"):
            archive_calls.put_relation("meter", "b", "meter_at", **sides)


def test_pages_go_on_by_cursor() -> None:
    pages = archive_calls.entities("meter", at=0)
    assert dict(pages.first.request.query) == {"type": "meter", "limit": "500", "at": "0"}
    assert pages.first.read(Reply(200, {}, b'{"entities":[],"next":"c"}')).cursor == "c"
    trail = archive_calls.audit(since=0, kind="edit")
    assert dict(trail.first.request.query) == {"since": "0", "kind": "edit", "limit": "1000"}
    assert trail.first.read(Reply(200, {}, b'{"records":[],"next":""}')).cursor == ""


def test_events_of_some_points_or_of_a_station() -> None:
    asked = event_stream.events_request("7", ["a", "b"])
    assert (dict(asked.query), dict(asked.headers)["Last-Event-ID"]) == ({"points": "a,b"}, "7")
    assert dict(event_stream.events_request("", station="hall").query) == {"station": "hall"}
    assert event_stream.events_request("").query == ()
