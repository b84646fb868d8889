"""The awaiting client, on aiohttp; which is loaded when the first request goes out."""

import asyncio
import functools
import io
import os
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from historian.client import (
    archive_calls,
    energy_calls,
    event_stream,
    exchange,
    ingest_calls,
    point_calls,
    quarantine_calls,
    sample_calls,
)
from historian.client.blocking import EVENTS_SILENCE_S, tls_of, token_of
from historian.client.errors import ClientError
from historian.client.event_stream import EventParser, ServerEvent
from historian.client.exchange import (
    REPLY_BYTES_MAX,
    Call,
    Lost,
    Outcome,
    Overdue,
    Packing,
    Pages,
    Patience,
    Reply,
    Send,
    Target,
    WireRequest,
)
from historian.client.ingest_calls import Parts
from historian.client.replies import IngestResult

if TYPE_CHECKING:
    import aiohttp

P = ParamSpec("P")
T = TypeVar("T")

CONNECTIONS_MAX: Final = 8
CHUNK_BYTES: Final = 1 << 20


def _asked(build: Callable[P, Call[T]]) -> Callable[Concatenate["AsyncClient", P], Coroutine[Any, Any, T]]:
    """A method that asks once."""

    @functools.wraps(build)
    async def ask(self: "AsyncClient", /, *positional: P.args, **named: P.kwargs) -> T:
        return await self.ask(build(*positional, **named))

    return ask


def _paged(build: Callable[P, Pages[T]]) -> Callable[Concatenate["AsyncClient", P], AsyncIterator[T]]:
    """A method that gives what is on every page, asking for a page when it is needed."""

    @functools.wraps(build)
    def turn(self: "AsyncClient", /, *positional: P.args, **named: P.kwargs) -> AsyncIterator[T]:
        return self.turn_pages(build(*positional, **named))

    return turn


def _sent(
    build: Callable[P, Parts],
) -> Callable[Concatenate["AsyncClient", P], Coroutine[Any, Any, IngestResult]]:
    """A method that sends in as many requests as are needed; a million rows are made ready in a thread."""

    @functools.wraps(build)
    async def send(self: "AsyncClient", /, *positional: P.args, **named: P.kwargs) -> IngestResult:
        return await self.send_parts(await asyncio.to_thread(build, *positional, **named))

    return send


