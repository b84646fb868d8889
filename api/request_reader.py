"""aiohttp's reader of requests, with our words for what its parser refuses: a problem, and no stack trace in the log."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from api import problem
from api.errors import REQUEST_ID, fault_response, problem_response
from api.problem import Problem
from historian.metrics import Counter

SHOWN_CHARACTERS_MAX: Final = 200


class RequestReader(web.RequestHandler):
    """The protocol of one connection; `options` are those of aiohttp's own."""

    __slots__ = ("_headers", "_unreadable")

    def __init__(
        self, server: web.Server, unreadable: Counter, headers: Mapping[str, str], **options: Any
    ) -> None:
        super().__init__(server, **options)
        self._unreadable = unreadable
        self._headers = headers

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
            self._unreadable.add()
            response = problem_response(request, _refusal(message))
        response.headers.update(self._headers)
        response.headers["X-Request-Id"] = request[REQUEST_ID]
        response.force_close()
        return response


def _refusal(message: str) -> Problem:
    shown = " ".join(message.split())[:SHOWN_CHARACTERS_MAX]
    return Problem(problem.BAD_REQUEST, f"this is no HTTP request: {shown}", f"HTTP 请求格式错误：{shown}")
