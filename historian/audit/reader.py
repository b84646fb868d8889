"""Reads the trail by pages. What is no record is left out here; `historian audit verify` tells of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from historian.audit import chain
from historian.audit.chain import Line
from historian.audit.trail import month_names
from historian.model import timestamp
from historian.model.audit import AuditPage, AuditQuestion, AuditRecord
from historian.store import filenames
from historian.store.durable import DurableFiles

SCAN_BYTES_MAX: Final = 64 << 20  # of one page; where it holds too few records the next one goes on
CHUNK_BYTES: Final = 1 << 20
_OFFSET_BITS: Final = 44


def read(folder: Path, files: DurableFiles, question: AuditQuestion, place: int | None = None) -> AuditPage:
    """Records that fit, in their order, from `place` on. Raises OSError."""
    month_from, offset = _month_of(question.since_us), 0
    if place is not None:
        month_from, offset = _place_of(place)
    records: list[AuditRecord] = []
    left_bytes = SCAN_BYTES_MAX
    for name in month_names(files, folder):
        month = filenames.audit_month(name) or ""
        if month < month_from:
            continue
        begin = offset if month == month_from else 0
        for line in lines_of(folder / name, begin):
            left_bytes -= line.end - line.offset
            if len(records) == question.limit or left_bytes < 0:
                return AuditPage(records, _place(month, line.offset))
            if _fits(line.record, question):
                records.append(line.record)
    return AuditPage(records, None)


def lines_of(path: Path, offset: int = 0) -> Iterator[Line]:
    """The records of a file from `offset` on, read by pieces. Raises OSError."""
    with path.open("rb") as file:
        file.seek(offset)
        rest = b""
        while chunk := file.read(CHUNK_BYTES):
            data = rest + chunk
            end = data.rfind(b"\n") + 1
            for piece in chain.walk(data[:end], offset):
                if isinstance(piece, Line):
                    yield piece
            offset += end
            rest = data[end:]


def _fits(record: AuditRecord, question: AuditQuestion) -> bool:
    return (
        (not question.kind or record.kind == question.kind)
        and (not question.who or record.who == question.who)
        and question.object in record.object
        and question.since_us <= timestamp.parse_time_us(record.time) < question.until_us
    )


def _month_of(time_us: int) -> str:
    return timestamp.format_time(max(time_us, 0))[:7]


def _place(month: str, offset: int) -> int:
    return ((int(month[:4]) * 12 + int(month[5:]) - 1) << _OFFSET_BITS) | offset


def _place_of(place: int) -> tuple[str, int]:
    months, offset = place >> _OFFSET_BITS, place & ((1 << _OFFSET_BITS) - 1)
    return f"{months // 12:04d}-{months % 12 + 1:02d}", offset
