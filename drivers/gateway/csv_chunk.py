"""Turns the lines of a delimited text file into chunks: columns of a sample batch, and rows that are wrong."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from drivers.gateway import csv_line, csv_time, csv_value
from drivers.gateway.csv_line import Line, LineFile
from drivers.gateway.mapping import CsvMapping
from historian.errors import IngestError
from historian.model import timestamp
from historian.model.point import Point, TimeLabel
from historian.model.sample import SampleBatch

ROWS_PER_CHUNK_MAX: Final = 20_000
SAMPLES_PER_CHUNK_MAX: Final = 100_000
SHOWN_LENGTH_MAX: Final = 40
NAMES_SHOWN_MAX: Final = 20
UNREADABLE: Final = "\ufffd"  # what bytes become that are no text

IndexColumn = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Chunk(NamedTuple):
    """Rows as read: one batch, which row each of its samples came from, and what is wrong with rows."""

    lines: list[Line]
    batch: SampleBatch
    row_index: IndexColumn
    point_index: IndexColumn
    missing_count: int
    reasons: dict[int, list[str]]


class Rows(NamedTuple):
    """The lines of a chunk that have the right columns; `line_index` is the line's place in the chunk."""

    line_index: IndexColumn
    fields: list[list[str]]
    time_us: IndexColumn
    is_good: Mask


