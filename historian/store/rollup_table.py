"""The seam's default home of kept figures: one row a (kind, point, period) in SQLite, newest version only.

The historian's own day figures lie closer to their marks and history, see `historian.rollup.day_table`; this is
for whoever keeps other figures behind the seam, and what an engine without rollups of its own may use.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from historian.catalogue.database import Database
from historian.model.sample import PointIdColumn
from historian.store.engine import RollupColumns

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS kept_figure (
  kind TEXT NOT NULL, point_id INTEGER NOT NULL, period INTEGER NOT NULL, version INTEGER NOT NULL,
  columns BLOB NOT NULL, PRIMARY KEY (kind, point_id, period)
) WITHOUT ROWID
"""
_PUT: Final = """
INSERT INTO kept_figure (kind, point_id, period, version, columns) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (kind, point_id, period) DO UPDATE SET version = excluded.version, columns = excluded.columns
WHERE excluded.version >= version
"""
_GET: Final = """
SELECT point_id, period, columns FROM kept_figure
WHERE kind = ? AND point_id IN (SELECT value FROM json_each(?)) AND period >= ? AND period < ?
ORDER BY point_id, period
"""

Cell = tuple[str, bytes]  # type of a value, and its bytes


class RollupTable:
    """Blocking: called in a worker thread."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, is_synced=True)

    def close(self) -> None:
        """Finish and release the file."""
        self._database.close()

    def put(
        self,
        kind: str,
        point_id: PointIdColumn,
        period: npt.NDArray[np.int64],
        columns: Mapping[str, npt.NDArray[Any]],
        version: int,
    ) -> None:
        """Keep one row for each element; on disk when this returns. An older version changes nothing."""
        rows = []
        for place, key in enumerate(zip(point_id.tolist(), period.tolist(), strict=True)):
            cells = {
                name: (column.dtype.str, column[place : place + 1].tobytes())
                for name, column in columns.items()
            }
            rows.append((kind, *key, version, msgspec.msgpack.encode(cells)))
        with self._database.transaction() as connection:
            connection.executemany(_PUT, rows)

    def get(self, kind: str, point_ids: list[int], first: int, last: int) -> RollupColumns:
        """Rows of ``[first, last)``, sorted by point and period; columns that all of them have."""
        rows = self._database.rows(_GET, (kind, msgspec.json.encode(point_ids).decode(), first, last))
        cells = [msgspec.msgpack.decode(row[2], type=dict[str, Cell]) for row in rows]
        names = set.intersection(*map(set, cells)) if cells else set()
        return RollupColumns(
            np.array([row[0] for row in rows], np.uint32),
            np.array([row[1] for row in rows], np.int64),
            {name: _column([row[name] for row in cells]) for name in sorted(names)},
        )


def _column(cells: list[Cell]) -> npt.NDArray[Any]:
    kind = np.result_type(*{np.dtype(name) for name, _ in cells})
    return np.array([np.frombuffer(data, name)[0] for name, data in cells], kind)
