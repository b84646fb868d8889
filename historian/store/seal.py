"""Turns sorted rows into segments: one for each UTC month, encoded, published, described for the manifest."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import google_crc32c
import numpy as np
import numpy.typing as npt

from historian.model.sample import TimeColumn
from historian.store import columns, scan_kernels, segment_file, segment_kernels
from historian.store.columns import Rows
from historian.store.durable import DurableFiles
from historian.store.manifest import SegmentInfo
from historian.store.scans import Scans
from historian.store.segment_names import NameTable
from historian.store.segment_write import Batches, SegmentBuilder


class Sealed(NamedTuple):
    """A published segment: on disk, but without effect until a manifest lists it."""

    info: SegmentInfo
    path: Path


class Publisher:
    """Publishes segments into a folder, each under a name of its own. For one thread, one piece of work."""

    def __init__(
        self, files: DurableFiles, folder: Path, names: NameTable, take_name: Callable[[str], tuple[str, int]]
    ) -> None:
        """`take_name` gives name and generation of a new segment of a month."""
        self._files = files
        self._folder = folder
        self._names = names
        self._take_name = take_name
        self.taken: list[str] = []  # names, also of what failed

    def publish(self, draft: "Draft", rank: int | None = None) -> Sealed:
        """Put a finished draft on disk; `rank` is its place among the segments, by default behind all others.

        Raises OSError where the disk fails; then nothing has changed that anyone would see.
        """
        builder, superseded = draft.builder, columns.concatenate(draft.superseded)
        ids = builder.point_ids()
        month = str(np.datetime64(builder.time_min_us, "us").astype("datetime64[M]"))
        name, generation = self._take_name(month)
        self.taken.append(name)
        content = builder.finish(superseded, draft.used_batches(), self._names.names(ids))
        data = segment_file.write(content, generation)
        self._files.publish(self._folder / name, data)
        info = SegmentInfo(
            name=name,
            month=month,
            generation=generation,
            rank=generation if rank is None else rank,
            sequence_min=builder.sequence_min,
            sequence_max=builder.sequence_max,
            time_min_us=builder.time_min_us,
            time_max_us=builder.time_max_us,
            point_min=int(ids[0]),
            point_max=int(ids[-1]),
            run_count=builder.run_count,
            sample_count=builder.sample_count,
            superseded_count=superseded.row_count,
            size_bytes=len(data),
            crc32c=google_crc32c.value(data),
        )
        return Sealed(info, self._folder / name)


class Draft:
    """A segment in the making: rows of one UTC month, and which batches they came with."""

    def __init__(self, batches: Batches, *, thorough: bool = False) -> None:
        self.builder = SegmentBuilder(thorough=thorough)
        self.superseded: list[Rows] = []
        self._batches = batches
        self._is_used = np.zeros(len(batches.sequence), np.uint8)

    def add(self, rows: Rows, superseded: Rows) -> None:
        """The next points: newest versions and superseded ones, both sorted."""
        self.builder.add(rows)
        for part in (rows, superseded):
            segment_kernels.mark_used(self._batches.sequence, part.sequence, self._is_used)
        if superseded.row_count:
            self.superseded.append(superseded)

    def add_scans(self, scans: Scans) -> None:
        """All at once: scans have no superseded versions."""
        self.builder.add_scans(scans)
        sequence = scans.stretches[:, scan_kernels.SEQUENCE].copy()
        segment_kernels.mark_used(self._batches.sequence, sequence, self._is_used)

    def used_batches(self) -> Batches:
        """Only those that occur, and only their origins."""
        batches, used = self._batches, self._is_used.view(np.bool_)
        sources, numbers = np.unique(batches.source[used], return_inverse=True)
        return Batches(
            batches.sequence[used],
            batches.arrival_time_us[used],
            numbers.astype(np.uint32),
            [batches.source_names[source] for source in sources.tolist()],
        )


def publish(publisher: Publisher, rows: Rows, superseded: Rows, batches: Batches) -> list[Sealed]:
    """Write the segments of sorted rows, newest versions and superseded ones apart. Raises OSError."""
    sealed = []
    for newest, older in _by_month(rows, superseded):
        draft = Draft(batches)
        draft.add(newest, older)
        sealed.append(publisher.publish(draft))
    return sealed


def publish_scans(publisher: Publisher, scans: Scans, batches: Batches) -> list[Sealed]:
    """As `publish`, without sorting."""
    sealed = []
    for month in scans.months():
        draft = Draft(batches)
        draft.add_scans(month)
        sealed.append(publisher.publish(draft))
    return sealed


def _by_month(rows: Rows, superseded: Rows) -> list[tuple[Rows, Rows]]:
    """The rows of each UTC month; a superseded row always has a newest one of the same time."""
    if not rows.row_count:
        return []
    first, last = _months(np.array([rows.time_us.min(), rows.time_us.max()]))
    if first == last:
        return [(rows, superseded)]
    months, older_months = _months(rows.time_us), _months(superseded.time_us)
    return [
        (rows.take(months == month), superseded.take(older_months == month))
        for month in np.unique(months).tolist()
    ]


def _months(time_us: TimeColumn) -> npt.NDArray[np.int64]:
    """UTC months since 1970-01."""
    return time_us.view("datetime64[us]").astype("datetime64[M]").astype(np.int64)
