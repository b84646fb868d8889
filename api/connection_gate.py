"""Lets a connection in or refuses it at once: a cap for each address and one in all."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

import msgspec
from aiohttp import web

from api import problem
from api.problem import ProblemDetails
from historian.metrics import Counter
from historian.settings import ServerSettings

MakeReader = Callable[[web.Server], web.RequestHandler]

_RETRY_AFTER_S: Final = 5


class ConnectionGate(asyncio.Protocol):
    """Stands where a connection arrives; hands it to the web server or answers 503 and closes.

    It lives only until `connection_made`: the web server's own protocol takes the transport over.
    """

    def __init__(
        self, server: web.Server, make_reader: MakeReader, limits: ServerSettings, refused: Counter
    ) -> None:
        self._server = server
        self._make_reader = make_reader
        self._limits = limits
        self._refused = refused

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        reason = self._reason_to_refuse(transport)
        if reason:
            self._refused.add()
            transport.write(_refusal(reason))
            transport.close()
            return
        reader = self._make_reader(self._server)
        transport.set_protocol(reader)
        reader.connection_made(transport)

    def _reason_to_refuse(self, transport: asyncio.Transport) -> str:
        open_connections = self._server.connections
        if len(open_connections) >= self._limits.connections_max:
            return f"{self._limits.connections_max} connections are open in all"
        address = _address_of(transport)
        same_count = sum(1 for handler in open_connections if _address_of(handler.transport) == address)
        if same_count >= self._limits.connections_per_address_max:
            return f"{self._limits.connections_per_address_max} connections are open from {address}"
        return ""


class GatedSite(web.BaseSite):
    """A listening TCP socket behind a ConnectionGate."""

    def __init__(
        self,
        runner: web.AppRunner,
        make_reader: MakeReader,
        host: str,
        port: int,
        limits: ServerSettings,
        refused: Counter,
    ) -> None:
        super().__init__(runner)
        self._make_reader = make_reader
        self._runner_server = runner.server
        self._host = host
        self._port = port
        self._limits = limits
        self._refused = refused

    @property
    def name(self) -> str:
        """Where it listens, for people."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises OSError where the address is taken."""
        await super().start()
        server = self._runner_server
        assert server is not None, "the runner is set up before a site is made"
        self._server = await asyncio.get_running_loop().create_server(
            lambda: ConnectionGate(server, self._make_reader, self._limits, self._refused),
            self._host,
            self._port,
        )


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