class ChunkReader:
    """Turns lines into chunks; no I/O but reading the file, so it runs in a worker thread."""

    def __init__(self, path: Path, mapping: CsvMapping, file: LineFile) -> None:
        layout = mapping.layout
        self._path = path
        self._mapping = mapping
        self._layout = layout
        self._every_line = file.lines()
        self._lines: Iterator[Line] = (line for line in self._every_line if line.content.strip())
        self._file = file
        self._scalings = mapping.scalings()
        self._format = csv_time.TimeFormat(layout.time.format, layout.time.midnight == "same_date_end")
        self._local_time = csv_time.LocalTime(
            timestamp.load_zone(layout.time.time_zone), layout.time.label is TimeLabel.PERIOD_END
        )
        self._rows_max = max(1, min(ROWS_PER_CHUNK_MAX, SAMPLES_PER_CHUNK_MAX // len(layout.points)))
        self._column_count = 0  # known from the header, or else from the first row
        self._time_columns: list[int] = []
        self._value_columns: list[int] = []

    def read_header(self) -> None:
        """Find the columns. Raises SettingsError where the mapping names one that is not there."""
        for _ in islice(self._every_line, self._layout.file.skip_lines):
            pass
        if not self._layout.file.header:
            self._time_columns = [int(column) - 1 for column in self._layout.time.columns]
            self._value_columns = [int(entry.column) - 1 for entry in self._layout.points]
            return
        line = next(self._lines, None)
        if line is None:
            raise IngestError(self._file.fault or f"{self._path}: the file is empty; a header was expected")
        fields = csv_line.split_row(self._decode(line.content), self._layout.file.delimiter)
        names = [field.strip() for field in fields or []]
        self._column_count = len(names)
        self._time_columns = [
            self._column_of(column, names, ("time", "columns", index))
            for index, column in enumerate(self._layout.time.columns)
        ]
        self._value_columns = [
            self._column_of(entry.column, names, ("points", index, "column"))
            for index, entry in enumerate(self._layout.points)
        ]

    def read_chunk(self, points: Sequence[Point]) -> Chunk | None:
        """The next rows, or None at the end of the file."""
        lines = list(islice(self._lines, self._rows_max))
        if not lines:
            return None
        reasons: dict[int, list[str]] = {}
        indexes: list[int] = []
        fields: list[list[str]] = []
        for index, line in enumerate(lines):
            parts = self._split(line)
            if isinstance(parts, str):
                reasons[index] = [parts]
            else:
                indexes.append(index)
                fields.append(parts)
        time_us, is_good = self._read_times(fields, indexes, reasons)
        rows = Rows(np.array(indexes, np.int64), fields, time_us, is_good)
        batch, row_index, point_index, missing_count = self._make_batch(rows, points, reasons)
        return Chunk(lines, batch, row_index, point_index, missing_count, reasons)

    def _split(self, line: Line) -> list[str] | str:
        """The fields of a line, or why it is no row."""
        if line.fault:
            return line.fault
        fields = csv_line.split_row(self._decode(line.content), self._layout.file.delimiter)
        cut = "" if line.is_ended else "; the file ends in the middle of this line"
        if fields is None:
            return f"quotes do not match{cut}"
        self._column_count = self._column_count or len(fields)
        if len(fields) != self._column_count:
            return f"{len(fields)} columns instead of {self._column_count}{cut}"
        needed = max(*self._time_columns, *self._value_columns)
        if needed >= len(fields):
            return f"{len(fields)} columns, but the mapping uses column {needed + 1}{cut}"
        if not line.is_ended and self._layout.file.final_newline and needed == len(fields) - 1:
            return (
                "the file ends without a line end, so the last value may be cut off (final_newline in [file])"
            )
        return fields

    def _read_times(
        self, fields: list[list[str]], rows: list[int], reasons: dict[int, list[str]]
    ) -> tuple[IndexColumn, Mask]:
        columns = self._time_columns
        texts = [" ".join([parts[column] for column in columns]) for parts in fields]
        stamps = self._format.read(texts)
        has_offset = stamps.offset_us != csv_time.NO_OFFSET
        time_us = stamps.civil_us - np.where(has_offset, stamps.offset_us, 0)
        is_good = stamps.is_legible.copy()
        local = np.flatnonzero(stamps.is_legible & ~has_offset)
        time_us[local], is_good[local] = self._local_time.to_utc(stamps.civil_us[local])
        for index in np.flatnonzero(~is_good):
            problem = f"is not a time of the format {self._layout.time.format}"
            if stamps.is_legible[index]:
                problem = f"does not exist in {self._layout.time.time_zone}"
            reasons[rows[index]] = [f"time {_shown(texts[index])} {problem}"]
        return time_us, is_good

    def _make_batch(
        self, rows: Rows, points: Sequence[Point], reasons: dict[int, list[str]]
    ) -> tuple[SampleBatch, IndexColumn, IndexColumn, int]:
        """The batch, the row and the point of each of its samples, and how many values were missing."""
        order = np.argsort(rows.time_us, kind="stable")  # equal times stay in file order: the later row wins
        taken: list[IndexColumn] = []
        values: list[npt.NDArray[np.float64]] = []
        times: list[IndexColumn] = []
        missing_count = 0
        for index, point in enumerate(points):
            column = self._read_column(rows.fields, index)
            missing_count += int(np.count_nonzero(column.is_missing & rows.is_good))
            for bad in np.flatnonzero(rows.is_good & ~column.is_number & ~column.is_missing):
                text = _shown(rows.fields[bad][self._value_columns[index]])
                reasons.setdefault(int(rows.line_index[bad]), []).append(
                    f"{point.name}: {text} is not a number"
                )
            good = order[(column.is_number & rows.is_good)[order]]
            taken.append(rows.line_index[good])
            values.append(column.value[good])
            times.append(rows.time_us[good] + point.stored_time_offset_us(self._layout.time.label))
        point_index = np.repeat(np.arange(len(points)), [len(part) for part in taken])
        point_ids = np.array([point.id for point in points], np.uint32)[point_index]
        quality = np.zeros(len(point_index), np.uint16)
        batch = SampleBatch(point_ids, np.concatenate(times), np.concatenate(values), quality)
        return batch, np.concatenate(taken), point_index, missing_count

    def _read_column(self, fields: list[list[str]], index: int) -> csv_value.Values:
        entry = self._layout.points[index]
        column = self._value_columns[index]
        file = self._layout.file
        sentinels = (*file.sentinels, *entry.sentinels)
        values = csv_value.read_values(
            [parts[column] for parts in fields], file.decimal_mark, file.missing, sentinels
        )
        scaling = self._scalings[index]
        if (scaling.numerator, scaling.addend, scaling.denominator) == (1, 0, 1):
            return values
        with np.errstate(over="ignore"):  # the sink refuses what is not finite
            scaled = (values.value * scaling.numerator + scaling.addend) / scaling.denominator
        return values._replace(value=scaled)

    def _decode(self, content: bytes) -> str:
        """The line's text; bytes that are none become marks, which no number and no time contains."""
        return content.decode(self._layout.file.encoding, "replace")

    def _column_of(self, column: str | int, names: list[str], location: tuple[str | int, ...]) -> int:
        if isinstance(column, int):
            if column <= len(names):
                return column - 1
            raise self._mapping.error(location, f"column {column}: {self._path} has {len(names)} columns")
        if names.count(column) == 1:
            return names.index(column)
        shown = ", ".join(names[:NAMES_SHOWN_MAX]) + (", …" if len(names) > NAMES_SHOWN_MAX else "")
        count = "twice" if column in names else "not"
        encoding = self._layout.file.encoding
        hint = f"; the text is not {encoding}: set encoding in [file]" if UNREADABLE in shown else ""
        raise self._mapping.error(
            location, f"column {column!r} is {count} in {self._path}; it has: {shown}{hint}"
        )


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN_LENGTH_MAX else text[: SHOWN_LENGTH_MAX - 1] + "…")
