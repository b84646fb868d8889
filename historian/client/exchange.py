"""One request and its answer without sockets: what is sent, when again, and what the answer means.

`attempts` is a generator: it yields what a transport is to do (`Send`, `Pause`) and is given what came of it.
"""

import gzip
import urllib.parse
import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar

import msgspec

from historian.client.errors import (
    ClientError,
    ConnectionFailed,
    InvalidArgument,
    Problem,
    ReplyUnreadable,
    Timeout,
)

T = TypeVar("T")

API: Final = "/api/v1"
JSON: Final = "application/json"
ARROW: Final = "application/vnd.apache.arrow.stream"
CSV: Final = "text/csv"
REPLY_BYTES_MAX: Final = 1 << 30  # of an answer, unpacked
PACK_BYTES_MIN: Final = 1024  # a smaller body is not worth it

Packing = Literal["none", "gzip", "zstd"]
Query = tuple[tuple[str, str], ...]
Headers = tuple[tuple[str, str], ...]

BUSY: Final = frozenset({429, 503})


class Patience(NamedTuple):
    """How long to wait and how often to try.

    `try_s` for one try, `total_s` for all tries and pauses of one call. Pauses double from `pause_s` to `pause_s_max`, each
    shortened by chance by up to half; where the historian says when to come back, that is when.
    """

    try_s: float = 60.0
    total_s: float = 120.0
    tries_max: int = 5
    pause_s: float = 0.2
    pause_s_max: float = 10.0


class Request(NamedTuple):
    """What to ask; `path` starts behind the host. A request that may not be done twice is never sent again."""

    method: str
    path: str
    query: Query = ()
    body: bytes = b""
    content_type: str = ""
    accept: str = JSON
    headers: Headers = ()
    is_repeatable: bool = True


class WireRequest(NamedTuple):
    """A request as it goes out."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        """Without headers: they carry the token."""
        return f"WireRequest({self.method} {self.target}, {len(self.body)} bytes)"


class Reply(NamedTuple):
    """An answer; names of headers are in lower case, the body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Call(NamedTuple, Generic[T]):
    """A request, and what its answer means."""

    request: Request
    read: Callable[[Reply], T]


class Page(NamedTuple, Generic[T]):
    """A part of a long answer; `cursor` asks for what follows, empty on the last."""

    entries: Sequence[T]
    cursor: str


class Pages(NamedTuple, Generic[T]):
    """A long answer, page by page."""

    first: Call[Page[T]]
    cursor_name: str = "cursor"

    def after(self, page: Page[T]) -> Call[Page[T]] | None:
        """The call for what follows; None behind the last."""
        if not page.cursor:
            return None
        request = self.first.request
        query = tuple(pair for pair in request.query if pair[0] != self.cursor_name)
        return Call(request._replace(query=(*query, (self.cursor_name, page.cursor))), self.first.read)


class Send(NamedTuple):
    """Send this; answer with a Reply, a Lost or an Overdue."""

    request: WireRequest
    timeout_s: float


class Pause(NamedTuple):
    """Wait so long."""

    pause_s: float


class Lost(NamedTuple):
    """There was no connection, or it broke."""

    reason: str


class Overdue(NamedTuple):
    """No whole answer came in time."""


Outcome = Reply | Lost | Overdue
Attempts = Generator[Send | Pause, Outcome | None, T]


class Target:
    """Where requests go and with what they are sent. The token shows in no text made from this."""

    def __init__(self, url: str, token: str, packing: Packing = "none", language: str = "en") -> None:
        parts = urllib.parse.urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidArgument(f"{url} is no address of a historian; allowed: http://HOST:PORT")
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise InvalidArgument("the token has characters that no token has")
        try:
            self.port = parts.port
        except ValueError:
            raise InvalidArgument(f"{url} has no valid port; allowed: 1 to 65535") from None
        if packing not in ("none", "gzip", "zstd"):
            raise InvalidArgument(f"packing {packing!r} is not known; allowed: none, gzip, zstd")
        self.is_tls = parts.scheme == "https"
        self.host = parts.hostname
        self.url = url
        self.base = parts.path.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self.packing: Packing = packing
        self._token = token
        self._language = language

    def __repr__(self) -> str:
        return f"Target({self.origin}{self.base})"

    def wire(self, request: Request) -> WireRequest:
        """The request with the headers of every request, its body packed."""
        headers = {
            "Accept": request.accept,
            "Accept-Encoding": "identity" if self.packing == "none" else self.packing,
            "Accept-Language": self._language,
            **dict(request.headers),
        }
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        body = request.body
        if request.content_type:
            headers["Content-Type"] = request.content_type
            if self.packing != "none" and len(body) >= PACK_BYTES_MIN:
                body = _pack(body, self.packing)
                headers["Content-Encoding"] = self.packing
        target = self.base + request.path
        if request.query:
            target += f"?{urllib.parse.urlencode(request.query)}"
        return WireRequest(request.method, target, headers, body)


