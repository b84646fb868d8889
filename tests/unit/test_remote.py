"""Against a script that answers as the API documents."""

import datetime
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from historian import remote
from historian.client.exchange import Reply, Request
from historian.errors import HistorianError, PointConflict, PointNotFound, StoreReadOnly
from historian.model import timestamp
from historian.model.point import MINUTE_US, PointDraft, PointKind, TimeLabel
from historian.model.ports import Outcome
from historian.model.sample import SampleBatch, make_batch
from historian.remote import RemoteDirectory, RemoteSink
from tests.support.scripted_client import ScriptedClient, json_reply

REJECTS_LISTED_MAX = 3


class Api:
    """Points and samples in memory; `before` answers instead, once for each entry."""

    def __init__(self) -> None:
        self.points: dict[str, dict[str, Any]] = {}
        self.samples: dict[tuple[str, int], float] = {}
        self.before: list[Reply] = []
        self.requests: list[str] = []

    def answer(self, request: Request) -> Reply:
        self.requests.append(f"{request.method} {request.path}")
        if self.before:
            return self.before.pop(0)
        match request.method, request.path:
            case "POST", "/api/v1/points":
                return self._make(json.loads(request.body))
            case "POST", "/api/v1/ingest":
                return self._ingest(pa.ipc.open_stream(request.body).read_all().to_pylist())
            case "GET", "/api/v1/text":
                is_second = "cursor" in dict(request.query)
                row, cursor = ("3,4", "") if is_second else ("1,2", "c2")
                return Reply(200, {"x-next-cursor": cursor}, f"\ufeffa,b\r\n{row}\r\n".encode())
        name = urllib.parse.unquote(request.path.rpartition("/")[2])
        if name in self.points:
            return json_reply(self.points[name])
        return json_reply({"title": "not found", "detail": f"no point is named {name!r}"}, 404)

    def _make(self, bodies: list[dict[str, Any]]) -> Reply:
        rejects = [
            {"index": 0, "name": body["name"], "code": "x", "detail": "bad name"}
            for body in bodies
            if body["name"] == "bad"
        ]
        made = [
            {"id": 77, "label": "instant", "interval": "15m", "time_zone": "UTC"} | body
            for body in bodies
            if not rejects
        ]
        self.points |= {body["name"]: body for body in made}
        counts = {"created": len(made), "existing": 0, "rejected": len(rejects)}
        return json_reply(counts | {"points": made, "rejects": rejects})

    def _ingest(self, rows: list[dict[str, Any]]) -> Reply:
        counts = {"accepted": 0, "duplicate": 0, "replaced": 0, "conflict": 0, "rejected": 0}
        rejects = []
        for index, row in enumerate(rows):
            key = row["point"], timestamp_us(row["time"])
            before = self.samples.get(key)
            if row["value"] < 0:
                counts["rejected"] += 1
                rejects.append({"index": index, "code": "time_in_future", "detail": ""})
                continue
            self.samples[key] = row["value"]
            word = "accepted" if before is None else "duplicate" if before == row["value"] else "replaced"
            counts[word] += 1
        omitted = max(0, len(rejects) - REJECTS_LISTED_MAX)
        named = rejects[:REJECTS_LISTED_MAX]
        return json_reply(counts | {
            "rejects": named, "rejects_listed_max": REJECTS_LISTED_MAX, "rejects_omitted": omitted, "seq": 7,
        })  # fmt: skip


def timestamp_us(moment: datetime.datetime) -> int:
    return (moment - timestamp.EPOCH) // datetime.timedelta(microseconds=1)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def client(api: Api) -> ScriptedClient:
    return ScriptedClient(api.answer)


def draft(name: str, kind: PointKind = PointKind.INTERVAL, label: TimeLabel | None = None) -> PointDraft:
    return PointDraft(name=name, unit="kWh", kind=kind, interval_us=15 * MINUTE_US, label=label)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(HistorianError, match="is no address of a historian"):
        remote.connect("ftp://a")


def test_points_are_made_once_and_found_again(api: Api, client: ScriptedClient) -> None:
    directory = RemoteDirectory(client)
    made = directory.ensure(draft("a/b", label=TimeLabel.PERIOD_END))
    assert (made.id, made.name, made.label) == (1, "a/b", TimeLabel.PERIOD_END)
    assert directory.ensure(draft("a/b")) == made
    assert directory.by_id(1) == made
    assert RemoteDirectory(client).get("a/b") == made
    assert api.requests[:2] == ["GET /api/v1/points/a%2Fb", "POST /api/v1/points"]


