"""What can go wrong for a client. One tree, so that one ``except ClientError`` is enough.

ClientError
├── InvalidArgument    what was asked cannot be sent: a time without zone, columns of unequal length …
├── NotInstalled       pandas or polars is not there; names the extra
├── ConnectionFailed   nobody answers there, or the connection broke, and trying again did not help
├── Timeout            no whole answer within the deadline
├── ReplyUnreadable    the answer is not what this client knows; another version?
└── Problem            the historian refused: `type` is stable, `detail` is for people
"""

import http
from collections.abc import Mapping
from typing import Any

import msgspec

from historian.errors import HistorianError


class ClientError(HistorianError):
    """Root of every error of the client."""


class InvalidArgument(ClientError, ValueError):
    """What was asked cannot be sent; nothing was."""


class NotInstalled(ClientError, ImportError):
    """A library that is needed for this form of an answer is not installed."""


class ConnectionFailed(ClientError):
    """No connection, or it broke before the answer was whole."""


class Timeout(ClientError, TimeoutError):
    """No whole answer within the deadline. Samples that were sent may have been stored; sending again is harmless."""


class ReplyUnreadable(ClientError):
    """The answer is not in the form the interface documents."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One place that a problem names: a JSON pointer, a parameter or a line."""

    detail: str = ""
    pointer: str = ""
    parameter: str = ""
    line: int = 0
    code: str = ""


class Problem(ClientError):
    """An error answer (RFC 9457).

    `type` is stable and what to act on; `errors` are the places; `members` is the whole body, extensions included.
    `retry_after_s` is None where the historian did not say when to come back.
    """

    def __init__(self, status: int, members: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.members = members
        self.type = str(members.get("type", "about:blank"))
        self.title = str(members.get("title", ""))
        self.detail = str(members.get("detail", ""))
        self.request_id = str(members.get("request_id", ""))
        self.retry_after_s = retry_after_s
        try:
            self.errors = msgspec.convert(members.get("errors", ()), tuple[Fault, ...])
        except msgspec.ValidationError:
            self.errors = ()
        super().__init__(self.detail or self.title or f"answered {status} {_phrase(status)}".rstrip())

    @classmethod
    def of_body(cls, status: int, body: bytes, retry_after_s: float | None) -> "Problem":
        """From the body of an error answer, whoever made it: a proxy may send HTML."""
        try:
            members = msgspec.json.decode(body)
        except msgspec.DecodeError:
            members = {}
        return cls(status, members if isinstance(members, dict) else {}, retry_after_s)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
