"""Day figures on disk: one row for each point and local day, the versions they replaced, and the dirty marks.

    day_figure           the newest figures; (point_id, day) is the key, `day` the ordinal of the date
    day_figure_history   versions that were told after their day had ended and were replaced since
    dirty_day            days whose samples changed after their figures were made

Exact sums are two whole numbers as text, numerator and denominator: they may exceed 64 bits. NULL in the
`ranked_…` columns: the same as the total's.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from historian.catalogue.database import Database
from historian.rollup import day_key
from historian.rollup.day_figure import DayFigure
from historian.rollup.day_key import KeyColumn

_COLUMNS: Final = {
    "point_id": "INTEGER NOT NULL",
    "day": "INTEGER NOT NULL",
    "start_us": "INTEGER NOT NULL",
    "end_us": "INTEGER NOT NULL",
    "total_numerator": "TEXT NOT NULL",
    "total_denominator": "TEXT NOT NULL",
    "known_us": "INTEGER NOT NULL",
    "ranked_numerator": "TEXT",
    "ranked_denominator": "TEXT",
    "ranked_us": "INTEGER",
    "max_value": "REAL",
    "max_start_us": "INTEGER",
    "max_end_us": "INTEGER",
    "min_value": "REAL",
    "min_start_us": "INTEGER",
    "min_end_us": "INTEGER",
    "expected_count": "INTEGER NOT NULL",
    "received_count": "INTEGER NOT NULL",
    "good_count": "INTEGER NOT NULL",
    "measured_count": "INTEGER NOT NULL",
    "estimated_count": "INTEGER NOT NULL",
    "manual_count": "INTEGER NOT NULL",
    "is_complete": "INTEGER NOT NULL",
    "time_zone": "TEXT NOT NULL",
    "unit": "TEXT NOT NULL",
    "kind": "TEXT NOT NULL",
    "interval_us": "INTEGER NOT NULL",
    "multiplier": "REAL NOT NULL",
    "revision": "INTEGER NOT NULL",
    "computed_at_us": "INTEGER NOT NULL",
}
assert tuple(_COLUMNS) == DayFigure._fields, "a row is a figure"
_INT64_DIGITS: Final = 18  # so many fit 64 bits for sure
_INT64_MAX: Final = 2**63 - 1
_NAMES: Final = ", ".join(_COLUMNS)
_DEFINITIONS: Final = ", ".join(f"{name} {type_}" for name, type_ in _COLUMNS.items())
_HOLDERS: Final = ", ".join("?" * len(_COLUMNS))
_SCHEMA: Final = f"""
    CREATE TABLE IF NOT EXISTS day_figure ({_DEFINITIONS}, PRIMARY KEY (point_id, day)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS day_figure_history
        ({_DEFINITIONS}, PRIMARY KEY (point_id, day, revision)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS dirty_day
        (point_id INTEGER NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (point_id, day)) WITHOUT ROWID
"""
_READ: Final = ", ".join(
    f"CASE WHEN length({name}) > {_INT64_DIGITS} THEN {name} ELSE CAST({name} AS INTEGER) END"
    if name.endswith("ator")
    else name
    for name in _COLUMNS
)
_SELECT: Final = f"SELECT {_READ} FROM day_figure WHERE point_id IN (SELECT value FROM json_each(?)) AND day >= ? AND day < ?"  # noqa: S608 our own names
_SELECT_HISTORY: Final = f"SELECT {_READ} FROM day_figure_history WHERE point_id = ? AND day >= ? AND day < ? ORDER BY day, revision"  # noqa: S608 our own names
_INSERT: Final = f"INSERT OR REPLACE INTO day_figure ({_NAMES}) VALUES ({_HOLDERS})"  # noqa: S608 our own names
_KEEP: Final = f"INSERT OR REPLACE INTO day_figure_history ({_NAMES}) VALUES ({_HOLDERS})"  # noqa: S608 our own names


class DayTable:
    """The file of day figures. Blocking: called in one worker thread."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, is_synced=True)
        self._add_new_columns()

    def close(self) -> None:
        """Finish and release the file."""
        self._database.close()

    def load(self, point_ids: Sequence[int], first_day: int, last_day: int) -> list[dict[int, DayFigure]]:
        """For each point its kept figures of days ``[first_day, last_day)``, by day."""
        found: dict[int, dict[int, DayFigure]] = {point_id: {} for point_id in point_ids}
        ids = msgspec.json.encode(list(found)).decode()
        for row in self._database.rows(_SELECT, (ids, first_day, last_day)):
            found[row[0]][row[1]] = _figure_of(row)
        return [found[point_id] for point_id in point_ids]

    def load_history(self, point_id: int, first_day: int, last_day: int) -> list[DayFigure]:
        """Versions since replaced, oldest revision first within each day."""
        return [
            _figure_of(row) for row in self._database.rows(_SELECT_HISTORY, (point_id, first_day, last_day))
        ]

    def days_kept(self, point_id: int, first_day: int, last_day: int) -> list[int]:
        """Days of ``[first_day, last_day)`` that have figures."""
        statement = "SELECT day FROM day_figure WHERE point_id = ? AND day >= ? AND day < ? ORDER BY day"
        return [row[0] for row in self._database.rows(statement, (point_id, first_day, last_day))]

    def keys_kept(self) -> KeyColumn:
        """The keys of all days that have figures, ascending."""
        rows = self._database.rows("SELECT point_id, day FROM day_figure ORDER BY point_id, day")
        return day_key.pack_pairs(rows)

    def store(self, figures: Iterable[DayFigure], replaced: Iterable[DayFigure], cleaned: KeyColumn) -> None:
        """Keep `figures`, move the versions they `replaced` to the history, clear dirty marks; all or nothing."""
        with self._database.transaction() as connection:
            connection.executemany(_KEEP, map(_row_of, replaced))
            connection.executemany(_INSERT, map(_row_of, figures))
            connection.executemany(
                "DELETE FROM dirty_day WHERE point_id = ? AND day = ?", day_key.unpack_pairs(cleaned)
            )

    def mark_dirty(self, keys: KeyColumn) -> None:
        """Remember that the figures of these days are out of date; on disk when this returns."""
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO dirty_day (point_id, day) VALUES (?, ?)", day_key.unpack_pairs(keys)
            )

    def load_dirty(self) -> KeyColumn:
        """Every day marked as dirty, ascending."""
        rows = self._database.rows("SELECT point_id, day FROM dirty_day ORDER BY point_id, day")
        return day_key.pack_pairs(rows) if rows else np.empty(0, np.int64)

    def _add_new_columns(self) -> None:
        """Columns that figures of an earlier version lack; their history cannot be made anew."""
        present = {row[1] for row in self._database.rows("PRAGMA table_info(day_figure)")}
        with self._database.transaction() as connection:
            for name in set(_COLUMNS) - present:
                for table in ("day_figure", "day_figure_history"):
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {_COLUMNS[name]}")


def _row_of(figure: DayFigure) -> tuple[object, ...]:
    sums = (
        figure.total_numerator,
        figure.total_denominator,
        figure.ranked_numerator,
        figure.ranked_denominator,
    )
    if all(whole is None or abs(whole) <= _INT64_MAX for whole in sums):
        return figure
    texts = [None if whole is None else str(whole) for whole in sums]
    return (*figure[:4], *texts[:2], figure.known_us, *texts[2:], *figure[9:])


def _figure_of(row: tuple[Any, ...]) -> DayFigure:
    figure = DayFigure._make(row)
    if isinstance(row[4], int) and isinstance(row[5], int) and row[7] is None:
        return figure
    return figure._replace(
        total_numerator=int(row[4]),
        total_denominator=int(row[5]),
        ranked_numerator=None if row[7] is None else int(row[7]),
        ranked_denominator=None if row[8] is None else int(row[8]),
    )
