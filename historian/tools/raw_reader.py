"""Reads the sealed samples of points out of the segments, newest version of each, for a check of figures."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.tools.manifest_file import ListedSegment
from historian.tools.segment_file import SegmentFile


class RawRun(NamedTuple):
    """Samples of one point by rising time."""

    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint16]


class RawReader:
    """Keeps the segments of one time range open."""

    def __init__(
        self,
        data: Path,
        listed: Sequence[ListedSegment],
        start_us: int,
        end_us: int,
        cold_folder: Path | None = None,
    ) -> None:
        self._start_us, self._end_us = start_us, end_us
        self._segments = [
            SegmentFile(one.place(data, cold_folder))
            for one in sorted(listed, key=lambda one: one.order)
            if one.time_min_us < end_us and one.time_max_us >= start_us
        ]

    def close(self) -> None:
        for segment in self._segments:
            segment.__exit__(None, None, None)

    def read(self, first_id: int, last_id: int) -> dict[int, RawRun]:
        """The samples of every point with an id in ``[first_id, last_id]`` that has any in the range."""
        parts = [
            self._part(segment, order, first_id, last_id) for order, segment in enumerate(self._segments)
        ]
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else []
        if not columns or not len(columns[0]):
            return {}
        ids, time_us, sequence, order, value, quality = columns
        rank = np.lexsort((order, sequence, time_us, ids))
        ids, time_us, value, quality = ids[rank], time_us[rank], value[rank], quality[rank]
        is_newest = np.ones(len(ids), np.bool_)
        is_newest[:-1] = (ids[1:] != ids[:-1]) | (time_us[1:] != time_us[:-1])
        ids, time_us, value, quality = (column[is_newest] for column in (ids, time_us, value, quality))
        edges = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), len(ids)]
        return {
            int(ids[begin]): RawRun(time_us[begin:end], value[begin:end], quality[begin:end])
            for begin, end in itertools.pairwise(edges)
        }

    def _part(
        self, segment: SegmentFile, order: int, first_id: int, last_id: int
    ) -> tuple[npt.NDArray[np.generic], ...]:
        points = segment.index["point_id"]
        first, last = np.searchsorted(points, [first_id, last_id + 1]).tolist()
        samples = segment.samples(first, last)
        ids = np.repeat(points[first:last].astype(np.int64), np.diff(samples.offset))
        inside = (samples.time_us >= self._start_us) & (samples.time_us < self._end_us)
        chosen = (
            ids,
            samples.time_us,
            samples.sequence,
            np.full(len(ids), order),
            samples.value,
            samples.quality,
        )
        return tuple(column[inside] for column in chosen)
