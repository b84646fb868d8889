"""The awaiting client, and the stream of events of both, against small servers of aiohttp."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from historian.client import (
    AsyncClient,
    Client,
    Patience,
    Problem,
    ReplyUnreadable,
    ServerEvent,
    event_stream,
)
from historian.client.errors import ConnectionFailed, Timeout

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[TestServer] = []

    async def start(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        servers.append(TestServer(app))
        await servers[-1].start_server()
        return str(servers[-1].make_url("/"))

    yield start
    for server in servers:
        await server.close()


def test_both_clients_have_the_same_methods_and_parameters() -> None:
    def public(client: type) -> dict[str, object]:
        methods = inspect.getmembers(client, inspect.isfunction)
        return {name: str(inspect.signature(method).parameters) for name, method in methods if name[0] != "_"}

    assert public(Client) == public(AsyncClient)


async def test_faults_of_the_network_are_told_by_their_names(serve: Serve) -> None:
    never = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        await never.wait()
        raise AssertionError

    hasty = Patience(try_s=0.02, tries_max=1)
    async with AsyncClient(await serve(silent), patience=hasty) as client:
        with pytest.raises(Timeout):
            await client.health()
    never.set()
    slept: list[float] = []

    async def sleep(pause_s: float) -> None:
        slept.append(pause_s)

    async with AsyncClient("http://127.0.0.1:1", patience=Patience(tries_max=2), sleep=sleep) as client:
        with pytest.raises(ConnectionFailed, match="is the historian running"):
            await client.health()
    assert len(slept) == 1


async def test_a_redirect_is_not_followed_with_the_token(serve: Serve) -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://127.0.0.1:1/")

    async with AsyncClient(await serve(away), "secret") as client:
        assert "secret" not in repr(client)
        with pytest.raises(Problem, match="302"):
            await client.health()


class Feed:
    """Ten events, two a connection, which then breaks; heartbeats between them; an id that is too old is reset."""

    def __init__(self) -> None:
        self.resumed_at: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Last-Event-ID", "")
        self.resumed_at.append(asked)
        if asked == "10":
            return web.Response(status=204)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"retry: 1\n: heartbeat\n\n")
        if asked == "old":
            await response.write(b"event: reset\nid: 8\ndata: {}\n\n")
            asked = "8"
        for number in range(int(asked or 0) + 1, int(asked or 0) + 3):
            await response.write(
                b'id: %d\nevent: change\ndata: {"n":%d}\n\n: heartbeat\n\n' % (number, number)
            )
        await response.write(b"id: 99\ndata: half an event")
        assert request.transport is not None
        request.transport.close()
        return response


async def events_of(client: AsyncClient | Client, last_id: str) -> list[ServerEvent]:
    """All of them; the client is closed."""
    if isinstance(client, Client):
        with client:
            return await asyncio.to_thread(lambda: list(client.events(last_id)))
    async with client:
        return [event async for event in client.events(last_id)]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_events_go_on_where_a_broken_connection_stopped(serve: Serve, kind: Any) -> None:
    feed = Feed()
    client = kind(await serve(feed.handle))
    events = await events_of(client, "")
    assert [event.json()["n"] for event in events] == list(range(1, 11))
    assert feed.resumed_at == ["", "2", "4", "6", "8", "10"]
    again = await events_of(client, "old")
    assert [(event.event, event.id) for event in again] == [("reset", "8"), ("change", "9"), ("change", "10")]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_a_stream_that_cannot_be_is_told(serve: Serve, kind: Any) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.json_response({"detail": "who are you"}, status=401)

    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text="a page", content_type="text/html")

    async def end(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"", content_type="text/event-stream")

    for handler, fault, message in (
        (refuse, Problem, "who are you"),
        (page, ReplyUnreadable, "not a stream"),
    ):
        with pytest.raises(fault, match=message):
            await events_of(kind(await serve(handler)), "")

    async def no_pause(pause_s: float) -> None:
        assert pause_s == event_stream.RETRY_DEFAULT_S

    sleep = no_pause if kind is AsyncClient else lambda pause_s: None
    with pytest.raises(ConnectionFailed):
        await events_of(kind("http://127.0.0.1:1", patience=Patience(tries_max=1)), "")
    with pytest.raises(ConnectionFailed, match="again and again"):
        await events_of(kind(await serve(end), patience=Patience(tries_max=2), sleep=sleep), "")
