"""The archive as CSV: whole tables out, and in row by row."""

import asyncio
import codecs
import csv
import hashlib
import io
import itertools
from typing import Final

from aiohttp import web

from api import formats, problem
from api.audit_note import note_of
from api.author import author_of
from api.body import read_body
from api.context import CONTEXT
from api.operation import BOM, CSV, Operation, Parameter
from api.params import Params
from api.personal import masked, may_see_personal
from api.problem import Problem
from api.schemas_entities import ArchiveReport, RowReject
from historian.catalogue.archive_csv import COLUMNS, ArchiveCsv, Report
from historian.errors import CsvInvalid
from historian.model.access import Right

REJECTS_LISTED_MAX: Final = 1_000
CHUNK_ROWS: Final = 5_000


async def get_table(request: web.Request) -> web.StreamResponse:
    """A table as it is known now, streamed."""
    table, has_bom = _table(request), Params(request.query).is_set("bom")
    context, sees = request.app[CONTEXT], may_see_personal(request)

    def shown(entity_type: str, attribute: str, value: str) -> str:
        item = context.archive.items.attributes_of(entity_type).get(attribute)
        return value if sees else masked(item, value)

    rows = _csv(request).rows(table, shown)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{table}.csv"',
        }
    )
    chunk = await asyncio.to_thread(_text, itertools.islice(rows, CHUNK_ROWS))
    await response.prepare(request)
    if has_bom:
        await response.write(codecs.BOM_UTF8)
    while chunk:
        await formats.write_piece(request, response, chunk)
        chunk = await asyncio.to_thread(_text, itertools.islice(rows, CHUNK_ROWS))
    await response.write_eof()
    return response


async def post_table(request: web.Request) -> web.StreamResponse:
    """Take rows; a bad one is told by its line and costs only itself."""
    table, body = _table(request), bytes(await read_body(request))
    if request.content_type != CSV:
        raise Problem(
            problem.UNSUPPORTED_MEDIA_TYPE, f"send {CSV}, not {request.content_type}", f"请发送 {CSV}"
        )
    try:
        text = body.decode("utf-8-sig")
        report = await asyncio.to_thread(_csv(request).take, table, io.StringIO(text, newline=""))
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise _malformed(line, f"byte {error.start} is not UTF-8") from error
    except CsvInvalid as error:
        raise _malformed(error.line, error.problem) from error
    _tell(request, table, body, report)
    listed = [RowReject(line=one.line, detail=one.detail) for one in report.rejects[:REJECTS_LISTED_MAX]]
    return formats.reply_json(
        ArchiveReport(
            rows=report.rows,
            created=report.created,
            changed=report.changed,
            unchanged=report.unchanged,
            rejected=len(report.rejects),
            rejects=listed,
            rejects_omitted=len(report.rejects) - len(listed),
        )
    )


def _table(request: web.Request) -> str:
    table = request.match_info["table"]
    if table not in COLUMNS:
        known = ", ".join(COLUMNS)
        raise Problem.of_parameter(
            "table", f"{table!r} is not one of: {known}", f"{table!r} 不在可选值中：{known}"
        )
    return table


def _csv(request: web.Request) -> ArchiveCsv:
    context = request.app[CONTEXT]
    author = author_of(request, "")
    return ArchiveCsv(context.archive, context.registry, context.settings.time_zone, author)


def _tell(request: web.Request, table: str, body: bytes, report: Report) -> None:
    """For the audit trail: how much, and of which file. Each row's old and new are in the histories of the archive."""
    note = note_of(request)
    if report.created or report.changed:
        note.change(None, f"{report.created} rows made, {report.changed} changed", table)
    note.detail = (
        f"{report.rows} rows, {len(report.rejects)} refused; SHA-256 {hashlib.sha256(body).hexdigest()}"
    )


def _text(rows: "itertools.islice[tuple[str, ...]]") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _malformed(line: int, detail: str) -> Problem:
    return Problem(
        problem.MALFORMED_BODY,
        f"line {line}: {detail}",
        f"第 {line} 行：{detail}",
        faults=(problem.Fault(detail, line=line),),
    )


_TABLE: Final = Parameter("table", "Which table.", {"type": "string", "enum": list(COLUMNS)}, "path", True)

OPERATIONS: Final = (
    Operation(
        "GET", "/archive/{table}", get_table, "exportArchive",
        "Entities with attributes, relations, charges or points as CSV, as known now.",
        parameters=(_TABLE, BOM), reply_types=(CSV,),
        is_global=True,  # no station is known of what it tells
    ),
    Operation(
        "POST", "/archive/{table}", post_table, "importArchive",
        "Take rows of CSV; good rows are kept, bad ones told by line, the same again changes nothing.", ArchiveReport,
        parameters=(_TABLE,), problems=(problem.MALFORMED_BODY, problem.UNSUPPORTED_MEDIA_TYPE, problem.BODY_TOO_LARGE),
        request_types=((CSV, None),), right=Right.CONFIGURE,
        is_global=True,  # no station is known of what it tells
    ),
)  # fmt: skip
