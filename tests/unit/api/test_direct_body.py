"""Large bodies go from the socket into memory of their own, however they arrive."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from aiohttp import StreamReader

from api import body as body_module
from api.context import ApiContext
from api.direct_body import DirectBody
from api.request_reader import DIRECT_BYTES_MIN
from api.server import make_app, start
from historian.settings import ServerSettings, Settings
from tests.unit.api.memory_store import MemoryStore

LINE_COUNT = 2000
BODY = b"\n".join(b"m x=%d %d" % (i, i * 1_000_000_000) for i in range(LINE_COUNT))
HEAD = b"POST /api/v2/write HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n"
WITHIN_S = 10.0
TURNS = 20  # of the loop, in which the server reads what was sent so far

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def settings() -> Settings:
    return Settings(server=ServerSettings(body_deadline_s=1))


def request(body: bytes = BODY, more: bytes = b"") -> bytes:
    return HEAD % (len(body), more) + body


async def status(reader: asyncio.StreamReader) -> int:
    """Of the next answer; its body is read away."""
    async with asyncio.timeout(WITHIN_S):
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
    return int(head.split(b" ")[1])


async def talk(context: ApiContext, part: Talk) -> list[float]:
    """Serve, let `part` speak on one connection, and give the values that are stored then."""
    await context.rollup.open()
    runner = await start(make_app(context), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
    await part(reader, writer)
    writer.close()
    await runner.cleanup()
    await context.rollup.close()
    store = context.sink
    assert isinstance(store, MemoryStore)
    return sorted(sample[0] for samples in store.samples.values() for sample in samples.values())


RUNNERS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


def test_the_body_of_these_tests_is_large() -> None:
    assert len(BODY) > 2 * DIRECT_BYTES_MIN


@RUNNERS
@pytest.mark.parametrize("cut", [0, 1, 20, 90, 5000, 20_000, len(BODY) - 1])
def test_it_arrives_whole_wherever_it_is_cut(
    run: Callable[..., list[float]], cut: int, context: ApiContext
) -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        whole = request()
        for part in (whole[:cut], whole[cut:]):
            writer.write(part)
            await writer.drain()
            for _ in range(TURNS):
                await asyncio.sleep(0)
        assert await status(reader) == 204

    assert run(talk(context, send)) == list(range(LINE_COUNT))


@RUNNERS
def test_what_follows_it_in_the_same_breath_is_answered_too(
    run: Callable[..., list[float]], context: ApiContext
) -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        small = request(b"m x=-1 -5000")
        writer.write(request() + small + request() + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert [await status(reader) for _ in range(4)] == [204, 204, 204, 200]

    assert run(talk(context, send)) == [-1.0, *range(LINE_COUNT)]


@RUNNERS
def test_a_client_that_asks_first_may_send_much(run: Callable[..., list[float]], context: ApiContext) -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % (len(BODY), b"Expect: 100-continue\r\n"))
        assert await status(reader) == 100
        writer.write(BODY)
        assert await status(reader) == 204

    assert run(talk(context, send)) == list(range(LINE_COUNT))


@RUNNERS
def test_one_that_stalls_is_cut_at_the_deadline(run: Callable[..., list[float]], context: ApiContext) -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request()[:-1])
        assert await status(reader) == 408

    assert run(talk(context, send)) == []


def test_one_that_trickles_is_cut_by_its_rate(context: ApiContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "BODY_GRACE_S", 0.05)

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % (len(BODY), b""))
        answer = asyncio.create_task(status(reader))
        while not answer.done():
            writer.write(b"#")
            await asyncio.wait([answer], timeout=0.02)
        assert await answer == 408

    assert asyncio.run(talk(context, send)) == []


@RUNNERS
def test_a_connection_that_ends_inside_stores_nothing(
    run: Callable[..., list[float]], context: ApiContext
) -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request()[:-1])
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    assert run(talk(context, send)) == []


@RUNNERS
def test_one_that_nobody_reads_does_not_hinder_the_next(
    run: Callable[..., list[float]], context: ApiContext
) -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request().replace(b"/api/v2/write", b"/nowhere", 1) + request())
        assert [await status(reader), await status(reader)] == [404, 204]

    assert run(talk(context, send)) == list(range(LINE_COUNT))


async def test_its_bytes_cannot_be_written_to() -> None:
    class Protocol:
        def resume_reading(self, resume_parser: bool = True) -> None:
            pass

    body = DirectBody(Protocol(), 3, asyncio.get_running_loop())  # type: ignore[arg-type]
    assert isinstance(body, StreamReader)
    for place, byte in enumerate(b"abc"):
        assert body.missing_bytes == 3 - place
        body.room()[0] = byte
        body.advance(1)
    taken = await body.take(lambda known_bytes: 1.0)
    assert taken.readonly
    assert bytes(taken) == b"abc"
