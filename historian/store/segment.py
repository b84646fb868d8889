"""A segment: an immutable HDF5 file of sorted runs, readable by plain h5py, hdf5plugin and numpy.

The only module that knows HDF5. Layout in docs/format/segment.md.
"""

import contextlib
import errno
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c
import h5py
import hdf5plugin
import numpy as np
import numpy.typing as npt

from historian.errors import FormatTooNew, SegmentCorrupt, StoreError
from historian.model.sample import PointIdColumn
from historian.store import columns, segment_layout
from historian.store.columns import Rows, StoredRun
from historian.store.segment_write import Index, Packed

Column = npt.NDArray[Any]  # a data set of one of the types of segment_layout

_FILTER = hdf5plugin.Blosc2(cname="zstd", clevel=1, filters=hdf5plugin.Blosc2.BITSHUFFLE)
_PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})  # says nothing about the file's bytes
_SPAN_SHARE = 0.25  # read a stretch at once when at least this share of it is wanted


class Batches(NamedTuple):
    """Who sent what when: one entry a batch, by rising sequence; `source` indexes `source_names`."""

    sequence: npt.NDArray[np.int64]
    arrival_time_us: npt.NDArray[np.int64]
    source: npt.NDArray[np.uint16]
    source_names: list[str]


class Names(NamedTuple):
    """Name and unit of each run's point, so that an archive explains itself."""

    name: list[str]
    unit: list[str]


def encode(packed: Packed, superseded: Rows, batches: Batches, names: Names, generation: int) -> bytes:
    """The whole file as bytes."""
    with h5py.File("segment", "w", driver="core", backing_store=False, libver="v110") as file:
        file.attrs["format"] = segment_layout.FORMAT_NAME
        file.attrs["format_version"] = segment_layout.FORMAT_VERSION
        file.attrs["generation"] = generation
        file.attrs["time"] = "microseconds since 1970-01-01T00:00:00Z"
        file.attrs["index_crc32c"] = index_crc32c(packed.index_columns)
        index = file.create_group("index")
        for name, dtype in segment_layout.INDEX_COLUMNS.items():
            _put(index, name, packed.index_columns[name].astype(dtype, copy=False))
        _put_texts(index, "name", names.name)
        _put_texts(index, "unit", names.unit)
        values = file.create_group("values")
        for kind, stored in packed.values.items():
            _put_values(values, kind, stored)
        for name in ("time_us", "missing_slot", "quality", "sequence"):
            _put(file, name, getattr(packed, name))
        _put_columns(file.create_group("superseded"), superseded._asdict())
        group = file.create_group("batches")
        for name in ("sequence", "arrival_time_us", "source"):
            _put(group, name, getattr(batches, name))
        _put_texts(group, "source_names", batches.source_names)
        file.flush()
        return bytes(file.id.get_file_image())


def index_crc32c(index: Index) -> int:
    """CRC32C over the index columns, in the order of the layout."""
    crc = 0
    for name, dtype in segment_layout.INDEX_COLUMNS.items():
        crc = google_crc32c.extend(crc, index[name].astype(dtype, copy=False).tobytes())
    return crc


