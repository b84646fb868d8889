"""What `historian export` reads out of a data folder that this process holds."""

from collections.abc import AsyncIterator, Sequence

import numpy as np

from historian.core import Core
from historian.model.point import Point
from historian.model.sample import RunBlock, Versions
from historian.model.timerange import TimeRange
from historian.tools import export
from historian.tools.sample_file import SampleRows


class OfflineSource:
    """A data folder that this process holds."""

    def __init__(self, parts: Core, has_versions: bool) -> None:
        self._parts = parts
        self._has_versions = has_versions

    async def find(self, name_or_glob: str) -> list[Point]:
        registry = self._parts.registry
        if not export.is_glob(name_or_glob):
            return [registry.get(name_or_glob)]
        found: list[Point] = []
        while True:
            page = registry.list(
                name_or_glob, after_id=found[-1].id if found else 0, limit=export.POINTS_AT_ONCE
            )
            found += page
            if len(page) < export.POINTS_AT_ONCE:
                return found

    async def read(self, points: Sequence[Point], span: TimeRange) -> AsyncIterator[SampleRows]:
        store = self._parts.store
        for first, last, start_us, end_us in export.groups(points, span):
            ids = [point.id for point in points[first:last]]
            if self._has_versions:
                yield _rows_of_versions(await store.read_versions(ids, start_us, end_us), ids, first)
            else:
                yield _rows_of_block(await store.read_block(ids, start_us, end_us), first)


def _rows_of_block(block: RunBlock, first: int) -> SampleRows:
    place = first + np.repeat(np.arange(block.run_count), np.diff(block.offset))
    return SampleRows(place, block.time_us, block.value, block.quality)


def _rows_of_versions(versions: Versions, ids: Sequence[int], first: int) -> SampleRows:
    order = np.argsort(np.asarray(ids, np.int64))
    place = first + order[np.searchsorted(np.asarray(ids, np.int64)[order], versions.point_id)]
    return SampleRows(
        place,
        versions.time_us,
        versions.value,
        versions.quality,
        versions.sequence,
        versions.arrival_time_us,
        versions.origin,
        [origin.text for origin in versions.origins],
    )
