import datetime

from historian.client import energy_calls
from historian.client.exchange import Page, Reply

TIME = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)


def test_periods_are_named_as_the_interface_names_them() -> None:
    call = energy_calls.rollups(
        "2026-01", TIME, period="billing", points=["a", "b"], cutoff_day=5, fields=["energy"]
    )
    assert dict(call.request.query) == {
        "from": "2026-01", "to": "2026-01-05T00:00:00Z", "period": "billing", "cutoff_day": "5", "points": "a,b",
        "fields": "energy",
    }  # fmt: skip


def test_changes_end_where_there_are_none() -> None:
    pages = energy_calls.changes("c1")
    page = pages.first.read(Reply(200, {}, b'{"changes":[],"next":"c2","is_reset":false}'))
    assert page == Page([], "")
    assert dict(pages.first.request.query)["since"] == "c1"


def test_a_lock_is_never_sent_twice() -> None:
    assert not energy_calls.lock("2026-01-05", "2026-01-06", reason="r", points=["a"]).request.is_repeatable
    assert not energy_calls.unlock(3, reason="r").request.is_repeatable
    assert energy_calls.unlock(3, reason="r").request.path.endswith("/locks/3/unlock")
