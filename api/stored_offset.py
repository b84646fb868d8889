"""What to add to the stamps of each point so that a period is stored under its start, by point id."""

from typing import Final

import numpy as np

from historian.catalogue.registry import Registry
from historian.model.sample import PointIdColumn, TimeColumn

_ABSENT: Final = -(2**63)  # of an id nobody asked about yet


class StoredOffsets:
    """Looked up once for each point and revision of the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._offset_us = np.zeros(0, np.int64)
        self._revision = -1

    def of(self, point_id: PointIdColumn) -> TimeColumn:
        """The offset of each sample's point; 0 for an id that is none."""
        self._follow_registry()
        if len(self._offset_us) == 0:
            return np.zeros(len(point_id), np.int64)
        found: TimeColumn = self._offset_us.take(point_id, mode="clip")
        if (found == _ABSENT).any():
            self._learn(np.unique(point_id[found == _ABSENT]))
            found = self._offset_us.take(point_id, mode="clip")
        return found

    def _follow_registry(self) -> None:
        if self._revision == self._registry.revision:
            return
        self._revision = self._registry.revision
        interval_us = self._registry.columns().interval_us
        self._offset_us = np.where(interval_us > 0, _ABSENT, 0)

    def _learn(self, ids: PointIdColumn) -> None:
        for point_id in ids[ids < len(self._offset_us)].tolist():
            self._offset_us[point_id] = self._registry.by_id(point_id).stored_time_offset_us()
