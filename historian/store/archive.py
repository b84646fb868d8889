"""The live segments as one readable whole: which of them hold a point's time range, and their damage.

Reads run in one thread of their own, since HDF5 does one thing at a time anyway.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from historian.errors import SegmentCorrupt
from historian.logs import EventLog
from historian.model.sample import PointIdColumn
from historian.store.columns import StoredRun
from historian.store.manifest import SegmentInfo
from historian.store.segment import Segment

log = EventLog("archive")


class LiveSegment:
    """A segment that the manifest lists, open for reading."""

    def __init__(self, info: SegmentInfo, segment: Segment) -> None:
        self.info = info
        self.segment = segment


class Archive:
    """Owned by the event loop; `read` is for the reader thread and takes the segments it is to use."""

    def __init__(self, folder: Path, open_files_max: int) -> None:
        self._folder = folder
        self._open_files_max = open_files_max
        self._open: OrderedDict[str, Segment] = OrderedDict()
        self._damaged_paths: set[str] = set()
        self.live: tuple[LiveSegment, ...] = ()
        self.damage: list[str] = []

    def load(self, infos: Iterable[SegmentInfo]) -> list[LiveSegment]:
        """Open segments; one that is damaged is set down in `damage`, and the rest is served."""
        loaded: list[LiveSegment] = []
        for info in infos:
            try:
                loaded += self.open_new([info])
            except SegmentCorrupt as error:
                self.set_down(error)
        return loaded

    def open_new(self, infos: Iterable[SegmentInfo]) -> list[LiveSegment]:
        """Open segments that were just made. Raises SegmentCorrupt. For the reader thread."""
        opened: list[LiveSegment] = []
        for info in infos:
            segment = Segment(self._folder / info.name)
            self._touch(segment)
            opened.append(LiveSegment(info, segment))
        return opened

    def select(self, start_us: int, end_us: int) -> list[LiveSegment]:
        """Segments that may hold samples in ``[start, end)``, oldest generation first."""
        return [
            live for live in self.live if live.info.time_min_us < end_us and live.info.time_max_us >= start_us
        ]

    def read(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
    ) -> list[list[StoredRun]]:
        """For each id the pieces the segments hold, oldest generation first. For the reader thread.

        Raises SegmentCorrupt where one cannot be read: an answer is never a part of what is stored.
        """
        pieces, damaged = self.read_undamaged(segments, ids, start_us, end_us)
        if damaged:
            raise damaged[0]
        return pieces

    def read_undamaged(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
    ) -> tuple[list[list[StoredRun]], list[SegmentCorrupt]]:
        """As `read`, but passes over segments that cannot be read, and tells which. For the reader thread."""
        pieces: list[list[StoredRun]] = [[] for _ in range(len(ids))]
        damaged: list[SegmentCorrupt] = []
        for live in segments:
            self._touch(live.segment)
            try:
                runs = live.segment.read(ids, start_us, end_us)
            except SegmentCorrupt as error:
                self.set_down(error)
                damaged.append(error)
                continue
            for place, run in enumerate(runs):
                if run is not None:
                    pieces[place].append(run)
        return pieces, damaged

    def time_span(self, ids: PointIdColumn) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """First and last time of each id in all segments; (maximum, minimum) where there is none."""
        first = np.full(len(ids), np.iinfo(np.int64).max)
        last = np.full(len(ids), np.iinfo(np.int64).min)
        for live in self.live:
            at = live.segment.find(ids)
            has = at >= 0
            first[has] = np.minimum(first[has], live.segment.index["first_time_us"][at[has]])
            last[has] = np.maximum(last[has], live.segment.index["last_time_us"][at[has]])
        return first, last

    def point_ids(self) -> PointIdColumn:
        """Every id that occurs in a segment, sorted."""
        ids = [live.segment.point_id for live in self.live]
        return np.unique(np.concatenate(ids)) if ids else np.empty(0, np.uint32)

    def mergeable(self) -> list[LiveSegment]:
        """The segments without known damage: what is damaged stays as it is, for a person to look at."""
        return [live for live in self.live if str(live.segment.path) not in self._damaged_paths]

    def set_down(self, error: SegmentCorrupt) -> None:
        """Remember damage, once a file."""
        if error.path not in self._damaged_paths:
            self._damaged_paths.add(error.path)
            self.damage.append(str(error))
            log.error("segment_damaged", file=error.path, problem=error)

    def close(self) -> None:
        """Let go of all files."""
        self.let_go(tuple(self._open))

    def let_go(self, names: Iterable[str]) -> None:
        """Close files that are about to be removed, since open ones keep their space. For the reader thread."""
        for name in names:
            if (segment := self._open.pop(name, None)) is not None:
                segment.close()

    def _touch(self, segment: Segment) -> None:
        """Mark as used last, and close the file that was not used for longest where too many are open."""
        self._open[segment.path.name] = segment
        self._open.move_to_end(segment.path.name)
        while len(self._open) > self._open_files_max:
            _, oldest = self._open.popitem(last=False)
            oldest.close()
