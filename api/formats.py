"""Chooses the form of a reply and writes it: JSON, CSV, NDJSON, flat JSON rows for Grafana's Infinity, or Arrow."""

import asyncio
import csv
import io
import zoneinfo
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from aiohttp import web

from api import json_columns, lane, problem
from api.auth import GATE
from api.caller import CALLER
from api.params import Params, params_of
from api.problem import Problem
from historian.model.sample import TimeColumn, ValueColumn

CHUNK_ROWS: Final = 4096
REPLY_STALL_S: Final = 30.0  # a reader that takes nothing for this long is let go
ARROW_THREAD_CELLS_MIN: Final = 1_000_000  # of columns that are copied and not written
THREAD_CELLS_MIN: Final = 50_000  # encoding more than this takes longer than the loop may be held


class Format(Enum):
    """The forms a reply can take; values are those of ``format=``."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"
    ROWS = "rows"
    ARROW = "arrow"


ARROW_TYPE: Final = "application/vnd.apache.arrow.stream"
MEDIA_TYPES: Final = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv",
    Format.NDJSON: "application/x-ndjson",
    Format.ROWS: "application/json",
    Format.ARROW: ARROW_TYPE,
}
_ACCEPTS_KEPT_MAX: Final = 64
_CHOICES: Final = tuple(form.value for form in Format)


class Times(NamedTuple):
    """Instants, for Arrow; `zone` is how they are shown, `is_known` tells where there is one (None: everywhere)."""

    time_us: TimeColumn
    zone: str = "UTC"
    is_known: npt.NDArray[np.bool_] | None = None


class Values(NamedTuple):
    """Numbers, for Arrow; NaN is none."""

    value: npt.NDArray[Any]


class Words(NamedTuple):
    """Words of a vocabulary by their places, for Arrow."""

    code: npt.NDArray[Any]
    vocabulary: Sequence[str]


class Ready(NamedTuple):
    """An Arrow array that was made before."""

    array: Any


Typed = Times | Values | Words | Ready


class Column(NamedTuple):
    """One column of a table; `cells` gives the JSON-ready cells of rows ``[first, last)``.

    `typed` is the same for Arrow, where the cells alone do not tell the type.
    """

    name: str
    cells: Callable[[int, int], Sequence[object]]
    typed: Typed | None = None


class Table(NamedTuple):
    """Rows to be written, held as columns; Arrow tells `about` with its schema."""

    columns: tuple[Column, ...]
    row_count: int
    about: Mapping[str, str] = MappingProxyType({})


def choose_format(request: web.Request) -> Format:
    """What ``format=`` says, else what ``Accept`` prefers. Raises Problem 406."""
    named = params_of(request).once(_named_format)
    return _accepted(request.headers.get("Accept", "")) if named is None else named


def _named_format(params: Params) -> Format | None:
    return None if params.text("format") is None else Format(params.choice("format", _CHOICES, "json"))


@lru_cache(_ACCEPTS_KEPT_MAX)
def _accepted(accept: str) -> Format:
    for media_type in _by_preference(accept):
        match media_type:
            case "*/*" | "application/*" | "application/json":
                return Format.JSON
            case "text/csv" | "text/*":
                return Format.CSV
            case "application/x-ndjson":
                return Format.NDJSON
            case "application/vnd.apache.arrow.stream":
                return Format.ARROW
    if not accept:
        return Format.JSON
    offered = ", ".join(sorted(set(MEDIA_TYPES.values())))
    raise Problem(
        problem.NOT_ACCEPTABLE, f"Accept: {accept} is not offered; there is {offered}", f"可用格式：{offered}"
    )


def reply_json(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON reply from a struct of `schemas` or plain values."""
    return web.Response(
        status=status, body=msgspec.json.encode(body), content_type="application/json", headers=headers
    )


async def reply_table(
    request: web.Request,
    table: Table,
    form: Format,
    *,
    next_cursor: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.StreamResponse:
    """The table as CSV, NDJSON or flat JSON rows, streamed where it is long."""
    headers = {**_table_headers(next_cursor), **(headers or {})}
    if form is Format.ARROW:
        return web.Response(body=await encode_arrow(table), content_type=ARROW_TYPE, headers=headers)
    chunks = _encode_chunks(table, form, has_bom=params_of(request).is_set("bom"))
    content_type = MEDIA_TYPES[form]
    if table.row_count <= CHUNK_ROWS or request.method == "HEAD":
        body = b"" if request.method == "HEAD" else b"".join(chunks)
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)
    response = web.StreamResponse(headers=headers)
    response.content_type = content_type
    response.charset = "utf-8"
    await response.prepare(request)
    for chunk in chunks:
        await write_piece(request, response, chunk)
    await response.write_eof()
    return response


async def reply_chunks(
    request: web.Request, chunks: AsyncIterator[bytes], headers: Mapping[str, str]
) -> web.StreamResponse:
    """JSON that is made piece by piece."""
    response = web.StreamResponse(headers=headers)
    response.content_type = MEDIA_TYPES[Format.JSON]
    await response.prepare(request)
    if request.method != "HEAD":
        async for chunk in chunks:
            await write_piece(request, response, chunk)
    await response.write_eof()
    return response


