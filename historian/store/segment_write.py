"""Packs sorted rows into the coded columns of a segment; `segment_file.write` puts them into a file.

Rows are taken in blocks, and whatever fills a chunk is encoded at once: memory holds the compressed segment, its
index and one block.
"""

from typing import Any, Final, NamedTuple

import google_crc32c
import numpy as np
import numpy.typing as npt

from historian.store import scan_kernels, segment_codec, segment_kernels, segment_layout
from historian.store.columns import Rows
from historian.store.scans import Block, Scans
from historian.store.segment_scan import ScanTable

Column = npt.NDArray[Any]
Index = dict[str, Column]  # columns of the types in segment_layout.INDEX_COLUMNS

BLOCK_SAMPLES: Final = 1 << 20  # inside it runs of similar noise are put together


class Coded(NamedTuple):
    """A data set as its chunks; `dtype` is the true type, also of what is stored as differences."""

    dtype: np.dtype[Any]
    length: int
    chunk_samples: int
    frames: list[bytes]

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.frames))


class Names(NamedTuple):
    """Name and unit of each run's point as UTF-8 texts (`S` arrays), so that an archive explains itself."""

    name: Column
    unit: Column


class Batches(NamedTuple):
    """Which origin sent what when: one entry a batch, by rising sequence; `source` indexes `source_names`."""

    sequence: npt.NDArray[np.int64]
    arrival_time_us: npt.NDArray[np.int64]
    source: npt.NDArray[Any]
    source_names: list[str]


class Content(NamedTuple):
    """All data sets of a segment by their path, and what goes into attributes."""

    data_sets: dict[str, Coded]
    index_crc32c: int
    unit: str  # of all points, or where to find them


class ColumnWriter:
    """Takes numbers in pieces of any length and encodes them chunk by chunk."""

    def __init__(self, dtype: Any, *, thorough: bool = False) -> None:
        self._pending = np.empty(segment_layout.CODING_SAMPLES, dtype)
        self._pending_count = 0
        self._thorough = thorough
        self._frames: list[bytes] = []
        self.length = 0

    def add(self, column: Column) -> None:
        """The next numbers."""
        self.length += len(column)
        size = segment_layout.CODING_SAMPLES
        at = 0
        while at < len(column):
            if self._pending_count == 0 and len(column) - at >= size:
                self._encode(column[at : at + size])
                at += size
                continue
            taken = min(size - self._pending_count, len(column) - at)
            self._pending[self._pending_count : self._pending_count + taken] = column[at : at + taken]
            self._pending_count += taken
            at += taken
            if self._pending_count == size:
                self._encode(self._pending)
                self._pending_count = 0

    def finish(self) -> Coded:
        """All that was added."""
        size = min(self.length, segment_layout.CODING_SAMPLES)
        if self._pending_count:
            pending = self._pending[: self._pending_count]
            self._frames.append(segment_codec.encode(pending, size, thorough=self._thorough))
        return Coded(self._pending.dtype, self.length, size, self._frames)

    def _encode(self, chunk: Column) -> None:
        self._frames.append(segment_codec.encode(chunk, len(chunk), thorough=self._thorough))


