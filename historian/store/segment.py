"""A segment open for reading: its index and the chunks that were decoded in memory, the rest on disk.

Layout in docs/format/segment.md; the file itself is the business of `segment_file`.
"""

import threading
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.sample import PointIdColumn, RunBlock
from historian.store import filenames, segment_layout
from historian.store import segment_copy_kernels as copy_kernels
from historian.store import segment_read_kernels as kernels
from historian.store.columns import Rows
from historian.store.segment_file import SegmentFile
from historian.store.segment_read_kernels import Found, Held, Scan
from historian.store.segment_write import Batches, Column, Names, index_crc32c

__all__ = ["Batches", "Names", "Segment"]

I64 = npt.NDArray[np.int64]

_NEEDED_MAX: Final = 4096  # chunks decoded before the search goes on
_CHUNK: Final = segment_layout.CODING_SAMPLES
_LOWEST: Final = int(np.iinfo(np.int64).min)
_HIGHEST: Final = int(np.iinfo(np.int64).max)
_FIELDS: Final = (
    "sample_count", "first_time_us", "last_time_us", "step_us", "missing_count", "time_offset", "value_kind",
    "value_offset", "quality_offset", "quality", "sequence_offset", "sequence",
)  # fmt: skip


class _Part(NamedTuple):
    """A data set inside a column: its first chunk among all, and how many numbers it holds."""

    name: str
    chunk: int
    length: int


class Memory:
    """What of a segment is in memory. Chunks are only ever added, so readers need no lock."""

    def __init__(self, held: Held, parts: list[_Part], columns: list[Column], index_bytes: int) -> None:
        self.held = held
        self.parts = parts  # by rising chunk
        self.columns = columns
        self.size_bytes = index_bytes
        self.scan: Scan | None = None

    def place(self, chunk: int) -> tuple[str, int, Column]:
        """Of a chunk: the data set, its number there, and where its numbers go."""
        part = next(part for part in reversed(self.parts) if part.chunk <= chunk)
        number = int(np.searchsorted(self.held.base, chunk, "right")) - 1
        within = chunk - part.chunk
        start = (chunk - int(self.held.base[number])) * _CHUNK
        return (
            part.name,
            within,
            self.columns[number][start : start + min(_CHUNK, part.length - within * _CHUNK)],
        )


