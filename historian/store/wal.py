"""The write-ahead log: what is acknowledged is here, on disk, before anyone hears of it.

One thread owns a `Wal`. A failed write or sync poisons the file it happened in: nothing more is
written there, the samples concerned are not acknowledged, and the next write begins a new file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from historian.clock import Clock
from historian.errors import WalFailed
from historian.logs import EventLog
from historian.store import filenames, wal_record
from historian.store.durable import DurableFiles

log = EventLog("wal")


class ClosedFile(NamedTuple):
    """A WAL file that takes no more records."""

    path: Path
    last_sequence: int


class Wal:
    """Appends records to the newest file of a folder, and drops files that are no longer needed."""

    def __init__(self, files: DurableFiles, folder: Path, file_size_bytes: int, clock: Clock) -> None:
        self._files = files
        self._folder = folder
        self._file_size_bytes = file_size_bytes
        self._clock = clock
        self._closed: list[ClosedFile] = []
        self._path: Path | None = None
        self._descriptor = -1
        self._offset = 0
        self._last_sequence = 0
        self._is_acknowledged = False  # whether the open file holds a record that someone relies on

    @property
    def size_bytes(self) -> int:
        """What the log takes on disk, roughly: reserved blocks count as used."""
        file_count = len(self._closed) + (self._path is not None)
        return file_count * self._file_size_bytes

    def adopt(self, path: Path, last_sequence: int) -> None:
        """Take over a file of an earlier process, to be dropped when its records are sealed."""
        self._closed.append(ClosedFile(path, last_sequence))
        self._last_sequence = max(self._last_sequence, last_sequence)

    def write(
        self, encode: Callable[[], list[wal_record.Record]], first_sequence: int, last_sequence: int
    ) -> None:
        """Append the records that `encode` makes, numbered within the given ones, and sync once.

        Returning means on disk. Raises WalFailed; then none of them may be acknowledged.
        """
        pieces = [piece.data for record in encode() for piece in record]
        size = sum(map(len, pieces))
        try:
            if self._path is not None and self._offset + size > self._file_size_bytes:
                self._end_file()
            if self._path is None:
                self._begin_file(first_sequence, size)
            self._files.write_pieces(self._descriptor, pieces, self._offset)
            self._offset += size
            self._files.sync(self._descriptor)
        except OSError as error:
            self._poison(last_sequence)
            raise WalFailed(f"writing the log in {self._folder} failed: {error.strerror or error}") from error
        self._last_sequence = last_sequence
        self._is_acknowledged = True

    def drop_through(self, sequence: int) -> None:
        """Remove the closed files whose every record has a sequence ≤ `sequence`."""
        kept = [file for file in self._closed if file.last_sequence > sequence or not self._unlink(file.path)]
        if len(kept) < len(self._closed):
            self._closed = kept
            try:
                self._files.sync_folder(self._folder)
            except OSError as error:  # a file that comes back after a crash holds nothing that is not sealed
                log.error("unlink_failed", file=self._folder, problem=error, meaning="files may come back")

    def _unlink(self, path: Path) -> bool:
        try:
            self._files.unlink(path)
        except OSError as error:
            log.error("unlink_failed", file=path, problem=error, meaning="tried again after the next seal")
            return False
        return True

    def close(self) -> None:
        """End the current file in order."""
        if self._path is None:
            return
        try:
            self._end_file()
        except OSError as error:
            self._poison(self._last_sequence)
            log.error("close_failed", folder=self._folder, problem=error)

    def _begin_file(self, first_sequence: int, record_bytes: int) -> None:
        path = self._folder / filenames.wal_name(first_sequence)
        now_us = self._clock.now_us()
        header = wal_record.encode_file_header(first_sequence, now_us)
        mark = wal_record.encode_continues(self._last_sequence, first_sequence, now_us)
        pieces = [memoryview(header), *(piece.data for piece in mark)]
        head_bytes = sum(map(len, pieces))
        self._descriptor = self._files.create(path, max(self._file_size_bytes, head_bytes + record_bytes))
        self._path = path
        self._is_acknowledged = False
        self._files.write_pieces(self._descriptor, pieces, 0)
        self._offset = head_bytes

    def _end_file(self) -> None:
        assert self._path is not None, "only an open file ends"
        mark = wal_record.encode_mark(wal_record.TYPE_END, self._last_sequence, self._clock.now_us())
        self._files.write_pieces(self._descriptor, [piece.data for piece in mark], self._offset)
        self._files.sync(self._descriptor)
        self._close_file(self._last_sequence)

    def _poison(self, last_sequence: int) -> None:
        path = self._path
        if path is None:
            return
        log.error("poisoned", file=path, meaning="no more writes go to this file")
        try:
            self._close_file(last_sequence)
        except OSError as error:
            log.error("close_failed", file=path, problem=error)
        # A disk that fails for hours is tried every second: files that hold nothing must not fill it.
        if not self._is_acknowledged and self._unlink(path):
            self._closed.pop()

    def _close_file(self, last_sequence: int) -> None:
        path, descriptor = self._path, self._descriptor
        assert path is not None, "only an open file is closed"
        self._path, self._descriptor = None, -1
        self._closed.append(ClosedFile(path, last_sequence))
        self._files.close(descriptor)
