"""A segment as an HDF5 file: the only module that knows HDF5.

Chunks pass HDF5's own filters by: they are encoded and decoded by `segment_codec`, outside of HDF5's lock and
without the interpreter's, into exactly what the filters would make of them.
"""

import contextlib
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import h5py
import hdf5plugin
import numpy as np

from historian.errors import FormatTooNew, SegmentCorrupt, StoreError
from historian.store import segment_codec, segment_layout
from historian.store.segment_write import Coded, Column, Content

_FILTERS: Final = {"shuffle": True, **hdf5plugin.Zstd(clevel=1)}  # what others undo; we encode by ourselves
_PASSING: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})  # says nothing about the file's bytes


def write(content: Content, generation: int) -> bytes:
    """The whole file as bytes."""
    with h5py.File("segment", "w", driver="core", backing_store=False, libver="v110") as file:
        file.attrs["format"] = _text(segment_layout.FORMAT_NAME)
        file.attrs["format_version"] = segment_layout.FORMAT_VERSION
        file.attrs["generation"] = generation
        file.attrs["time"] = _text(segment_layout.TIME_UNITS)
        file.attrs["coding_samples"] = segment_layout.CODING_SAMPLES
        file.attrs["index_crc32c"] = content.index_crc32c
        for path, coded in content.data_sets.items():
            data_set = _write_data_set(file, path, coded)
            group, _, name = path.rpartition("/")
            if group == "values":
                _describe_values(data_set, segment_layout.values_kind(name), content.unit)
            elif name == "time_us":
                data_set.attrs["units"] = _text(segment_layout.TIME_UNITS)
        file.flush()
        return bytes(file.id.get_file_image())


def _write_data_set(file: h5py.File, path: str, coded: Coded) -> h5py.Dataset:
    dtype: Any = coded.dtype
    if coded.dtype.kind == "S":
        dtype = h5py.string_dtype("utf-8", coded.dtype.itemsize)
    elif segment_layout.is_coded(coded.dtype):
        dtype = np.dtype(f"u{coded.dtype.itemsize}")
    if coded.length:
        data_set = file.create_dataset(
            path, (coded.length,), dtype, chunks=(coded.chunk_samples,), **_FILTERS
        )
    else:
        data_set = file.create_dataset(path, (0,), dtype)
    for place, frame in enumerate(coded.frames):
        data_set.id.write_direct_chunk((place * coded.chunk_samples,), frame)
    if segment_layout.is_coded(coded.dtype):
        data_set.attrs["dtype"] = _text(coded.dtype.name)
    return data_set


def _text(text: str) -> np.bytes_:
    """A text of fixed length: HDF5 keeps others in a heap without checksum, and may not return from damage there."""
    return np.bytes_(text.encode())


def _describe_values(data_set: h5py.Dataset, kind: int, unit: str) -> None:
    divisor = segment_layout.scale_divisor(kind)
    data_set.attrs["kind"] = kind
    data_set.attrs["scale_divisor"] = divisor  # value = stored / scale_divisor, exact
    data_set.attrs["scale_factor"] = 1.0 / divisor  # CF conventions, for tools that know only these
    data_set.attrs["add_offset"] = 0.0
    data_set.attrs["units"] = _text(unit)


class SegmentFile:
    """An HDF5 file of format 1 or 2, opened at the first need. One thread at a time."""

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        self.path = path
        self._source: str | io.BytesIO = str(path) if data is None else io.BytesIO(data)
        self._file: h5py.File | None = None
        self._data_sets: dict[str, h5py.Dataset] = {}
        self._version = 0

    @property
    def is_open(self) -> bool:
        """Whether the file is held open."""
        return self._file is not None

    @property
    def version(self) -> int:
        """Format version; known once something was read."""
        return self._version

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        self._data_sets.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextlib.contextmanager
    def guard(self, part: str) -> Iterator[None]:
        """What damaged bytes raise becomes SegmentCorrupt; for a lack of means, StoreError."""
        try:
            yield
        except (OSError, KeyError, ValueError, RuntimeError, TypeError, segment_codec.ChunkDamaged) as error:
            self.close()
            if isinstance(error, OSError) and error.errno in _PASSING:
                raise StoreError(f"{self.path}: cannot be read now: {os.strerror(error.errno)}") from error
            raise SegmentCorrupt(str(self.path), f"{part} cannot be read: {error}") from error

    def open(self) -> None:
        """Open, if it is not. Raises FormatTooNew, and what `guard` translates."""
        if self._file is not None:
            return
        self._file = h5py.File(self._source, "r")
        name = self._file.attrs["format"]  # in format 1 a text, from then on bytes
        if (name.decode() if isinstance(name, bytes) else name) != segment_layout.FORMAT_NAME:
            raise ValueError("not a segment")
        self._version = int(self._file.attrs["format_version"])
        if self._version > segment_layout.FORMAT_VERSION:
            newest = segment_layout.FORMAT_VERSION
            raise FormatTooNew(f"{self.path}: format {self._version}; this version reads up to {newest}")

    def attribute(self, name: str) -> int:
        """A whole number among the file's attributes."""
        self.open()
        assert self._file is not None, "open() opens"
        return int(self._file.attrs[name])

    def names(self, group: str) -> list[str]:
        """Data sets in a group; none where there is no such group."""
        self.open()
        assert self._file is not None, "open() opens"
        return sorted(self._file[group]) if group in self._file else []

    def length(self, name: str) -> int:
        """How many numbers a data set holds; 0 where there is none."""
        data_set = self._find(name)
        return 0 if data_set is None else len(data_set)

    def read_part(self, name: str, chunk: int, out: Column) -> None:
        """Decode chunk number `chunk` (of CODING_SAMPLES numbers, whatever the file's own size) into `out`."""
        data_set = self._find(name)
        if data_set is None:
            raise KeyError(f"no data set {name}")
        first = chunk * segment_layout.CODING_SAMPLES
        if self._version == 1:
            out[:] = data_set[first : first + len(out)]
            return
        frame = data_set.id.read_direct_chunk((first,))[1]
        segment_codec.decode(frame, data_set.chunks[0], out)

    def read(self, name: str, dtype: Any) -> Column:
        """A whole data set of numbers, decoded."""
        out = np.empty(self.length(name), dtype)
        for first in range(0, len(out), segment_layout.CODING_SAMPLES):
            part = out[first : first + segment_layout.CODING_SAMPLES]
            self.read_part(name, first // segment_layout.CODING_SAMPLES, part)
        return out

    def read_texts(self, name: str) -> Column:
        """A whole data set of texts, as UTF-8 bytes."""
        data_set = self._find(name)
        return (
            np.empty(0, "S1")
            if data_set is None
            else np.asarray(data_set[:]).astype(f"S{data_set.dtype.itemsize}")
        )

    def _find(self, name: str) -> h5py.Dataset | None:
        self.open()
        assert self._file is not None, "open() opens"
        if name not in self._data_sets:
            if name not in self._file:
                return None
            self._data_sets[name] = self._file[name]
        return self._data_sets[name]
