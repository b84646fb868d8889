"""Reads the tables of format 1: one row a figure, sums as text. Written by versions up to 0.2."""

import sqlite3
from typing import Any, Final, NamedTuple

import numpy as np

from historian.catalogue.database import Database
from historian.rollup import day_key
from historian.rollup.day_figure import DayFigure
from historian.rollup.day_key import KeyColumn

_TABLES: Final = ("day_figure", "day_figure_history", "dirty_day")
_ABSENT: Final = {"terms": "''", "input_digest": "0", "algorithm": "1"}


class OldTables(NamedTuple):
    """All that a file of format 1 holds."""

    figures: list[DayFigure]
    history: list[DayFigure]
    dirty: KeyColumn


def read(database: Database) -> OldTables | None:
    """The content of the old tables; None where there are none."""
    present = {row[0] for row in database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "day_figure" not in present:
        return None
    keys = database.rows("SELECT point_id, day FROM dirty_day ORDER BY point_id, day")
    return OldTables(
        _figures(database, "day_figure"),
        _figures(database, "day_figure_history"),
        day_key.pack_pairs(keys) if keys else np.empty(0, np.int64),
    )


def drop(connection: sqlite3.Connection) -> None:
    """Forget the old tables."""
    for table in _TABLES:
        connection.execute(f"DROP TABLE IF EXISTS {table}")


def _figures(database: Database, table: str) -> list[DayFigure]:
    present = {row[1] for row in database.rows(f"PRAGMA table_info({table})")}
    # The earliest files lack the ranked sums: those equal the totals then.
    names = ", ".join(
        name if name in present else f"{_ABSENT.get(name, 'NULL')} AS {name}" for name in DayFigure._fields
    )
    return [_figure_of(row) for row in database.rows(f"SELECT {names} FROM {table}")]  # noqa: S608 our own names


def _figure_of(row: tuple[Any, ...]) -> DayFigure:
    figure = DayFigure._make(row)
    return figure._replace(
        total_numerator=int(figure.total_numerator),
        total_denominator=int(figure.total_denominator),
        ranked_numerator=None if figure.ranked_numerator is None else int(figure.ranked_numerator),
        ranked_denominator=None if figure.ranked_denominator is None else int(figure.ranked_denominator),
        is_complete=bool(figure.is_complete),
    )
