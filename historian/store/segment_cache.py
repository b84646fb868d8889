"""Bounds what the segments keep in memory and how many files are open: least recently used goes first."""

import contextlib
import threading
from collections import OrderedDict

from historian.store.segment import Segment


class SegmentCache:
    """Any thread may tell of a use; only readers of the disk, which may wait, close and forget."""

    def __init__(self, bytes_max: int, open_files_max: int) -> None:
        self._bytes_max = bytes_max
        self._open_files_max = open_files_max
        self._lock = threading.Lock()
        self._used: OrderedDict[Segment, None] = OrderedDict()
        self._open: OrderedDict[Segment, None] = OrderedDict()
        self.hit_count = 0  # segments asked that had all in memory
        self.miss_count = 0  # segments asked that had to read the disk

    @property
    def size_bytes(self) -> int:
        """Memory in use now."""
        return sum(segment.size_bytes for segment in tuple(self._used))

    @property
    def open_file_count(self) -> int:
        return sum(segment.is_open for segment in tuple(self._open))

    def note_hit(self, segment: Segment) -> None:
        """A read was answered from memory. Never waits."""
        self.hit_count += 1
        with contextlib.suppress(KeyError):  # forgotten meanwhile
            self._used.move_to_end(segment)

    def note_read(self, segment: Segment, decoded_before: int) -> None:
        """A read may have used the disk; make room where it did."""
        if segment.decoded_count == decoded_before:
            self.hit_count += 1
        else:
            self.miss_count += 1
        with self._lock:
            self._used[segment] = None
            self._used.move_to_end(segment)
            if segment.is_open:
                self._open[segment] = None
                self._open.move_to_end(segment)
            if segment.decoded_count != decoded_before:
                self._make_room(segment)

    def let_go(self, segments: list[Segment]) -> None:
        """Forget segments that are no longer served, and close their files."""
        with self._lock:
            for segment in segments:
                self._used.pop(segment, None)
                self._open.pop(segment, None)
                segment.forget()
                segment.close()

    def close_files(self) -> None:
        """Close every file."""
        with self._lock:
            for segment in self._open:
                segment.close()
            self._open.clear()

    def _make_room(self, kept: Segment) -> None:
        total = self.size_bytes
        for segment in tuple(self._used):
            if total <= self._bytes_max:
                break
            if segment is not kept:
                total -= segment.size_bytes
                segment.forget()
                del self._used[segment]
        while len(self._open) > self._open_files_max:
            oldest, _ = self._open.popitem(last=False)
            oldest.close()
