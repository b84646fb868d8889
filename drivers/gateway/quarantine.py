"""Rows that could not be taken, kept as they were with their line number and the reason.

One row a line: ``line number TAB reason TAB the row's own bytes``. The file is named by its content,
so importing the same file again makes the same file again and never a second one.
"""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Final

NAME_LENGTH_MAX: Final = 60  # characters of up to four bytes each; file systems allow 255 bytes


class QuarantineFile:
    """Collects bad rows of one import; used as a context. `path` is set at its end if there were any."""

    def __init__(self, folder: Path, source_name: str) -> None:
        self.path: Path | None = None
        self.row_count = 0
        self._folder = folder
        self._source_name = source_name.replace("\n", " ").encode(errors="replace").decode()
        self._temporary_path = folder / f".{self._source_name[:NAME_LENGTH_MAX]}.{os.getpid()}.tmp"
        self._digest = hashlib.sha256()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "QuarantineFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        name = f"{self._source_name[:NAME_LENGTH_MAX]}.{self._digest.hexdigest()[:12]}.rows"
        self.path = self._temporary_path.replace(self._folder / name)
        _sync_folder(self._folder)

    def add(self, line_number: int, reason: str, content: bytes) -> None:
        """Keep one row."""
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = self._temporary_path.open("wb")
            header = f"# rows of {self._source_name} not taken: line number, reason, the row as it was\n"
            self._file.write(header.encode())
        row = f"{line_number}\t{_plain(reason)}\t".encode(errors="replace") + content + b"\n"
        self._digest.update(row)
        self._file.write(row)
        self.row_count += 1


def _plain(reason: str) -> str:
    return " ".join(reason.split())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
