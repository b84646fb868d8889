"""Lanes keep what costs much from holding up what is looked at: so many at once, the others wait their turn or are told to come back.

A control room's load curves are quick and wait for nobody. A question about many points, and a large body of samples, pass
their lane; while nobody else is in it that costs nothing. What a client takes slowly is no time in the lane.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

from aiohttp import web

from api import problem
from api.problem import Problem
from historian.metrics import Counter, Metrics
from historian.settings import ServerSettings

RETRY_AFTER_S: Final = 2

Answer = TypeVar("Answer")


class Lane:
    """At most `at_once` tickets are out; at most `waiting_max` wait for one, `wait_s` long."""

    def __init__(self, at_once: int, waiting_max: int, wait_s: float, refused: Counter) -> None:
        self._free = at_once
        self._waiting_max = waiting_max
        self._wait_s = wait_s
        self._refused = refused
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting_count(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    async def take(self) -> None:
        """A ticket. Raises Problem 503 where too many wait already, or the wait is too long."""
        if self._free > 0:
            self._free -= 1
            return
        if len(self._waiting) >= self._waiting_max:
            raise self._busy()
        try:
            async with asyncio.timeout(self._wait_s):
                await self.take_again()
        except TimeoutError:
            raise self._busy() from None

    async def take_again(self) -> None:
        """A ticket for one who had it before and has begun to answer: waits as long as it takes."""
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.give_back()  # it was our turn just when we left
            else:
                self._waiting.remove(turn)
            raise

    def give_back(self) -> None:
        """The next who waits has it."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1

    def _busy(self) -> Problem:
        self._refused.add()
        return Problem(
            problem.BUSY,
            f"{len(self._waiting)} large questions or bodies wait already; come back in {RETRY_AFTER_S} s",
            f"已有 {len(self._waiting)} 个大请求在排队；请在 {RETRY_AFTER_S} 秒后重试",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )


class Lanes(NamedTuple):
    """Those of a server: wide questions, and large bodies of samples."""

    wide: Lane
    ingest: Lane


def make_lanes(limits: ServerSettings, metrics: Metrics) -> Lanes:
    """As the settings say."""

    def lane(name: str, at_once: int) -> Lane:
        refused = metrics.counter(
            "historian_http_busy_total", "Requests told to come back because a lane was full.", lane=name
        )
        made = Lane(at_once, limits.lane_waiting_max, limits.lane_wait_s, refused)
        metrics.gauge(
            "historian_http_lane_waiting",
            "Requests that wait for their lane.",
            lambda: made.waiting_count,
            lane=name,
        )
        return made

    return Lanes(lane("wide", limits.wide_at_once), lane("ingest", limits.ingest_at_once))


LANES: Final = web.AppKey("lanes", Lanes)
_TICKET: Final = web.RequestKey("ticket", Lane)


async def within(request: web.Request, lane: Lane, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """The work, with a ticket of this lane. Raises Problem 503."""
    await lane.take()
    request[_TICKET] = lane
    try:
        return await work()
    finally:
        if request.pop(_TICKET, None) is not None:
            lane.give_back()


@contextlib.asynccontextmanager
async def outside(request: web.BaseRequest) -> AsyncIterator[None]:
    """While the block waits for the client, the ticket of the request, if it has one, is somebody else's."""
    lane = request.pop(_TICKET, None)
    if lane is None:
        yield
        return
    lane.give_back()
    yield
    await lane.take_again()
    request[_TICKET] = lane
