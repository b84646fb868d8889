"""HTTP/1.1 over kept connections, blocking: the standard library's http.client with deadlines.

Threads may share it; each request has a connection of its own while it lasts.
"""

import collections
import http.client
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

from historian.client.exchange import REPLY_BYTES_MAX, Lost, Outcome, Overdue, Reply, Target, WireRequest

IDLE_CONNECTIONS_MAX: Final = 8
CHUNK_BYTES: Final = 1 << 20
_GONE: Final = (OSError, http.client.HTTPException)


class Wire:
    """Sends requests to one host. `now_s` is a clock that never goes back."""

    def __init__(self, target: Target, now_s: Callable[[], float], tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._now_s = now_s
        self._tls = tls
        self._idle: collections.deque[http.client.HTTPConnection] = collections.deque()

    def send(self, request: WireRequest, timeout_s: float) -> Outcome:
        """The whole answer, or why there is none; never raises for what the network does."""
        until_s = self._now_s() + timeout_s
        connection = self._connection()
        try:
            response = self._begin(connection, request, until_s)
            body = b"".join(self._body(connection, response, until_s))
            reply = Reply(response.status, _headers_of(response), body)
        except TimeoutError:
            connection.close()
            return Overdue()
        except _GONE as error:
            connection.close()
            return Lost(str(error) or type(error).__name__)
        if response.will_close:
            connection.close()
        else:
            self._keep(connection)
        return reply

    def stream(
        self, request: WireRequest, timeout_s: float, idle_s: float
    ) -> "Reply | Lost | Overdue | Stream":
        """A body without end; an answer that is no 200 is given whole. The Stream is to be closed."""
        connection = self._connection()
        until_s = self._now_s() + timeout_s
        try:
            response = self._begin(connection, request, until_s)
            if response.status == http.HTTPStatus.OK:
                _limit(connection, response, idle_s)
                return Stream(Reply(response.status, _headers_of(response), b""), connection, response)
            body = b"".join(self._body(connection, response, until_s))
        except TimeoutError:
            connection.close()
            return Overdue()
        except _GONE as error:
            connection.close()
            return Lost(str(error) or type(error).__name__)
        connection.close()
        return Reply(response.status, _headers_of(response), body)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _connection(self) -> http.client.HTTPConnection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break  # another thread took it
            if not _is_let_go(connection):
                return connection
            connection.close()
        if self._target.is_tls:
            return http.client.HTTPSConnection(self._target.host, self._target.port, context=self._tls)
        return http.client.HTTPConnection(self._target.host, self._target.port)

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        if len(self._idle) < IDLE_CONNECTIONS_MAX:
            self._idle.append(connection)
        else:
            connection.close()

    def _begin(
        self, connection: http.client.HTTPConnection, request: WireRequest, until_s: float
    ) -> http.client.HTTPResponse:
        connection.timeout = self._left_s(until_s)
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)
        connection.request(request.method, request.target, request.body or None, request.headers)
        if connection.sock is not None:
            connection.sock.settimeout(self._left_s(until_s))
        return connection.getresponse()

    def _body(
        self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, until_s: float
    ) -> Iterator[bytes]:
        byte_count = 0
        while True:
            _limit(connection, response, self._left_s(until_s))
            part = response.read(CHUNK_BYTES)
            if not part:
                return
            byte_count += len(part)
            if byte_count > REPLY_BYTES_MAX:
                raise http.client.HTTPException(f"the answer is larger than {REPLY_BYTES_MAX} bytes")
            yield part

    def _left_s(self, until_s: float) -> float:
        left_s = until_s - self._now_s()
        if left_s <= 0:
            raise TimeoutError
        return left_s


class Stream:
    """A body that comes as long as the connection lasts."""

    def __init__(
        self, reply: Reply, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        self.reply = reply
        self._connection = connection
        self._response = response

    def parts(self) -> Iterator[bytes]:
        """What has come, until the connection ends, breaks, or is silent for too long."""
        try:
            while part := self._response.read1(CHUNK_BYTES):
                yield part
        except _GONE:
            return

    def close(self) -> None:
        """Let the connection go."""
        self._response.close()
        self._connection.close()


def _limit(
    connection: http.client.HTTPConnection, response: http.client.HTTPResponse, timeout_s: float
) -> None:
    """Set how long one read may wait. Where the other side closes after the answer, only the response has the socket."""
    sock = connection.sock
    if sock is None:
        raw = getattr(getattr(response, "fp", None), "raw", None)
        sock = getattr(raw, "_sock", None)
    if isinstance(sock, socket.socket):
        sock.settimeout(timeout_s)


def _is_let_go(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side closed an idle connection: then it can be read, and nothing was asked."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _headers_of(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
