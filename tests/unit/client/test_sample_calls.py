import datetime
import json

from historian.client import sample_calls

TIME = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)


def test_pages_ask_for_the_same_with_a_limit() -> None:
    whole = sample_calls.recorded("a", TIME, 0, order="desc", unit="MW")
    paged = sample_calls.recorded_pages("a", TIME, 0, order="desc", unit="MW", page_size=5)
    assert paged.first.request.query == (*whole.request.query, ("limit", "5"))
    assert dict(whole.request.query)["start"] == "2026-01-05T00:00:00Z"


def test_revisions_of_one_moment_or_of_a_range() -> None:
    assert dict(sample_calls.revisions("a", TIME).first.request.query) == {
        "time": "2026-01-05T00:00:00Z", "limit": "1000",
    }  # fmt: skip
    assert set(dict(sample_calls.revisions("a", TIME, 0).first.request.query)) == {"start", "end", "limit"}


def test_an_edit_sends_what_it_was_given() -> None:
    call = sample_calls.edit("a", "restore", reason="r", start=TIME, end=0, as_of=TIME, dry_run=True)
    assert json.loads(call.request.body) == {
        "kind": "restore", "reason": "r", "author": "", "start": "2026-01-05T00:00:00Z", "end": "0",
        "as_of": "2026-01-05T00:00:00Z",
    }  # fmt: skip
    assert call.request.query == (("dry_run", "true"),)
    corrected = sample_calls.edit("a", "correct", reason="r", times=[TIME, 5], values=[1.0, 2.0])
    assert json.loads(corrected.request.body)["times"] == ["2026-01-05T00:00:00Z", 5]
