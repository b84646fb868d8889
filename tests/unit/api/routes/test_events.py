"""Server-Sent Events over real sockets: resumed exactly, loud where something is gone, bounded in every way."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from aiohttp import ClientResponse, ClientSession, ClientTimeout

from api import event_stream
from api.server import make_app, start
from historian.clock import ManualClock
from historian.model.point import PointDraft, PointKind
from historian.rollup import change_log
from historian.settings import EventSettings, ServerSettings, Settings
from tests.support.guarded import Guarded, log_in
from tests.support.waiting import until
from tests.unit.api.conftest import Api, expect_problem

EVENTS = "/api/v1/events"
PATIENCE = ClientTimeout(total=20)


OPEN = ServerSettings(auth="off")


@pytest.fixture
def settings() -> Settings:
    return Settings(events=EventSettings(clients_max=2, heartbeat_s=1))


def log_days(api: Api | Guarded, *days: int, point_id: int = 1, kept_max: int = 10**6) -> None:
    """Log a change of each day, by the file itself."""
    count = len(days)
    changes = change_log.Changes(
        np.full(count, point_id, np.uint32), np.array(days, np.int32), np.ones(count, np.uint32),
        np.ones(count, np.uint8),
    )  # fmt: skip
    keeper = api.context.rollup._days
    with keeper._table._database.transaction() as connection:
        change_log.write(connection, changes, 1_000_000, kept_max)
    keeper.told.ring()


class Follower:
    """Reads events off one connection, and remembers the last id."""

    def __init__(self, response: ClientResponse, last_id: str) -> None:
        self.response = response
        self.last_id = last_id

    async def next_block(self) -> dict[str, str]:
        block: dict[str, str] = {}
        while (line := (await self.response.content.readline()).decode().rstrip("\n")) or not block:
            assert line or block, "the stream ended"
            name, _, value = line.partition(": ")
            block[name] = value
        self.last_id = block.get("id", self.last_id)
        return block

    async def next_event(self) -> dict[str, Any]:
        while "data" not in (block := await self.next_block()):
            pass
        return {"event": block["event"], **msgspec.json.decode(block["data"])}

    async def next_days(self, count: int) -> list[int]:
        dates = [(await self.next_event())["date"] for _ in range(count)]
        return [int(date[-2:]) for date in dates]


DAY_1 = 739_251  # 2024-12-31 is the day before, so `day + n` ends in n
DAYS = {n: DAY_1 + n for n in range(32)}


Follow = Callable[..., Awaitable[Follower]]


@pytest.fixture
async def follow() -> AsyncIterator[Follow]:
    """Opens connections that the test need not close."""
    opened: list[ClientResponse] = []

    async def follow_one(client: ClientSession, last_id: str = "", query: str = "") -> Follower:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        response = await client.get(EVENTS + query, headers=headers, timeout=PATIENCE)
        opened.append(response)
        assert response.status == 200, await response.text()
        follower = Follower(response, last_id)
        assert (await follower.next_block())["retry"] == str(event_stream.RETRY_MS)
        return follower

    yield follow_one
    for response in opened:
        response.close()


async def test_the_head_says_what_it_is_and_that_nobody_may_hold_it_back(api: Api, follow: Follow) -> None:
    follower = await follow(api.client)
    headers = follower.response.headers
    assert follower.response.content_type == "text/event-stream"
    assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-store", "no")
    assert headers["X-Request-Id"]


async def test_a_change_is_told_when_it_is_logged(api: Api, follow: Follow) -> None:
    await api.put_point("a")
    follower = await follow(api.client)
    log_days(api, DAYS[5])
    event = await follower.next_event()
    assert event == {
        "event": "change", "point": "a", "date": "2025-01-05", "revision": 1, "is_complete": True,
        "changed_at": "1970-01-01T00:00:01Z", "is_locked": False,
    }  # fmt: skip


async def test_figures_made_in_the_background_are_told(api: Api, follow: Follow) -> None:
    await api.put_point("e", "kWh", "interval")
    follower = await follow(api.client)
    times = [1_795_104_000_000 + i * 900_000 for i in range(96)]
    await api.ingest({"point": "e", "times": times, "values": [1.0] * 96})
    api.context.rollup.mark(np.full(96, 1, np.uint32), np.array(times, np.int64) * 1000)
    await api.get_json("/api/v1/rollups?points=e&from=2026-11-20&to=2026-11-21")
    event = await follower.next_event()
    assert (event["point"], event["date"], event["is_complete"]) == ("e", "2026-11-20", True)


async def test_over_cuts_at_any_event_nothing_is_told_twice_or_left_out(
    api: Api, monkeypatch: pytest.MonkeyPatch, follow: Follow
) -> None:
    monkeypatch.setattr(event_stream, "PAGE_ROWS", 3)
    await api.put_point("a")
    log_days(api, *(DAYS[n] for n in range(1, 8)))
    log_days(api, DAYS[8])
    seen: list[int] = []
    last_id = "0"
    for count in (1, 2, 4, 1, 3):
        follower = await follow(api.client, last_id)
        seen += await follower.next_days(count)
        last_id = follower.last_id
        follower.response.close()
        if len(seen) == 7:
            log_days(api, DAYS[9], DAYS[10], DAYS[11])
    assert seen == list(range(1, 12))


async def test_since_takes_what_changes_gave(api: Api, follow: Follow) -> None:
    await api.put_point("a")
    place = (await api.get_json("/api/v1/changes"))["next"]
    log_days(api, DAYS[1])
    assert await (await follow(api.client, query=f"?since={place}")).next_days(1) == [1]


async def test_who_comes_too_late_is_told_loudly(api: Api, follow: Follow) -> None:
    await api.put_point("a")
    place = (await api.get_json("/api/v1/changes"))["next"]
    log_days(api, DAYS[1])
    log_days(api, DAYS[2], kept_max=1)
    follower = await follow(api.client, place)
    assert (await follower.next_event())["event"] == "reset"
    assert follower.last_id == place
    assert await follower.next_days(1) == [2]


async def test_only_points_asked_for_are_told_and_the_place_moves_on(api: Api, follow: Follow) -> None:
    await api.put_point("a", station="north")
    await api.put_point("b", station="south")
    follower = await follow(api.client, "0", "?station=south")
    first_id = follower.last_id
    log_days(api, DAYS[1], point_id=1)
    log_days(api, DAYS[2], point_id=2)
    assert await follower.next_days(1) == [2]
    log_days(api, DAYS[3], point_id=1)
    await api.put_point("c", station="south")
    log_days(api, DAYS[4], point_id=3)
    assert (await follower.next_event())["point"] == "c"
    assert follower.last_id != first_id
    await api.problem(EVENTS + "?points=nobody", 404, "point-not-found")


async def test_a_sign_of_life_comes_without_changes(context: Any, follow: Follow) -> None:
    hurried = Settings(server=OPEN, events=EventSettings(heartbeat_s=0.01))  # type: ignore[arg-type]
    await context.rollup.open()
    runner = await start(make_app(context._replace(settings=hurried)), "127.0.0.1", 0)
    host, port = runner.addresses[0][:2]
    async with ClientSession(f"http://{host}:{port}") as client:
        follower = await follow(client)
        assert await follower.next_block() == {"": "alive", "id": follower.last_id}
    await runner.cleanup()
    await context.answers.close()
    await context.rollup.close()


async def test_too_many_followers_are_refused_and_counted(api: Api, follow: Follow) -> None:
    followers = [await follow(api.client) for _ in range(2)]
    response = await api.client.get(EVENTS)
    await expect_problem(response, 503, "too-many-followers")
    assert response.headers["Retry-After"]
    followers[0].response.close()
    for _ in range(100):  # until the server has seen the connection go
        text = await (await api.get("/metrics")).text()
        if "historian_events_clients 1" in text:
            break
    assert re.search(r"^historian_events_refused_total 1$", text, re.MULTILINE)
    assert (await follow(api.client)).response.status == 200


@pytest.fixture
async def address(context: Any) -> AsyncIterator[tuple[str, int]]:
    """Of a server that cuts who takes nothing for 0.2 s."""
    strict = Settings(server=OPEN, events=EventSettings(stall_s=0.2))  # type: ignore[arg-type]
    await context.rollup.open()
    runner = await start(make_app(context._replace(settings=strict)), "127.0.0.1", 0)
    yield runner.addresses[0][:2]
    await runner.cleanup()
    await context.answers.close()
    await context.rollup.close()


async def test_who_never_reads_is_cut_and_costs_no_memory(
    context: Any, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = 0
    send = event_stream.EventStreams._send

    async def count(self: Any, writer: Any, chunk: bytes) -> None:
        nonlocal sent
        sent += len(chunk)
        await send(self, writer, chunk)

    monkeypatch.setattr(event_stream.EventStreams, "_send", count)
    context.registry.create(PointDraft(name="a", unit="kW", kind=PointKind.INSTANTANEOUS))
    api = Api(None, context, None, None, None)  # type: ignore[arg-type]
    for _ in range(20):
        log_days(api, *(DAY_1 + n for n in range(5_000)))
    client = socket.create_connection(address)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(b"GET /api/v1/events?since=0 HTTP/1.1\r\nHost: x\r\n\r\n")
    cut = context.metrics.counter("historian_events_cut_total", "")
    await until(lambda: cut.value > 0, 20, step_s=0.01)
    assert sent < 8 << 20, "of 20 MB: what the kernel took, and one page"
    client.close()


def two_stations(guarded: Guarded) -> None:
    for station in ("north", "south"):
        draft = PointDraft(name=f"{station}.feeder", unit="kW", kind=PointKind.INSTANTANEOUS, station=station)
        guarded.context.registry.create(draft)


async def test_who_has_one_station_hears_of_no_other(guarded: Guarded, follow: Follow) -> None:
    two_stations(guarded)
    async with guarded.client() as client:
        client.headers.update(guarded.token(stations=["south"]))
        follower = await follow(client, "0")
        log_days(guarded, DAYS[1], point_id=1)
        log_days(guarded, DAYS[2], point_id=2)
        event = await follower.next_event()
        assert (event["point"], event["date"][-2:]) == ("south.feeder", "02")


async def test_a_stream_ends_with_its_token_within_a_heartbeat(guarded: Guarded, follow: Follow) -> None:
    book = guarded.context.access.book
    async with guarded.client() as client:
        client.headers.update(guarded.token())
        follower = await follow(client)
        book.revoke_token(book.tokens()[0].id)
        assert b"alive" not in await follower.response.content.read()


@pytest.mark.parametrize("what", ["signed out", "idle", "another station", "disabled"])
async def test_a_stream_ends_with_its_session_or_right(guarded: Guarded, follow: Follow, what: str) -> None:
    two_stations(guarded)
    await guarded.person("eva")
    book, clock = guarded.context.access.book, guarded.context.clock
    assert isinstance(clock, ManualClock)
    async with guarded.client() as client:
        await log_in(client, "eva")
        follower = await follow(client)
        log_days(guarded, DAYS[1])
        assert await follower.next_days(1) == [1]
        match what:
            case "signed out":
                book.end_sessions_of("eva")
            case "idle":
                clock.advance(book.limits.session_idle_s + 1)
            case "another station":
                book.change_person("eva", {"stations": ("south",)})
            case "disabled":
                book.change_person("eva", {"is_disabled": True})
        log_days(guarded, DAYS[2])
        assert b"event:" not in await follower.response.content.read()


async def test_a_stop_does_not_wait_for_followers(context: Any, follow: Follow) -> None:
    await context.rollup.open()
    runner = await start(make_app(context), "127.0.0.1", 0)
    host, port = runner.addresses[0][:2]
    async with ClientSession(f"http://{host}:{port}") as client:
        follower = await follow(client)
        async with asyncio.timeout(1.5):
            await runner.cleanup()
        assert await follower.response.content.read() == b""
    await context.answers.close()
    await context.rollup.close()


async def test_a_head_request_is_answered_and_done(api: Api) -> None:
    response = await api.client.head(EVENTS)
    assert (response.status, response.content_type) == (200, "text/event-stream")


@pytest.mark.parametrize("place", ["abc", "MTIzNDU2Nzg5MDEyMzQ1Ng"])
async def test_a_place_that_is_none_of_ours_is_refused(api: Api, place: str) -> None:
    await api.problem(EVENTS, 400, "invalid-cursor", **{"Last-Event-ID": place})
