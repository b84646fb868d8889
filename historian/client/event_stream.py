"""Server-sent events (HTML standard, 9.2) without sockets: bytes in, events out, and where to go on."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from historian.client.errors import ClientError, ConnectionFailed, Problem, ReplyUnreadable
from historian.client.exchange import API, BUSY, Outcome, Patience, Reply, Request, Target, fault_of, given

EVENT_STREAM: Final = "text/event-stream"
EVENT_BYTES_MAX: Final = 16 << 20  # of one event, and of one line
RETRY_DEFAULT_S: Final = 3.0
RETRY_S_MAX: Final = 300.0
OK: Final = 200
NO_CONTENT: Final = 204  # the standard's way to say: do not come again
BOM: Final = b"\xef\xbb\xbf"


class ServerEvent(NamedTuple):
    """One event. `event` is ``message`` where the historian named none; ``reset`` says that some were lost for good:

    what follows is whole again, what was before must be read anew. `id` is where to go on after it.
    """

    event: str
    data: str
    id: str

    @property
    def is_reset(self) -> bool:
        """Whether events before this one are lost."""
        return self.event == "reset"

    def json(self) -> Any:
        """The data as plain values. Raises ReplyUnreadable."""
        try:
            return json.loads(self.data)
        except ValueError as error:
            raise ReplyUnreadable(f"the event {self.id} has no JSON: {error}") from error


class EventParser:
    """Cuts a stream into events; remembers the id and the pause for the next connection."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry_s = RETRY_DEFAULT_S
        self._rest = b""
        self._is_begun = False
        self._ends_in_return = False
        self._begin_event()

    def feed(self, part: bytes) -> list[ServerEvent]:
        """What is whole with these bytes. Raises ReplyUnreadable for a line or an event beyond any size."""
        found: list[ServerEvent] = []
        if not part:
            return found
        if self._ends_in_return:
            part = part.removeprefix(b"\n")  # the second half of a line end that was cut in two
            self._ends_in_return = False
        text = self._rest + part
        if not self._is_begun:
            if len(text) < len(BOM) and BOM.startswith(text):
                self._rest = text
                return found
            text, self._is_begun = text.removeprefix(BOM), True
        self._ends_in_return = text.endswith(b"\r")
        # Only \r, \n and \r\n end a line here; splitlines of bytes knows no others.
        *lines, self._rest = _cut(text)
        for line in lines:
            event = self._take_line(line.decode("utf-8", "replace"))
            if event is not None:
                found.append(event)
        if len(self._rest) > EVENT_BYTES_MAX or self._data_chars > EVENT_BYTES_MAX:
            raise ReplyUnreadable(
                f"an event of more than {EVENT_BYTES_MAX} bytes; this is no stream of events"
            )
        return found

    def reconnected(self) -> None:
        """Forget what a lost connection left half said."""
        self._rest = b""
        self._is_begun = False
        self._ends_in_return = False
        self._begin_event()

    def _begin_event(self) -> None:
        self._event = ""
        self._data: list[str] = []
        self._data_chars = 0
        self._id = self.last_id

    def _take_line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._end_event()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
                self._data_chars += len(value)
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry_s = min(int(value) / 1000, RETRY_S_MAX)
        return None

    def _end_event(self) -> ServerEvent | None:
        self.last_id = self._id
        event = (
            ServerEvent(self._event or "message", "\n".join(self._data), self.last_id) if self._data else None
        )
        self._begin_event()
        return event


def events_request(last_id: str, points: Sequence[str] = (), station: str | None = None) -> Request:
    """Asks for the stream, of all or of these, from behind `last_id` on where there is one."""
    query = given(points=",".join(points) or None, station=station)
    headers = (("Last-Event-ID", last_id), ("Cache-Control", "no-store"))
    return Request(
        "GET", f"{API}/events", query, accept=EVENT_STREAM, headers=headers if last_id else headers[1:]
    )


def check_stream(reply: Reply) -> None:
    """Raises ReplyUnreadable where the answer is no stream of events."""
    found = reply.headers.get("content-type", "")
    if found.partition(";")[0].strip().lower() != EVENT_STREAM:
        raise ReplyUnreadable(f"{API}/events answered {found or 'without a type'}, not a stream of events")


def pause_or_raise(
    outcome: Outcome, parser: EventParser, tries: int, patience: Patience, target: Target
) -> float:
    """How long to wait before the next connection, after `tries` in a row that brought nothing.

    Raises Problem where the historian refused for good, and what is the matter when patience ends.
    """
    if isinstance(outcome, Reply) and outcome.status == OK:
        fault: ClientError = ConnectionFailed(f"{target.url} ends its stream of events again and again")
        wait_s = None
    else:
        fault, wait_s = fault_of(outcome, target)
    is_hopeless = isinstance(fault, Problem) and fault.status not in BUSY
    if is_hopeless or tries >= patience.tries_max:
        raise fault
    return parser.retry_s if wait_s is None else wait_s


def _cut(text: bytes) -> list[bytes]:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
