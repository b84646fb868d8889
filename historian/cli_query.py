"""`historian query …` and `historian points list`: tables from a data folder, or from a running historian."""

import argparse
import asyncio
import datetime
import urllib.parse
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from historian import logs, remote, settings
from historian.client import Client
from historian.energy.calendar import PeriodName
from historian.errors import QueryError, StoreLocked, TimeError
from historian.model import timestamp
from historian.model.point import parse_interval_us
from historian.model.timerange import TimeRange
from historian.text_table import TextTable, print_table

POINTS_PER_PAGE: Final = 1000
SAMPLES_PER_PAGE: Final = 100_000
POINT_COLUMNS: Final = (
    "id",
    "name",
    "unit",
    "kind",
    "interval",
    "label",
    "time_zone",
    "station",
    "name_zh",
    "name_en",
)


class Source(Protocol):
    """Where the tables come from."""

    async def points(self, match: str | None, station: str | None) -> TextTable: ...

    async def recorded(self, name: str, start: str, end: str) -> TextTable: ...

    async def load_curve(self, name: str, date: datetime.date, interval: str) -> TextTable: ...

    async def rollups(
        self, names: list[str], period: PeriodName, first: datetime.date, last: datetime.date
    ) -> TextTable: ...


def run(options: argparse.Namespace) -> int:
    """Answer and print. Raises HistorianError."""
    table = asyncio.run(_remote_table(options) if options.server else _offline_table(options))
    print_table(table, options.form)
    return 0


async def _offline_table(options: argparse.Namespace) -> TextTable:
    # With these come compiler and archive libraries, which a remote query does not need.
    from historian import app, cli_query_offline
    from historian.store import filenames

    logs.configure("warning")
    if not (
        options.data / filenames.MANIFEST
    ).is_file():  # opening would make an empty store at a misspelt name
        raise QueryError(
            f"{options.data} is no data folder; name one with --data, or a running historian with --server"
        )
    chosen = settings.load(options.config)
    try:
        async with app.open_offline(chosen, options.data) as parts:
            return await ask(cli_query_offline.OfflineSource(parts), options)
    except StoreLocked as error:
        address = f"http://{chosen.server.listen}"
        raise QueryError(f"{error}; to ask the running historian add --server {address}") from error


async def _remote_table(options: argparse.Namespace) -> TextTable:
    client = remote.connect(options.server)
    try:
        return await ask(RemoteSource(client), options)
    finally:
        client.close()


async def ask(source: Source, options: argparse.Namespace) -> TextTable:
    """The table a command line asks for. Raises QueryError for what it cannot read."""
    if options.command == "points":
        return await source.points(options.match, options.station)
    match options.query_kind:
        case "recorded":
            return await source.recorded(options.point, options.start, options.end)
        case "load-curve":
            return await source.load_curve(
                options.point, _date(options.date, "--date"), _interval(options.interval)
            )
    first, last = _date(options.first, "--from"), _date(options.last, "--to")
    return await source.rollups(options.points, options.period, first, last)


class RemoteSource:
    """A running historian; its own CSV is the table."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def points(self, match: str | None, station: str | None) -> TextTable:
        def read() -> list[tuple[str, ...]]:
            found = self._client.points(match=match, station=station, page_size=POINTS_PER_PAGE)
            plain = (msgspec.to_builtins(point) for point in found)
            return [tuple(str(point[column]) for column in POINT_COLUMNS) for point in plain]

        return TextTable(POINT_COLUMNS, await asyncio.to_thread(read))

    async def recorded(self, name: str, start: str, end: str) -> TextTable:
        path = f"/points/{urllib.parse.quote(name, safe='')}"
        point = await asyncio.to_thread(self._client.point, name)
        span = query_span(start, end, point.time_zone)
        query = {"start": timestamp.format_time(span.start_us), "end": timestamp.format_time(span.end_us)}
        return await self._table(f"{path}/recorded", query | {"limit": str(SAMPLES_PER_PAGE)})

    async def load_curve(self, name: str, date: datetime.date, interval: str) -> TextTable:
        path = f"/points/{urllib.parse.quote(name, safe='')}/load-curve"
        return await self._table(path, {"date": date.isoformat(), "interval": interval})

    async def rollups(
        self, names: list[str], period: PeriodName, first: datetime.date, last: datetime.date
    ) -> TextTable:
        query = {
            "period": period,
            "points": ",".join(names),
            "from": first.isoformat(),
            "to": last.isoformat(),
        }
        return await self._table("/rollups", query)

    async def _table(self, path: str, query: Mapping[str, str]) -> TextTable:
        return await asyncio.to_thread(remote.read_table, self._client, path, query)


def _interval(text: str) -> str:
    try:
        parse_interval_us(text)
    except ValueError as error:
        raise QueryError(f"--interval: {error}") from None
    return text


def _date(text: str, option: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise QueryError(f"{option} {text} is no date; allowed: YYYY-MM-DD") from None


def query_span(start: str, end: str, zone_name: str) -> TimeRange:
    """Local times of the zone where they carry no offset; a date alone is its midnight."""
    zone = timestamp.load_zone(zone_name)
    times = []
    for option, text in (("--start", start), ("--end", end)):
        try:
            times.append(timestamp.parse_local_time_us(f"{text}T00:00" if len(text) == 10 else text, zone))
        except TimeError as error:
            raise QueryError(f"{option}: {error}") from None
    return TimeRange(*times)
