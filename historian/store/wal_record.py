"""The bytes of a WAL file: a file header, then framed records. Layout in docs/format/wal.md.

Everything is little-endian and aligned to 8 bytes, so that recovery can look for a record on every
eighth byte after a damaged one, and columns can be read in place.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import google_crc32c
import numpy as np
import numpy.typing as npt

from historian.errors import FormatTooNew
from historian.model.sample import Origin, SampleBatch
from historian.store import wal_kernels

FILE_MAGIC: Final = b"HISTWAL\x01"
FORMAT_VERSION: Final = 2
FILE_HEADER: Final = struct.Struct(
    "<8sIIQqII"
)  # magic, version, header size, first sequence, created, 0, crc
FILE_HEADER_SIZE: Final = 40

RECORD_MAGIC: Final = b"\xf5hR\x01"
RECORD_HEADER: Final = struct.Struct("<4sIQqB7xI4x")  # magic, payload size, sequence, arrival, type, crc
RECORD_HEADER_SIZE: Final = 40
_CRC_OFFSET: Final = 32
PAYLOAD_SIZE_MAX: Final = 1 << 28  # a longer one is damage: batches are bounded far below

TYPE_PROBE: Final = 0  # no payload: shows that the disk takes writes again
TYPE_SAMPLES_V1: Final = 1  # as format 1 wrote them: no version, no runs
TYPE_END: Final = 2  # no payload: the file was closed in order, nothing after it
TYPE_SAMPLES: Final = 3
TYPE_CONTINUES: Final = 4  # the first record of a file; payload: the last record acknowledged before it (i64)

_SAMPLES_HEADER_V1: Final = struct.Struct("<IHBB")  # sample count, origin size, time and quality encoding
_SAMPLES_HEADER: Final = struct.Struct("<IHBBq")  # the same, and the version of the samples
ENCODING_PLAIN: Final = 0
ENCODING_CONSTANT: Final = 1
ENCODING_RUNS: Final = 2  # run count (u64), a value of each run, the length of each run (u32)

Bytes = npt.NDArray[np.uint8]
Record = list[Bytes]  # the bytes of one record, in pieces that follow each other


class WalRecord(NamedTuple):
    """One record as found in a file. `batch` and `origin` are set for records of samples.

    `sequence` numbers the record; `version` is that of its samples, the same number in everyday use. Of a
    record that continues the log, `version` is the last record acknowledged before it.
    """

    sequence: int
    arrival_time_us: int
    record_type: int
    batch: SampleBatch | None
    origin: Origin
    version: int


class Damage(NamedTuple):
    """Bytes ``[offset, end)`` of a WAL file that are no record."""

    offset: int
    end: int
    is_tail: bool  # nothing good follows: what a crash leaves of an unacknowledged write


class WalScan(NamedTuple):
    """All that a WAL file holds."""

    records: list[WalRecord]
    damage: list[Damage]
    has_end: bool
    end: int  # offset behind the last record


def encode_file_header(first_sequence: int, created_us: int) -> bytes:
    """The first FILE_HEADER_SIZE bytes of a WAL file."""
    fields = (FILE_MAGIC, FORMAT_VERSION, FILE_HEADER_SIZE, first_sequence, created_us, 0)
    without_crc = FILE_HEADER.pack(*fields, 0)[:-4]
    return FILE_HEADER.pack(*fields, google_crc32c.value(without_crc))


def encode_mark(record_type: int, sequence: int, arrival_time_us: int) -> Record:
    """A record without payload."""
    return _frame(np.zeros(RECORD_HEADER_SIZE, np.uint8), [], record_type, sequence, arrival_time_us)


def encode_continues(last_acknowledged: int, sequence: int, arrival_time_us: int) -> Record:
    """The first record of a file: so that recovery notices when the file before it is missing or cut."""
    head = np.zeros(RECORD_HEADER_SIZE + 8, np.uint8)
    head[RECORD_HEADER_SIZE:] = np.frombuffer(struct.pack("<q", last_acknowledged), np.uint8)
    return _frame(head, [], TYPE_CONTINUES, sequence, arrival_time_us)


def encode_samples(
    batch: SampleBatch, origin: Origin, sequence: int, version: int, arrival_time_us: int
) -> Record:
    """A record of samples, in pieces: the columns are not copied.

    Repeated times and qualities are written once a run: a scan costs 12 bytes a sample.
    """
    count = batch.sample_count
    assert 0 < count < PAYLOAD_SIZE_MAX // 32, "a batch is never empty and bounded"
    text = origin.text.encode(errors="replace")[:65535]  # a file's name may hold what is no Unicode
    time_encoding, time = _encode_column(batch.time_us)
    quality_encoding, quality = _encode_column(batch.quality)
    head = np.zeros(RECORD_HEADER_SIZE + _aligned(_SAMPLES_HEADER.size + len(text)), np.uint8)
    header = _SAMPLES_HEADER.pack(count, len(text), time_encoding, quality_encoding, version)
    head[RECORD_HEADER_SIZE : RECORD_HEADER_SIZE + len(header) + len(text)] = np.frombuffer(
        header + text, np.uint8
    )
    columns = [batch.value, *time, batch.point_id, *quality]
    return _frame(head, columns, TYPE_SAMPLES, sequence, arrival_time_us)


def scan(data: bytes) -> WalScan:
    """Read a WAL file of any state. Damage is found by CRC and order, and stepped over.

    Raises FormatTooNew where a newer version wrote it. A file whose header is damaged is still
    scanned for records.
    """
    records: list[WalRecord] = []
    damage: list[Damage] = []
    has_end = False
    at = last_end = FILE_HEADER_SIZE
    last_sequence = -1
    while at < len(data):
        record = _record_at(data, at, last_sequence)
        if record is None:
            found = _next_record(data, at + 8, last_sequence)
            end = len(data) if found is None else found
            if found is not None or _has_bytes(data, at):
                damage.append(Damage(at, end, is_tail=found is None))
            at = end
            continue
        found_record, size = record
        last_sequence = found_record.sequence
        has_end = has_end or found_record.record_type == TYPE_END
        records.append(found_record)
        at += size
        last_end = at
    if not _check_file_header(data):
        # With no record behind it, it is what a crash leaves between making a file and its first sync.
        damage.insert(0, Damage(0, min(FILE_HEADER_SIZE, len(data)), is_tail=not records))
    return WalScan(records, damage, has_end, last_end)


def _has_bytes(data: bytes, at: int) -> bool:
    return bool(np.frombuffer(data, np.uint8, len(data) - at, at).any())


def _check_file_header(data: bytes) -> bool:
    if len(data) < FILE_HEADER_SIZE or data[:7] != FILE_MAGIC[:7]:
        return False
    magic, version, _, _, _, _, crc = FILE_HEADER.unpack_from(data)
    if crc != google_crc32c.value(data[: FILE_HEADER_SIZE - 4]):
        return False
    if magic != FILE_MAGIC or version > FORMAT_VERSION:
        raise FormatTooNew(
            f"the log was written in format {version}; this version reads up to {FORMAT_VERSION}"
        )
    return True


def _record_at(data: bytes, at: int, last_sequence: int) -> tuple[WalRecord, int] | None:
    """The record at `at` and its size, or None where there is no whole, checked record in order."""
    if at + RECORD_HEADER_SIZE > len(data) or data[at : at + 4] != RECORD_MAGIC:
        return None
    _, size, sequence, arrival, record_type, crc = RECORD_HEADER.unpack_from(data, at)
    end = at + RECORD_HEADER_SIZE + size
    if size > PAYLOAD_SIZE_MAX or end > len(data) or sequence < last_sequence:
        return None
    if crc != _crc_of(data, at, end):
        return None
    batch, origin, version = None, Origin(""), sequence
    if record_type == TYPE_SAMPLES:
        batch, origin, version = _decode_samples(data, at + RECORD_HEADER_SIZE)
    elif record_type == TYPE_CONTINUES:
        (version,) = struct.unpack_from("<q", data, at + RECORD_HEADER_SIZE)
    elif record_type == TYPE_SAMPLES_V1:
        batch, origin = _decode_samples_v1(data, at + RECORD_HEADER_SIZE)
    return WalRecord(sequence, arrival, record_type, batch, origin, version), end - at


def _next_record(data: bytes, at: int, last_sequence: int) -> int | None:
    """Offset of the next good record at or after `at`; records lie on multiples of 8."""
    while (at := data.find(RECORD_MAGIC, at)) >= 0:
        if at % 8 == 0 and _record_at(data, at, last_sequence) is not None:
            return at
        at += 4
    return None


def _decode_samples(data: bytes, at: int) -> tuple[SampleBatch, Origin, int]:
    header = _SAMPLES_HEADER.unpack_from(data, at)
    count, text_size, time_encoding, quality_encoding, version = header
    text, at = _decode_text(data, at + _SAMPLES_HEADER.size, text_size)
    value, at = _decode_column(data, at, count, np.float64, ENCODING_PLAIN)
    time, at = _decode_column(data, at, count, np.int64, time_encoding)
    point_id, at = _decode_column(data, at, count, np.uint32, ENCODING_PLAIN)
    quality, _ = _decode_column(data, at, count, np.uint16, quality_encoding)
    return SampleBatch(point_id, time, value, quality), Origin.of_text(text), version


def _decode_samples_v1(data: bytes, at: int) -> tuple[SampleBatch, Origin]:
    count, text_size, time_encoding, quality_encoding = _SAMPLES_HEADER_V1.unpack_from(data, at)
    text, at = _decode_text(data, at + _SAMPLES_HEADER_V1.size, text_size)
    value, at = _decode_column(data, at, count, np.float64, ENCODING_PLAIN)
    time, at = _decode_column(data, at, count, np.int64, time_encoding)
    point_id, at = _decode_column(data, at, count, np.uint32, ENCODING_PLAIN)
    quality, _ = _decode_column(data, at, count, np.uint16, quality_encoding)
    return SampleBatch(point_id, time, value, quality), Origin.of_text(text)


def _decode_text(data: bytes, at: int, size: int) -> tuple[str, int]:
    """The text, and where the columns begin; the cut to 65,535 bytes may go through a sign."""
    return data[at : at + size].decode(errors="replace"), _aligned(at + size)


def _encode_column(column: npt.NDArray[Any]) -> tuple[int, list[npt.NDArray[Any]]]:
    """How the column is written, and its pieces: once where all are equal, by runs where that is shorter."""
    runs_max = len(column) * column.itemsize // (2 * (column.itemsize + 4))
    first = np.empty(runs_max + 1, np.int64)
    run_count = wal_kernels.run_starts(column, first)
    if run_count == 1 and len(column) > 1:
        return ENCODING_CONSTANT, [column[:1]]
    if run_count == 0 or run_count > runs_max:
        return ENCODING_PLAIN, [column]
    first = first[:run_count]
    lengths = np.diff(np.append(first, len(column))).astype(np.uint32)
    return ENCODING_RUNS, [np.array([run_count], np.uint64), column[first], lengths]


def _decode_column(
    data: bytes, at: int, count: int, dtype: type[np.generic], encoding: int
) -> tuple[npt.NDArray[Any], int]:
    """The column as a writable copy, for which kernels are compiled, and where the next one begins."""
    size = np.dtype(dtype).itemsize
    if encoding == ENCODING_RUNS:
        run_count = int(np.frombuffer(data, np.uint64, 1, at)[0])
        values_at = at + 8
        lengths_at = values_at + _aligned(size * run_count)
        lengths = np.frombuffer(data, np.uint32, run_count, lengths_at)
        column = np.repeat(np.frombuffer(data, dtype, run_count, values_at), lengths)
        return column, lengths_at + _aligned(4 * run_count)
    stored = 1 if encoding == ENCODING_CONSTANT else count
    column = np.array(np.broadcast_to(np.frombuffer(data, dtype, stored, at), count))
    return column, at + _aligned(size * stored)


def _frame(
    head: Bytes, columns: Sequence[npt.NDArray[Any]], record_type: int, sequence: int, arrival_time_us: int
) -> Record:
    """Pad the columns to 8 bytes each, fill the header at the start of `head`, and the CRC over all."""
    pieces = [head]
    for column in columns:
        raw = np.ascontiguousarray(column).view(np.uint8)
        pieces.append(raw)
        if len(raw) % 8:
            pieces.append(np.zeros(8 - len(raw) % 8, np.uint8))
    size = sum(map(len, pieces)) - RECORD_HEADER_SIZE
    header = RECORD_HEADER.pack(RECORD_MAGIC, size, sequence, arrival_time_us, record_type, 0)
    head[:RECORD_HEADER_SIZE] = np.frombuffer(header, np.uint8)
    crc = 0
    for piece in pieces:
        crc = google_crc32c.extend(crc, _read_only(piece))
    head[_CRC_OFFSET : _CRC_OFFSET + 4] = np.frombuffer(struct.pack("<I", crc), np.uint8)
    return pieces


def _read_only(piece: Bytes) -> Bytes:
    """A view as the CRC library wants it."""
    view = piece.view()
    view.flags.writeable = False
    return view


def _crc_of(data: bytes, at: int, end: int) -> int:
    """CRC of the record in ``[at, end)`` with its CRC field taken as zero."""
    crc = google_crc32c.extend(google_crc32c.value(data[at : at + _CRC_OFFSET]), b"\0\0\0\0")
    rest = np.frombuffer(data, np.uint8, end - at - _CRC_OFFSET - 4, at + _CRC_OFFSET + 4)
    checked: int = google_crc32c.extend(crc, rest)
    return checked


def _aligned(size: int) -> int:
    return (size + 7) & ~7
