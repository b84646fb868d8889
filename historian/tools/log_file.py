"""Reads a log file by docs/format/wal.md alone: its own walk over frames and checksums.

The store has its own reader for recovery; this one shares no code with it, so that neither proves itself.
"""

import struct
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.errors import FormatTooNew
from historian.tools import checksum

READS_VERSION: Final = 2

_FILE_MAGIC: Final = b"HISTWAL\x01"
_FILE_HEADER: Final = struct.Struct("<8sIIQqII")
_RECORD_MAGIC: Final = b"\xf5\x68\x52\x01"
_RECORD_HEADER: Final = struct.Struct("<4sIQqB7xII")
_CRC_FIELD: Final = 32
_PAYLOAD_BYTES_MAX: Final = 1 << 28
_SAMPLES_HEADER: Final = struct.Struct("<IHBB")
_VERSION: Final = struct.Struct("<q")

PROBE: Final = 0
SAMPLES_OLD: Final = 1
END: Final = 2
SAMPLES: Final = 3
CONTINUES: Final = 4
_ONE_FOR_ALL: Final = 1
_RUNS: Final = 2


class Frame(NamedTuple):
    """One record: where it lies and what its header says."""

    offset: int
    end: int
    sequence: int
    arrival_time_us: int
    type: int

    @property
    def has_samples(self) -> bool:
        return self.type in (SAMPLES_OLD, SAMPLES)


class BadPlace(NamedTuple):
    """Bytes ``[offset, end)`` that are no record; `is_tail`: nothing good follows."""

    offset: int
    end: int
    is_tail: bool


class LogFile(NamedTuple):
    """What a log file holds, whatever its state."""

    format_version: int | None  # None where the file's own header is damaged
    first_sequence: int | None
    created_us: int | None
    frames: list[Frame]
    bad: list[BadPlace]
    has_end: bool
    end: int  # behind the last record

    @property
    def last_sequence(self) -> int:
        return self.frames[-1].sequence if self.frames else 0


class LogSamples(NamedTuple):
    """The samples of one record; `origin` is the source and, after a line feed, the reason."""

    origin: str
    version: int
    point_id: npt.NDArray[np.uint32]
    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]


def walk(data: bytes) -> LogFile:
    """Every record of a file, and every place that is none. Raises FormatTooNew."""
    version, first_sequence, created_us = _file_header(data)
    frames: list[Frame] = []
    bad: list[BadPlace] = []
    offset = end = _FILE_HEADER.size
    last = -1
    while offset < len(data):
        frame = _frame_at(data, offset, last)
        if frame is None:
            following = _next_frame(data, offset + 8, last)
            stop = following.offset if following else len(data)
            if following or np.frombuffer(data, np.uint8, stop - offset, offset).any():
                bad.append(BadPlace(offset, stop, following is None))
            offset = stop
            continue
        frames.append(frame)
        last, offset = frame.sequence, frame.end
        end = offset
    if version is None:
        bad.insert(0, BadPlace(0, min(len(data), _FILE_HEADER.size), not frames))
    has_end = any(frame.type == END for frame in frames)
    return LogFile(version, first_sequence, created_us, frames, bad, has_end, end)


def samples_of(data: bytes, frame: Frame) -> LogSamples:
    """The samples of a record. Raises ValueError where its payload is not as its header says."""
    try:
        return _samples_of(data, frame)
    except (struct.error, ValueError) as error:
        raise ValueError(f"the record at byte {frame.offset} is not as the format says: {error}") from None


def last_before(data: bytes, frame: Frame) -> int:
    """What a record that continues the log says: the last record acknowledged before its file was made."""
    (sequence,) = _VERSION.unpack_from(data, frame.offset + _RECORD_HEADER.size)
    return int(sequence)


