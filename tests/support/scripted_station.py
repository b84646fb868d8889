"""A controlled station on a loopback port that does what a test says: confirms, refuses, keeps silent."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

STARTDT_ACTIVATION, STARTDT_CONFIRMATION = 0x07, 0x0B
TESTFR_ACTIVATION, TESTFR_CONFIRMATION = 0x43, 0x83
INTERROGATION_TYPES = (100, 101)


class ScriptedStation:
    """Speaks just enough of the link layer; `asdus` are those it received, `connection_count` how often."""

    def __init__(
        self,
        *,
        ignored_start_count: int = 0,
        interrogation: Literal["confirm", "refuse", "ignore"] = "confirm",
        interrogated: list[str] | None = None,
    ) -> None:
        self.ignored_start_count = ignored_start_count
        self.interrogation = interrogation
        self.interrogated = interrogated or []
        self.asdus: list[bytes] = []
        self.start_count = 0
        self.connection_count = 0
        self.acknowledged_count = 0
        self.port = 0
        self._news = asyncio.Condition()
        self._writer: asyncio.StreamWriter | None = None
        self._sent_count = 0
        self._received_count = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection, if any."""
        if self._writer is not None:
            self._writer.close()

    def tell(self, asdu: str) -> None:
        """Send an ASDU by itself."""
        self._send(bytes.fromhex(asdu))

    async def wait_until_told(self, type_id: int, *, times: int = 1) -> None:
        """Until so many ASDUs of that type came. Raises TimeoutError."""
        await self._wait(lambda: sum(asdu[0] == type_id for asdu in self.asdus) >= times)

    async def wait_until_started(self, *, times: int = 1) -> None:
        """Until so many STARTDT came. Raises TimeoutError."""
        await self._wait(lambda: self.start_count >= times)

    async def wait_until_acknowledged(self) -> None:
        """Until everything sent was acknowledged by S frames. Raises TimeoutError."""
        await self._wait(lambda: self.acknowledged_count == self._sent_count)

    async def _wait(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10.0), self._news:
            await self._news.wait_for(is_true)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.connection_count += 1
        self._sent_count = self._received_count = 0
        try:
            while True:
                head = await reader.readexactly(2)
                body = await reader.readexactly(head[1])
                self._answer(body)
                async with self._news:
                    self._news.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, body: bytes) -> None:
        if body[0] == STARTDT_ACTIVATION:
            self.start_count += 1
            if self.start_count > self.ignored_start_count:
                self._send_control(STARTDT_CONFIRMATION)
        elif body[0] == TESTFR_ACTIVATION:
            self._send_control(TESTFR_CONFIRMATION)
        elif body[0] & 0b11 == 0b01:
            self.acknowledged_count = body[2] >> 1 | body[3] << 7
        elif body[0] & 1 == 0:
            self._received_count += 1
            asdu = body[4:]
            self.asdus.append(asdu)
            if asdu[0] in INTERROGATION_TYPES:
                self._answer_interrogation(asdu)

    def _answer_interrogation(self, asdu: bytes) -> None:
        if self.interrogation == "refuse":
            self._send(asdu[:2] + bytes([0x47]) + asdu[3:])
        elif self.interrogation == "confirm":
            self._send(asdu[:2] + bytes([7]) + asdu[3:])
            for entry in self.interrogated:
                self._send(bytes.fromhex(entry))
            self._send(asdu[:2] + bytes([10]) + asdu[3:])

    def _send_control(self, function: int) -> None:
        assert self._writer is not None
        self._writer.write(bytes([0x68, 4, function, 0, 0, 0]))

    def _send(self, asdu: bytes) -> None:
        assert self._writer is not None
        sent, received = self._sent_count << 1, self._received_count << 1
        control = bytes([sent & 0xFE, sent >> 8 & 0xFF, received & 0xFE, received >> 8 & 0xFF])
        self._writer.write(bytes([0x68, 4 + len(asdu)]) + control + asdu)
        self._sent_count += 1