class Segment:
    """A segment open for reading: its index in memory, its columns on disk. One thread at a time."""

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        """Open `path` (or `data`, its bytes). Raises SegmentCorrupt or FormatTooNew."""
        self.path = path
        self._source: str | io.BytesIO = str(path) if data is None else io.BytesIO(data)
        self._file: h5py.File | None = None
        with self._guard("the index"):
            self.index = self._load_index()
        self.point_id: PointIdColumn = self.index["point_id"]

    @property
    def is_open(self) -> bool:
        """Whether the file is held open."""
        return self._file is not None

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def find(self, ids: PointIdColumn) -> npt.NDArray[np.int64]:
        """Position of each id's run, -1 where the segment has none."""
        at = np.searchsorted(self.point_id, ids)
        at[at == len(self.point_id)] = 0
        return np.where(self.point_id[at] == ids, at, -1)

    def read(self, ids: PointIdColumn, start_us: int, end_us: int) -> list[StoredRun | None]:
        """For each id what lies in ``[start, end)``, None where nothing does. Raises SegmentCorrupt."""
        positions = self.find(ids)
        index = self.index
        overlaps = (positions >= 0) & (index["first_time_us"][positions] < end_us)
        overlaps &= index["last_time_us"][positions] >= start_us
        wanted = positions[overlaps]
        runs: list[StoredRun | None] = [None] * len(ids)
        with self._guard("a column"):
            found = self._read_runs(wanted, start_us, end_us)
        for place, run in zip(np.flatnonzero(overlaps).tolist(), found, strict=True):
            runs[place] = run if run.sample_count else None
        return runs

    def read_all(self) -> tuple[Rows, Rows]:
        """Every sample, sorted, and every superseded version. Raises SegmentCorrupt."""
        lowest, highest = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)
        runs = [run for run in self.read(self.point_id, lowest, highest) if run is not None]
        return columns.from_runs(runs), self.read_superseded()

    def read_superseded(self) -> Rows:
        """Versions that a newer one replaced, sorted by point, time, sequence."""
        with self._guard("the superseded versions"):
            group = self._open()["superseded"]
            return Rows(*(group[name][:] for name in Rows._fields))

    def read_batches(self) -> Batches:
        """Time of arrival and source of the batches that came into this segment."""
        with self._guard("the batches"):
            group = self._open()["batches"]
            texts = [text.decode() for text in group["source_names"][:]]
            return Batches(group["sequence"][:], group["arrival_time_us"][:], group["source"][:], texts)

    @contextlib.contextmanager
    def _guard(self, part: str) -> Iterator[None]:
        """What HDF5 raises for damaged bytes becomes SegmentCorrupt, for a lack of means StoreError."""
        try:
            yield
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            self.close()
            if isinstance(error, OSError) and error.errno in _PASSING:
                raise StoreError(f"{self.path}: cannot be read now: {os.strerror(error.errno)}") from error
            raise SegmentCorrupt(str(self.path), f"{part} cannot be read: {error}") from error

    def _open(self) -> h5py.File:
        if self._file is None:
            self._file = h5py.File(self._source, "r")
        return self._file

    def _load_index(self) -> Index:
        file = self._open()
        if file.attrs["format"] != segment_layout.FORMAT_NAME:
            raise ValueError("not a segment")
        version = int(file.attrs["format_version"])
        if version > segment_layout.FORMAT_VERSION:
            newest = segment_layout.FORMAT_VERSION
            raise FormatTooNew(f"{self.path}: format {version}; this version reads up to {newest}")
        index: Index = {name: file["index"][name][:] for name in segment_layout.INDEX_COLUMNS}
        if index_crc32c(index) != int(file.attrs["index_crc32c"]):
            raise ValueError("the checksum of the index does not match")
        return index

    def _read_runs(self, runs: npt.NDArray[np.int64], start_us: int, end_us: int) -> list[StoredRun]:
        times, firsts = self._read_times(runs, start_us, end_us)
        counts = np.array([len(time) for time in times], np.int64)
        value = self._read_values(runs, firsts, counts)
        quality = self._read_varying("quality", runs, firsts, counts)
        sequence = self._read_varying("sequence", runs, firsts, counts)
        ids = self.point_id[runs].tolist()
        return [StoredRun(*run) for run in zip(ids, times, value, quality, sequence, strict=True)]

    def _read_times(
        self, runs: npt.NDArray[np.int64], start_us: int, end_us: int
    ) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
        """Times of each run inside the range, and the position of the first of them in the run."""
        entries = [self.index[name][runs] for name in _TIME_FIELDS]
        is_regular = entries[0] > 0
        sizes = np.where(is_regular, entries[1], entries[2]).astype(np.int64)
        explicit = self._pieces("time_us", entries[3][~is_regular], sizes[~is_regular])
        missing = self._pieces("missing_slot", entries[3][is_regular], sizes[is_regular])
        parts_explicit, parts_missing = iter(explicit), iter(missing)
        times: list[npt.NDArray[np.int64]] = []
        firsts = np.zeros(len(runs), np.int64)
        for place, entry in enumerate(zip(*(column.tolist() for column in entries), strict=True)):
            step, missing_count, sample_count, _, first_time = entry
            if step > 0:
                slot_count = sample_count + missing_count
                span = _slot_span(first_time, step, slot_count, start_us, end_us)
                time, first = _regular_times(first_time, step, span, next(parts_missing))
            else:
                whole = next(parts_explicit)
                first, last = np.searchsorted(whole, (start_us, end_us)).tolist()
                time = whole[first:last]
            times.append(time)
            firsts[place] = first
        return times, firsts

    def _read_values(
        self, runs: npt.NDArray[np.int64], firsts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
    ) -> list[npt.NDArray[np.float64]]:
        values: list[npt.NDArray[np.float64]] = [np.empty(0)] * len(runs)
        kinds = self.index["value_kind"][runs]
        offsets = self.index["value_offset"][runs] + firsts
        for kind in np.unique(kinds).tolist():
            chosen = np.flatnonzero(kinds == kind)
            divisor = float(segment_layout.scale_divisor(kind))
            name = f"values/{segment_layout.values_name(kind)}"
            pieces = self._pieces(name, offsets[chosen], counts[chosen])
            for place, stored in zip(chosen.tolist(), pieces, strict=True):
                values[place] = stored / divisor if divisor != 1.0 else stored.astype(np.float64)
        return values

    def _read_varying(
        self,
        name: str,
        runs: npt.NDArray[np.int64],
        firsts: npt.NDArray[np.int64],
        counts: npt.NDArray[np.int64],
    ) -> list[Column]:
        """A column that is constant in most runs: the constant repeated, or the stored samples."""
        constant = self.index[name][runs]
        offsets = self.index[f"{name}_offset"][runs]
        varies = offsets != segment_layout.CONSTANT
        pieces = iter(self._pieces(name, (offsets + firsts)[varies], counts[varies]))
        dtype = segment_layout.INDEX_COLUMNS[name]
        return [
            next(pieces).astype(dtype, copy=False) if is_stored else np.full(count, value, dtype)
            for is_stored, count, value in zip(
                varies.tolist(), counts.tolist(), constant.tolist(), strict=True
            )
        ]

    def _pieces(self, name: str, offsets: Column, counts: Column) -> Iterable[Column]:
        """Stretches of a data set; neighbouring ones are read in one go."""
        if not len(offsets):
            return []
        data_set = self._open()[name]
        first, last = int(offsets.min()), int((offsets + counts).max())
        spans: Sequence[tuple[int, int]] = list(zip(offsets.tolist(), counts.tolist(), strict=True))
        if last == first or int(counts.sum()) >= _SPAN_SHARE * (last - first):
            stretch = data_set[first:last]
            return [stretch[offset - first : offset - first + count] for offset, count in spans]
        return [data_set[offset : offset + count] for offset, count in spans]


