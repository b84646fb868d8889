"""Server-Sent Events of the log of changes. Nobody has a queue: each connection reads the log from its own place.

A connection goes on only when its socket took what it was sent, so a slow reader costs one page of the log and no more.
Pages are made once for all who stand at the same place.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
import numpy as np
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from api import change_row, problem
from api.context import ApiContext
from api.problem import Problem
from api.time_form import TimeForm
from historian.model.sample import PointIdColumn

CONTENT_TYPE: Final = "text/event-stream"
PAGE_ROWS: Final = 1_000
PAGES_KEPT_MAX: Final = 8  # some 200 KB each
RETRY_MS: Final = 3_000  # what a client is asked to wait before it connects again
RETRY_AFTER_S: Final = 15  # where there are too many
_SOCKET_BYTES_MAX: Final = 1  # what may wait outside the kernel before a client counts as not reading

Wanted = Callable[[], PointIdColumn | None]  # ids of the points asked for, None for all


class EventPage(NamedTuple):
    """Events ready to be sent, the point of each, and the place behind them."""

    point_id: PointIdColumn
    events: list[bytes]
    next_place: int
    is_reset: bool


class EventStreams:
    """All connections that follow; built once for the application."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._limits = context.settings.events
        self._transports: set[asyncio.Transport] = set()
        self._pages: OrderedDict[tuple[int, bool], EventPage] = OrderedDict()
        self._stopping = asyncio.Event()
        metrics = context.metrics
        metrics.gauge("historian_events_clients", "Connections that follow changes", self._live_count)
        self._refused = metrics.counter(
            "historian_events_refused_total", "Followers refused, because there were too many"
        )
        self._cut = metrics.counter("historian_events_cut_total", "Followers cut, because they took nothing")
        self._resets = metrics.counter(
            "historian_events_resets_total", "Followers told that changes were forgotten before they came"
        )

    def stop(self) -> None:
        """End every connection; clients come back to the next run."""
        self._stopping.set()

    def admit(self, transport: asyncio.Transport) -> None:
        """Take one more in. Raises Problem 503 where there are too many."""
        if self._live_count() >= self._limits.clients_max:
            self._refused.add()
            limit = self._limits.clients_max
            raise Problem(
                problem.TOO_MANY_FOLLOWERS,
                f"{limit} connections follow changes already; close some, or ask /changes now and then",
                f"订阅变更的连接已达上限 {limit}；请关闭一些，或改用 /changes 轮询",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        transport.set_write_buffer_limits(_SOCKET_BYTES_MAX)
        self._transports.add(transport)

    def release(self, transport: asyncio.Transport) -> None:
        """One is gone."""
        self._transports.discard(transport)

    async def follow(
        self,
        writer: AbstractStreamWriter,
        place: int | None,
        wanted: Wanted,
        times: TimeForm,
        may_go_on: Callable[[], bool],
    ) -> None:
        """Send what comes after `place` (None: after now) until the client goes, may not go on or the server stops.

        `may_go_on` is asked before anything is sent, and so at each heartbeat at the latest.

        Raises ConnectionError where the client went away or takes nothing.
        """
        if place is None:
            place = (await self._context.rollup.changes(None, 1)).next_place
        await self._send(writer, b"retry: %d\n%s" % (RETRY_MS, _sign_of_life(place)))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while not self._stopping.is_set():
                ring = self._context.rollup.next_change()  # before the log is read: nothing falls between
                page = await self._page(place, times)
                if page.is_reset:
                    self._resets.add()
                    await self._send(writer, _RESET)
                place = page.next_place
                if not may_go_on():
                    return
                if page.events:
                    await self._send(writer, _chosen(page, wanted()))
                    continue
                done, _ = await asyncio.wait(
                    (ring, stopping), timeout=self._limits.heartbeat_s, return_when=asyncio.FIRST_COMPLETED
                )
                if not done and may_go_on():
                    await self._send(writer, _sign_of_life(place))
        finally:
            stopping.cancel()

    def _live_count(self) -> int:
        return sum(not transport.is_closing() for transport in self._transports)

    async def _page(self, place: int, times: TimeForm) -> EventPage:
        """What is kept of a place is right, if short: the log only grows behind it, and what follows is read next."""
        key = (place, times.is_epoch_ms)
        kept = self._pages.get(key)
        if kept is not None:
            return kept
        found = await self._context.rollup.changes(place, PAGE_ROWS)
        rows = change_row.rows_of(found, self._context, self._context.registry, times)
        events = [_event(row, after) for row, after in zip(rows, found.place_after.tolist(), strict=True)]
        page = EventPage(found.changes.point_id, events, found.next_place, found.is_reset)
        if events and not found.is_reset:
            self._pages[key] = page
            if len(self._pages) > PAGES_KEPT_MAX:
                self._pages.popitem(last=False)
        return page

    async def _send(self, writer: AbstractStreamWriter, chunk: bytes) -> None:
        """Returns when the socket has taken it all."""
        if not chunk:
            return
        try:
            async with asyncio.timeout(self._limits.stall_s):
                await writer.write(chunk)
                await writer.drain()
        except TimeoutError:
            self._cut.add()
            raise ConnectionAbortedError("the reader takes nothing; the connection is cut") from None


def _event(row: msgspec.Struct, place_after: int) -> bytes:
    place = change_row.write_place(place_after).encode()
    return b"event: change\nid: %s\ndata: %s\n\n" % (place, msgspec.json.encode(row))


def _sign_of_life(place: int) -> bytes:
    """A comment; the id besides moves a client's place on past changes that it did not ask for."""
    return b": alive\nid: %s\n\n" % change_row.write_place(place).encode()


def _chosen(page: EventPage, wanted: PointIdColumn | None) -> bytes:
    if wanted is None:
        return b"".join(page.events)
    chosen = np.flatnonzero(np.isin(page.point_id, wanted))
    return b"".join([page.events[i] for i in chosen.tolist()])


# No id: who is cut here comes back to the same place, and is told again.
_RESET: Final = (
    b'event: reset\ndata: {"detail":"changes after your place were forgotten; fetch anew what you keep. What follows begins'
    b' with the oldest change that is kept"}\n\n'
)

EVENT_STREAMS: Final = web.AppKey("event_streams", EventStreams)