def attempts(
    call: Call[T], target: Target, patience: Patience, now_s: Callable[[], float], chance: Callable[[], float]
) -> Attempts[T]:
    """Send until there is an answer, patience ends, or a request may not be repeated.

    `now_s` is a clock that never goes back, `chance` gives numbers in [0, 1). Raises ClientError.
    """
    request = target.wire(call.request)
    give_up_s = now_s() + patience.total_s
    for number in range(1, patience.tries_max + 1):
        timeout_s = min(patience.try_s, give_up_s - now_s())
        outcome = yield Send(request, timeout_s)
        if isinstance(outcome, Reply) and outcome.status < 300:
            return _read(call, _unpacked(outcome))
        fault, wait_s = fault_of(outcome, target)
        pause_s = _pause_s(patience, number, chance()) if wait_s is None else wait_s
        is_hopeless = isinstance(fault, Problem) and fault.status not in BUSY
        is_last = number == patience.tries_max or now_s() + pause_s >= give_up_s
        if is_hopeless or is_last or not call.request.is_repeatable:
            raise fault
        yield Pause(pause_s)
    raise InvalidArgument("patience.tries_max must be at least 1")


def refusal_of(reply: Reply) -> Problem:
    """The problem that an answer of 300 or more tells."""
    try:
        body = _unpacked(reply).body
    except ReplyUnreadable:
        body = b""
    return Problem.of_body(reply.status, body, _retry_after_s(reply))


def given(**texts: str | None) -> Query:
    """Query parameters that were given."""
    return tuple((name.rstrip("_"), text) for name, text in texts.items() if text is not None)


def decoder(reply_type: type[T]) -> Callable[[Reply], T]:
    """Reads a JSON body as such a struct."""
    found = msgspec.json.Decoder(reply_type)
    return lambda reply: found.decode(reply.body)


def decode_anything(reply: Reply) -> Any:
    """A JSON body as plain values."""
    return msgspec.json.decode(reply.body)


def _read(call: Call[T], reply: Reply) -> T:
    try:
        return call.read(reply)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ReplyUnreadable(
            f"the answer to {call.request.method} {call.request.path} cannot be read: {error}; is it another version?"
        ) from error


def fault_of(outcome: Outcome | None, target: Target) -> tuple[ClientError, float | None]:
    """What to raise, and how long the historian asked to wait."""
    match outcome:
        case Reply():
            problem = refusal_of(outcome)
            return problem, problem.retry_after_s
        case Overdue():
            return Timeout(f"{target.origin} did not answer in time"), None
        case Lost(reason):
            return ConnectionFailed(
                f"{target.url} does not answer: {reason}; is the historian running?"
            ), None
        case None:
            raise InvalidArgument("a transport must answer what it was asked to send")


def _pause_s(patience: Patience, number: int, chance: float) -> float:
    longest_s = min(patience.pause_s_max, patience.pause_s * 2.0 ** min(number - 1, 30))
    return longest_s * (1.0 - chance / 2)


def _retry_after_s(reply: Reply) -> float | None:
    text = reply.headers.get("retry-after", "")
    return float(text) if text.isdigit() else None


def _pack(body: bytes, packing: Packing) -> bytes:
    if packing == "gzip":
        return gzip.compress(body, compresslevel=1, mtime=0)
    import zstandard  # only where it is used: a client without packing needs none of it

    return zstandard.ZstdCompressor(level=1).compress(body)


def _unpacked(reply: Reply) -> Reply:
    packing = reply.headers.get("content-encoding", "identity")
    if packing == "identity" or not reply.body:
        return reply
    try:
        return reply._replace(body=_unpack(reply.body, packing))
    except (zlib.error, ValueError, RuntimeError) as error:
        raise ReplyUnreadable(f"the answer, packed with {packing}, cannot be unpacked: {error}") from error


def _unpack(body: bytes, packing: str) -> bytes:
    if packing in ("gzip", "deflate"):
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        text = unpacker.decompress(body, REPLY_BYTES_MAX)
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise ValueError("cut off, or too large")
        return text
    if packing == "zstd":
        import zstandard

        try:
            with zstandard.ZstdDecompressor().stream_reader(body) as reader:
                text = reader.read(REPLY_BYTES_MAX)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from error
        return text
    raise ValueError("this packing was not asked for")
