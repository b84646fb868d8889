"""Samples as CSV: lines of `#` with the points, a header, then one line a sample.

    #historian-export {"version":1,"points":[…]}
    point,time,value,quality
    steel.import.energy,2018-01-01T00:00:00.000000Z,3.17,0

Values are the shortest text that gives back every bit, quality is its number, times are µs in UTC.
"""

import csv
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from historian.errors import HistorianError
from historian.model.point import PointDraft
from historian.tools import sample_file
from historian.tools.sample_file import SampleRows

MARK: Final = "#historian-export "
COLUMNS: Final = ("point", "time", "value", "quality")
VERSION_COLUMNS: Final = ("version", "arrival", "source", "reason")
ROWS_AT_ONCE: Final = 100_000


class CsvWriter:
    """Writes one file."""

    def __init__(self, path: Path, points: Sequence[PointDraft], has_versions: bool) -> None:
        self._names = [point.name for point in points]
        self._has_versions = has_versions
        self._file = path.open("w", encoding="utf-8", newline="")
        self._file.write(MARK + sample_file.encode_points(points).decode() + "\n")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow((*COLUMNS, *(VERSION_COLUMNS if has_versions else ())))

    def write(self, rows: SampleRows) -> None:
        columns = [
            [self._names[place] for place in rows.point.tolist()],
            _texts_of(rows.time_us),
            map(repr, rows.value.tolist()),
            rows.quality.tolist(),
        ]
        if self._has_versions:
            assert rows.version is not None, "a file of versions takes versions"
            assert rows.arrival_time_us is not None, "a version has an arrival"
            assert rows.origin is not None, "a version has an origin"
            origins = [rows.origins[place].partition("\n") for place in rows.origin.tolist()]
            columns += [rows.version.tolist(), _texts_of(rows.arrival_time_us)]
            columns += [[source for source, _, _ in origins], [reason for _, _, reason in origins]]
        self._writer.writerows(zip(*columns, strict=True))

    def close(self) -> None:
        self._file.close()


class CsvReader:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open(encoding="utf-8", newline="")
        try:
            self.points, header = self._read_head()
        except BaseException:
            self._file.close()
            raise
        self.has_versions = len(header) > len(COLUMNS)

    def rows(self) -> Iterator[SampleRows]:
        places = {point.name: place for place, point in enumerate(self.points)}
        reader = csv.reader(self._file)
        while part := list(itertools.islice(reader, ROWS_AT_ONCE)):
            try:
                yield self._rows_of(part, places)
            except (ValueError, KeyError, IndexError, OverflowError) as error:
                raise HistorianError(
                    f"{self._path}: up to line {reader.line_num + 2}: a sample cannot be read: {error}"
                ) from error

    def close(self) -> None:
        self._file.close()

    def _read_head(self) -> tuple[list[PointDraft], list[str]]:
        try:
            first = self._file.readline()
        except UnicodeDecodeError:
            first = ""
        if not first.startswith(MARK):
            raise HistorianError(
                f"{self._path} is no file of `historian export`; for any other delimited text: historian import csv"
            )
        points = sample_file.decode_points(first[len(MARK) :].encode(), self._path)
        header = self._file.readline().rstrip("\r\n").split(",")
        if tuple(header) not in (COLUMNS, (*COLUMNS, *VERSION_COLUMNS)):
            raise HistorianError(f"{self._path}: the header is {','.join(header)}, not {','.join(COLUMNS)}")
        return points, header

    def _rows_of(self, part: list[list[str]], places: dict[str, int]) -> SampleRows:
        columns = list(zip(*part, strict=True))
        rows = SampleRows(
            np.array([places[name] for name in columns[0]], np.int64),
            _times_of(columns[1]),
            np.array([float(text) for text in columns[2]], np.float64),
            np.array([int(text) for text in columns[3]], np.uint16),
        )
        if not self.has_versions:
            return rows
        texts = [
            f"{source}\n{reason}" if reason else source
            for source, reason in zip(columns[6], columns[7], strict=True)
        ]
        origins = sorted(set(texts))
        number = {text: place for place, text in enumerate(origins)}
        return rows._replace(
            version=np.array([int(text) for text in columns[4]], np.int64),
            arrival_time_us=_times_of(columns[5]),
            origin=np.array([number[text] for text in texts], np.int64),
            origins=origins,
        )


def _texts_of(time_us: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> list[str]:
    texts: list[str] = np.char.add(time_us.view("datetime64[us]").astype(str), "Z").tolist()
    return texts


def _times_of(texts: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    if not all(text.endswith("Z") for text in texts):
        raise ValueError("a time is not in UTC with Z")
    return np.array([text[:-1] for text in texts], "datetime64[us]").view(np.int64)
