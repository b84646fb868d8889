"""Names and units of points as a segment keeps them, without asking the catalogue for each point every time."""

import threading

import numpy as np

from historian.errors import PointNotFound
from historian.model.ports import PointDirectory
from historian.model.sample import PointIdColumn
from historian.store.segment_write import Column, Names


class NameTable:
    """Texts of points, asked for anew when the directory's revision has changed. For any thread."""

    def __init__(self, directory: PointDirectory) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._revision: object = None
        self._ids: PointIdColumn = np.empty(0, np.uint32)  # rising; the points whose texts are known
        self._known = Names(np.empty(0, "S1"), np.empty(0, "S1"))

    def names(self, ids: PointIdColumn) -> Names:
        """Name and unit of each of the rising ids."""
        with self._lock:
            revision = getattr(self._directory, "revision", object())  # without one nothing is ever known
            if revision != self._revision:
                self._ids = self._ids[:0]
                self._revision = revision
            self._learn(np.setdiff1d(ids, self._ids, assume_unique=True))
            if len(ids) == len(self._ids):
                return self._known
            at = np.searchsorted(self._ids, ids)
            return Names(self._known.name[at], self._known.unit[at])

    def _learn(self, ids: PointIdColumn) -> None:
        if not len(ids):
            return
        texts = [self._ask(point_id) for point_id in ids.tolist()]
        known_count = len(self._ids)
        every = np.concatenate([self._ids, ids])
        order = np.argsort(every)
        self._ids = every[order]
        new = (_column([text[0] for text in texts]), _column([text[1] for text in texts]))
        joined = (
            np.concatenate([known[:known_count], added])
            for known, added in zip(self._known, new, strict=True)
        )
        self._known = Names(*(column[order] for column in joined))

    def _ask(self, point_id: int) -> tuple[bytes, bytes]:
        try:
            point = self._directory.by_id(point_id)
        except PointNotFound:  # the catalogue was lost: the samples are kept all the same
            return b"#%d" % point_id, b""
        return point.name.encode(errors="replace"), point.unit.encode(errors="replace")


def _column(texts: list[bytes]) -> Column:
    return np.array(texts, f"S{max(map(len, texts), default=1) or 1}")
