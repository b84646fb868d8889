"""The bytes of a WAL file: a file header, then framed records. Layout in docs/format/wal.md.

Everything is little-endian and aligned to 8 bytes, so that recovery can look for a record on every
eighth byte after a damaged one, and columns can be read in place.
"""

import struct
from typing import Final, NamedTuple

import google_crc32c
import numpy as np
import numpy.typing as npt

from historian.errors import FormatTooNew
from historian.model.sample import SampleBatch

FILE_MAGIC: Final = b"HISTWAL\x01"
FORMAT_VERSION: Final = 1
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
TYPE_SAMPLES: Final = 1
TYPE_END: Final = 2  # no payload: the file was closed in order, nothing after it

_SAMPLES_HEADER: Final = struct.Struct("<IHBB")  # sample count, source size, time and quality encoding
ENCODING_PLAIN: Final = 0
ENCODING_CONSTANT: Final = 1

Bytes = npt.NDArray[np.uint8]


class WalRecord(NamedTuple):
    """One record as found in a file. `batch` and `source` are set for TYPE_SAMPLES."""

    sequence: int
    arrival_time_us: int
    record_type: int
    batch: SampleBatch | None
    source: str


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


def encode_mark(record_type: int, sequence: int, arrival_time_us: int) -> Bytes:
    """A record without payload."""
    return _frame(np.zeros(RECORD_HEADER_SIZE, np.uint8), record_type, sequence, arrival_time_us)


def encode_samples(batch: SampleBatch, source: str, sequence: int, arrival_time_us: int) -> Bytes:
    """A samples record. Equal times and equal qualities are written once: a scan costs 12 bytes a sample."""
    count = batch.sample_count
    assert 0 < count < PAYLOAD_SIZE_MAX // 32, "a batch is never empty and bounded"
    name = source.encode(errors="replace")[:65535]  # a file's name may hold what is no Unicode
    time = _column(batch.time_us)
    quality = _column(batch.quality)
    parts: list[tuple[int, Bytes]] = []
    at = RECORD_HEADER_SIZE + _aligned(_SAMPLES_HEADER.size + len(name))
    for column in (batch.value, time, batch.point_id, quality):
        raw = column.view(np.uint8)
        parts.append((at, raw))
        at += _aligned(len(raw))
    record = np.zeros(at, np.uint8)
    header = _SAMPLES_HEADER.pack(
        count,
        len(name),
        ENCODING_CONSTANT if len(time) < count else ENCODING_PLAIN,
        ENCODING_CONSTANT if len(quality) < count else ENCODING_PLAIN,
    )
    head = np.frombuffer(header + name, np.uint8)
    record[RECORD_HEADER_SIZE : RECORD_HEADER_SIZE + len(head)] = head
    for offset, raw in parts:
        record[offset : offset + len(raw)] = raw
    return _frame(record, TYPE_SAMPLES, sequence, arrival_time_us)


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
    batch, source = None, ""
    if record_type == TYPE_SAMPLES:
        batch, source = _decode_samples(data, at + RECORD_HEADER_SIZE)
    return WalRecord(sequence, arrival, record_type, batch, source), end - at


def _next_record(data: bytes, at: int, last_sequence: int) -> int | None:
    """Offset of the next good record at or after `at`; records lie on multiples of 8."""
    while (at := data.find(RECORD_MAGIC, at)) >= 0:
        if at % 8 == 0 and _record_at(data, at, last_sequence) is not None:
            return at
        at += 4
    return None


def _decode_samples(data: bytes, at: int) -> tuple[SampleBatch, str]:
    count, source_size, time_encoding, quality_encoding = _SAMPLES_HEADER.unpack_from(data, at)
    start = at + _SAMPLES_HEADER.size
    source = data[start : start + source_size].decode(errors="replace")  # the cut may go through a sign
    at += _aligned(_SAMPLES_HEADER.size + source_size)
    value = np.frombuffer(data, np.float64, count, at)
    at += 8 * count
    time_count = 1 if time_encoding == ENCODING_CONSTANT else count
    time = np.frombuffer(data, np.int64, time_count, at)
    at += 8 * time_count
    point_id = np.frombuffer(data, np.uint32, count, at)
    at += _aligned(4 * count)
    quality_count = 1 if quality_encoding == ENCODING_CONSTANT else count
    quality = np.frombuffer(data, np.uint16, quality_count, at)
    # Copies: kernels are compiled for writable columns, and the file's bytes are read-only.
    time_column = np.array(np.broadcast_to(time, count))
    quality_column = np.array(np.broadcast_to(quality, count))
    return SampleBatch(np.array(point_id), time_column, np.array(value), quality_column), source


def _frame(record: Bytes, record_type: int, sequence: int, arrival_time_us: int) -> Bytes:
    """Fill the header of `record`, whose payload is in place, and its CRC."""
    size = len(record) - RECORD_HEADER_SIZE
    header = RECORD_HEADER.pack(RECORD_MAGIC, size, sequence, arrival_time_us, record_type, 0)
    record[:RECORD_HEADER_SIZE] = np.frombuffer(header, np.uint8)
    record.flags.writeable = False  # the CRC library takes read-only memory only
    crc = google_crc32c.value(record)
    record.flags.writeable = True
    record[_CRC_OFFSET : _CRC_OFFSET + 4] = np.frombuffer(struct.pack("<I", crc), np.uint8)
    return record


def _crc_of(data: bytes, at: int, end: int) -> int:
    """CRC of the record in ``[at, end)`` with its CRC field taken as zero."""
    crc = google_crc32c.extend(google_crc32c.value(data[at : at + _CRC_OFFSET]), b"\0\0\0\0")
    rest = np.frombuffer(data, np.uint8, end - at - _CRC_OFFSET - 4, at + _CRC_OFFSET + 4)
    checked: int = google_crc32c.extend(crc, rest)
    return checked


def _column(column: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The column, or its first element where all are equal."""
    is_constant = len(column) > 1 and column[0] == column[-1] and bool((column == column[0]).all())
    return np.ascontiguousarray(column[:1] if is_constant else column)


def _aligned(size: int) -> int:
    return (size + 7) & ~7
