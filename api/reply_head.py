"""The head of a reply whose body is whole: written in one piece with it, once.

aiohttp prepares every response as if it might be a stream: that costs more than a small query itself.
"""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.helpers import rfc822_formatted_time

BODILESS: Final = frozenset({204, 304})
JOINED_BYTES_MAX: Final = 1 << 14  # a longer body is not copied behind its head

_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


def whole_body(response: web.StreamResponse) -> bytes | None:
    """The body that a reply has in one piece; None where aiohttp has to write the reply."""
    if type(response) is not web.Response or response.prepared or response.chunked or response.cookies:
        return None
    body = response.body
    if body is None:
        return b""
    return body if isinstance(body, bytes) and response.status not in BODILESS else None


def encode(response: web.StreamResponse, body_bytes: int) -> bytes:
    """Status line and headers. Raises ValueError where a header would end before its end."""
    headers = response.headers
    if response.status not in BODILESS:
        headers["Content-Length"] = str(body_bytes)
    headers["Date"] = rfc822_formatted_time()
    if not response.keep_alive:
        headers["Connection"] = "close"
    text = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if text.count("\r") != len(headers) or text.count("\n") != len(headers):
        raise ValueError("a header holds a line end")
    return f"{_STATUS_LINES[response.status]}{text}\r\n".encode()
