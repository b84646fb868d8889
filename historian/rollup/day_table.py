"""Day figures on disk: one row for each point and local day, the versions they replaced, and the dirty marks.

    day_figure           the newest figures; (point_id, day) is the key, `day` the ordinal of the date
    day_figure_history   versions that were told after their day had ended and were replaced since
    dirty_day            days whose samples changed after their figures were made

The exact sum is two whole numbers as text, numerator and denominator: they may exceed 64 bits.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from historian.catalogue.database import Database
from historian.energy.coverage import Coverage
from historian.rollup import day_key
from historian.rollup.day_figure import DayFigure, Definition
from historian.rollup.day_key import KeyColumn

_COLUMNS: Final = {
    "point_id": "INTEGER NOT NULL",
    "day": "INTEGER NOT NULL",
    "start_us": "INTEGER NOT NULL",
    "end_us": "INTEGER NOT NULL",
    "total_numerator": "TEXT NOT NULL",
    "total_denominator": "TEXT NOT NULL",
    "known_us": "INTEGER NOT NULL",
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
_SELECT: Final = f"SELECT {_NAMES} FROM day_figure WHERE point_id = ? AND day >= ? AND day < ?"  # noqa: S608 our own names
_SELECT_HISTORY: Final = f"SELECT {_NAMES} FROM day_figure_history WHERE point_id = ? AND day >= ? AND day < ? ORDER BY day, revision"  # noqa: S608 our own names
_INSERT: Final = f"INSERT OR REPLACE INTO day_figure ({_NAMES}) VALUES ({_HOLDERS})"  # noqa: S608 our own names
_KEEP: Final = f"INSERT OR REPLACE INTO day_figure_history ({_NAMES}) VALUES ({_HOLDERS})"  # noqa: S608 our own names


class DayTable:
    """The file of day figures. Blocking: called in one worker thread."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, is_synced=True)

    def close(self) -> None:
        """Finish and release the file."""
        self._database.close()

    def load(self, point_ids: Sequence[int], first_day: int, last_day: int) -> list[dict[int, DayFigure]]:
        """For each point its kept figures of days ``[first_day, last_day)``, by day."""
        found: list[dict[int, DayFigure]] = []
        for point_id in point_ids:
            rows = self._database.rows(_SELECT, (point_id, first_day, last_day))
            found.append({row[1]: _figure_of(row) for row in rows})
        return found

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


def _row_of(figure: DayFigure) -> tuple[object, ...]:
    part, definition = figure.coverage, figure.definition
    return (
        *figure[:4],
        str(figure.total.numerator),
        str(figure.total.denominator),
        *figure[5:12],
        *(part.expected, part.received, part.good, part.measured, part.estimated, part.manual),
        int(figure.is_complete),
        *definition,
        figure.revision,
        figure.computed_at_us,
    )


def _figure_of(row: tuple[Any, ...]) -> DayFigure:
    return DayFigure(
        point_id=row[0],
        day=row[1],
        start_us=row[2],
        end_us=row[3],
        total=Fraction(int(row[4]), int(row[5])),
        known_us=row[6],
        max_value=row[7],
        max_start_us=row[8],
        max_end_us=row[9],
        min_value=row[10],
        min_start_us=row[11],
        min_end_us=row[12],
        coverage=Coverage(*row[13:19]),
        is_complete=bool(row[19]),
        definition=Definition(*row[20:25]),
        revision=row[25],
        computed_at_us=row[26],
    )
