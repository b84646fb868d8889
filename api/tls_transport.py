"""TLS between a connection and the protocol behind it, so that all limits hold as they do without TLS.

What is written is encrypted at once and handed to the connection: its backlog and its pauses are those of the protocol
behind, and whoever does not take a reply is seen. A handshake counts as a connection from its first byte, and has a
deadline.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from historian.metrics import Counter

HANDSHAKE_S: Final = 10.0
PLAIN_TEXT: Final = b"This address speaks TLS: write https:// in place of http://.\n"
PLAIN_ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b" % (len(PLAIN_TEXT), PLAIN_TEXT)
)


class TlsTransport(asyncio.Transport):
    """What the protocol behind writes to."""

    def __init__(self, layer: "TlsLayer", raw: asyncio.Transport) -> None:
        super().__init__()
        self._layer = layer
        self._raw = raw

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt it and hand it on."""
        self._layer.send((data,))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """The same for several pieces."""
        self._layer.send(list_of_data)

    def close(self) -> None:
        """Say the end, send what is left, and close."""
        self._layer.close()

    def abort(self) -> None:
        self._raw.abort()

    def is_closing(self) -> bool:
        return self._raw.is_closing()

    def can_write_eof(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Besides what the connection knows, ``sslcontext`` and ``ssl_object``."""
        if name in ("sslcontext", "ssl_object"):
            return self._layer.tls.context if name == "sslcontext" else self._layer.tls
        return self._raw.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self._raw.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._raw.set_write_buffer_limits(high, low)

    def is_reading(self) -> bool:
        return not self._layer.is_paused

    def pause_reading(self) -> None:
        self._layer.is_paused = True
        self._raw.pause_reading()

    def resume_reading(self) -> None:
        self._layer.resume()


class TlsLayer(asyncio.Protocol):
    """The protocol of the raw connection; `behind` gets it decrypted once the handshake is done.

    `admit` says of a raw connection whether it may come in, `ended` that its handshake is over, one way or the other.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        behind: asyncio.BufferedProtocol,
        admit: Callable[[asyncio.Transport], bool],
        ended: Callable[[asyncio.Transport], None],
        failed: Counter,
        handshake_s: float = HANDSHAKE_S,
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.is_paused = False
        self._behind = behind
        self._admit = admit
        self._ended = ended
        self._failed = failed
        self._handshake_s = handshake_s
        self._raw: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_made = False

    # ── The raw connection ───────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        raw = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        if not self._admit(raw):
            raw.abort()
            return
        self._raw = raw
        self._deadline = asyncio.get_running_loop().call_later(self._handshake_s, self._fail)

    def data_received(self, data: bytes) -> None:
        if self._raw is None or self._raw.is_closing():
            return
        self._incoming.write(data)
        if self._is_made or self._shake():
            self._read()

    def eof_received(self) -> None:
        """Nothing more comes, so the transport closes."""

    def pause_writing(self) -> None:
        if self._is_made:
            self._behind.pause_writing()

    def resume_writing(self) -> None:
        if self._is_made:
            self._behind.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._raw is None:
            return
        if self._is_made:
            self._behind.connection_lost(exc)
        elif self._deadline is not None:  # it went before its handshake was done
            self._end_handshake()
            self._failed.add()

    # ── The handshake ────────────────────────────────────────────────────────────────────────────────────────

    def _shake(self) -> bool:
        """Whether the handshake is done."""
        raw = self._raw
        assert raw is not None, "data come over a connection"
        if self._deadline is None:
            return False  # it failed and is closing
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                self._outgoing.read()
                raw.write(PLAIN_ANSWER)
            self._fail()
            return False
        self._end_handshake()
        self._flush()
        self._is_made = True
        self._behind.connection_made(TlsTransport(self, raw))
        return True

    def _fail(self) -> None:
        """Tell the peer why, where TLS has a word for it, and close."""
        self._end_handshake()
        self._failed.add()
        self._flush()
        if self._raw is not None:
            self._raw.close()

    def _end_handshake(self) -> None:
        assert self._deadline is not None, "it ends once"
        assert self._raw is not None, "data come over a connection"
        self._deadline.cancel()
        self._deadline = None
        self._ended(self._raw)

    # ── The protocol behind ──────────────────────────────────────────────────────────────────────────────────

    def send(self, pieces: Iterable[bytes | bytearray | memoryview]) -> None:
        """Encrypt and hand on; nothing once the connection is closing, like any transport."""
        if self._raw is None or self._raw.is_closing():
            return
        try:
            for piece in pieces:
                if piece:
                    self.tls.write(
                        piece
                    )  # all of it: the memory behind has no bound, and nothing is renegotiated
        except ssl.SSLError:
            self._raw.abort()
            return
        self._flush()

    def close(self) -> None:
        """Say that no more comes, so that the peer knows a whole reply from a cut one."""
        if self._raw is None or self._raw.is_closing():
            return
        with contextlib.suppress(ssl.SSLError):  # the peer has not said its end yet, and need not
            self.tls.unwrap()
        self._flush()
        self._raw.close()

    def resume(self) -> None:
        """Read on; what was decrypted meanwhile comes first, though not from within the caller."""
        if not self.is_paused:
            return
        self.is_paused = False
        asyncio.get_running_loop().call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._raw is None or self.is_paused or self._raw.is_closing():
            return
        self._read()
        if not self.is_paused:
            self._raw.resume_reading()

    def _read(self) -> None:
        """Give the protocol behind what can be decrypted, each piece where it wants it."""
        assert self._raw is not None, "data come over a connection"
        while not self.is_paused and not self._raw.is_closing():
            room = cast("bytearray", self._behind.get_buffer(-1))
            try:
                count = cast("int", self.tls.read(len(room), room))  # so many bytes into the room
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError:  # what came was tampered with, or the peer said its end
                self._behind.eof_received()
                self.close()
                break
            if count == 0:
                self._behind.eof_received()
                self.close()
                break
            self._behind.buffer_updated(count)
        self._flush()  # TLS answers some records by itself

    def _flush(self) -> None:
        if self._outgoing.pending and self._raw is not None and not self._raw.is_closing():
            self._raw.write(self._outgoing.read())
