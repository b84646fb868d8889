"""Turns rows into segments: one for each UTC month, encoded, published, described for the manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import google_crc32c
import numpy as np
import numpy.typing as npt

from historian.errors import PointNotFound
from historian.model.ports import PointDirectory
from historian.model.sample import PointIdColumn, TimeColumn
from historian.store import columns, filenames, segment, segment_write
from historian.store.columns import Rows
from historian.store.durable import DurableFiles
from historian.store.manifest import SegmentInfo
from historian.store.segment import Batches, Names


class Sealed(NamedTuple):
    """A published segment: on disk, but without effect until a manifest lists it."""

    info: SegmentInfo
    path: Path


def publish(
    files: DurableFiles,
    folder: Path,
    parts: Sequence[Rows],
    superseded: Rows,
    batches: Batches,
    directory: PointDirectory,
    first_generation: int,
) -> list[Sealed]:
    """Write the segments of all rows in `parts`; of several versions the newest is the one to be read.

    `superseded` are versions known to be superseded already. Raises OSError where the disk fails;
    then nothing has changed that anyone would see.
    """
    newest, older = columns.split_versions(parts)
    older = columns.sort(columns.concatenate([superseded, older]))
    months, older_months = _months(newest.time_us), _months(older.time_us)
    sealed: list[Sealed] = []
    for month in np.unique(months).tolist():
        rows = newest.take(months == month)
        replaced = older.take(older_months == month)
        generation = first_generation + len(sealed)
        name = filenames.segment_name(str(np.datetime64(month, "M")), generation)
        data = _encode(rows, replaced, batches, directory, generation)
        files.publish(folder / name, data)
        info = _describe(name, str(np.datetime64(month, "M")), generation, rows, replaced, data)
        sealed.append(Sealed(info, folder / name))
    return sealed


def _encode(
    rows: Rows, superseded: Rows, batches: Batches, directory: PointDirectory, generation: int
) -> bytes:
    packed = segment_write.pack(rows)
    names = _names(packed.index_columns["point_id"], directory)
    used = _used_batches(batches, np.concatenate([rows.sequence, superseded.sequence]))
    return segment.encode(packed, superseded, used, names, generation)


def _describe(
    name: str, month: str, generation: int, rows: Rows, superseded: Rows, data: bytes
) -> SegmentInfo:
    return SegmentInfo(
        name=name,
        month=month,
        generation=generation,
        sequence_min=int(rows.sequence.min()),
        sequence_max=int(rows.sequence.max()),
        time_min_us=int(rows.time_us.min()),
        time_max_us=int(rows.time_us.max()),
        run_count=len(np.unique(rows.point_id)),
        sample_count=rows.row_count,
        superseded_count=superseded.row_count,
        size_bytes=len(data),
        crc32c=google_crc32c.value(data),
    )


def _names(ids: PointIdColumn, directory: PointDirectory) -> Names:
    names, units = [], []
    for point_id in ids.tolist():
        try:
            point = directory.by_id(point_id)
            names.append(point.name)
            units.append(point.unit)
        except PointNotFound:  # the catalogue was lost: the samples are kept all the same
            names.append(f"#{point_id}")
            units.append("")
    return Names(names, units)


def _used_batches(batches: Batches, sequence: npt.NDArray[np.int64]) -> Batches:
    used = np.isin(batches.sequence, np.unique(sequence))
    sources, numbers = np.unique(batches.source[used], return_inverse=True)
    return Batches(
        batches.sequence[used],
        batches.arrival_time_us[used],
        numbers.astype(np.uint16),
        [batches.source_names[source] for source in sources.tolist()],
    )


def _months(time_us: TimeColumn) -> npt.NDArray[np.int64]:
    """UTC months since 1970-01."""
    return time_us.view("datetime64[us]").astype("datetime64[M]").astype(np.int64)
