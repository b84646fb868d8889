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
from historian.model.sample import PointIdColumn, SampleRun
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
        self.live: tuple[LiveSegment, ...] = ()
        self.damage: list[str] = []

    def load(self, infos: Iterable[SegmentInfo]) -> list[LiveSegment]:
        """Open segments; one that is damaged is set down in `damage`, and the rest is served."""
        loaded: list[LiveSegment] = []
        for info in infos:
            try:
                segment = Segment(self._folder / info.name)
            except SegmentCorrupt as error:
                self.damage.append(str(error))
                log.error("segment_damaged", file=error.path, problem=error)
                continue
            self._touch(segment)
            loaded.append(LiveSegment(info, segment))
        return loaded

    def select(self, start_us: int, end_us: int) -> list[LiveSegment]:
        """Segments that may hold samples in ``[start, end)``, oldest generation first."""
        return [
            live for live in self.live if live.info.time_min_us < end_us and live.info.time_max_us >= start_us
        ]

    def read(
        self, segments: Sequence[LiveSegment], ids: PointIdColumn, start_us: int, end_us: int
    ) -> list[list[SampleRun]]:
        """For each id the pieces the segments hold, oldest generation first. For the reader thread."""
        pieces: list[list[SampleRun]] = [[] for _ in range(len(ids))]
        for live in segments:
            self._touch(live.segment)
            for place, run in enumerate(live.segment.read(ids, start_us, end_us)):
                if run is not None:
                    pieces[place].append(run)
        return pieces

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

    def close(self) -> None:
        """Let go of all files."""
        for live in self.live:
            live.segment.close()
        self._open.clear()

    def _touch(self, segment: Segment) -> None:
        """Mark as used last, and close the file that was not used for longest where too many are open."""
        self._open[segment.path.name] = segment
        self._open.move_to_end(segment.path.name)
        while len(self._open) > self._open_files_max:
            _, oldest = self._open.popitem(last=False)
            oldest.close()
