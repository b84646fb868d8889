"""Cuts clients that do not take their replies: what is not taken stays in memory, and a connection stays counted.

asyncio waits for ever until a reply is taken, even on a connection that is closing. A client reads fast enough while its
backlog shrinks at the least rate, or is used up now and then, as with a stream that is made while it is read.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from api.body import BODY_RATE_BYTES_S_MIN
from historian.clock import Clock
from historian.logs import EventLog
from historian.metrics import Counter
from historian.settings import ServerSettings

SWEEP_S: Final = 1.0
REPLY_RATE_BYTES_S_MIN: Final = (
    BODY_RATE_BYTES_S_MIN  # a slower link is dead or an attack, in this direction too
)

_LOG: Final = EventLog("api")


class Connection(NamedTuple):
    """What is asked of an open connection: the address for the log, its backlog in bytes, and to be cut."""

    address: str
    unsent_bytes: Callable[[], int]
    abort: Callable[[], None]


class _Backlog(NamedTuple):
    """Since when a connection has had a backlog that does not shrink, and how large it was then."""

    since_s: float
    size_bytes: int


class SlowReaders:
    """All open connections of a server; `sweep` is called every SWEEP_S."""

    def __init__(self, limits: ServerSettings, clock: Clock, cut: Counter) -> None:
        self._limits = limits
        self._clock = clock
        self._cut = cut
        self._backlogs: dict[Connection, _Backlog | None] = {}

    def opened(self, connection: Connection) -> None:
        """It may get replies from now on."""
        self._backlogs[connection] = None

    def closed(self, connection: Connection) -> None:
        """It is gone."""
        self._backlogs.pop(connection, None)

    def drained(self, connection: Connection) -> None:
        """Its backlog was used up, or nearly so."""
        if connection in self._backlogs:
            self._backlogs[connection] = None

    def sweep(self) -> None:
        """Cut who reads too slowly, then who has waited longest while all backlogs are too large together."""
        now_s = self._clock.monotonic_s()
        unsent_bytes = 0
        for connection in list(self._backlogs):
            size_bytes = connection.unsent_bytes()
            if self._is_too_slow(connection, size_bytes, now_s):
                self._abort(connection, size_bytes, "slow")
            else:
                unsent_bytes += size_bytes
        if unsent_bytes > self._limits.unsent_bytes_max:
            self._shed(unsent_bytes)

    def _is_too_slow(self, connection: Connection, size_bytes: int, now_s: float) -> bool:
        before = self._backlogs[connection]
        if size_bytes == 0:
            self._backlogs[connection] = None
            return False
        if (
            before is None
            or before.size_bytes - size_bytes >= REPLY_RATE_BYTES_S_MIN * (now_s - before.since_s) > 0
        ):
            self._backlogs[connection] = _Backlog(now_s, size_bytes)
            return False
        return now_s - before.since_s >= self._limits.reply_stall_s

    def _shed(self, unsent_bytes: int) -> None:
        waiting = [(backlog.since_s, connection) for connection, backlog in self._backlogs.items() if backlog]
        for _, connection in sorted(waiting, key=lambda entry: entry[0]):
            if unsent_bytes <= self._limits.unsent_bytes_max:
                return
            size_bytes = connection.unsent_bytes()
            unsent_bytes -= size_bytes
            self._abort(connection, size_bytes, "too much unsent in all")

    def _abort(self, connection: Connection, size_bytes: int, reason: str) -> None:
        self._cut.add()
        _LOG.warning(
            "reader_cut", address=connection.address, unsent_bytes=size_bytes, reason=reason,
            meaning="the client did not take its reply",
        )  # fmt: skip
        self.closed(connection)
        connection.abort()
