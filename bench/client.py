"""An HTTP client that costs next to nothing, so that what is measured is the server.

A request is bytes made beforehand; the answer is read into one buffer until its Content-Length is there
(or, from peers, its last chunk). Nothing else of HTTP is known here.
"""

import os
import re
import socket
from typing import Final, NamedTuple

TIMEOUT_S: Final = 120.0
BUFFER_BYTES: Final = 1 << 20
TOKEN_VARIABLE: Final = "HISTORIAN_TOKEN"  # noqa: S105 - a name; its value is carried by every request where it is set

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_NO_BODY: Final = frozenset({204, 304})


class Answer(NamedTuple):
    """Status and body; the body is a view that holds until the connection is used again."""

    status: int
    body: memoryview


class Client:
    """One connection that stays open; asks and waits for the answer."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self._socket = socket.create_connection((host, port), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(BUFFER_BYTES)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def exchange(self, request: bytes) -> Answer:
        """Send what `request_bytes` made, with its body behind it."""
        self._socket.sendall(request)
        return self._answer()

    def exchange_with(self, head: bytes, body: bytes) -> Answer:
        """As `exchange`, without joining head and body."""
        self._socket.sendall(head, socket.MSG_MORE)
        self._socket.sendall(body)
        return self._answer()

    def request(self, method: str, path: str, body: bytes = b"", kind: str = "") -> bytes:
        """The whole body; raises RuntimeError for any status above 299."""
        answer = self.exchange_with(head_bytes(method, path, self.host, len(body), kind), body)
        if answer.status > 299:
            raise RuntimeError(f"{method} {path}: {answer.status} {bytes(answer.body[:300])!r}")
        return bytes(answer.body)

    def _answer(self) -> Answer:
        head_end, filled = -1, 0
        while head_end < 0:
            filled = self._receive(filled)
            head_end = self._buffer.find(b"\r\n\r\n", 0, filled)
        head = bytes(self._buffer[: head_end + 2])
        status, start = int(head[9:12]), head_end + 4
        length = _LENGTH.search(head)
        if length is None:
            if _CHUNKED.search(head):
                return Answer(status, memoryview(self._chunks(start, filled)))
            if status not in _NO_BODY:
                raise RuntimeError(f"an answer without length: {head!r}")
        end = start + (int(length[1]) if length else 0)
        while filled < end:
            filled = self._receive(filled, end)
        return Answer(status, memoryview(self._buffer)[start:end])

    def _receive(self, filled: int, wanted: int = 0) -> int:
        if max(wanted, filled + 1) > len(self._buffer):
            self._buffer = self._buffer + bytes(
                max(wanted, 2 * filled) - filled
            )  # views of before stay whole
        count = self._socket.recv_into(memoryview(self._buffer)[filled:])
        if count == 0:
            raise ConnectionError("the server closed the connection")
        return filled + count

    def _chunks(self, at: int, filled: int) -> bytearray:
        """The body that comes in chunks, joined."""
        body = bytearray()
        while True:
            while (line_end := self._buffer.find(b"\r\n", at, filled)) < 0:
                filled = self._receive(filled)
            size = int(self._buffer[at:line_end].split(b";")[0], 16)
            start = line_end + 2
            while filled < start + size + 2:
                filled = self._receive(filled, start + size + 2)
            if size == 0:
                return body
            body += self._buffer[start : start + size]
            at = start + size + 2


def head_bytes(method: str, path: str, host: str, length: int, kind: str = "") -> bytes:
    """First line and headers of a request whose body has `length` bytes of media type `kind`."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    if length or method != "GET":
        lines.append(f"Content-Length: {length}")
    if kind:
        lines.append(f"Content-Type: {kind}")
    if token := os.environ.get(TOKEN_VARIABLE):
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


def request_bytes(method: str, path: str, host: str, body: bytes = b"", kind: str = "") -> bytes:
    """A whole request, to be sent many times."""
    return head_bytes(method, path, host, len(body), kind) + body
