"""Day figures on disk: blocks of 256 points × 32 days, and a log of what changed since they were written.

    figure_block       all figures of a block, packed; `presence` has a bit for each of its 8192 cells
    figure_log         figures in the order they were made since the blocks were last written
    figure_history     versions that were told after their day had ended and were replaced since, packed by block
    figure_definition  the numbers under which figures name the definition of their point
    change_log         which days that were over got other figures, in order: for those who follow
    dirty_log          keys of days whose samples changed after their figures were made, and of those made anew

A change costs its own size: one row of the log, in one transaction with the marks it answers. Blocks are written
when the log is long, and whoever opens the file applies the log to them; the highest revision of a figure counts,
so applying it twice does no harm.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import zstandard

from historian import zstd_frame
from historian.catalogue.database import Database
from historian.rollup import change_log, day_key, day_table_old, figure_columns, figure_pack
from historian.rollup.change_log import Changes, Page
from historian.rollup.day_figure import Definition
from historian.rollup.day_key import KeyColumn, KeySet
from historian.rollup.definitions import Definitions
from historian.rollup.figure_columns import FigureColumns
from historian.rollup.figure_kernels import CELL_COUNT, DAY_BITS, POINT_BITS

DIRTY_SLACK: Final = 100_000  # keys in the log beyond those that are dirty, before it is written anew

_KEYS_BYTES_MAX: Final = 1 << 33  # unpacked: a day of every point in a million, a thousand times

_SCHEMA: Final = f"""
    CREATE TABLE IF NOT EXISTS figure_block (point_group INTEGER NOT NULL, day_window INTEGER NOT NULL,
        figures BLOB NOT NULL, presence BLOB NOT NULL, PRIMARY KEY (point_group, day_window));
    CREATE TABLE IF NOT EXISTS figure_log (number INTEGER PRIMARY KEY, figures BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS figure_history (number INTEGER PRIMARY KEY, point_group INTEGER NOT NULL,
        day_window INTEGER NOT NULL, figures BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS figure_history_by_block ON figure_history (point_group, day_window);
    CREATE TABLE IF NOT EXISTS figure_definition (code INTEGER PRIMARY KEY, time_zone TEXT NOT NULL,
        unit TEXT NOT NULL, kind TEXT NOT NULL, interval_us INTEGER NOT NULL, multiplier REAL NOT NULL,
        terms TEXT NOT NULL DEFAULT '', algorithm INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE IF NOT EXISTS dirty_log (number INTEGER PRIMARY KEY, is_cleaned INTEGER NOT NULL, keys BLOB NOT NULL);
    {change_log.SCHEMA}
"""

BlockName = tuple[int, int]  # point group and day window


class DayTable:
    """The file of day figures. Blocking: called in one worker thread."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, _SCHEMA, is_synced=True, upgrade=_upgrade)
        rows = self._database.rows(
            "SELECT code, time_zone, unit, kind, interval_us, multiplier, terms, algorithm FROM figure_definition"
        )
        self.definitions = Definitions((row[0], Definition(*row[1:])) for row in rows)
        self._dirty = KeySet()
        self._dirty_logged = 0
        self._take_over_old()
        self._read_dirty_log()

    def close(self) -> None:
        """Finish and release the file."""
        self._database.close()

    def load_block(self, name: BlockName) -> FigureColumns | None:
        """The figures of a block as it was last written."""
        rows = self._database.rows(
            "SELECT figures FROM figure_block WHERE point_group = ? AND day_window = ?", name
        )
        return figure_pack.unpack(rows[0][0], str(self._database.path)) if rows else None

    def windows_of(self, point_group: int) -> list[int]:
        """The first and the last window of days of which a group has a block; none where it has none."""
        rows = self._database.rows(
            "SELECT min(day_window), max(day_window) FROM figure_block WHERE point_group = ?", (point_group,)
        )
        return [window for window in rows[0] if window is not None]

    def load_log(self) -> list[FigureColumns]:
        """What changed since the blocks were written, oldest first."""
        rows = self._database.rows("SELECT figures FROM figure_log ORDER BY number")
        return [figure_pack.unpack(row[0], str(self._database.path)) for row in rows]

    def write_blocks(self, blocks: Iterable[tuple[BlockName, FigureColumns]], *, is_all: bool) -> None:
        """Write blocks whole; with `is_all`, these are all that the log changed, and it is emptied."""
        rows = [(*name, figure_pack.pack(figures), _presence_of(figures)) for name, figures in blocks]
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO figure_block (point_group, day_window, figures, presence) VALUES (?, ?, ?, ?)",
                rows,
            )
            if is_all:
                connection.execute("DELETE FROM figure_log")

    def store(
        self, figures: FigureColumns, replaced: FigureColumns, cleaned: KeyColumn, told: Changes | None = None
    ) -> None:
        """Log `figures`, keep the versions they `replaced`, clear dirty marks, log what is `told` of it; all or nothing."""
        gone = cleaned[self._dirty.holds(cleaned)]
        new_definitions = self.definitions.unsaved()
        if figures.row_count == 0 and replaced.row_count == 0 and len(gone) == 0:
            return
        with self._database.transaction() as connection:
            _write(connection, figures, replaced, new_definitions)
            if told is not None and told.row_count:
                change_log.write(connection, told, int(figures.computed_at_us.max()))
            if len(gone):
                connection.execute(
                    "INSERT INTO dirty_log (is_cleaned, keys) VALUES (1, ?)", (_pack_keys(gone),)
                )
        self.definitions.saved(code for code, _ in new_definitions)
        self._dirty.discard(gone)
        self._dirty_logged += len(gone)

    def load_history(self, point_id: int, first_day: int, last_day: int) -> FigureColumns:
        """Versions since replaced, oldest revision first within each day."""
        rows = self._database.rows(
            "SELECT figures FROM figure_history WHERE point_group = ? AND day_window BETWEEN ? AND ? ORDER BY number",
            (point_id >> POINT_BITS, first_day >> DAY_BITS, (last_day - 1) >> DAY_BITS),
        )
        found = figure_columns.join([figure_pack.unpack(row[0], str(self._database.path)) for row in rows])
        is_wanted = (found.point_id == point_id) & (found.day >= first_day) & (found.day < last_day)
        wanted = np.flatnonzero(is_wanted)
        return found.take(wanted[np.lexsort((found.revision[wanted], found.day[wanted]))])

    def load_changes(self, place: int | None, limit: int) -> Page:
        """Changes from a place on; none and the place after the newest where none is given."""
        with self._database.transaction() as connection:
            return change_log.read(
                connection, change_log.end_place(connection) if place is None else place, limit
            )

    def keys_kept(self) -> KeyColumn:
        """The keys of all days that have figures, ascending."""
        parts = [
            day_key.pack(log.point_id.astype(np.int64), log.day.astype(np.int64)) for log in self.load_log()
        ]
        for group, window, presence in self._database.rows(
            "SELECT point_group, day_window, presence FROM figure_block"
        ):
            cells = np.flatnonzero(np.unpackbits(np.frombuffer(presence, np.uint8)))
            point_id = (group << POINT_BITS) | (cells >> DAY_BITS)
            parts.append(day_key.pack(point_id, (window << DAY_BITS) | (cells & ((1 << DAY_BITS) - 1))))
        return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)

    def mark_dirty(self, keys: KeyColumn) -> None:
        """Remember that the figures of these days are out of date; on disk when this returns."""
        new = keys[~self._dirty.holds(keys)]
        if len(new) == 0:
            return
        is_long = self._dirty_logged > 2 * len(self._dirty) + DIRTY_SLACK
        after = KeySet()
        if is_long:
            after.add(self._dirty.to_column())
            after.add(new)
        with self._database.transaction() as connection:
            if is_long:
                connection.execute("DELETE FROM dirty_log")
            connection.execute(
                "INSERT INTO dirty_log (is_cleaned, keys) VALUES (0, ?)",
                (_pack_keys(after.to_column() if is_long else new),),
            )
        self._dirty.add(new)
        self._dirty_logged = len(self._dirty) if is_long else self._dirty_logged + len(new)

    def load_dirty(self) -> KeyColumn:
        """Every day marked as dirty, ascending."""
        return self._dirty.to_column().copy()

    def _read_dirty_log(self) -> None:
        for is_cleaned, packed in self._database.rows(
            "SELECT is_cleaned, keys FROM dirty_log ORDER BY number"
        ):
            keys = _unpack_keys(packed)
            self._dirty_logged += len(keys)
            if is_cleaned:
                self._dirty.discard(keys)
            else:
                self._dirty.add(keys)

    def _take_over_old(self) -> None:
        """Take figures, history and marks out of the tables of format 1, one row a figure; all or nothing."""
        old = day_table_old.read(self._database)
        if old is None:
            return
        figures = figure_columns.of_figures(old.figures, self.definitions)
        history = figure_columns.of_figures(old.history, self.definitions)
        new_definitions = self.definitions.unsaved()
        with self._database.transaction() as connection:
            _write(connection, figures, history, new_definitions)
            connection.execute(
                "INSERT INTO dirty_log (is_cleaned, keys) VALUES (0, ?)", (_pack_keys(old.dirty),)
            )
            day_table_old.drop(connection)
        self.definitions.saved(code for code, _ in new_definitions)


def _upgrade(connection: sqlite3.Connection) -> None:
    """From format 2, whose definitions know neither terms nor algorithm; format 1 had no definitions."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(figure_definition)")}
    for name, kind in (("terms", "TEXT NOT NULL DEFAULT ''"), ("algorithm", "INTEGER NOT NULL DEFAULT 1")):
        if columns and name not in columns:
            connection.execute(f"ALTER TABLE figure_definition ADD COLUMN {name} {kind}")


def _write(
    connection: sqlite3.Connection,
    figures: FigureColumns,
    replaced: FigureColumns,
    definitions: Iterable[tuple[int, Definition]],
) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO figure_definition VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(code, *definition) for code, definition in definitions],
    )
    if figures.row_count:
        connection.execute("INSERT INTO figure_log (figures) VALUES (?)", (figure_pack.pack(figures),))
    connection.executemany(
        "INSERT INTO figure_history (point_group, day_window, figures) VALUES (?, ?, ?)",
        [(*name, figure_pack.pack(part)) for name, part in split(replaced)],
    )


def split(figures: FigureColumns) -> list[tuple[BlockName, FigureColumns]]:
    """The figures by block."""
    if figures.row_count == 0:
        return []
    group, window = figures.point_id >> POINT_BITS, figures.day >> DAY_BITS
    order = np.lexsort((window, group))
    group, window = group[order], window[order]
    is_first = np.append(True, (group[1:] != group[:-1]) | (window[1:] != window[:-1]))
    starts = np.append(np.flatnonzero(is_first), len(order))
    return [
        ((int(group[first]), int(window[first])), figures.take(order[first:last]))
        for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    ]


def cell_of(point_id: npt.NDArray[Any], day: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The place of each figure in its block."""
    point = point_id.astype(np.int64) & ((1 << POINT_BITS) - 1)
    return (point << DAY_BITS) | (day.astype(np.int64) & ((1 << DAY_BITS) - 1))


def _presence_of(figures: FigureColumns) -> bytes:
    is_there = np.zeros(CELL_COUNT, np.bool_)
    is_there[cell_of(figures.point_id, figures.day)] = True
    return np.packbits(is_there).tobytes()


def _pack_keys(keys: KeyColumn) -> bytes:
    steps = np.diff(keys, prepend=np.int64(0))
    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(steps.tobytes())


def _unpack_keys(packed: bytes) -> KeyColumn:
    return np.cumsum(np.frombuffer(zstd_frame.unpack(packed, _KEYS_BYTES_MAX), np.int64))
