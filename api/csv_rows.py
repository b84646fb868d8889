"""Reads ``point,time,value[,quality]`` rows of a CSV body; a bad row is told by its line and costs only itself."""

import csv
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from api import problem, time_text
from api.ingest_series import read_quality
from api.intake import Intake
from api.problem import Problem
from api.reach import Points
from historian.errors import PointNotFound
from historian.model.point import Point
from historian.model.sample import SampleBatch

if TYPE_CHECKING:
    import _csv  # the reader's type has no public name

REQUIRED: Final = ("point", "time", "value")
OPTIONAL: Final = ("quality",)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,5})?")
_NOT_FINITE: Final = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


class _Rows(NamedTuple):
    """Readable rows as columns; `line` is where each stands."""

    line: list[int]
    point: list[Point]
    time: list[str]
    value: list[float]
    quality: list[str | int | None]


def take_rows(intake: Intake, body: bytes, directory: Points) -> None:
    """Put every readable row into the intake. Raises Problem where the text or its header is unusable."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _malformed(
            f"byte {error.start} is not UTF-8",
            f"第 {error.start} 字节不是 UTF-8",
            body.count(b"\n", 0, error.start) + 1,
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""))
    places = _read_header(reader)
    rows = _Rows([], [], [], [], [])
    for line, row in _read_rows(intake, reader):
        _read_row(intake, rows, places, line, row, directory)
    _take_columns(intake, rows)


def _read_header(reader: Iterator[list[str]]) -> dict[str, int]:
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
    except csv.Error as error:
        raise _malformed(f"the header cannot be read: {error}", f"表头无法解析：{error}", 1) from error
    unknown = [cell for cell in header if cell not in (*REQUIRED, *OPTIONAL)]
    missing = [cell for cell in REQUIRED if cell not in header]
    if unknown or missing or len(set(header)) != len(header):
        raise _malformed(
            f"the header is {','.join(header)[:80]!r}; it must be point,time,value or point,time,value,quality",
            "表头必须是 point,time,value 或 point,time,value,quality",
            1,
        )
    return {cell: place for place, cell in enumerate(header)}


def _read_rows(intake: Intake, reader: "_csv.Reader") -> Iterator[tuple[int, list[str]]]:
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            intake.refuse("malformed_row", f"the row cannot be read: {error}", place=line)
            continue
        if row:
            yield line, row


def _read_row(
    intake: Intake, rows: _Rows, places: dict[str, int], line: int, row: list[str], directory: Points
) -> None:
    if len(row) != len(places):
        intake.refuse("malformed_row", f"{len(row)} cells where the header has {len(places)}", place=line)
        return
    text = row[places["value"]].strip()
    if not _NUMBER.fullmatch(text):
        is_number = _NOT_FINITE.fullmatch(text) or not text
        detail = f"value {text[:40]!r} is not a finite decimal number"
        intake.refuse("not_finite" if is_number else "bad_value", detail, place=line)
        return
    try:
        point = directory.get(row[places["point"]].strip())
    except PointNotFound as error:
        intake.refuse("unknown_point", str(error), place=line)
        return
    rows.line.append(line)
    rows.point.append(point)
    rows.time.append(row[places["time"]].strip())
    rows.value.append(float(text))
    rows.quality.append(_quality_entry(row[places["quality"]].strip()) if "quality" in places else None)


def _take_columns(intake: Intake, rows: _Rows) -> None:
    time_us, time_faults = time_text.read_times(rows.time)
    quality, faults = read_quality(rows.quality)
    faults |= {i: ("bad_time", text) for i, text in time_faults.items()}
    for i in sorted(faults):
        intake.refuse(*faults[i], place=rows.line[i])
    offset_us = np.array([point.stored_time_offset_us() for point in rows.point], np.int64)
    point_id = np.array([point.id for point in rows.point], np.uint32)
    kept = np.ones(len(rows.line), np.bool_)
    kept[list(faults)] = False
    value = np.array(rows.value, np.float64)
    batch = SampleBatch(point_id[kept], (time_us + offset_us)[kept], value[kept], quality[kept])
    intake.add(batch, np.array(rows.line, np.int64)[kept])


def _quality_entry(cell: str) -> str | int | None:
    if not cell:
        return None
    return int(cell) if re.fullmatch(r"[0-9]{1,5}", cell) else cell


def _malformed(en: str, zh: str, line: int) -> Problem:
    return Problem(
        problem.MALFORMED_BODY,
        f"line {line}: {en}",
        f"第 {line} 行：{zh}",
        faults=(problem.Fault(en, zh, line=line),),
    )
