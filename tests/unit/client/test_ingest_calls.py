import datetime
import json

import pytest

from historian.client import ingest_calls
from historian.client.errors import InvalidArgument
from historian.client.exchange import Reply
from historian.client.replies import IngestResult, Reject

TIME = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)


def test_each_request_has_a_key_of_its_own_and_rows_are_those_of_the_whole() -> None:
    parts = ingest_calls.ingest({"a": ([TIME] * 5, [float("nan"), 2.0, 3.0, 4.0, 5.0])}, rows_max=2)
    calls = list(parts.calls)
    keys = [dict(call.request.headers)["Idempotency-Key"] for call in calls]
    assert (len(calls), len(set(keys)), parts.first.skipped) == (2, 2, 1)
    reply = {"rejected": 2, "rejects": [{"code": "x", "index": 1}, {"code": "y", "count": 3}]}
    told = calls[1].read(Reply(200, {}, json.dumps(reply).encode()))
    assert [reject.index for reject in told.rejects] == [4, None]


def test_results_add_up() -> None:
    one = IngestResult(accepted=1, rejects=[Reject(code="a")], seq=3, skipped=2)
    two = IngestResult(accepted=2, duplicate=1, rejects=[Reject(code="b")], seq=5)
    total = ingest_calls.add(one, two)
    assert (total.accepted, total.duplicate, total.skipped, total.seq) == (3, 1, 2, 5)
    assert [reject.code for reject in total.rejects] == ["a", "b"]


def test_an_error_tells_what_was_stored_before() -> None:
    error = InvalidArgument("x")
    ingest_calls.told_before(error, IngestResult())
    assert not hasattr(error, "__notes__")
    ingest_calls.told_before(error, IngestResult(accepted=7))
    assert error.__notes__ == ["7 samples of this call were stored before; sending all again is harmless"]


def test_rows_of_a_request_are_at_least_one() -> None:
    with pytest.raises(InvalidArgument, match="rows_max is 0"):
        ingest_calls.ingest({}, rows_max=0)


def test_text_goes_as_it_is() -> None:
    call = ingest_calls.write_lines("a b=1 1", precision="s")
    assert (call.request.path, call.request.query, call.request.body) == (
        "/api/v2/write", (("precision", "s"),), b"a b=1 1",
    )  # fmt: skip
    assert call.read(Reply(204, {}, b"")) is None
    assert ingest_calls.ingest_csv("x").request.content_type == "text/csv"
    assert json.loads(ingest_calls.ingest_series([]).request.body)["on_conflict"] == "replace"