def compose(log: LogFile, pieces: list[bytes], first_sequence: int, last_sequence: int) -> bytes:
    """A closed log file of whole records: header, records, end mark."""
    version, created_us = log.format_version or READS_VERSION, log.created_us or 0
    head = _FILE_HEADER.pack(_FILE_MAGIC, version, _FILE_HEADER.size, first_sequence, created_us, 0, 0)
    head = head[:-4] + struct.pack("<I", checksum.crc32c(head[:-4]))
    end = _RECORD_HEADER.pack(_RECORD_MAGIC, 0, last_sequence, log.frames[-1].arrival_time_us, END, 0, 0)
    crc = checksum.record_crc32c(end, 0, len(end), _CRC_FIELD)
    end = end[:_CRC_FIELD] + struct.pack("<I", crc) + end[_CRC_FIELD + 4 :]
    return b"".join([head, *pieces, end])


def _samples_of(data: bytes, frame: Frame) -> LogSamples:
    payload = data[frame.offset + _RECORD_HEADER.size : frame.end]
    count, origin_size, time_coding, quality_coding = _SAMPLES_HEADER.unpack_from(payload)
    at, version = _SAMPLES_HEADER.size, frame.sequence
    if frame.type == SAMPLES:
        (version,) = _VERSION.unpack_from(payload, at)
        at += _VERSION.size
    origin = payload[at : at + origin_size].decode("utf-8", "replace")
    at = _up_to_8(at + origin_size)
    value = np.frombuffer(payload, "<f8", count, at)
    at += 8 * count
    time_us, at = _column(payload, at, "<i8", count, time_coding)
    point_id = np.frombuffer(payload, "<u4", count, at)
    at = _up_to_8(at + 4 * count)
    quality, at = _column(payload, at, "<u2", count, quality_coding)
    if at != len(payload):
        raise ValueError(f"{len(payload) - at} octets are left over")
    return LogSamples(origin, version, point_id, time_us, value, quality)


def _column(payload: bytes, at: int, dtype: str, count: int, coding: int) -> tuple[npt.NDArray[Any], int]:
    size = np.dtype(dtype).itemsize
    if coding == _RUNS:
        run_count = int.from_bytes(payload[at : at + 8], "little")
        values = np.frombuffer(payload, dtype, run_count, at + 8)
        at = _up_to_8(at + 8 + size * run_count)
        lengths = np.frombuffer(payload, "<u4", run_count, at)
        column = np.repeat(values, lengths)
        if len(column) != count:
            raise ValueError(f"{len(column)} values for {count} samples")
        return column, _up_to_8(at + 4 * run_count)
    stored = 1 if coding == _ONE_FOR_ALL else count
    values = np.frombuffer(payload, dtype, stored, at)
    return np.broadcast_to(values, count), _up_to_8(at + size * stored)


def _file_header(data: bytes) -> tuple[int | None, int | None, int | None]:
    if len(data) < _FILE_HEADER.size or data[:7] != _FILE_MAGIC[:7]:
        return None, None, None
    _, version, _, first_sequence, created_us, _, crc = _FILE_HEADER.unpack_from(data)
    if crc != checksum.crc32c(data[: _FILE_HEADER.size - 4]):
        return None, None, None
    if data[:8] != _FILE_MAGIC or version > READS_VERSION:
        raise FormatTooNew(f"a log file of format {version}; this version reads up to {READS_VERSION}")
    return version, first_sequence, created_us


def _frame_at(data: bytes, offset: int, last_sequence: int) -> Frame | None:
    if data[offset : offset + 4] != _RECORD_MAGIC or offset + _RECORD_HEADER.size > len(data):
        return None
    _, size, sequence, arrival_us, kind, crc, _ = _RECORD_HEADER.unpack_from(data, offset)
    end = offset + _RECORD_HEADER.size + size
    if size > _PAYLOAD_BYTES_MAX or end > len(data) or sequence < last_sequence:
        return None
    if crc != checksum.record_crc32c(data, offset, end, _CRC_FIELD):
        return None
    return Frame(offset, end, sequence, arrival_us, kind)


def _next_frame(data: bytes, offset: int, last_sequence: int) -> Frame | None:
    while (offset := data.find(_RECORD_MAGIC, offset)) >= 0:
        frame = _frame_at(data, offset, last_sequence) if offset % 8 == 0 else None
        if frame is not None:
            return frame
        offset += 4
    return None


def _up_to_8(size: int) -> int:
    return -(-size // 8) * 8
