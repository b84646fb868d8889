"""What to add to the stamps of each point so that a period is stored under its start, by point id."""

import numpy as np

from api import stored_offset_kernels as kernels
from historian.catalogue.registry import Registry
from historian.model.sample import PointIdColumn, TimeColumn


class StoredOffsets:
    """Looked up once for each point and revision of the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._offset_us = np.zeros(0, np.int64)
        self._revision = -1

    def of(self, point_id: PointIdColumn) -> TimeColumn | None:
        """The offset of each sample's point, 0 for an id that is none; None where all are 0."""
        self._follow_registry()
        state = kernels.look(point_id, self._offset_us)
        if state == kernels.UNKNOWN:
            known = np.unique(point_id)
            self._learn(known[self._offset_us.take(known, mode="clip") == kernels.ABSENT])
            state = kernels.look(point_id, self._offset_us)
        return None if state == kernels.NONE else self._offset_us.take(point_id, mode="clip")

    def _follow_registry(self) -> None:
        if self._revision == self._registry.revision:
            return
        self._revision = self._registry.revision
        interval_us = self._registry.columns().interval_us
        self._offset_us = np.where(interval_us > 0, kernels.ABSENT, 0)

    def _learn(self, ids: PointIdColumn) -> None:
        for point_id in ids[ids < len(self._offset_us)].tolist():
            self._offset_us[point_id] = self._registry.by_id(point_id).stored_time_offset_us()