class Segment:
    """See the module. Any thread may read: what is in memory without waiting, the rest one at a time."""

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        """`path` (or `data`, its bytes). Nothing is read before it is needed."""
        self.path = path
        self._file = SegmentFile(path, data)
        self._lock = threading.RLock()
        self._memory: Memory | None = None
        self.decoded_count = 0  # chunks, ever

    @property
    def is_open(self) -> bool:
        """Whether the file is held open."""
        return self._file.is_open

    @property
    def held(self) -> Held | None:
        """What is in memory now; None where it is not even the index. Never waits."""
        memory = self._memory
        return memory.held if memory is not None else None

    @property
    def size_bytes(self) -> int:
        """Memory in use."""
        memory = self._memory
        return memory.size_bytes if memory is not None else 0

    @property
    def point_id(self) -> PointIdColumn:
        """The points, sorted. Raises SegmentCorrupt or FormatTooNew."""
        return self.memory().held.point_id

    @property
    def sample_counts(self) -> I64:
        """Samples of each run. Raises SegmentCorrupt or FormatTooNew."""
        counts: I64 = self.memory().held.fields[kernels.COUNT]
        return counts

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        with self._lock:
            self._file.close()

    def forget(self) -> None:
        """Let go of the memory; reads that run keep theirs."""
        self._memory = None

    def memory(self) -> Memory:
        """Index and columns, the index read if it was not. Raises SegmentCorrupt or FormatTooNew."""
        memory = self._memory
        if memory is None:
            with self._lock, self._file.guard("the index"):
                memory = self._memory or self._load()
                self._memory = memory
        return memory

    def find(self, ids: PointIdColumn, start_us: int, end_us: int) -> tuple[Memory, Found]:
        """Where samples of ``[start, end)`` lie, all that is needed to copy them decoded. Raises SegmentCorrupt."""
        memory = self.memory()
        found = make_found(len(ids))
        needed = np.empty(_NEEDED_MAX, np.int64)
        while count := kernels.search(memory.held, ids, start_us, end_us, found, needed):
            self.decode(memory, needed[:count])
        return memory, found

    def try_find(self, ids: PointIdColumn, start_us: int, end_us: int) -> tuple[Memory, Found] | None:
        """As `find`, None where something would have to be read from disk. Never waits."""
        memory = self._memory
        if memory is None:
            return None
        found = make_found(len(ids))
        is_found = copy_kernels.search_decoded(memory.held, ids, start_us, end_us, found)
        return (memory, found) if is_found else None

    def find_exact(self, ids: PointIdColumn, times: I64, places: I64) -> tuple[Memory, Found]:
        """Where the samples at (ids[p], times[p]) lie, for each of `places`. Raises SegmentCorrupt."""
        memory = self.memory()
        found = make_found(len(places))
        needed = np.empty(_NEEDED_MAX, np.int64)
        while count := kernels.search_exact(memory.held, ids, times, places, found, needed):
            self.decode(memory, needed[:count])
        return memory, found

    def newest_before(self, ids: PointIdColumn, before_us: int, newest: I64) -> None:
        """Raise `newest` of each id to its last time before `before_us`. Raises SegmentCorrupt."""
        memory = self.memory()
        needed = np.empty(_NEEDED_MAX, np.int64)
        while count := kernels.newest_before(memory.held, ids, before_us, newest, needed):
            self.decode(memory, needed[:count])

    def sequences(self, memory: Memory, found: Found, at: I64, time: I64, out: I64) -> None:
        """Sequences of what was copied to `at`. Raises SegmentCorrupt."""
        needed = np.empty(_NEEDED_MAX, np.int64)
        while count := kernels.lacking_sequences(memory.held, found, needed):
            self.decode(memory, needed[:count])
        with self._lock, self._file.guard("the sequences"):
            if memory.scan is None:
                memory.scan = self._load_scan()
            if not kernels.fill_sequences(memory.held, memory.scan, found, at, time, out):
                raise ValueError("the scan table lacks a time")

    def read_block(self, ids: PointIdColumn, start_us: int, end_us: int) -> RunBlock:
        """What lies in ``[start, end)`` of each id. Raises SegmentCorrupt."""
        memory, found = self.find(ids, start_us, end_us)
        return copy_block(memory.held, found, ids)

    def read_rows(self, first_run: int, last_run: int) -> Rows:
        """Every sample of runs ``[first, last)`` with its sequence. Raises SegmentCorrupt."""
        ids = self.point_id[first_run:last_run]
        return self.read_point_rows(ids, _LOWEST, _HIGHEST)

    def read_point_rows(self, ids: PointIdColumn, start_us: int, end_us: int) -> Rows:
        """What lies in ``[start, end)`` of each id with its sequence. Raises SegmentCorrupt."""
        memory, found = self.find(ids, start_us, end_us)
        block = copy_block(memory.held, found, ids)
        sequence = np.empty(block.sample_count, np.int64)
        self.sequences(memory, found, block.offset, block.time_us, sequence)
        return Rows(
            np.repeat(block.point_id, found.size), block.time_us, block.value, block.quality, sequence
        )

    def read_all(self) -> tuple[Rows, Rows]:
        """Every sample, sorted, and every superseded version. Raises SegmentCorrupt."""
        return self.read_rows(0, len(self.point_id)), self.read_superseded()

    def read_superseded(self) -> Rows:
        """Versions that a newer one replaced, sorted by point, time, sequence."""
        dtypes = (np.uint32, np.int64, np.float64, np.uint16, np.int64)
        with self._lock, self._file.guard("the superseded versions"):
            return Rows(*map(self._file.read, (f"superseded/{name}" for name in Rows._fields), dtypes))

    def read_batches(self) -> Batches:
        """Time of arrival and origin of the batches that came into this segment."""
        with self._lock, self._file.guard("the batches"):
            texts = [text.decode() for text in self._file.read_texts("batches/source_names").tolist()]
            self._file.open()
            columns = [
                self._file.read(
                    f"batches/{name}", np.uint16 if name == "source" and self._is_first() else dtype
                )
                for name, dtype in segment_layout.BATCH_COLUMNS.items()
            ]
            sequence, arrival_time_us, source = columns
            return Batches(sequence, arrival_time_us, source, texts)

    def read_names(self) -> Names:
        """Name and unit of each run's point when the segment was made."""
        with self._lock, self._file.guard("the names"):
            return Names(self._file.read_texts("index/name"), self._file.read_texts("index/unit"))

    def decode(self, memory: Memory, needed: I64) -> None:
        """Bring chunks into memory. Raises SegmentCorrupt."""
        with self._lock, self._file.guard("a column"):
            for chunk in np.unique(needed).tolist():
                if memory.held.filled[chunk]:
                    continue
                name, within, out = memory.place(chunk)
                self._file.read_part(name, within, out)
                memory.held.filled[chunk] = 1
                memory.size_bytes += out.nbytes
                self.decoded_count += 1

    def _is_first(self) -> bool:
        return self._file.version == 1

    def _load(self) -> Memory:
        columns = self._load_index()
        parts: dict[int, list[_Part]] = {number: [] for number in range(len(_DTYPES))}
        names = {kernels.C_MISSING: "missing_slot", kernels.C_TIME: "time_us",
                 kernels.C_QUALITY: "quality", kernels.C_SEQUENCE: "sequence"}  # fmt: skip
        starts = np.zeros(256, np.int64)
        base, chunk = np.zeros(len(_DTYPES), np.int64), 0
        values = self._file.names("values")
        for number in range(len(_DTYPES)):
            base[number] = chunk
            here = (
                [names[number]]
                if number in names
                else [f"values/{n}" for n in values if n[:3] == _PREFIX[number]]
            )
            for name in here:
                length = self._file.length(name)
                if number not in names:
                    starts[segment_layout.values_kind(name[7:])] = (chunk - base[number]) * _CHUNK
                parts[number].append(_Part(name, chunk, length))
                chunk += -(-length // _CHUNK)
        ends = np.append(base[1:], chunk)
        arrays: list[Any] = [
            np.empty(int(size) * _CHUNK, dtype) for size, dtype in zip(ends - base, _DTYPES, strict=True)
        ]
        index = np.empty((kernels.FIELD_COUNT, len(columns["point_id"])), np.int64)
        for field, name in enumerate(_FIELDS):
            index[field] = columns[name]
        index[kernels.VALUE_AT] += starts[index[kernels.KIND]]
        i32, i64, f64, missing, time, quality, sequence = arrays
        filled = np.zeros(chunk, np.uint8)
        ids = columns["point_id"]
        held = Held(index, ids, i32, i64, f64, missing, time, quality, sequence, base, filled)
        _check_bounds(index, ends - base)
        every = [part for number in range(len(_DTYPES)) for part in parts[number] if part.length]
        return Memory(held, every, arrays, index.nbytes + held.point_id.nbytes)

    def _load_index(self) -> dict[str, Column]:
        expected = self._file.attribute("index_crc32c")
        layout = segment_layout.INDEX_COLUMNS_1 if self._is_first() else segment_layout.INDEX_COLUMNS
        index = {name: self._file.read(f"index/{name}", dtype) for name, dtype in layout.items()}
        if index_crc32c(index) != expected:
            raise ValueError("the checksum of the index does not match")
        generation = filenames.segment_generation(self.path.name)
        if generation is not None and self._file.attribute("generation") != generation:
            raise ValueError("it is another segment's file")
        return index

    def _load_scan(self) -> Scan:
        if self._is_first():
            return Scan(np.empty(0, np.int64), np.empty(0, np.uint32), np.empty(0, np.int64))
        columns: list[Any] = [
            self._file.read(f"scan/{name}", dtype) for name, dtype in segment_layout.SCAN_COLUMNS.items()
        ]
        return Scan(*columns)


_DTYPES: Final[tuple[Any, ...]] = (
    np.int32, np.int64, np.float64, np.uint32, np.int64, np.uint16, np.int64,
)  # fmt: skip
_PREFIX: Final = {kernels.C_I32: "i32", kernels.C_I64: "i64", kernels.C_F64: "f64"}


def make_found(count: int) -> Found:
    """Room for `count` entries, not initialised."""
    room = np.empty((4, count), np.int64)
    return Found(room[0], room[1], room[2], room[3])


def copy_block(held: Held, found: Found, ids: PointIdColumn) -> RunBlock:
    """The samples that were found, run after run."""
    offset = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(found.size, out=offset[1:])
    count = int(offset[-1])
    block = RunBlock(ids, offset, np.empty(count, np.int64), np.empty(count), np.empty(count, np.uint16))
    kernels.fill(held, found, offset, *block[2:])
    return block


def _check_bounds(index: I64, chunk_counts: I64) -> None:
    """An index that points outside of its columns must not make a kernel read there. Raises ValueError."""
    kind = index[kernels.KIND]
    column = np.where(kind == segment_layout.KIND_F64, kernels.C_F64,
                      np.where(kind >= segment_layout.KIND_I64, kernels.C_I64, kernels.C_I32))  # fmt: skip
    regular = index[kernels.STEP_US] > 0
    spans = (
        (index[kernels.VALUE_AT], index[kernels.COUNT], chunk_counts[column]),
        (index[kernels.TIME_AT],
         np.where(regular, index[kernels.MISSING], index[kernels.COUNT]),
         np.where(regular, chunk_counts[kernels.C_MISSING], chunk_counts[kernels.C_TIME])),
    )  # fmt: skip
    for at, count, chunks in spans:
        if bool(((at < 0) | (at + count > chunks * _CHUNK)).any()):
            raise ValueError("the index points outside of its columns")
    for field, number in ((kernels.QUALITY_AT, kernels.C_QUALITY), (kernels.SEQUENCE_AT, kernels.C_SEQUENCE)):
        if bool(
            (index[field] + index[kernels.COUNT] * (index[field] >= 0) > chunk_counts[number] * _CHUNK).any()
        ):
            raise ValueError("the index points outside of its columns")
