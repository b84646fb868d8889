"""Reads a segment by docs/format/segment.md alone, with plain h5py and numpy: no code of the store.

`verify` compares what is read here with what the manifest and the index say; `inspect` tells it.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

import h5py
import hdf5plugin  # noqa: F401 - the import makes the filter known to HDF5
import numpy as np
import numpy.typing as npt

from historian.errors import FormatTooNew, SegmentCorrupt
from historian.tools import checksum

READS_VERSION: Final = 2
KIND_F64: Final = 255
FORMAT_NAME: Final = "historian-segment"
CODING_SAMPLES: Final = 32768  # the differences of format 2 begin anew every so many
ALL_THE_SAME: Final = -1
IN_SCAN: Final = -2
KEPT_WHOLE_MAX: Final = 1 << 26  # elements of a data set that is read once, whole; larger ones in pieces

# In the order of the checksum over the index.
INDEX: Final = (
    ("point_id", "<u4"), ("sample_count", "<u4"), ("first_time_us", "<i8"), ("last_time_us", "<i8"),
    ("step_us", "<i8"), ("missing_count", "<u4"), ("time_offset", "<i8"), ("value_kind", "<u1"),
    ("value_offset", "<i8"), ("value_min", "<i8"), ("value_max", "<i8"), ("quality_offset", "<i8"),
    ("quality", "<u2"), ("sequence_offset", "<i8"), ("sequence", "<i8"),
)  # fmt: skip
_OF_FORMAT_1: Final = {"value_min": "<f8", "value_max": "<f8"}
VERSION_COLUMNS: Final = ("point_id", "time_us", "value", "quality", "sequence")
_H5_ERRORS: Final = (OSError, KeyError, ValueError, RuntimeError, TypeError, IndexError)

Column = npt.NDArray[Any]


class Samples(NamedTuple):
    """Samples of some runs, one after the other: run i is rows ``[offset[i], offset[i + 1])``."""

    offset: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]
    sequence: npt.NDArray[np.int64]

    def run(self, place: int) -> "Samples":
        """Run `place` of these alone."""
        begin, end = int(self.offset[place]), int(self.offset[place + 1])
        rows = slice(begin, end)
        offset = np.array([0, end - begin])
        return Samples(offset, self.time_us[rows], self.value[rows], self.quality[rows], self.sequence[rows])


class Batches(NamedTuple):
    """Which batches came into a segment: when, and from whom."""

    sequence: npt.NDArray[np.int64]
    arrival_time_us: npt.NDArray[np.int64]
    source: npt.NDArray[np.int64]
    source_names: list[str]


class SegmentFile:
    """An open segment; use with `with`. Raises SegmentCorrupt where its bytes do not make sense."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: dict[str, Column] = {}
        self._divisors: dict[int, float] = {}
        with self._named("the file"):
            self._file = h5py.File(path, "r")
        try:
            with self._named("the attributes"):
                self._read_attributes()
            with self._named("the index"):
                self._read_index()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "SegmentFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def run_count(self) -> int:
        return len(self.index["point_id"])

    @property
    def sample_count(self) -> int:
        return int(self.index["sample_count"].sum(dtype=np.int64))

    def samples(self, first: int, last: int) -> Samples:
        """The samples of runs ``[first, last)``."""
        with self._named(f"the runs {first} to {last}"):
            count = self.index["sample_count"][first:last].astype(np.int64)
            offset = np.concatenate(([0], np.cumsum(count)))
            time_us = self._times(first, last, offset)
            value = self._values(first, last, offset)
            quality = self._varying("quality", first, last, offset, np.dtype(np.uint16))
            return Samples(offset, time_us, value, quality, self._sequences(first, last, offset, time_us))

    def run_groups(self, samples_max: int) -> Iterator[tuple[int, int]]:
        """Ranges of runs of at most about `samples_max` samples each."""
        total = np.cumsum(self.index["sample_count"].astype(np.int64))
        first = 0
        while first < self.run_count:
            before = int(total[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(total, before + samples_max, side="right")))
            yield first, last
            first = last

    def superseded(self) -> dict[str, Column]:
        """Versions that a newer one replaced, by column."""
        with self._named("the superseded versions"):
            group = self._file["superseded"]
            return {name: self._whole(f"superseded/{name}") for name in VERSION_COLUMNS if name in group}

    def batches(self) -> Batches:
        """The batches, by rising sequence."""
        with self._named("the batches"):
            names = [text.decode("utf-8", "replace") for text in self._file["batches/source_names"][:]]
            sequence, arrival_us, source = (
                self._whole(f"batches/{name}").astype(np.int64)
                for name in ("sequence", "arrival_time_us", "source")
            )
            return Batches(sequence, arrival_us, source, names)

    def data_sets(self) -> list[tuple[str, int, int]]:
        """Name, elements and bytes on disk of every data set."""
        found: list[tuple[str, int, int]] = []

        def take(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                found.append((name, int(item.size), int(item.id.get_storage_size())))

        with self._named("the data sets"):
            self._file.visititems(take)
        return sorted(found)

    # -- the file's own description --------------------------------------------------------------

    def _read_attributes(self) -> None:
        attributes = self._file.attrs
        if _text(attributes["format"]) != FORMAT_NAME:
            raise ValueError(f"the format is {_text(attributes['format'])!r}")
        self.format_version = int(attributes["format_version"])
        if self.format_version > READS_VERSION:
            raise FormatTooNew(
                f"{self.path}: format {self.format_version}; this version reads up to {READS_VERSION}"
            )
        self.generation = int(attributes["generation"])
        self._index_crc = int(attributes["index_crc32c"])

    def _read_index(self) -> None:
        group = self._file["index"]
        types = dict(INDEX) | (_OF_FORMAT_1 if self.format_version == 1 else {})
        self.index = {name: self._whole(f"index/{name}").astype(dtype) for name, dtype in types.items()}
        lengths = {len(column) for column in self.index.values()}
        if len(lengths) != 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        crc = 0
        for name in types:
            crc = checksum.crc32c(self.index[name].tobytes(), crc)
        if crc != self._index_crc:
            raise ValueError("the checksum does not match")
        self.names = [text.decode("utf-8", "replace") for text in group["name"][:]]
        self.units = [text.decode("utf-8", "replace") for text in group["unit"][:]]

    # -- columns -----------------------------------------------------------------------------------

    def _times(self, first: int, last: int, offset: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """On a grid: first + step × slot without the missing slots; else as stored."""
        index = self.index
        step, missing = index["step_us"][first:last], index["missing_count"][first:last].astype(np.int64)
        at = index["time_offset"][first:last]
        is_grid = step > 0
        time_us = np.empty(int(offset[-1]), np.int64)
        for run in range(last - first):
            begin, end = int(offset[run]), int(offset[run + 1])
            if not is_grid[run]:
                time_us[begin:end] = self._part("time_us", int(at[run]), end - begin)
                continue
            left_out = self._part("missing_slot", int(at[run]), int(missing[run])).astype(np.int64)
            slot = np.delete(np.arange(end - begin + len(left_out)), left_out)
            time_us[begin:end] = index["first_time_us"][first + run] + step[run] * slot
        return time_us

    def _values(self, first: int, last: int, offset: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        value = np.empty(int(offset[-1]), np.float64)
        columns = (self.index[name][first:last].tolist() for name in ("value_kind", "value_offset"))
        for run, (kind, at) in enumerate(zip(*columns, strict=True)):
            begin, end = int(offset[run]), int(offset[run + 1])
            value[begin:end] = self._part(values_name(kind), at, end - begin) / self._divisor(kind)
        return value

    def extremes(self, run: int) -> tuple[float, float]:
        """What the index says of a run's lowest and highest value."""
        low, high = self.index["value_min"][run], self.index["value_max"][run]
        kind = int(self.index["value_kind"][run])
        if self.format_version == 1:
            return float(low), float(high)
        if kind == KIND_F64:
            return float(low.view(np.float64)), float(high.view(np.float64))
        return float(low / self._divisor(kind)), float(high / self._divisor(kind))

    def _divisor(self, kind: int) -> float:
        if kind not in self._divisors:
            self._divisors[kind] = float(self._file[values_name(kind)].attrs["scale_divisor"])
        return self._divisors[kind]

    def _sequences(
        self, first: int, last: int, offset: npt.NDArray[np.int64], time_us: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Of a run, of a scan (the last entry with the sample's time and a run at or before its own), or stored."""
        sequence = self._varying("sequence", first, last, offset, np.dtype(np.int64))
        for run in np.flatnonzero(self.index["sequence_offset"][first:last] == IN_SCAN).tolist():
            begin, end = int(offset[run]), int(offset[run + 1])
            scan_time, scan_run, scan_sequence = self._scan()
            # Of the table only what begins at or before this run counts; then the last of each time.
            chosen = np.flatnonzero(scan_run <= first + run)
            place = np.searchsorted(scan_time[chosen], time_us[begin:end], side="right") - 1
            if (place < 0).any() or (scan_time[chosen[place]] != time_us[begin:end]).any():
                raise ValueError(f"a sample of run {first + run} has no entry in the scan table")
            sequence[begin:end] = scan_sequence[chosen[place]]
        return sequence

    def _scan(self) -> tuple[Column, Column, Column]:
        return self._whole("scan/time_us"), self._whole("scan/first_run"), self._whole("scan/sequence")

    def _varying(
        self, name: str, first: int, last: int, offset: npt.NDArray[np.int64], dtype: np.dtype[Any]
    ) -> Column:
        """A column that is the same for all samples of most runs."""
        at, same = self.index[f"{name}_offset"][first:last], self.index[name][first:last]
        column = np.repeat(same, np.diff(offset)).astype(dtype)
        for run in np.flatnonzero(at >= 0).tolist():
            begin, end = int(offset[run]), int(offset[run + 1])
            column[begin:end] = self._part(name, int(at[run]), end - begin)
        return column

    def _part(self, name: str, at: int, count: int) -> Column:
        """`count` elements of a data set from `at` on, decoded."""
        size = len(self._file[name])
        if not 0 <= at <= at + count <= size:
            raise ValueError(f"{name} has {size} elements; {at} to {at + count} are asked for")
        if size <= KEPT_WHOLE_MAX:
            return self._whole(name)[at : at + count]
        first = at // CODING_SAMPLES * CODING_SAMPLES
        return self._decoded(name, first, at + count)[at - first :]

    def _whole(self, name: str) -> Column:
        if name not in self._kept:
            self._kept[name] = self._decoded(name, 0, len(self._file[name]))
        return self._kept[name]

    def _decoded(self, name: str, first: int, last: int) -> Column:
        """Elements ``[first, last)``; `first` is the beginning of a block of differences."""
        data_set = self._file[name]
        stored: Column = data_set[first:last]
        if "dtype" not in data_set.attrs:  # a float, or format 1
            return stored
        column = np.empty(len(stored), np.dtype(_text(data_set.attrs["dtype"])))
        for begin in range(0, len(stored), CODING_SAMPLES):
            column[begin : begin + CODING_SAMPLES] = undo_differences(
                stored[begin : begin + CODING_SAMPLES], column.dtype
            )
        return column

    @contextlib.contextmanager
    def _named(self, part: str) -> Iterator[None]:
        try:
            yield
        except _H5_ERRORS as error:
            raise SegmentCorrupt(str(self.path), f"{part} cannot be read: {error}") from error


def _text(attribute: object) -> str:
    """HDF5 has texts of fixed and of free length; h5py gives the former as bytes."""
    return attribute.decode("utf-8", "replace") if isinstance(attribute, bytes) else str(attribute)


def values_name(kind: int) -> str:
    """The data set that holds values of that kind."""
    if kind == KIND_F64:
        return "values/f64"
    return f"values/i64_e{kind - 16}" if kind >= 16 else f"values/i32_e{kind}"


def undo_differences(coded: Column, dtype: np.dtype[Any]) -> Column:
    """The numbers of one block: running sums of the differences that `coded` holds in zigzag; all of it wraps."""
    one = coded.dtype.type(1)
    difference = (coded >> one) ^ (~(coded & one) + one)
    return np.cumsum(difference, dtype=coded.dtype).view(dtype)