async def encode_arrow(table: Table) -> bytes:
    """The table as an Arrow stream."""
    from api import arrow_table  # loads pyarrow, which not everybody needs

    is_small = table.row_count * len(table.columns) < ARROW_THREAD_CELLS_MIN
    return arrow_table.encode(table) if is_small else await asyncio.to_thread(arrow_table.encode, table)


def reply_arrow(body: bytes, *, next_cursor: str | None = None) -> web.Response:
    """An Arrow stream that is there already."""
    return web.Response(body=body, content_type=ARROW_TYPE, headers=_table_headers(next_cursor))


def _table_headers(next_cursor: str | None) -> dict[str, str]:
    headers = {"Cache-Control": "no-cache"}
    if next_cursor is not None:
        headers["X-Next-Cursor"] = next_cursor
    return headers


def table_of(rows: Sequence[msgspec.Struct], row_type: type[msgspec.Struct]) -> Table:
    """Reply structs as a table; structs inside become ``outer_inner``, local times show only where asked for."""
    plain = [msgspec.to_builtins(row) for row in rows]
    columns: list[Column] = []
    for field in msgspec.structs.fields(row_type):
        inner = (
            field.type if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct) else None
        )
        cells = [row.get(field.name, "") for row in plain]
        if inner is not None:
            columns += [
                listed(f"{field.name}_{part.name}", [cell[part.name] for cell in cells])
                for part in msgspec.structs.fields(inner)
            ]
        elif not field.name.endswith("_local") or any(cells):
            columns.append(listed(field.name, cells))
    return Table(tuple(columns), len(rows))


def constant(name: str, value: object) -> Column:
    """The same cell in every row."""
    return Column(name, lambda first, last: [value] * (last - first))


def listed(name: str, cells: Sequence[object]) -> Column:
    """Cells that are there already."""
    return Column(name, lambda first, last: cells[first:last])


def times(
    name: str, time_us: TimeColumn, *, zone: zoneinfo.ZoneInfo | None = None, is_epoch_ms: bool = False
) -> Column:
    """RFC 3339 texts, or integers where epoch milliseconds are asked for."""

    def cells(first: int, last: int) -> Sequence[object]:
        if is_epoch_ms:
            stamps: list[object] = (time_us[first:last] // 1000).tolist()
            return stamps
        texts: list[object] = msgspec.json.decode(json_columns.encode_times(time_us[first:last], zone))
        return texts

    return Column(name, cells, Times(time_us, zone.key if zone else "UTC"))


def values(name: str, value: ValueColumn) -> Column:
    """Numbers; NaN, a gap, is null or an empty CSV cell."""

    def cells(first: int, last: int) -> Sequence[object]:
        part = value[first:last]
        numbers: list[object] = part.tolist()
        for i in np.flatnonzero(np.isnan(part)):
            numbers[i] = None
        return numbers

    return Column(name, cells, Values(value))


def words(name: str, code: np.ndarray[Any, np.dtype[Any]], vocabulary: Sequence[str]) -> Column:
    """The word of each code."""

    def cells(first: int, last: int) -> Sequence[object]:
        return [vocabulary[entry] for entry in code[first:last].tolist()]

    return Column(name, cells, Words(code, vocabulary))


def numbers(name: str, number: npt.NDArray[Any]) -> Column:
    """Whole numbers."""
    return Column(name, lambda first, last: number[first:last].tolist(), Values(number))


def _by_preference(accept: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for entry in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        if media_type and weight > 0:
            weighted.append((-weight, media_type))
    return [media_type for _, media_type in sorted(weighted, key=lambda pair: pair[0])]


def _encode_chunks(table: Table, form: Format, *, has_bom: bool) -> Iterator[bytes]:
    names = [column.name for column in table.columns]
    if form is Format.CSV:
        yield (b"\xef\xbb\xbf" if has_bom else b"") + _csv_lines([names])
    elif form is Format.ROWS:
        yield b"["
    for first in range(0, table.row_count, CHUNK_ROWS):
        last = min(first + CHUNK_ROWS, table.row_count)
        rows = zip(*(column.cells(first, last) for column in table.columns), strict=True)
        match form:
            case Format.CSV:
                yield _csv_lines(rows)
            case Format.NDJSON:
                yield msgspec.json.Encoder().encode_lines(
                    [dict(zip(names, row, strict=True)) for row in rows]
                )
            case _:
                encoded = msgspec.json.encode([dict(zip(names, row, strict=True)) for row in rows])
                yield (b"," if first else b"") + encoded[1:-1]
    if form is Format.ROWS:
        yield b"]"


def _csv_lines(rows: object) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)  # type: ignore[arg-type]
    return text.getvalue().encode()


async def write_piece(request: web.Request, response: web.StreamResponse, chunk: bytes) -> None:
    """One piece of a long reply, where the caller may still have it.

    Raises ConnectionAbortedError where their token or session ended, or they take nothing for REPLY_STALL_S.
    """
    if CALLER in request and not request.app[GATE].still_admits(request):
        raise ConnectionAbortedError("what the caller came in with ended; the reply is cut, not completed")
    try:
        async with lane.outside(request), asyncio.timeout(REPLY_STALL_S):
            await response.write(chunk)
    except TimeoutError:
        raise ConnectionAbortedError("the reader takes nothing; the connection is cut") from None
