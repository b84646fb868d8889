"""The blocking client."""

import functools
import os
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Concatenate, Final, ParamSpec, TypeVar

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
from historian.client.errors import ClientError, InvalidArgument
from historian.client.event_stream import EventParser, ServerEvent
from historian.client.exchange import Call, Packing, Pages, Patience, Reply, Send, Target
from historian.client.ingest_calls import Parts
from historian.client.replies import IngestResult
from historian.client.wire import Stream, Wire

P = ParamSpec("P")
T = TypeVar("T")

CA_VARIABLE: Final = "HISTORIAN_CA"
CERTIFICATE_VARIABLE: Final = "HISTORIAN_CERTIFICATE"
TOKEN_VARIABLE: Final = "HISTORIAN_TOKEN"  # noqa: S105 - the name of one
EVENTS_SILENCE_S: Final = 60.0  # a stream that says nothing for so long, not even a heartbeat, is opened anew


def _asked(build: Callable[P, Call[T]]) -> Callable[Concatenate["Client", P], T]:
    """A method that asks once."""

    @functools.wraps(build)
    def ask(self: "Client", /, *positional: P.args, **named: P.kwargs) -> T:
        return self.ask(build(*positional, **named))

    return ask


def _paged(build: Callable[P, Pages[T]]) -> Callable[Concatenate["Client", P], Iterator[T]]:
    """A method that gives what is on every page, asking for a page when it is needed."""

    @functools.wraps(build)
    def turn(self: "Client", /, *positional: P.args, **named: P.kwargs) -> Iterator[T]:
        return self.turn_pages(build(*positional, **named))

    return turn


def _sent(build: Callable[P, Parts]) -> Callable[Concatenate["Client", P], IngestResult]:
    """A method that sends in as many requests as are needed."""

    @functools.wraps(build)
    def send(self: "Client", /, *positional: P.args, **named: P.kwargs) -> IngestResult:
        return self.send_parts(build(*positional, **named))

    return send


class Client:
    """A historian, asked and answered in this thread; several threads may share it. Errors are ClientErrors.

    `token` is taken from the environment (HISTORIAN_TOKEN) where it is not given; it appears in no message.
    Without `tls` the authorities in the file HISTORIAN_CA are trusted besides the system's, and the certificate in
    HISTORIAN_CERTIFICATE is shown. `packing` packs bodies both ways. Connections are kept: close the client, or use it as a context.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        patience: Patience | None = None,
        packing: Packing = "none",
        tls: ssl.SSLContext | None = None,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._target = Target(url, token_of(os.environ, token), packing)
        self._patience = patience or Patience()
        self._clock_s = clock_s
        self._sleep = sleep
        self._wire = Wire(self._target, clock_s, tls or tls_of(os.environ))

    def __repr__(self) -> str:
        return f"Client({self._target.origin})"

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

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

    def ask(self, call: Call[T]) -> T:
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
                outcome = self._wire.send(step.request, step.timeout_s)
            else:
                outcome = None
                self._sleep(step.pause_s)

    def turn_pages(self, pages: Pages[T]) -> Iterator[T]:
        """What is on every page."""
        call: Call[exchange.Page[T]] | None = pages.first
        while call is not None:
            page = self.ask(call)
            yield from page.entries
            call = pages.after(page)

    def send_parts(self, parts: Parts) -> IngestResult:
        """All requests, one after another."""
        total = parts.first
        for call in parts.calls:
            try:
                total = ingest_calls.add(total, self.ask(call))
            except ClientError as error:
                ingest_calls.told_before(error, total)
                raise
        return total

    def events(
        self,
        last_id: str = "",
        *,
        points: Sequence[str] = (),
        station: str | None = None,
        silence_s: float = EVENTS_SILENCE_S,
    ) -> Iterator[ServerEvent]:
        """Changes as they happen, without end; a connection that breaks is opened anew where it stopped.

        `points` or `station` ask only for theirs. `last_id` is the id of the last event that was dealt with. An event with `is_reset` says that some are lost. Raises
        Problem where the historian refuses, ConnectionFailed or Timeout after `tries_max` connections in a row in vain.
        """
        parser, tries = EventParser(last_id), 0
        request = self._target.wire
        while True:
            opened = self._wire.stream(
                request(event_stream.events_request(parser.last_id, points, station)),
                self._patience.try_s,
                silence_s,
            )
            if isinstance(opened, Stream):
                try:
                    event_stream.check_stream(opened.reply)
                    for part in opened.parts():
                        tries = 0
                        yield from parser.feed(part)
                finally:
                    opened.close()
            elif isinstance(opened, Reply) and opened.status == event_stream.NO_CONTENT:
                return
            tries += 1
            outcome = opened.reply if isinstance(opened, Stream) else opened
            pause_s = event_stream.pause_or_raise(outcome, parser, tries, self._patience, self._target)
            parser.reconnected()
            self._sleep(pause_s)


def token_of(environment: Mapping[str, str], token: str | None) -> str:
    """The token given, else the one of the environment, else none."""
    return environment.get(TOKEN_VARIABLE, "").strip() if token is None else token


def tls_of(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """What the environment says of TLS; None where it says nothing. Raises InvalidArgument where a file cannot be used."""
    ca, certificate = (environment.get(name, "") for name in (CA_VARIABLE, CERTIFICATE_VARIABLE))
    if not (ca or certificate):
        return None
    context = ssl.create_default_context()
    try:
        if ca:
            context.load_verify_locations(ca)
        if certificate:
            context.load_cert_chain(certificate, password=lambda: b"")
    except OSError as error:  # an SSLError is one
        raise InvalidArgument(
            f"{CA_VARIABLE} {ca!r}, {CERTIFICATE_VARIABLE} {certificate!r}: {error}; each names a file in PEM that may be read"
        ) from None
    return context
