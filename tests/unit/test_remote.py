"""Against a small HTTP server on the loopback that answers as the API documents."""

import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from historian import remote
from historian.clock import ManualClock
from historian.errors import HistorianError, PointConflict, PointNotFound, StoreReadOnly
from historian.model.point import MINUTE_US, PointDraft, PointKind, TimeLabel
from historian.model.ports import Outcome
from historian.model.sample import SampleBatch, make_batch
from historian.remote import RemoteDirectory, RemoteHistorian, RemoteSink

Reply = tuple[int, dict[str, str], Any]
REJECTS_LISTED_MAX = 3


class Api:
    """Points and samples in memory; `before` may answer instead, once for each entry."""

    def __init__(self) -> None:
        self.points: dict[str, dict[str, Any]] = {}
        self.samples: dict[tuple[str, Any], float] = {}
        self.before: list[Reply] = []
        self.requests: list[str] = []
        self.connection_count = 0
        self.is_closing = False  # as a server that lets idle connections go

    def answer(self, method: str, path: str, body: Any) -> Reply:
        self.requests.append(f"{method} {path}")
        if self.before:
            return self.before.pop(0)
        name = urllib.parse.unquote(path.rpartition("/")[2])
        match method, path.partition("?")[0]:
            case "POST", "/api/v1/points":
                return self._make(body)
            case "POST", "/api/v1/ingest":
                return self._ingest(body["series"])
            case "GET", "/api/v1/text":
                return 200, {"X-Next-Cursor": "c2", "Content-Type": "text/csv"}, "\ufeffa,b\r\n1,2\r\n"
        if name in self.points:
            return 200, {}, self.points[name]
        return 404, {}, {"title": "not found", "detail": f"no point is named {name!r}"}

    def _make(self, bodies: list[dict[str, Any]]) -> Reply:
        rejects = [
            {"index": 0, "name": body["name"], "code": "x", "detail": "bad name"}
            for body in bodies
            if body["name"] == "bad"
        ]
        made = [
            {"label": "instant", "interval": "15m", "time_zone": "UTC"} | body
            for body in bodies
            if not rejects
        ]
        self.points |= {body["name"]: body for body in made}
        return 200, {}, {"points": made, "rejects": rejects}

    def _ingest(self, series: list[dict[str, Any]]) -> Reply:
        counts = {"accepted": 0, "duplicate": 0, "replaced": 0, "conflict": 0, "rejected": 0}
        rejects = []
        for place, each in enumerate(series):
            for index, (time, value) in enumerate(zip(each["times"], each["values"], strict=True)):
                before = self.samples.get((each["point"], time))
                if value < 0:
                    counts["rejected"] += 1
                    rejects.append({"series": place, "index": index, "code": "time_in_future", "detail": ""})
                    continue
                self.samples[each["point"], time] = value
                word = "accepted" if before is None else "duplicate" if before == value else "replaced"
                counts[word] += 1
        omitted = max(0, len(rejects) - REJECTS_LISTED_MAX)
        named = rejects[:REJECTS_LISTED_MAX]
        return 200, {}, counts | {
            "rejects": named, "rejects_listed_max": REJECTS_LISTED_MAX, "rejects_omitted": omitted, "seq": 7,
        }  # fmt: skip


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def address(api: Api) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            api.connection_count += 1

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, headers, reply = api.answer(self.command, self.path, body)
            content = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection |= api.is_closing

        do_POST = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: the test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(address: str) -> Iterator[RemoteHistorian]:
    client = RemoteHistorian(address)
    yield client
    client.close()


def draft(name: str, kind: PointKind = PointKind.INTERVAL, label: TimeLabel | None = None) -> PointDraft:
    return PointDraft(name=name, unit="kWh", kind=kind, interval_us=15 * MINUTE_US, label=label)


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:x", "http://a:99999"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(HistorianError, match="--server"):
        RemoteHistorian(url)


def test_historian_that_is_not_there_is_named() -> None:
    client = RemoteHistorian("http://127.0.0.1:1")
    with pytest.raises(
        HistorianError, match=r"http://127\.0\.0\.1:1 does not answer: .*; is the historian running\?"
    ):
        client.get_json("/points", {})


def test_points_are_made_once_and_found_again(api: Api, client: RemoteHistorian) -> None:
    directory = RemoteDirectory(client)
    made = directory.ensure(draft("a/b", label=TimeLabel.PERIOD_END))
    assert (made.id, made.name, made.label) == (1, "a/b", TimeLabel.PERIOD_END)
    assert directory.ensure(draft("a/b")) == made
    assert directory.by_id(1) == made
    assert RemoteDirectory(client).get("a/b") == made
    assert api.requests[:2] == ["GET /api/v1/points/a%2Fb", "POST /api/v1/points"]


