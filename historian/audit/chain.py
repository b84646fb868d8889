"""The bytes of the trail: one JSON object a line, its last field the SHA-256 of all bytes before that field.

    {"number":7,"time":"…",…,"prev":"<hash of record 6>","hash":"<SHA-256 of this line up to ,"hash">"}

`prev` is among the hashed bytes, so each hash stands for the whole trail up to its record. Nothing in a line can be another
way: what is not exactly of this form is no record.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from historian.model.audit import Anchor, AuditRecord

FIRST: Final = Anchor(0, "0" * 64)  # stands before the first record
_FIELD: Final = b',"hash":"'
_HASH: Final = re.compile(rb"[0-9a-f]{64}")
_TAIL_BYTES: Final = len(_FIELD) + 64 + 3  # field, hash, quote, brace, line feed
_DECODER: Final = msgspec.json.Decoder(AuditRecord)


class Line(NamedTuple):
    """A line that is a record: where it begins and ends, what it says and its hash."""

    offset: int
    end: int
    record: AuditRecord
    hash: str

    @property
    def anchor(self) -> Anchor:
        """Number and hash."""
        return Anchor(self.record.number, self.hash)


class Fault(NamedTuple):
    """Bytes `[offset, end)` are not what must stand there."""

    offset: int
    end: int
    problem: str


def encode(record: AuditRecord) -> tuple[bytes, Anchor]:
    """The line of a record, with its line feed, and what the next one must name."""
    hashed = msgspec.json.encode(record)[:-1]
    digest = hashlib.sha256(hashed).hexdigest()
    return b"".join((hashed, _FIELD, digest.encode(), b'"}\n')), Anchor(record.number, digest)


def decode(line: bytes, offset: int = 0) -> Line | None:
    """The record that a line (with its line feed) holds; None where it is none, or a byte of it is another."""
    hashed, tail = line[:-_TAIL_BYTES], line[-_TAIL_BYTES:]
    digest = tail[len(_FIELD) : -3]
    if not (tail.startswith(_FIELD) and tail.endswith(b'"}\n') and _HASH.fullmatch(digest)):
        return None
    if hashlib.sha256(hashed).hexdigest().encode() != digest:
        return None
    try:
        record = _DECODER.decode(hashed + b"}")
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return Line(offset, offset + len(line), record, digest.decode())


def walk(data: bytes, offset: int = 0) -> Iterator[Line | Fault]:
    """Every line of `data`, which begins `offset` bytes into its file; the last one may lack its line feed."""
    at = 0
    while at < len(data):
        found = data.find(b"\n", at)
        end = len(data) if found < 0 else found + 1
        line = decode(data[at:end], offset + at)
        if line is None:
            problem = "is cut off" if found < 0 else "is no record, or a byte of it was changed"
            yield Fault(offset + at, offset + end, problem)
        else:
            yield line
        at = end


def link_problem(before: Anchor, line: Line) -> str:
    """Why `line` cannot be what follows `before`; "" where it can."""
    number = line.record.number
    if line.record.prev != before.hash:
        if number > before.number + 1:
            return f"records {before.number + 1} to {number - 1} are missing"
        if number <= before.number:
            return f"record {number} stands behind record {before.number}"
        return f"record {number} does not follow the record {before.number} that stands before it"
    if number > before.number + 1:
        return f"records {before.number + 1} to {number - 1} were lost before record {number} was written"
    return "" if number == before.number + 1 else f"number {number} stands behind {before.number}"
