"""What `historian quarantine` does: on a data folder that nobody else uses, or on a running historian."""

import argparse
import asyncio
import getpass
import os
import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from historian import logs, remote, settings
from historian.client import Client
from historian.client.blocking import token_of
from historian.client.quarantine_calls import Decided
from historian.errors import EditRefused, QueryError, StoreLocked, TimeError
from historian.model import quality, timestamp
from historian.model.decision import AUTHOR_LENGTH_MAX, Decision, make_decision
from historian.model.point import format_interval
from historian.model.ports import OnConflict, PointDirectory
from historian.model.quarantine import (
    DecisionResult,
    NewStamp,
    QuarantineDesk,
    QuarantinedSample,
    QuarantineState,
    Refusal,
    parse_shift_us,
)
from historian.text_table import TextTable, print_table

EXIT_SOME_STAYED: Final = 3
ENTRIES_PER_PAGE: Final = 1000
IDS_PER_RANGE_MAX: Final = 1_000_000
COLUMNS: Final = (
    "id", "point", "time", "value", "unit", "quality", "origin", "code", "source", "arrived_at", "state",
    "stored_time", "decided_at", "author", "reason",
)  # fmt: skip


class Place(Protocol):
    """Where the quarantine is."""

    async def entries(self, point: str | None, code: str | None, state: QuarantineState) -> TextTable: ...

    async def release(
        self, ids: Sequence[int], stamp: NewStamp, decision: Decision, on_conflict: OnConflict
    ) -> DecisionResult: ...

    async def erase(self, ids: Sequence[int], decision: Decision) -> DecisionResult: ...


def run(options: argparse.Namespace) -> int:
    """Do it and print. Raises HistorianError."""
    return asyncio.run(_on_server(options) if options.server else _on_folder(options))


async def _on_folder(options: argparse.Namespace) -> int:
    # With these come compiler and archive libraries, which a remote call does not need.
    from historian import app
    from historian.store import filenames

    logs.configure("warning")
    if not (options.data / filenames.MANIFEST).is_file():
        raise QueryError(
            f"{options.data} is no data folder; name one with --data, or a running historian with --server"
        )
    chosen = settings.load(options.config)
    try:
        async with app.open_offline(chosen, options.data) as parts:
            return await do(FolderPlace(parts.quarantine, parts.registry), options)
    except StoreLocked as error:
        address = f"http://{chosen.server.listen}"
        raise QueryError(f"{error}; to ask the running historian add --server {address}") from error


async def _on_server(options: argparse.Namespace) -> int:
    client = remote.connect(options.server)
    try:
        return await do(ServerPlace(client), options)
    finally:
        client.close()


async def do(place: Place, options: argparse.Namespace) -> int:
    """What a command line asks for; the exit code. Raises EditRefused for what it cannot read."""
    if options.quarantine_kind == "list":
        print_table(await place.entries(options.point, options.code, options.state), options.form)
        return 0
    ids = list(ids_of(options.ids))
    decision = make_decision(_author_of(options), options.reason)
    if options.quarantine_kind == "release":
        stamp = _stamp_of(options, len(ids))
        result = await place.release(ids, stamp, decision, options.on_conflict)
    else:
        result = await place.erase(ids, decision)
    print(f"{options.quarantine_kind}d {result.done}, already {result.already}, stayed {len(result.refused)}")
    for one in result.refused:
        print(f"  {one.id}: {one.code}: {one.detail}")
    return EXIT_SOME_STAYED if result.refused else 0


def _author_of(options: argparse.Namespace) -> str:
    """Who is named, else whose token it is, which a historian with access control keeps by itself, else who is logged in."""
    if options.author is not None:
        return str(options.author)
    if options.server is not None and token_of(os.environ, None):
        return ""
    return getpass.getuser()[:AUTHOR_LENGTH_MAX]


def ids_of(texts: Sequence[str]) -> Iterator[int]:
    """The ids of ``17`` and ``20-25``. Raises EditRefused."""
    for text in texts:
        match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", text)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < first + IDS_PER_RANGE_MAX:
            raise EditRefused(f"{text!r} is no id; allowed: 17, or 17-30")
        yield from range(first, last + 1)


def _stamp_of(options: argparse.Namespace, id_count: int) -> NewStamp:
    if options.time is not None:
        if id_count != 1:
            raise EditRefused("--time is one sample's; name one id, or give --shift")
        try:
            return NewStamp(time_us=timestamp.parse_time_us(options.time))
        except TimeError as error:
            raise EditRefused(f"--time: {error}") from None
    try:
        return NewStamp(shift_us=parse_shift_us(options.shift)) if options.shift is not None else NewStamp()
    except ValueError as error:
        raise EditRefused(f"--shift: {error}") from None


class FolderPlace:
    """A data folder that this process holds."""

    def __init__(self, desk: QuarantineDesk, directory: PointDirectory) -> None:
        self._desk = desk
        self._directory = directory
        self.release = desk.release
        self.erase = desk.erase

    async def entries(self, point: str | None, code: str | None, state: QuarantineState) -> TextTable:
        point_id = None if point is None else self._directory.get(point).id
        rows: list[tuple[str, ...]] = []
        after_id = 0
        while True:
            page = await self._desk.entries(
                point_id=point_id, code=code, state=state, after_id=after_id, limit=ENTRIES_PER_PAGE
            )
            rows += [self._row(entry) for entry in page]
            if len(page) < ENTRIES_PER_PAGE:
                return TextTable(COLUMNS, rows)
            after_id = page[-1].id

    def _row(self, entry: QuarantinedSample) -> tuple[str, ...]:
        point = self._directory.by_id(entry.point_id)
        return (
            str(entry.id), point.name, timestamp.format_time(entry.time_us), repr(entry.value), point.unit,
            quality.validity_name(entry.quality), quality.origin_name(entry.quality), entry.code, entry.source,
            timestamp.format_time(entry.arrival_us), entry.state, _time(entry.stored_time_us), _time(entry.decided_us),
            entry.author, entry.reason,
        )  # fmt: skip


class ServerPlace:
    """A running historian."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def entries(self, point: str | None, code: str | None, state: QuarantineState) -> TextTable:
        given = {"point": point, "code": code, "state": state, "limit": str(ENTRIES_PER_PAGE)}
        query = {name: text for name, text in given.items() if text is not None}
        return await asyncio.to_thread(remote.read_table, self._client, "/quarantine", query)

    async def release(
        self, ids: Sequence[int], stamp: NewStamp, decision: Decision, on_conflict: OnConflict
    ) -> DecisionResult:
        shift, time = None, None
        if stamp.time_us is not None:
            time = timestamp.format_time(stamp.time_us)
        elif stamp.shift_us:
            sign = "-" if stamp.shift_us < 0 else "+"
            shift = f"{sign}{format_interval(abs(stamp.shift_us))}"
        return _result_of(
            await asyncio.to_thread(
                self._client.release, ids, reason=decision.reason, author=decision.author, shift=shift, time=time,
                on_conflict=on_conflict,
            )
        )  # fmt: skip

    async def erase(self, ids: Sequence[int], decision: Decision) -> DecisionResult:
        return _result_of(
            await asyncio.to_thread(self._client.erase, ids, reason=decision.reason, author=decision.author)
        )


def _result_of(decided: Decided) -> DecisionResult:
    refused = [Refusal(one.id, one.code, one.detail) for one in decided.refused]
    return DecisionResult(decided.done, decided.already, refused, decided.seq)


def _time(time_us: int | None) -> str:
    return "" if time_us is None else timestamp.format_time(time_us)