def test_point_of_another_kind_is_a_conflict(client: ScriptedClient) -> None:
    RemoteDirectory(client).ensure(draft("a"))
    with pytest.raises(PointConflict, match="a is there already as interval in kWh"):
        RemoteDirectory(client).ensure(draft("a", PointKind.REGISTER))


def test_point_that_cannot_be_made_says_why(client: ScriptedClient) -> None:
    with pytest.raises(PointConflict, match="point bad was not made: bad name"):
        RemoteDirectory(client).ensure(draft("bad"))


def test_unknown_point_is_not_found(client: ScriptedClient) -> None:
    with pytest.raises(PointNotFound, match=r"^no point is named 'x'$"):
        RemoteDirectory(client).get("x")
    with pytest.raises(PointNotFound):
        RemoteDirectory(client).by_id(1)


SendBatch = Callable[[SampleBatch], Any]


@pytest.fixture
def directory(client: ScriptedClient) -> RemoteDirectory:
    directory = RemoteDirectory(client)
    directory.ensure(draft("a", label=TimeLabel.PERIOD_END))
    directory.ensure(draft("b", label=TimeLabel.PERIOD_START))
    return directory


@pytest.fixture
def sink(client: ScriptedClient, directory: RemoteDirectory) -> RemoteSink:
    return RemoteSink(client, directory)


def batch_of(count: int, value: float = 1.0) -> SampleBatch:
    """Half of point a, half of point b."""
    times = np.arange(count, dtype=np.int64) * 1_000_000
    return make_batch(np.where(np.arange(count) < count // 2, 1, 2), times, np.full(count, value))


async def test_samples_travel_with_the_label_of_their_point(api: Api, sink: RemoteSink) -> None:
    result = await sink.append(batch_of(4), source="import:f")
    assert result.outcome.tolist() == [Outcome.ACCEPTED] * 4
    assert result.sequence == 7
    quarter = 15 * MINUTE_US  # a's stamps are ends: a quarter of an hour after the stored start
    assert list(api.samples) == [
        ("a", quarter),
        ("a", quarter + 1_000_000),
        ("b", 2_000_000),
        ("b", 3_000_000),
    ]


async def test_times_between_milliseconds_are_kept(api: Api, sink: RemoteSink) -> None:
    await sink.append(make_batch(2, [1_000_001], [1.0]), source="import:f")
    assert list(api.samples) == [("b", 1_000_001)]


async def test_sending_again_counts_duplicates(sink: RemoteSink) -> None:
    await sink.append(batch_of(4), source="import:f")
    assert (await sink.append(batch_of(4), source="import:f")).count(Outcome.DUPLICATE) == 4
    assert (await sink.append(batch_of(4, 2.0), source="import:f")).count(Outcome.REPLACED) == 4


async def test_refused_samples_are_named_even_where_the_reply_omits_some(sink: RemoteSink) -> None:
    batch = batch_of(20)
    batch.value[[1, 5, 9, 11, 12, 13, 19]] = -1.0
    result = await sink.append(batch, source="import:f")
    assert np.flatnonzero(result.outcome == Outcome.TIME_IN_FUTURE).tolist() == [1, 5, 9, 11, 12, 13, 19]
    assert result.count(Outcome.ACCEPTED) == 13


async def test_large_batch_goes_in_pieces(
    api: Api, sink: RemoteSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SAMPLES_PER_REQUEST_MAX", 3)
    before_count = len(api.requests)
    result = await sink.append(batch_of(8), source="import:f")
    assert result.count(Outcome.ACCEPTED) == 8
    assert len(api.requests) - before_count == 3


async def test_disk_reserve_ends_the_sending(api: Api, sink: RemoteSink) -> None:
    api.before = [json_reply({"detail": "the disk is nearly full"}, 507)]
    with pytest.raises(StoreReadOnly, match="the disk is nearly full"):
        await sink.append(batch_of(2), source="import:f")


async def test_what_is_not_finite_is_refused_here(sink: RemoteSink) -> None:
    batch = batch_of(4)
    batch.value[2] = np.nan
    result = await sink.append(batch, source="import:f")
    assert result.outcome.tolist() == [0, 0, Outcome.NOT_FINITE, 0]


async def test_other_problems_are_told_in_the_words_of_the_api(api: Api, sink: RemoteSink) -> None:
    api.before = [json_reply({"detail": "the unit is wrong"}, 422)]
    with pytest.raises(HistorianError, match=r"^the unit is wrong$"):
        await sink.append(batch_of(2), source="import:f")


def test_a_table_has_the_rows_of_every_page(client: ScriptedClient) -> None:
    assert remote.read_table(client, "/text", {"x": "1"}) == (["a", "b"], [["1", "2"], ["3", "4"]])
    assert client.requests[1].query == (("x", "1"), ("cursor", "c2"))
