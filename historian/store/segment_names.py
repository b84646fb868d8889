"""Names and units of points as a segment keeps them, without asking the catalogue for each point every time."""

import threading

import numpy as np

from historian.errors import PointNotFound
from historian.model.ports import PointDirectory
from historian.model.sample import PointIdColumn
from historian.store.segment_write import Names


class NameTable:
    """Texts by point id; asked anew when the directory's revision has changed. For any thread."""

    def __init__(self, directory: PointDirectory) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._revision: object = None
        self._texts: dict[int, tuple[bytes, bytes]] = {}

    def names(self, ids: PointIdColumn) -> Names:
        """Name and unit of each id."""
        with self._lock:
            return self._names(ids)

    def _names(self, ids: PointIdColumn) -> Names:
        revision = getattr(self._directory, "revision", object())  # without one nothing is ever known
        if revision != self._revision:
            self._texts.clear()
            self._revision = revision
        texts = self._texts
        for point_id in ids.tolist():
            if point_id not in texts:
                texts[point_id] = self._ask(point_id)
        pairs = [texts[point_id] for point_id in ids.tolist()]
        return Names(_column([pair[0] for pair in pairs]), _column([pair[1] for pair in pairs]))

    def _ask(self, point_id: int) -> tuple[bytes, bytes]:
        try:
            point = self._directory.by_id(point_id)
        except PointNotFound:  # the catalogue was lost: the samples are kept all the same
            return b"#%d" % point_id, b""
        return point.name.encode(errors="replace"), point.unit.encode(errors="replace")


def _column(texts: list[bytes]) -> np.ndarray[tuple[int], np.dtype[np.bytes_]]:
    return np.array(texts, f"S{max(map(len, texts), default=1) or 1}")
