"""`historian query …` and `historian points list`: tables from a data folder, or from a running historian."""

import argparse
import asyncio
import csv
import datetime
import io
import urllib.parse
from collections.abc import Mapping
from typing import Any, Final, Protocol

from historian import app, logs, remote, settings
from historian.core import Core
from historian.energy import calendar
from historian.energy.load_curve import SlotState
from historian.errors import QueryError, StoreLocked, TimeError
from historian.model import quality, timestamp
from historian.model.point import Point, TimeLabel, format_interval, parse_interval_us
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
VALUE_DIGITS: Final = 15  # significant digits of a float64 that are always right


class _Source(Protocol):
    """Where the tables come from."""

    async def points(self, match: str | None, station: str | None) -> TextTable: ...

    async def recorded(self, name: str, start: str, end: str) -> TextTable: ...

    async def load_curve(self, name: str, date: datetime.date, interval: str) -> TextTable: ...

    async def rollups(
        self, names: list[str], period: calendar.PeriodName, first: datetime.date, last: datetime.date
    ) -> TextTable: ...


def run(options: argparse.Namespace) -> int:
    """Answer and print. Raises HistorianError."""
    table = asyncio.run(_remote_table(options) if options.server else _offline_table(options))
    print_table(table, options.form)
    return 0


async def _offline_table(options: argparse.Namespace) -> TextTable:
    logs.configure("warning")
    chosen = settings.load(options.config)
    try:
        async with app.open_offline(chosen, options.data) as parts:
            return await _ask(_Offline(parts), options)
    except StoreLocked as error:
        address = f"http://{chosen.server.listen}"
        raise QueryError(f"{error}; to ask the running historian add --server {address}") from error


async def _remote_table(options: argparse.Namespace) -> TextTable:
    client = remote.RemoteHistorian(options.server)
    try:
        return await _ask(_Remote(client), options)
    finally:
        client.close()


async def _ask(source: _Source, options: argparse.Namespace) -> TextTable:
    if options.command == "points":
        return await source.points(options.match, options.station)
    match options.query_kind:
        case "recorded":
            return await source.recorded(options.point, options.start, options.end)
        case "load-curve":
            return await source.load_curve(options.point, _date(options.date, "--date"), options.interval)
    first, last = _date(options.first, "--from"), _date(options.last, "--to")
    return await source.rollups(options.points, options.period, first, last)


class _Offline:
    """A data folder that this process holds."""

    def __init__(self, parts: Core) -> None:
        self._parts = parts

    async def points(self, match: str | None, station: str | None) -> TextTable:
        found: list[Point] = []
        while True:
            page = self._parts.registry.list(
                match, station, None, found[-1].id if found else 0, POINTS_PER_PAGE
            )
            found += page
            if len(page) < POINTS_PER_PAGE:
                return TextTable(POINT_COLUMNS, [_point_row(point) for point in found])

    async def recorded(self, name: str, start: str, end: str) -> TextTable:
        point = self._parts.registry.get(name)
        zone = timestamp.load_zone(point.time_zone)
        page = await self._parts.query.recorded(point, _span(start, end, point.time_zone))
        columns = (page.run.time_us.tolist(), page.run.value.tolist(), page.run.quality.tolist())
        rows = [
            (timestamp.format_local_time(time_us, zone), _number(value), quality.validity_name(bits),
             quality.origin_name(bits))
            for time_us, value, bits in zip(*columns, strict=True)
        ]  # fmt: skip
        return TextTable(("time", f"value [{point.unit}]", "quality", "origin"), rows)

    async def load_curve(self, name: str, date: datetime.date, interval: str) -> TextTable:
        point = self._parts.registry.get(name)
        zone = timestamp.load_zone(point.time_zone)
        curves = await self._parts.rollup.load_curve([point], date, _interval_us(interval), zone)
        starts = calendar.slot_labels(curves.edges_us, zone, TimeLabel.PERIOD_START)
        ends = calendar.slot_labels(curves.edges_us, zone, TimeLabel.PERIOD_END)
        curve = curves.total
        columns = (starts, ends, curve.value.tolist(), curve.state.tolist(), curve.sample_count.tolist())
        rows = [
            (start, end, _number(value), SlotState(state).name.lower(), str(count))
            for start, end, value, state, count in zip(*columns, strict=True)
        ]
        return TextTable(("from", "to", "value", "state", "samples"), rows)

    async def rollups(
        self, names: list[str], period: calendar.PeriodName, first: datetime.date, last: datetime.date
    ) -> TextTable:
        points = [self._parts.registry.get(name) for name in names]
        zones = {point.id: timestamp.load_zone(point.time_zone) for point in points}
        rows = []
        for row in await self._parts.rollup.rows(points, period, first, last):
            zone = zones[row.point_id]
            at = timestamp.format_local_time(row.max_start_us, zone) if row.max_start_us is not None else ""
            rows.append(
                (self._parts.registry.by_id(row.point_id).name, timestamp.format_local_time(row.period_start_us, zone)[:10],
                 _number(row.energy), row.unit or "", _number(row.max_demand), row.max_demand_unit or "", at,
                 _number(row.load_factor), f"{row.coverage.received}/{row.coverage.expected}", row.state)
            )  # fmt: skip
        header = (
            "point",
            period,
            "energy",
            "unit",
            "max",
            "max unit",
            "max from",
            "load factor",
            "samples",
            "state",
        )
        return TextTable(header, rows)