class AsyncClient:
    """A historian, for one event loop: the methods of `Client`, awaited; iterators are asynchronous ones."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        patience: Patience | None = None,
        packing: Packing = "none",
        tls: ssl.SSLContext | None = None,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._target = Target(url, token_of(os.environ, token), packing)
        self._patience = patience or Patience()
        self._clock_s = clock_s
        self._sleep = sleep
        self._tls = tls or tls_of(os.environ)
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"AsyncClient({self._target.origin})"

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    # Samples in
    ingest = _sent(ingest_calls.ingest)
    ingest_series = _asked(ingest_calls.ingest_series)
    ingest_csv = _asked(ingest_calls.ingest_csv)
    write_lines = _asked(ingest_calls.write_lines)
    # Points
    points = _paged(point_calls.points)
    point = _asked(point_calls.point)
    put_point = _asked(point_calls.put_point)
    patch_point = _asked(point_calls.patch_point)
    make_points = _asked(point_calls.make_points)
    stations = _asked(point_calls.stations)
    terms = _asked(point_calls.terms)
    state_term = _asked(point_calls.state_term)
    tariffs = _asked(point_calls.tariffs)
    tariff = _asked(point_calls.tariff)
    put_tariff = _asked(point_calls.put_tariff)
    tariff_day = _asked(point_calls.tariff_day)
    # Samples out
    recorded = _asked(sample_calls.recorded)
    recorded_pages = _paged(sample_calls.recorded_pages)
    at = _asked(sample_calls.at)
    interpolated = _asked(sample_calls.interpolated)
    plot = _asked(sample_calls.plot)
    summary = _asked(sample_calls.summary)
    gaps = _asked(sample_calls.gaps)
    revisions = _paged(sample_calls.revisions)
    edit = _asked(sample_calls.edit)
    latest = _asked(sample_calls.latest)
    query = _asked(sample_calls.query)
    completeness = _asked(sample_calls.completeness)
    suspicions = _asked(sample_calls.suspicions)
    # Figures
    load_curve = _asked(energy_calls.load_curve)
    sum_load_curve = _asked(energy_calls.sum_load_curve)
    rollups = _asked(energy_calls.rollups)
    carbon = _asked(energy_calls.carbon)
    changes = _paged(energy_calls.changes)
    changes_page = _asked(energy_calls.changes_page)
    locks = _asked(energy_calls.locks)
    lock = _asked(energy_calls.lock)
    unlock = _asked(energy_calls.unlock)
    # The quarantine
    quarantine = _paged(quarantine_calls.quarantine)
    release = _asked(quarantine_calls.release)
    erase = _asked(quarantine_calls.erase)
    # The archive
    entities = _paged(archive_calls.entities)
    entity = _asked(archive_calls.entity)
    entity_history = _asked(archive_calls.entity_history)
    put_entity = _asked(archive_calls.put_entity)
    relations = _asked(archive_calls.relations)
    put_relation = _asked(archive_calls.put_relation)
    charges = _asked(archive_calls.charges)
    record_charge = _asked(archive_calls.record_charge)
    items = _asked(archive_calls.items)
    export_archive = _asked(archive_calls.export_archive)
    import_archive = _asked(archive_calls.import_archive)
    # The audit trail
    audit = _paged(archive_calls.audit)
    # The process, and whatever has no method here
    drivers = _asked(point_calls.drivers)
    driver = _asked(point_calls.driver)
    health = _asked(point_calls.health)
    ready = _asked(point_calls.ready)
    plain = _asked(point_calls.plain)

    async def ask(self, call: Call[T]) -> T:
        """Send a call, again where that is safe and helps, and read its answer. Raises ClientError."""
        steps = exchange.attempts(call, self._target, self._patience, self._clock_s, random.random)
        outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                result: T = done.value
                return result
            if isinstance(step, Send):
                outcome = await self._send(step.request, step.timeout_s)
            else:
                outcome = None
                await self._sleep(step.pause_s)

    async def turn_pages(self, pages: Pages[T]) -> AsyncIterator[T]:
        """What is on every page."""
        call: Call[exchange.Page[T]] | None = pages.first
        while call is not None:
            page = await self.ask(call)
            for entry in page.entries:
                yield entry
            call = pages.after(page)

    async def send_parts(self, parts: Parts) -> IngestResult:
        """All requests, one after another."""
        total = parts.first
        for call in parts.calls:
            try:
                total = ingest_calls.add(total, await self.ask(call))
            except ClientError as error:
                ingest_calls.told_before(error, total)
                raise
        return total

    async def events(
        self,
        last_id: str = "",
        *,
        points: Sequence[str] = (),
        station: str | None = None,
        silence_s: float = EVENTS_SILENCE_S,
    ) -> AsyncIterator[ServerEvent]:
        """As `Client.events`."""
        import aiohttp

        parser, tries = EventParser(last_id), 0
        while True:
            request = self._target.wire(event_stream.events_request(parser.last_id, points, station))
            outcome: Outcome
            try:
                limits = aiohttp.ClientTimeout(sock_connect=self._patience.try_s, sock_read=silence_s)
                async with self._open(request, limits) as response:
                    outcome = Reply(response.status, _headers_of(response), b"")
                    if response.status == event_stream.OK:
                        event_stream.check_stream(outcome)
                        async for part in response.content.iter_any():
                            tries = 0
                            for event in parser.feed(part):
                                yield event
                    else:
                        outcome = outcome._replace(body=await response.read())
            except TimeoutError:
                outcome = Overdue()
            except aiohttp.ClientError as error:
                outcome = Lost(str(error) or type(error).__name__)
            if isinstance(outcome, Reply) and outcome.status == event_stream.NO_CONTENT:
                return
            tries += 1
            pause_s = event_stream.pause_or_raise(outcome, parser, tries, self._patience, self._target)
            parser.reconnected()
            await self._sleep(pause_s)

    async def _send(self, request: WireRequest, timeout_s: float) -> Outcome:
        """The whole answer, or why there is none."""
        import aiohttp

        if timeout_s <= 0:
            return Overdue()
        try:
            async with self._open(request, aiohttp.ClientTimeout(total=timeout_s)) as response:
                body = bytearray()
                async for part in response.content.iter_chunked(CHUNK_BYTES):
                    body += part
                    if len(body) > REPLY_BYTES_MAX:
                        return Lost(f"the answer is larger than {REPLY_BYTES_MAX} bytes")
                return Reply(response.status, _headers_of(response), bytes(body))
        except TimeoutError:
            return Overdue()
        except (aiohttp.ClientError, OSError) as error:
            return Lost(str(error) or type(error).__name__)

    def _open(self, request: WireRequest, limits: "aiohttp.ClientTimeout") -> Any:
        import aiohttp
        import yarl

        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ssl=self._tls or True)
            # Answers are unpacked by `exchange`, for both clients alike; a redirect would carry the token elsewhere.
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        body = io.BytesIO(request.body) if request.body else None  # sent in parts, however long
        address = yarl.URL(self._target.origin + request.target, encoded=True)
        return self._session.request(
            request.method, address, headers=request.headers, data=body, timeout=limits,
            allow_redirects=False,
        )  # fmt: skip


def _headers_of(response: "aiohttp.ClientResponse") -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}
