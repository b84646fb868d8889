"""The scan table of a segment: sequences of samples that arrived as one sample each of many points.

Built run by run; a sample of run r has the sequence of the last entry of its time that is not behind r.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.store import segment_kernels

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
_Known = tuple[I64, I64, I64]  # times, newest sequence of each, hash table of their places

_TIMES_FIRST: Final = 4096
_TIMES_MAX: Final = 1 << 16  # a month of minutes and half as much again
_ENTRY_SHARE: Final = 4  # an entry costs about as much as so many samples of a column


class ScanTable:
    """Takes blocks of runs by rising position in the index."""

    def __init__(self) -> None:
        self._known = _room_for(_TIMES_FIRST)
        self._known_count = 0
        self._entries: list[tuple[I64, U32, I64]] = []

    def add(self, time: I64, sequence: I64, first: I64, count: I64, position: U32) -> bool:
        """Take the runs in; False, and nothing is taken, where that would not pay."""
        room = int(count.sum()) // _ENTRY_SHARE
        if not room:
            return False
        entries = (np.empty(room, np.int64), np.empty(room, np.uint32), np.empty(room, np.int64))
        runs = (first, count, position)
        while True:
            kept = (self._known[0].copy(), self._known[1].copy(), self._known[2].copy())
            entry_count, known_count = segment_kernels.scan_entries(
                time, sequence, runs, self._known, self._known_count, entries
            )
            if entry_count >= 0:
                self._known_count = known_count
                filled = (column[:entry_count].copy() for column in entries)
                self._entries.append(tuple(filled))  # type: ignore[arg-type]
                return True
            self._known = kept
            if entry_count == segment_kernels.SCAN_FULL or len(self._known[0]) >= _TIMES_MAX:
                return False
            self._grow()

    def put(self, time: I64, first_run: I64, sequence: I64) -> None:
        """Entries by (time, run), nothing else being taken in; those that say what the one before says are left out."""
        says_more = np.ones(len(time), np.bool_)
        says_more[1:] = (time[1:] != time[:-1]) | (sequence[1:] != sequence[:-1])
        self._entries.append((time[says_more], first_run[says_more].astype(np.uint32), sequence[says_more]))

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """The entries by (time, run)."""
        time = np.concatenate([np.empty(0, np.int64), *(entry[0] for entry in self._entries)])
        run = np.concatenate([np.empty(0, np.uint32), *(entry[1] for entry in self._entries)])
        sequence = np.concatenate([np.empty(0, np.int64), *(entry[2] for entry in self._entries)])
        order = np.argsort(time, kind="stable")  # entries of one time come by rising run
        return {"time_us": time[order], "first_run": run[order], "sequence": sequence[order]}

    def _grow(self) -> None:
        """Four times the room; the known times are put in anew."""
        count = self._known_count
        keys, newest = self._known[0][:count], self._known[1][:count]
        self._known = _room_for(4 * len(self._known[0]))
        unwanted = (np.empty(count, np.int64), np.empty(count, np.uint32), np.empty(count, np.int64))
        whole = (np.zeros(1, np.int64), np.array([count], np.int64), np.zeros(1, np.uint32))
        segment_kernels.scan_entries(keys, newest, whole, self._known, 0, unwanted)


def _room_for(time_count: int) -> _Known:
    return np.zeros(time_count, np.int64), np.zeros(time_count, np.int64), np.zeros(2 * time_count, np.int64)
