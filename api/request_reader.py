"""aiohttp's reader of requests, with our words for what its parser refuses: a problem, and no stack trace in the log.

Large bodies do not go through the parser: `room` gives the socket the memory of the body itself.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from aiohttp import StreamReader, web
from aiohttp.http import HttpRequestParser, HttpVersion11
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import MAX_MSG_QUEUE_SIZE

from api import problem, reply_head
from api.direct_body import DirectBody
from api.errors import REQUEST_ID, Handler, fault_response, problem_response
from api.problem import Problem
from historian.metrics import Counter

SHOWN_CHARACTERS_MAX: Final = 200
DIRECT_BYTES_MIN: Final = 16 * 1024  # below it the parser's copies cost less than another parser
_HEAD_BYTES_MAX: Final = 32 * 1024  # how far the end of a head is looked for; a longer head is no fault
_HEAD_END: Final = b"\r\n\r\n"


class Handling(NamedTuple):
    """What an application has for its readers.

    `find` gives what answers a request, None where aiohttp is to find it; `stamp` adds the headers of every answer.
    """

    find: Callable[[web.Request], Handler | None]
    stamp: Callable[[web.BaseRequest, web.StreamResponse], None]
    unreadable: Counter


class RequestReader(web.RequestHandler):
    """The protocol of one connection; `options` are those of aiohttp's own."""

    __slots__ = ("_body", "_body_bytes_max", "_handling")

    def __init__(self, server: web.Server, handling: Handling, body_bytes_max: int, **options: Any) -> None:
        super().__init__(server, **options)
        self._handling = handling
        self._body_bytes_max = body_bytes_max
        self._body: DirectBody | None = None

    def room(self) -> memoryview | None:
        """Where the socket's next bytes belong, or None where the parser is to have them."""
        return None if self._body is None else self._body.room()

    def advance(self, count: int) -> None:
        """So many bytes were put into `room`."""
        assert self._body is not None, "the room is that of a body"
        self._body.advance(count)
        if self._body.missing_bytes == 0:
            self._body = None

    def data_received(self, data: bytes) -> None:
        """Give the parser a head at a time, so that it never sees what stands behind the head of a large body."""
        if len(data) < DIRECT_BYTES_MIN:
            super().data_received(data)
            self._begin_body()
            return
        head_end = data.find(_HEAD_END, 0, _HEAD_BYTES_MAX) + len(_HEAD_END)
        if head_end < len(_HEAD_END):
            head_end = len(data)
        super().data_received(data[:head_end])
        self._begin_body()
        rest = memoryview(data)[head_end:]
        if self._body is None:
            if rest:
                super().data_received(bytes(rest))
                self._begin_body()
            return
        count = min(len(rest), self._body.missing_bytes)
        self._body.room()[:count] = rest[:count]
        self.advance(count)
        if count < len(rest):
            self.data_received(bytes(rest[count:]))

    async def _handle_request(
        self,
        request: web.BaseRequest,
        start_time: float | None,
        request_handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> tuple[web.StreamResponse, bool]:
        """The short way to what answers, where there is one; faults and the end of a connection are aiohttp's matter."""
        found = self._handling.find(request) if isinstance(request, web.Request) else None
        return await super()._handle_request(request, start_time, found or request_handler)  # type: ignore[arg-type]

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write a whole reply in one piece; streams, files and what is out of the ordinary aiohttp writes."""
        body = None if request.method == "HEAD" or self._upgraded else reply_head.whole_body(resp)
        if body is None or request.version != HttpVersion11:
            return await super().finish_response(request, resp, start_time)
        transport = self.transport
        if transport is None or transport.is_closing():
            return resp, True
        request._finish()
        if resp.keep_alive is None:
            resp._keep_alive = request.keep_alive
        self._handling.stamp(request, resp)
        head = reply_head.encode(resp, len(body))
        if len(body) > reply_head.JOINED_BYTES_MAX:
            transport.writelines((head, body))
        else:
            transport.write(head + body)
        if self.writing_paused:  # the next request of this connection waits until this reply is taken
            try:
                await self._drain_helper()
            except ConnectionError:
                return resp, True
        return resp, False

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what no handler of ours saw; the connection closes after it."""
        if request.writer.output_size > 0:
            raise ConnectionAbortedError("the reply had begun, so it is cut and not completed")
        request[REQUEST_ID] = secrets.token_hex(8)
        if status >= 500 or message is None:
            response = fault_response(request, exc)
        else:
            self._handling.unreadable.add()
            response = problem_response(request, _refusal(message))
        self._handling.stamp(request, response)
        response.force_close()
        return response

    def _begin_body(self) -> None:
        """Where the head of a large body has just ended: from here its bytes go round the parser."""
        if not self._messages:
            return
        message, payload = self._messages[-1]
        if not isinstance(message, RawRequestMessage) or isinstance(payload, DirectBody):
            return
        size_bytes = _length_behind(message, payload)
        if DIRECT_BYTES_MIN <= size_bytes <= self._body_bytes_max:
            self._body = DirectBody(self, size_bytes, self._loop)
            self._messages[-1] = message, self._body
            self._parser = self._new_parser()  # the one before would go on waiting for the body

    def _new_parser(self) -> HttpRequestParser:
        return HttpRequestParser(
            self,
            self._loop,
            self._read_bufsize,
            max_line_size=self.max_line_size,
            max_field_size=self.max_field_size,
            max_headers=self.max_headers,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,
            max_msg_queue_size=MAX_MSG_QUEUE_SIZE,
        )


def _length_behind(message: RawRequestMessage, payload: StreamReader) -> int:
    """The Content-Length of a body of which the parser has seen nothing yet, else 0."""
    declared = message.headers.get("Content-Length", "0")
    if len(declared) > 18 or payload.is_eof() or payload.total_bytes or message.chunked or message.upgrade:
        return 0
    return int(declared)


def _refusal(message: str) -> Problem:
    shown = " ".join(message.split())[:SHOWN_CHARACTERS_MAX]
    return Problem(problem.BAD_REQUEST, f"this is no HTTP request: {shown}", f"HTTP 请求格式错误：{shown}")