def test_point_of_another_kind_is_a_conflict(client: RemoteHistorian) -> None:
    RemoteDirectory(client).ensure(draft("a"))
    with pytest.raises(PointConflict, match="a is there already as interval in kWh"):
        RemoteDirectory(client).ensure(draft("a", PointKind.REGISTER))


def test_point_that_cannot_be_made_says_why(client: RemoteHistorian) -> None:
    with pytest.raises(PointConflict, match="point bad was not made: bad name"):
        RemoteDirectory(client).ensure(draft("bad"))


def test_unknown_point_is_not_found(client: RemoteHistorian) -> None:
    with pytest.raises(PointNotFound, match=r"^no point is named 'x'$"):
        RemoteDirectory(client).get("x")
    with pytest.raises(PointNotFound):
        RemoteDirectory(client).by_id(1)


SendBatch = Callable[[SampleBatch], Any]


@pytest.fixture
def directory(client: RemoteHistorian) -> RemoteDirectory:
    directory = RemoteDirectory(client)
    directory.ensure(draft("a", label=TimeLabel.PERIOD_END))
    directory.ensure(draft("b", label=TimeLabel.PERIOD_START))
    return directory


@pytest.fixture
def sink(client: RemoteHistorian, directory: RemoteDirectory) -> RemoteSink:
    return RemoteSink(client, directory, ManualClock())


def batch_of(count: int, value: float = 1.0) -> SampleBatch:
    """Half of point a, half of point b."""
    times = np.arange(count, dtype=np.int64) * 1_000_000
    return make_batch(np.where(np.arange(count) < count // 2, 1, 2), times, np.full(count, value))


async def test_samples_travel_with_the_label_of_their_point(api: Api, sink: RemoteSink) -> None:
    result = await sink.append(batch_of(4), source="import:f")
    assert result.outcome.tolist() == [Outcome.ACCEPTED] * 4
    assert result.sequence == 7
    quarter_ms = 15 * 60 * 1000  # a's stamps are ends: a quarter of an hour after the stored start
    assert list(api.samples) == [("a", quarter_ms), ("a", quarter_ms + 1000), ("b", 2000), ("b", 3000)]


async def test_times_between_milliseconds_are_kept(api: Api, sink: RemoteSink) -> None:
    await sink.append(make_batch(2, [1_000_001], [1.0]), source="import:f")
    assert list(api.samples) == [("b", "1970-01-01T00:00:01.000001Z")]


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


async def test_full_queue_is_waited_for(
    api: Api, client: RemoteHistorian, directory: RemoteDirectory
) -> None:
    clock = ManualClock()
    api.before = [(503, {"Retry-After": "2"}, {}), (429, {"Retry-After": "3"}, {})]
    result = await RemoteSink(client, directory, clock).append(batch_of(2), source="import:f")
    assert result.count(Outcome.ACCEPTED) == 2
    assert clock.monotonic_s() == 5.0


async def test_disk_reserve_ends_the_sending(api: Api, sink: RemoteSink) -> None:
    api.before = [(507, {}, {"detail": "the disk is nearly full"})]
    with pytest.raises(StoreReadOnly, match="the disk is nearly full"):
        await sink.append(batch_of(2), source="import:f")


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((422, {}, {"detail": "the unit is wrong"}), "^the unit is wrong$"),
        ((500, {}, {"title": "a fault"}), "^a fault$"),
        ((502, {}, "<html>"), "answered 502 Bad Gateway"),
        ((400, {}, [1]), "answered 400 Bad Request"),
    ],
)
def test_problem_is_told_in_the_words_of_the_api(
    api: Api, client: RemoteHistorian, reply: Reply, message: str
) -> None:
    api.before = [reply]
    with pytest.raises(HistorianError, match=message):
        client.get_json("/points", {})


def test_csv_comes_with_the_cursor_of_the_next_page(client: RemoteHistorian) -> None:
    assert client.get_csv("/text", {}) == ("a,b\r\n1,2\r\n", "c2")


def test_connection_is_kept_and_opened_anew_when_it_was_closed(api: Api, client: RemoteHistorian) -> None:
    api.before = [(200, {}, {}), (200, {"Connection": "close"}, {}), (200, {}, {})]
    for _ in range(3):
        client.get_json("/points", {})
    assert api.connection_count == 2


def test_connection_that_was_let_go_is_opened_anew(api: Api, client: RemoteHistorian) -> None:
    api.before = [(200, {}, {}), (200, {}, {})]
    api.is_closing = True
    client.get_json("/points", {})
    client.get_json("/points", {})
    assert api.connection_count == 2
