"""The book of estimates: what was estimated, by which method and from what, for as long as the samples are kept.

An entry is written before its samples, and completed when they are on disk: one without `sequence` was interrupted, and
nothing or not all of it was stored. `begin` and `complete` block until SQLite has synced.
"""

import threading
from typing import Any, Final, NamedTuple

from historian.catalogue.database import Database
from historian.clock import Clock
from historian.errors import EditRefused

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS estimate (
  number INTEGER PRIMARY KEY AUTOINCREMENT, point_id INTEGER NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
  sample_count INTEGER NOT NULL, record TEXT NOT NULL, recorded_us INTEGER NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL, sequence INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS estimate_by_point ON estimate (point_id, number)
"""
ENTRIES_MAX: Final = 10_000  # a point: a gap a day for 27 years

_COLUMNS: Final = (
    "number, point_id, start_us, end_us, sample_count, record, recorded_us, author, reason, sequence"
)


class EstimateEntry(NamedTuple):
    """Samples estimated in ``[start_us, end_us)`` of a point; `record` is the JSON of how."""

    number: int
    point_id: int
    start_us: int
    end_us: int
    sample_count: int
    record: str
    recorded_us: int
    author: str
    reason: str
    sequence: int | None


class EstimateBook:
    """All estimates ever made by request. Entries stay on disk; which points have any is known in memory."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.RLock()
        with database.transaction() as connection:
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
        self._counts: dict[int, int] = dict(
            database.rows("SELECT point_id, count(*) FROM estimate GROUP BY point_id")
        )

    def point_ids(self) -> list[int]:
        """Points of which anything was ever estimated, ascending."""
        return sorted(self._counts)

    def begin(
        self, point_id: int, span: tuple[int, int], sample_count: int, record: str, author: str, reason: str
    ) -> EstimateEntry:
        """Record what is about to be stored. Raises EditRefused where the point has too many entries."""
        with self._lock:
            if self._counts.get(point_id, 0) >= ENTRIES_MAX:
                raise EditRefused(
                    f"{ENTRIES_MAX} estimates are recorded of this point, and more are not kept; correct its source, or "
                    "store estimates as edits"
                )
            draft = EstimateEntry(
                0, point_id, *span, sample_count, record, self._clock.now_us(), author, reason, None
            )
            with self._database.transaction() as connection:
                cursor = connection.execute(
                    "INSERT INTO estimate (point_id, start_us, end_us, sample_count, record, recorded_us, author, reason)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    draft[1:9],
                )
                number = cursor.lastrowid
            assert number is not None, "an inserted row has a number"
            self._counts[point_id] = self._counts.get(point_id, 0) + 1
        return draft._replace(number=number)

    def complete(self, entry: EstimateEntry, sequence: int) -> EstimateEntry:
        """Its samples are on disk, under that arrival number of the store."""
        with self._lock, self._database.transaction() as connection:
            connection.execute("UPDATE estimate SET sequence = ? WHERE number = ?", (sequence, entry.number))
        return entry._replace(sequence=sequence)

    def entries(self, point_id: int, after: int, limit: int) -> list[EstimateEntry]:
        """Entries of a point by rising number, those above `after`."""
        rows: list[tuple[Any, ...]] = self._database.rows(
            f"SELECT {_COLUMNS} FROM estimate WHERE point_id = ? AND number > ? ORDER BY number LIMIT ?",  # noqa: S608 - our own names
            (point_id, after, limit),
        )
        return [EstimateEntry(*row) for row in rows]