class _Remote:
    """A running historian; its own CSV is the table."""

    def __init__(self, client: remote.RemoteHistorian) -> None:
        self._client = client

    async def points(self, match: str | None, station: str | None) -> TextTable:
        query = {"limit": str(POINTS_PER_PAGE)} | _given(match=match, station=station)
        rows: list[tuple[str, ...]] = []
        while True:
            page = await asyncio.to_thread(self._client.get_json, "/points", query)
            rows += [tuple(str(point[column]) for column in POINT_COLUMNS) for point in page["points"]]
            if not page.get("next"):
                return TextTable(POINT_COLUMNS, rows)
            query["cursor"] = page["next"]

    async def recorded(self, name: str, start: str, end: str) -> TextTable:
        path = f"/points/{urllib.parse.quote(name, safe='')}"
        point: dict[str, Any] = await asyncio.to_thread(self._client.get_json, path, {})
        span = _span(start, end, point["time_zone"])
        query = {"start": timestamp.format_time(span.start_us), "end": timestamp.format_time(span.end_us)}
        return await self._table(f"{path}/recorded", query | {"limit": str(SAMPLES_PER_PAGE)})

    async def load_curve(self, name: str, date: datetime.date, interval: str) -> TextTable:
        _interval_us(interval)
        path = f"/points/{urllib.parse.quote(name, safe='')}/load-curve"
        return await self._table(path, {"date": date.isoformat(), "interval": interval})

    async def rollups(
        self, names: list[str], period: calendar.PeriodName, first: datetime.date, last: datetime.date
    ) -> TextTable:
        query = {
            "period": period,
            "points": ",".join(names),
            "from": first.isoformat(),
            "to": last.isoformat(),
        }
        return await self._table("/rollups", query)

    async def _table(self, path: str, query: Mapping[str, str]) -> TextTable:
        """Every page of a CSV answer."""
        header: list[str] = []
        rows: list[list[str]] = []
        cursor = ""
        while True:
            asked = {**query, "cursor": cursor} if cursor else query
            text, cursor = await asyncio.to_thread(self._client.get_csv, path, asked)
            header, *page = list(csv.reader(io.StringIO(text))) or [header]
            rows += page
            if not cursor:
                return TextTable(header, rows)


def _point_row(point: Point) -> tuple[str, ...]:
    return (
        str(point.id), point.name, point.unit, point.kind.value, format_interval(point.interval_us), point.label.value,
        point.time_zone, point.station, point.name_zh, point.name_en,
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.{VALUE_DIGITS}g}"


def _given(**texts: str | None) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text is not None}


def _date(text: str, option: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise QueryError(f"{option} {text} is no date; allowed: YYYY-MM-DD") from None


def _interval_us(text: str) -> int:
    try:
        return parse_interval_us(text)
    except ValueError as error:
        raise QueryError(f"--interval: {error}") from None


def _span(start: str, end: str, zone_name: str) -> TimeRange:
    """Local times of the zone where they carry no offset; a date alone is its midnight."""
    zone = timestamp.load_zone(zone_name)
    times = []
    for option, text in (("--start", start), ("--end", end)):
        try:
            times.append(timestamp.parse_local_time_us(f"{text}T00:00" if len(text) == 10 else text, zone))
        except TimeError as error:
            raise QueryError(f"{option}: {error}") from None
    return TimeRange(*times)
