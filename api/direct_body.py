"""The body of one request, received straight from the socket into memory of its own.

aiohttp's own stream copies every byte four times, which costs more than reading the samples in it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import numpy as np
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol

from api.text_kernels import Bytes

Body = bytes | memoryview  # of a request, read only

_STREAM_LIMIT: Final = 1 << 16  # of the stream below, through which nothing goes


class DirectBody(StreamReader):
    """A stream for aiohttp, which only asks whether it has ended; `take` gives the bytes."""

    __slots__ = ("_received_bytes", "_view")

    def __init__(self, protocol: BaseProtocol, size_bytes: int, loop: asyncio.AbstractEventLoop) -> None:
        assert size_bytes > 0, "an empty body needs no memory"
        super().__init__(protocol, _STREAM_LIMIT, loop=loop)
        memory: Bytes = np.empty(size_bytes, np.uint8)
        self._view = memory.data
        self._received_bytes = 0

    @property
    def missing_bytes(self) -> int:
        """How many are still to come."""
        return len(self._view) - self._received_bytes

    def room(self) -> memoryview:
        """Where the next bytes belong, down to the last one."""
        return self._view[self._received_bytes :]

    def advance(self, count: int) -> None:
        """So many bytes were put there; the last one ends the stream."""
        self._received_bytes += count
        if self._received_bytes == len(self._view):
            self.feed_eof()

    async def take(self, allowed_s: Callable[[int], float]) -> memoryview:
        """The whole body, never written to again. Raises TimeoutError.

        `allowed_s` tells how long after the start a body may go on of which so many bytes are there.
        """
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        while not self.is_eof():
            known_bytes = self._received_bytes
            try:
                async with asyncio.timeout_at(start_s + allowed_s(known_bytes)):
                    await self.readany()
            except TimeoutError:
                if allowed_s(self._received_bytes) <= allowed_s(known_bytes):
                    raise
        return self._view.toreadonly()
