import json

from historian.client import quarantine_calls
from historian.client.exchange import Reply


def test_a_decision_sends_what_it_was_given() -> None:
    moved = quarantine_calls.release([1, 2], reason="r", author="W", shift="-8h")
    assert json.loads(moved.request.body) == {
        "ids": [1, 2], "reason": "r", "author": "W", "on_conflict": "keep", "shift": "-8h",
    }  # fmt: skip
    assert json.loads(quarantine_calls.release([1], reason="r", time=5).request.body)["time"] == 5
    assert json.loads(quarantine_calls.erase([1], reason="r").request.body)["ids"] == [1]


def test_entries_come_page_by_page() -> None:
    pages = quarantine_calls.quarantine(code="quarantined_in_future")
    assert dict(pages.first.request.query) == {
        "code": "quarantined_in_future",
        "state": "kept",
        "limit": "1000",
    }
    assert pages.first.read(Reply(200, {}, b'{"kept":0,"entries":[],"next":"c"}')).cursor == "c"
