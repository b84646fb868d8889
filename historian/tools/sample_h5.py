"""Samples as HDF5: one data set a column, the points as JSON beside them.

/points      JSON: format version and points; a sample's `point` is a place in this list
/point u32, /time_us i64, /value f64, /quality u16
/version i64, /arrival_time_us i64, /origin u32, /origins (texts)     with versions only
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import h5py
import hdf5plugin
import numpy as np

from historian.errors import HistorianError
from historian.model.point import PointDraft
from historian.tools import sample_file
from historian.tools.sample_file import SampleRows

FORMAT_NAME: Final = "historian-export"
CHUNK_ROWS: Final = 32_768
ROWS_AT_ONCE: Final = 8 * CHUNK_ROWS

_COLUMNS: Final = {"point": "<u4", "time_us": "<i8", "value": "<f8", "quality": "<u2"}
_VERSION_COLUMNS: Final = {"version": "<i8", "arrival_time_us": "<i8", "origin": "<u4"}
_H5_ERRORS: Final = (OSError, KeyError, ValueError, RuntimeError, TypeError)


class H5Writer:
    """Writes one file."""

    def __init__(self, path: Path, points: Sequence[PointDraft], has_versions: bool) -> None:
        self._columns = _COLUMNS | (_VERSION_COLUMNS if has_versions else {})
        self._origins: dict[str, int] = {}
        self._file = h5py.File(path, "x", libver="v110")
        self._file.attrs["format"] = FORMAT_NAME
        self._file.attrs["time"] = "microseconds since 1970-01-01T00:00:00Z"
        self._file["points"] = np.frombuffer(sample_file.encode_points(points), np.uint8)
        for name, dtype in self._columns.items():
            self._file.create_dataset(
                name, (0,), dtype, maxshape=(None,), chunks=(CHUNK_ROWS,), shuffle=True, fletcher32=True,
                **hdf5plugin.Zstd(clevel=3),
            )  # fmt: skip

    def write(self, rows: SampleRows) -> None:
        numbers = [self._origins.setdefault(text, len(self._origins)) for text in rows.origins]
        for name in self._columns:
            column = getattr(rows, name)
            if name == "origin":
                column = np.array(numbers, np.uint32)[rows.origin]
            data_set = self._file[name]
            first = len(data_set)
            data_set.resize((first + rows.row_count,))
            data_set[first:] = column

    def close(self) -> None:
        if "origin" in self._columns:
            texts = [text.encode() for text in self._origins] or [b""]
            size = max(map(len, texts)) or 1
            self._file["origins"] = np.array(texts, h5py.string_dtype("utf-8", size))
        self._file.close()


class H5Reader:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise HistorianError(f"{path} cannot be read: {error}") from error
        try:
            self.points = self._read_points()
        except BaseException:
            self._file.close()
            raise
        self.has_versions = "version" in self._file

    def rows(self) -> Iterator[SampleRows]:
        try:
            yield from self._rows()
        except _H5_ERRORS as error:
            raise HistorianError(f"{self._path}: a column cannot be read: {error}") from error

    def close(self) -> None:
        self._file.close()

    def _read_points(self) -> list[PointDraft]:
        if self._file.attrs.get("format") != FORMAT_NAME:
            raise HistorianError(f"{self._path} is an HDF5 file, but not one of `historian export`")
        return sample_file.decode_points(self._file["points"][:].tobytes(), self._path)

    def _rows(self) -> Iterator[SampleRows]:
        count = len(self._file["time_us"])
        for first in range(0, count, ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            rows = SampleRows(
                self._file["point"][part].astype(np.int64),
                *(self._file[name][part] for name in ("time_us", "value", "quality")),
            )
            if rows.point.max() >= len(self.points):
                raise ValueError("a sample is of a point that the file does not describe")
            if self.has_versions:
                rows = rows._replace(
                    version=self._file["version"][part],
                    arrival_time_us=self._file["arrival_time_us"][part],
                    origin=self._file["origin"][part].astype(np.int64),
                    origins=[text.decode() for text in self._file["origins"][:]],
                )
            yield rows