class SegmentBuilder:
    """Takes rows sorted by point and time, each (point, time) once; a point's rows come in one piece."""

    def __init__(self, *, thorough: bool = False) -> None:
        self._thorough = thorough
        self._index: list[Index] = []
        self._values: dict[int, ColumnWriter] = {}
        self._samples = {n: self._writer(d) for n, d in segment_layout.SAMPLE_COLUMNS.items()}
        self._scan = ScanTable()
        self.run_count = 0
        self.sample_count = 0
        self.sequence_min, self.sequence_max = np.iinfo(np.int64).max, np.iinfo(np.int64).min
        self.time_min_us, self.time_max_us = np.iinfo(np.int64).max, np.iinfo(np.int64).min

    def add(self, rows: Rows) -> None:
        """The next points' rows."""
        if not rows.row_count:
            return
        first = np.flatnonzero(np.r_[True, rows.point_id[1:] != rows.point_id[:-1]]).astype(np.int64)
        bounds = np.r_[first, rows.row_count]
        at = 0
        while at < len(first):
            last = int(np.searchsorted(bounds, bounds[at] + BLOCK_SAMPLES, "right")) - 1
            last = min(max(last, at + 1), len(first))
            block = rows.part(int(bounds[at]), int(bounds[last]))
            self._add_block(block, bounds[at:last] - bounds[at], np.diff(bounds[at : last + 1]))
            at = last

    def add_scans(self, scans: Scans) -> None:
        """All of a segment at once, where it arrived as scans: nothing was sorted."""
        assert not self.run_count, "scans know no other runs"
        for block in scans.blocks(BLOCK_SAMPLES):
            self._add_scan_block(block, scans, self.run_count)
        if scans.varies.any():
            table = scans.stretches
            first_run = np.searchsorted(scans.point_id, table[:, scan_kernels.FIRST_ID])
            self._scan.put(table[:, scan_kernels.TIME], first_run, table[:, scan_kernels.SEQUENCE])

    def point_ids(self) -> npt.NDArray[np.uint32]:
        """The points of all rows so far."""
        return np.concatenate([np.empty(0, np.uint32), *(index["point_id"] for index in self._index)])

    def finish(self, superseded: Rows, batches: Batches, names: Names) -> Content:
        """The whole segment."""
        assert self.run_count > 0, "a segment is never empty"
        index = {
            name: np.concatenate([block[name] for block in self._index]).astype(dtype, copy=False)
            for name, dtype in segment_layout.INDEX_COLUMNS.items()
        }
        data_sets = {f"index/{name}": _coded(column) for name, column in index.items()}
        data_sets |= {f"index/{name}": _coded_texts(texts) for name, texts in names._asdict().items()}
        data_sets |= {
            f"values/{segment_layout.values_name(kind)}": writer.finish()
            for kind, writer in sorted(self._values.items())
        }
        data_sets |= {name: writer.finish() for name, writer in self._samples.items()}
        data_sets |= {f"scan/{name}": _coded(column) for name, column in self._scan.columns().items()}
        data_sets |= {f"superseded/{name}": _coded(column) for name, column in superseded._asdict().items()}
        data_sets |= {
            f"batches/{name}": _coded(getattr(batches, name).astype(dtype, copy=False))
            for name, dtype in segment_layout.BATCH_COLUMNS.items()
        }
        data_sets["batches/source_names"] = _coded_texts(texts_of(batches.source_names))
        units = np.unique(names.unit)
        unit = units[0].decode() if len(units) == 1 else "see /index/unit"
        return Content(data_sets, index_crc32c(index), unit)

    def _writer(self, dtype: Any) -> ColumnWriter:
        return ColumnWriter(dtype, thorough=self._thorough)

    def _add_block(self, rows: Rows, first: npt.NDArray[np.int64], size: npt.NDArray[np.int64]) -> None:
        count = len(first)
        step, missing = np.empty(count, np.int64), np.empty(count, np.uint32)
        kind, noise = np.empty(count, np.uint8), np.empty(count, np.int16)
        low, high = np.empty(count, np.int64), np.empty(count, np.int64)
        same_quality, same_sequence = np.empty(count, np.uint8), np.empty(count, np.uint8)
        numbers = (np.empty(rows.row_count, np.int32), np.empty(rows.row_count, np.int64))
        segment_kernels.describe_runs(
            rows[1:], first, size, (step, missing), (kind, low, high, noise),
            (same_quality, same_sequence), numbers,
        )  # fmt: skip
        index: Index = {
            "point_id": rows.point_id[first],
            "sample_count": size,
            "first_time_us": rows.time_us[first],
            "last_time_us": rows.time_us[first + size - 1],
            "step_us": step,
            "missing_count": missing,
            "value_kind": kind,
            "value_min": low,
            "value_max": high,
            "quality": rows.quality[first],
            "sequence": rows.sequence[first],
        }
        slots = np.empty(int(missing.sum()), np.uint32)
        segment_kernels.missing_slots(rows.time_us, first, size, step, missing, slots)
        index["time_offset"] = self._add_times(slots, rows.time_us, first, index)
        index["value_offset"] = self._add_values(numbers, first, size, kind, noise)
        index["quality_offset"] = self._add_varying("quality", rows.quality, first, size, same_quality == 0)
        index["sequence_offset"] = self._add_sequences(rows, first, size, same_sequence == 0)
        self._note(index, int(rows.sequence.min()), int(rows.sequence.max()))

    def _add_scan_block(self, block: Block, scans: Scans, first_run: int) -> None:
        runs = slice(first_run, first_run + len(block.size))
        first, size = _offsets(block.size), block.size
        index: Index = {
            "point_id": block.point_id,
            "sample_count": size,
            "first_time_us": block.first_time_us,
            "last_time_us": block.last_time_us,
            "step_us": block.step_us,
            "missing_count": block.missing,
            "value_kind": block.kind,
            "value_min": block.low,
            "value_max": block.high,
            "quality": block.quality[first] if scans.quality < 0 else np.full(len(size), scans.quality),
            "sequence": scans.sequence[runs],
            "sequence_offset": np.where(scans.varies[runs], segment_layout.SCANNED, segment_layout.CONSTANT),
        }
        slots = np.empty(int(block.missing.sum()), np.uint32)
        scan_kernels.missing_places(scans.time_us, block.slot, size, block.step_us, block.missing, slots)
        index["time_offset"] = self._add_times(slots, block.time_us, first, index)
        index["value_offset"] = self._add_values(
            (block.narrow, block.wide), first, size, block.kind, block.noise
        )
        varies = block.has_same_quality == 0
        index["quality_offset"] = self._add_varying("quality", block.quality, first, size, varies)
        sequences = scans.stretches[:, scan_kernels.SEQUENCE]
        self._note(index, int(sequences.min()), int(sequences.max()))

    def _note(self, index: Index, sequence_min: int, sequence_max: int) -> None:
        self._index.append(index)
        self.run_count += len(index["point_id"])
        self.sample_count += int(index["sample_count"].sum())
        self.sequence_min = min(self.sequence_min, sequence_min)
        self.sequence_max = max(self.sequence_max, sequence_max)
        self.time_min_us = min(self.time_min_us, int(index["first_time_us"].min()))
        self.time_max_us = max(self.time_max_us, int(index["last_time_us"].max()))

    def _add_times(self, slots: Column, time: Column, first: Column, index: Index) -> npt.NDArray[np.int64]:
        """`slots` are the missing ones of all runs; of runs off a grid the times are stored."""
        writer = self._samples["missing_slot"]
        is_regular = index["step_us"] > 0
        offset = writer.length + _offsets(index["missing_count"].astype(np.int64))
        writer.add(slots)
        explicit = self._add_varying("time_us", time, first, index["sample_count"], ~is_regular)
        return np.where(is_regular, offset, explicit)

    def _add_values(
        self, numbers: tuple[Column, Column], first: Column, size: Column, kind: Column, noise: Column
    ) -> npt.NDArray[np.int64]:
        """Runs of one kind together, and among them those of similar noise; gives where each begins."""
        offset = np.empty(len(first), np.int64)
        for code in np.unique(kind).tolist():
            chosen = np.flatnonzero(kind == code)
            if int(size[chosen].sum()) > segment_layout.CODING_SAMPLES:
                chosen = chosen[np.argsort(noise[chosen], kind="stable")]
            dtype = segment_layout.values_dtype(code)
            writer = self._values.setdefault(code, self._writer(dtype))
            source = numbers[0 if dtype is np.int32 else 1]
            stored = np.empty(int(size[chosen].sum()), source.dtype)
            segment_kernels.gather(source, first[chosen], size[chosen], stored)
            offset[chosen] = writer.length + _offsets(size[chosen])
            writer.add(stored.view(dtype))
        return offset

    def _add_varying(
        self, name: str, column: Column, first: Column, size: Column, varies: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        """The samples of the runs in which `column` varies; gives where each begins, or CONSTANT."""
        writer = self._samples[name]
        offset = np.full(len(first), segment_layout.CONSTANT, np.int64)
        if varies.any():
            sizes = size[varies]
            offset[varies] = writer.length + _offsets(sizes)
            out = np.empty(int(sizes.sum()), column.dtype)
            segment_kernels.gather(column, first[varies], sizes, out)
            writer.add(out)
        return offset

    def _add_sequences(
        self, rows: Rows, first: Column, size: Column, varies: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        if varies.any():
            position = (self.run_count + np.flatnonzero(varies)).astype(np.uint32)
            if self._scan.add(rows.time_us, rows.sequence, first[varies], size[varies], position):
                return np.where(varies, segment_layout.SCANNED, segment_layout.CONSTANT).astype(np.int64)
        return self._add_varying("sequence", rows.sequence, first, size, varies)


def index_crc32c(index: Index) -> int:
    """CRC32C over the index columns, in the order of the layout."""
    crc = 0
    for name in segment_layout.INDEX_COLUMNS:
        crc = google_crc32c.extend(crc, index[name].tobytes())
    return crc


def texts_of(texts: list[str]) -> Column:
    """UTF-8 texts of fixed length."""
    encoded = [text.encode(errors="replace") for text in texts]
    return np.array(encoded, f"S{max(map(len, encoded), default=1) or 1}")


def _coded(column: Column) -> Coded:
    writer = ColumnWriter(column.dtype)
    writer.add(column)
    return writer.finish()


def _coded_texts(texts: Column) -> Coded:
    size = min(len(texts), segment_layout.CODING_SAMPLES)
    frames = [
        segment_codec.encode_texts(texts[at : at + size], size) for at in range(0, len(texts), size or 1)
    ]
    return Coded(texts.dtype, len(texts), size, frames)


def _offsets(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where each of the runs begins when they lie one after the other."""
    return np.cumsum(sizes) - sizes
