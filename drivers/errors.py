"""The drivers' errors; each names a cause that the journal keeps.

HistorianError
├── LinkLost                 the connection is gone or could not be made; the driver opens it anew
├── ResponseTimeout          one request had no answer in time
├── ProtocolError
│   └── AnswerMalformed      an answer does not fit its request
├── DeviceException          the device answered that it cannot
└── DriverEnded              a driver's task ended although nobody stopped it
"""

from historian.errors import HistorianError, ProtocolError


class LinkLost(HistorianError):
    """The link to the device is gone; `cause` is ``link_down`` or ``timeout``."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


class ResponseTimeout(HistorianError):
    """A request had no answer in time; the link may still be good."""


class AnswerMalformed(ProtocolError):
    """An answer does not fit its request."""


class DeviceException(HistorianError):
    """The device answered with an exception of the protocol; `code` is the protocol's number."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class DriverEnded(HistorianError):
    """A driver's task ended although nobody stopped it: a mistake of ours, treated as a crash."""
