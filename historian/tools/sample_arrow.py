"""Samples as an Arrow file (Feather 2), which pandas, Polars, DuckDB and R read; the points are in its metadata."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute

from historian.errors import HistorianError
from historian.model.point import PointDraft
from historian.tools import sample_file
from historian.tools.sample_file import SampleRows

METADATA_KEY: Final = b"historian-export"

_TIME: Final = pa.timestamp("us", tz="UTC")
_FIELDS: Final = [("point", pa.string()), ("time", _TIME), ("value", pa.float64()), ("quality", pa.uint16())]
_VERSION_FIELDS: Final = [("version", pa.int64()), ("arrival", _TIME), ("origin", pa.string())]


class ArrowWriter:
    """Writes one file."""

    def __init__(self, path: Path, points: Sequence[PointDraft], has_versions: bool) -> None:
        self._names = pa.array([point.name for point in points], pa.string())
        fields = [*_FIELDS, *(_VERSION_FIELDS if has_versions else [])]
        self._schema = pa.schema(fields, metadata={METADATA_KEY: sample_file.encode_points(points)})
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_file(str(path), self._schema, options=options)

    def write(self, rows: SampleRows) -> None:
        columns = [
            self._names.take(pa.array(rows.point)),
            pa.array(rows.time_us).cast(_TIME),
            pa.array(rows.value),
            pa.array(rows.quality),
        ]
        if rows.version is not None:
            origins = pa.array(list(rows.origins), pa.string())
            columns += [
                pa.array(rows.version),
                pa.array(rows.arrival_time_us).cast(_TIME),
                origins.take(pa.array(rows.origin)),
            ]
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


class ArrowReader:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._source = pa.memory_map(str(path))
            self._file = pa.ipc.open_file(self._source)
        except (pa.ArrowException, OSError) as error:
            raise HistorianError(f"{path} cannot be read: {error}") from error
        metadata = self._file.schema.metadata or {}
        if METADATA_KEY not in metadata:
            raise HistorianError(f"{path} is an Arrow file, but not one of `historian export`")
        self.points = sample_file.decode_points(metadata[METADATA_KEY], path)
        self.has_versions = "version" in self._file.schema.names

    def rows(self) -> Iterator[SampleRows]:
        places = pa.array([point.name for point in self.points], pa.string())
        for number in range(self._file.num_record_batches):
            try:
                yield self._rows_of(self._file.get_batch(number), places)
            except (pa.ArrowException, KeyError, OSError, ValueError) as error:
                raise HistorianError(f"{self._path}: a piece cannot be read: {error}") from error

    def close(self) -> None:
        self._source.close()

    def _rows_of(self, batch: Any, places: Any) -> SampleRows:
        point = pyarrow.compute.index_in(batch["point"], value_set=places)
        if point.null_count:
            raise ValueError("a sample is of a point that the file does not describe")
        rows = SampleRows(
            point.to_numpy().astype(np.int64),
            batch["time"].cast(pa.int64()).to_numpy(),
            batch["value"].to_numpy(),
            batch["quality"].to_numpy(),
        )
        if not self.has_versions:
            return rows
        origin = batch["origin"].dictionary_encode()
        return rows._replace(
            version=batch["version"].to_numpy(),
            arrival_time_us=batch["arrival"].cast(pa.int64()).to_numpy(),
            origin=origin.indices.to_numpy().astype(np.int64),
            origins=origin.dictionary.to_pylist(),
        )