_TIME_FIELDS = ("step_us", "missing_count", "sample_count", "time_offset", "first_time_us")


def _slot_span(first_time: int, step: int, slot_count: int, start_us: int, end_us: int) -> tuple[int, int]:
    low = max(0, -((first_time - start_us) // step))
    high = min(slot_count, -((first_time - end_us) // step))
    return low, max(low, high)


def _regular_times(
    first_time: int, step: int, span: tuple[int, int], missing: Column
) -> tuple[npt.NDArray[np.int64], int]:
    low, high = span
    slots = np.arange(low, high, dtype=np.int64)
    before, inside = np.searchsorted(missing, (low, high)).tolist()
    if inside > before:
        slots = np.delete(slots, missing[before:inside].astype(np.int64) - low)
    return first_time + step * slots, low - before


def _put(group: h5py.Group, name: str, column: Column) -> None:
    if not len(column):
        group.create_dataset(name, data=column)
        return
    h5_chunk = (min(len(column), segment_layout.H5_CHUNK_SAMPLES),)
    group.create_dataset(name, data=column, chunks=h5_chunk, fletcher32=True, **_FILTER)


def _put_columns(group: h5py.Group, named: dict[str, Column]) -> None:
    for name, column in named.items():
        _put(group, name, column)


def _put_values(group: h5py.Group, kind: int, stored: Column) -> None:
    name = segment_layout.values_name(kind)
    _put(group, name, stored)
    divisor = segment_layout.scale_divisor(kind)
    group[name].attrs["scale_divisor"] = divisor  # value = stored / scale_divisor, exact
    group[name].attrs["scale_factor"] = 1.0 / divisor  # CF conventions, for tools that know only these
    group[name].attrs["add_offset"] = 0.0


def _put_texts(group: h5py.Group, name: str, texts: list[str]) -> None:
    encoded = [text.encode(errors="replace") for text in texts]
    size = max(map(len, encoded), default=1) or 1
    group.create_dataset(name, data=np.array(encoded, h5py.string_dtype("utf-8", size)))
