"""Lets a connection in or refuses it at once: a cap for each address and one in all; with TLS before its handshake."""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple, cast

import msgspec
from aiohttp import web

from api import problem
from api.problem import ProblemDetails
from api.request_reader import RequestReader
from api.slow_readers import SWEEP_S, Connection, SlowReaders
from api.tls import Certificate
from api.tls_transport import TlsLayer
from historian.metrics import Counter
from historian.settings import ServerSettings

MakeReader = Callable[[web.Server], RequestReader]

HEADS_BYTES: Final = 64 * 1024  # what one read of the socket takes at most, outside of bodies

CERTIFICATE_LOOK_S: Final = 60.0  # how soon a renewed certificate is taken up

_RETRY_AFTER_S: Final = 5


class Caps:
    """How many connections there may be, those whose handshake is not done among them."""

    def __init__(self, server: web.Server, limits: ServerSettings, refused: Counter) -> None:
        self.server = server
        self._limits = limits
        self._refused = refused
        self._shaking: set[asyncio.BaseTransport] = set()

    def admit(self, transport: asyncio.BaseTransport) -> bool:
        """Whether a connection may begin its handshake; it counts until `shaken`."""
        if self.reason_to_refuse(transport):
            return False
        self._shaking.add(transport)
        return True

    def shaken(self, transport: asyncio.BaseTransport) -> None:
        """Its handshake is over; where it is done, the connection counts as any other."""
        self._shaking.discard(transport)

    def reason_to_refuse(self, transport: asyncio.BaseTransport) -> str:
        """Why there may not be this one more, counted; "" where it may be."""
        reason = self._reason(transport)
        if reason:
            self._refused.add()
        return reason

    def _reason(self, transport: asyncio.BaseTransport) -> str:
        limits = self._limits
        others = [*(handler.transport for handler in self.server.connections), *self._shaking]
        if len(others) >= limits.connections_max:
            return f"{limits.connections_max} connections are open in all"
        address = _address_of(transport)
        same_count = sum(1 for other in others if _address_of(other) == address)
        if same_count >= limits.connections_per_address_max:
            return f"{limits.connections_per_address_max} connections are open from {address}"
        return ""


class ConnectionGate(asyncio.BufferedProtocol):
    """Stands where a connection arrives; answers 503 and closes it, or stays between it and the web server.

    What comes in lies where the reader wants it: in a body of its own, else in `heads`, which all connections
    of a loop share, because nothing else happens between `get_buffer` and `buffer_updated`.
    """

    def __init__(
        self,
        caps: Caps,
        make_reader: MakeReader,
        readers: SlowReaders,
        heads: memoryview,
    ) -> None:
        self._caps = caps
        self._make_reader = make_reader
        self._readers = readers
        self._heads = heads
        self._reader: RequestReader | None = None
        self._connection: Connection | None = None
        self._is_in_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        reason = self._caps.reason_to_refuse(transport)
        if reason:
            transport.write(_refusal(reason))
            transport.close()
            return
        address = _address_of(transport)
        self._connection = Connection(address, transport.get_write_buffer_size, transport.abort)
        self._readers.opened(self._connection)
        self._reader = self._make_reader(self._caps.server)
        self._reader.connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        room = None if self._reader is None else self._reader.room()
        self._is_in_body = room is not None
        return self._heads if room is None else room

    def buffer_updated(self, nbytes: int) -> None:
        if self._reader is None:
            return  # it was refused and is closing
        if self._is_in_body:
            self._reader.advance(nbytes)
        else:
            self._reader.data_received(bytes(self._heads[:nbytes]))

    def eof_received(self) -> None:
        """Nothing more comes, so the transport closes."""

    def pause_writing(self) -> None:
        if self._reader is not None:
            self._reader.pause_writing()

    def resume_writing(self) -> None:
        if self._reader is not None and self._connection is not None:
            self._readers.drained(self._connection)
            self._reader.resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._connection is not None:
            self._readers.closed(self._connection)
        if self._reader is not None:
            self._reader.connection_lost(exc)


class Watches(NamedTuple):
    """What counts for a site: connections refused, and handshakes that failed."""

    refused: Counter
    unshaken: Counter


class GatedSite(web.BaseSite):
    """A listening TCP socket behind a ConnectionGate, with TLS where there is a certificate."""

    def __init__(
        self,
        runner: web.AppRunner,
        make_reader: MakeReader,
        host: str,
        port: int,
        limits: ServerSettings,
        watches: Watches,
        readers: SlowReaders,
        certificate: Certificate | None = None,
    ) -> None:
        super().__init__(runner)
        self._make_reader = make_reader
        self._runner_server = runner.server
        self._host = host
        self._port = port
        self._limits = limits
        self._watches = watches
        self._readers = readers
        self._certificate = certificate
        self._look_in_s = CERTIFICATE_LOOK_S
        self._sweep: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        """Where it listens, for people."""
        scheme = "http" if self._certificate is None else "https"
        return f"{scheme}://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises OSError where the address is taken."""
        await super().start()
        server = self._runner_server
        assert server is not None, "the runner is set up before a site is made"
        caps = Caps(server, self._limits, self._watches.refused)
        heads = memoryview(bytearray(HEADS_BYTES))

        def make_gate() -> ConnectionGate:
            return ConnectionGate(caps, self._make_reader, self._readers, heads)

        def make_protocol() -> asyncio.BaseProtocol:
            if self._certificate is None:
                return make_gate()
            return TlsLayer(
                self._certificate.context, make_gate(), caps.admit, caps.shaken, self._watches.unshaken
            )

        self._server = await asyncio.get_running_loop().create_server(make_protocol, self._host, self._port)
        self._sweep_again()

    async def stop(self) -> None:
        """Listen no more; connections go on until the runner ends them."""
        if self._sweep is not None:
            self._sweep.cancel()
        await super().stop()

    def _sweep_again(self) -> None:
        self._readers.sweep()
        loop = asyncio.get_running_loop()
        self._look_in_s -= SWEEP_S
        if self._certificate is not None and self._look_in_s <= 0:
            self._look_in_s = CERTIFICATE_LOOK_S
            loop.run_in_executor(None, self._certificate.look)
        self._sweep = loop.call_later(SWEEP_S, self._sweep_again)


def _address_of(transport: asyncio.BaseTransport | None) -> str:
    if transport is None:
        return ""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else str(peer)


def _refusal(reason: str) -> bytes:
    kind = problem.TOO_MANY_CONNECTIONS
    body = msgspec.json.encode(
        ProblemDetails(
            type=kind.uri,
            title=kind.title_en,
            status=kind.status,
            detail=f"{reason}; close some or retry after {_RETRY_AFTER_S} s",
            code=kind.code,
            instance="",
            request_id="",
        )
    )
    head = (
        f"HTTP/1.1 {kind.status} Service Unavailable\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nRetry-After: {_RETRY_AFTER_S}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
