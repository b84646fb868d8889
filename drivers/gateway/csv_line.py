"""A delimited text file, plain or gzip, line by line; every line has its number and its bytes as they were.

A line is a row: a line end inside quotes is not understood, so that a stray quote costs one row and
not the rest of the file.
"""

import csv
import gzip
import os
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

from historian.errors import IngestError

LINE_BYTES_MAX: Final = 1 << 20
BLOCK_BYTES: Final = 1 << 18

_GZIP_MAGIC: Final = b"\x1f\x8b"
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


class Line(NamedTuple):
    """One line without its end. `fault` says why it cannot be a row, where that is plain already."""

    number: int
    content: bytes
    fault: str = ""
    is_ended: bool = True


class LineFile:
    """An open file, used as a context. Raises IngestError where it cannot be read at all."""

    def __init__(self, path: Path) -> None:
        try:
            self._raw: BufferedReader = path.open("rb")
            self.size_bytes = os.fstat(self._raw.fileno()).st_size
            magic = self._raw.peek(2)[:2]
        except OSError as error:
            raise IngestError(f"{path}: cannot be read: {error.strerror or error}") from None
        self._path = path
        self._file: gzip.GzipFile | BufferedReader = (
            gzip.GzipFile(fileobj=self._raw) if magic == _GZIP_MAGIC else self._raw
        )
        self.fault = ""  # why reading ended early; the lines before it are good

    @property
    def position_bytes(self) -> int:
        """How far into the file, as stored on disk."""
        return self._raw.tell()

    def __enter__(self) -> "LineFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._raw.close()

    def lines(self) -> Iterator[Line]:
        """Every line in order. Memory stays below a block and the longest line allowed."""
        number = 1
        pending = b""
        surplus_bytes = 0  # of a line longer than allowed: counted, not kept
        for block in self._blocks():
            first, *others = block.split(b"\n")
            room_bytes = LINE_BYTES_MAX - len(pending)
            surplus_bytes += max(0, len(first) - room_bytes)
            pending += first[:room_bytes]
            for content in others:
                yield _line(number, pending, surplus_bytes)
                number += 1
                pending, surplus_bytes = content, 0
        if pending:
            yield _line(number, pending, surplus_bytes)._replace(is_ended=False)

    def _blocks(self) -> Iterator[bytes]:
        is_first = True
        while True:
            try:
                block = self._file.read(BLOCK_BYTES)
            except (OSError, EOFError, zlib.error) as error:  # a bad gzip file is an OSError
                self.fault = f"{self._path}: reading ended early: {error}"
                return
            if not block:
                return
            if is_first:
                block = self._without_mark(block)
                is_first = False
            yield block

    def _without_mark(self, block: bytes) -> bytes:
        if block[:2] in _UTF16_MARKS:
            raise IngestError(f"{self._path}: the text is UTF-16; save it as UTF-8")
        return block.removeprefix(_UTF8_MARK)


def split_row(text: str, delimiter: str) -> list[str] | None:
    """The fields of one line, quotes taken off; None where the quotes do not match."""
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None


def _line(number: int, content: bytes, surplus_bytes: int) -> Line:
    if surplus_bytes:
        length_bytes = len(content) + surplus_bytes
        return Line(
            number, content, f"a line of {length_bytes} bytes; allowed: {LINE_BYTES_MAX}, the rest is cut"
        )
    return Line(number, content.removesuffix(b"\r"))
