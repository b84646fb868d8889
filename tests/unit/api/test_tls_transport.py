"""The TLS layer on both kinds of event loop, with a protocol behind that counts."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import uvloop

from api.tls_transport import TlsLayer
from historian.metrics import Counter
from tests.support.certificates import Authority
from tests.support.waiting import until

HOST = "127.0.0.1"
LARGE = bytes(range(256)) * 16_384  # 4 MiB
Loops = Callable[[], asyncio.AbstractEventLoop]


class Behind(asyncio.BufferedProtocol):
    """Sends back what comes, into a buffer of odd size; or keeps quiet."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.room = memoryview(bytearray(10_007))
        self.came = bytearray()
        self.is_echo = True
        self.pauses = 0
        self.made = asyncio.Event()
        self.lost = asyncio.Event()
        self.told_end = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.made.set()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.room

    def buffer_updated(self, nbytes: int) -> None:
        self.came += self.room[:nbytes]
        if self.is_echo:
            self.transport.writelines([self.room[:nbytes], b""])

    def eof_received(self) -> None:
        self.told_end = True

    def pause_writing(self) -> None:
        self.pauses += 1

    def resume_writing(self) -> None:
        pass

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set()


class Site:
    """A listening socket with the layer before one protocol for each connection."""

    def __init__(self, authority: Authority, context: ssl.SSLContext) -> None:
        self.authority = authority
        self.context = context
        self.failed = Counter()
        self.shaking: list[asyncio.BaseTransport] = []
        self.is_open = True
        self.handshake_s = 5.0
        self.behind: list[Behind] = []
        self.port = 0

    def make(self) -> TlsLayer:
        self.behind.append(Behind())
        return TlsLayer(
            self.context, self.behind[-1], self.admit, self.shaking.remove, self.failed, self.handshake_s
        )

    def admit(self, transport: asyncio.BaseTransport) -> bool:
        if self.is_open:
            self.shaking.append(transport)
        return self.is_open

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(HOST, self.port, ssl=self.authority.client())

    def connect_blocking(self) -> ssl.SSLSocket:
        raw = socket.create_connection((HOST, self.port), 5)
        return self.authority.client().wrap_socket(raw, server_hostname=HOST)

    async def connect_plain(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(HOST, self.port)

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        server = await asyncio.get_running_loop().create_server(self.make, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for one in self.behind:
                if one.transport is not None:
                    one.transport.abort()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> ssl.SSLContext:
    pair = authority.sign("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


Walk = Callable[[Site], Coroutine[Any, Any, None]]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(
    request: pytest.FixtureRequest, authority: Authority, context: ssl.SSLContext
) -> Callable[[Walk], Site]:
    def run(walk: Walk) -> Site:
        site = Site(authority, context)

        async def served() -> None:
            async with asyncio.timeout(5), site.serve():
                await walk(site)

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(served())
        return site

    return run


def test_large_bodies_come_back_whole(run: Callable[[Walk], Site]) -> None:
    async def walk(site: Site) -> None:
        reader, writer = await site.connect()
        writer.write(LARGE)
        assert await reader.readexactly(len(LARGE)) == LARGE
        assert site.behind[0].transport.get_extra_info("sslcontext") is site.context
        assert site.behind[0].transport.get_extra_info("peername")[0] == HOST
        site.behind[0].transport.close()
        assert await reader.read() == b""
        writer.close()

    site = run(walk)
    assert (site.failed.value, site.shaking) == (0, [])


def test_what_is_not_taken_is_seen_and_pauses_the_writer(run: Callable[[Walk], Site]) -> None:
    async def walk(site: Site) -> None:
        idle = await asyncio.to_thread(site.connect_blocking)
        behind = site.behind[0]
        await behind.made.wait()
        for _ in range(8):
            behind.transport.write(LARGE)
        assert behind.transport.get_write_buffer_size() > len(LARGE)
        assert behind.pauses == 1
        idle.close()
        await behind.lost.wait()
        assert behind.transport.is_closing()
        behind.transport.write(b"nobody is there")
        behind.transport.close()

    run(walk)


def test_a_paused_reader_gets_nothing_and_then_all_of_it(run: Callable[[Walk], Site]) -> None:
    async def walk(site: Site) -> None:
        _, writer = await site.connect()
        behind = site.behind[0]
        behind.is_echo = False
        await behind.made.wait()
        behind.transport.pause_reading()
        assert not behind.transport.is_reading()
        writer.write(LARGE)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(behind.came) <= len(behind.room)
        behind.transport.resume_reading()
        writer.close()
        await behind.lost.wait()
        assert bytes(behind.came) == LARGE
        assert behind.told_end

    run(walk)


def test_a_handshake_that_does_not_come_is_ended(run: Callable[[Walk], Site]) -> None:
    async def walk(site: Site) -> None:
        site.handshake_s = 0.05
        reader, writer = await site.connect_plain()
        assert await reader.read() == b""
        writer.close()

    site = run(walk)
    assert (site.failed.value, site.shaking) == (1, [])
    assert not site.behind[0].made.is_set()


def test_who_goes_in_its_handshake_is_forgotten(run: Callable[[Walk], Site]) -> None:
    async def walk(site: Site) -> None:
        _, writer = await site.connect_plain()
        writer.write(b"\x16\x03\x01")
        await writer.drain()
        await until(lambda: bool(site.shaking))
        writer.transport.abort()  # type: ignore[attr-defined]
        await until(lambda: not site.shaking)

    assert run(walk).failed.value == 1


def test_what_is_no_tls_is_refused(run: Callable[[Walk], Site]) -> None:
    async def walk(site: Site) -> None:
        for given, told in ((b"GET / HTTP/1.1\r\n\r\n", b"https://"), (b"\x00" * 64, b"")):
            reader, writer = await site.connect_plain()
            writer.write(given)
            assert told in await reader.read()
            writer.close()

    assert run(walk).failed.value == 2


def test_one_too_many_gets_no_handshake(run: Callable[[Walk], Site]) -> None:
    async def walk(site: Site) -> None:
        site.is_open = False
        with pytest.raises(ConnectionError):
            await site.connect()

    site = run(walk)
    assert (site.failed.value, site.shaking) == (0, [])


def test_bytes_changed_on_the_way_end_the_connection(run: Callable[[Walk], Site]) -> None:
    async def walk(site: Site) -> None:
        _, writer = await site.connect()
        behind = site.behind[0]
        await behind.made.wait()
        raw = writer.get_extra_info("socket")
        # A record of application data that no key of this connection made.
        os.write(raw.fileno(), b"\x17\x03\x03\x00\x20" + b"\x55" * 32)
        await behind.lost.wait()
        assert not behind.came
        writer.transport.abort()  # type: ignore[attr-defined]

    run(walk)
