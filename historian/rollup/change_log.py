"""The log of changes: which days that were over got other figures, in order, so that others can follow.

A change is logged in the transaction that stores the figures, so none is lost and none is told that was not kept. The log
is bounded: who comes back too late is told so, and begins anew.
"""

import sqlite3
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

from historian import zstd_frame

SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS change_log (number INTEGER PRIMARY KEY AUTOINCREMENT, time_us INTEGER NOT NULL,
        row_count INTEGER NOT NULL, changes BLOB NOT NULL)
"""
ROWS_KEPT_MAX: Final = 2_000_000
OFFSET_BITS: Final = 20  # of a place: a transaction never has more rows
_TYPES: Final[tuple[np.dtype[Any], ...]] = (np.dtype("<u4"), np.dtype("<i4"), np.dtype("<u4"), np.dtype("u1"))
_BYTES_MAX: Final = 1 << 30


class Changes(NamedTuple):
    """One row a change."""

    point_id: npt.NDArray[np.uint32]
    day: npt.NDArray[np.int32]
    revision: npt.NDArray[np.uint32]
    is_complete: npt.NDArray[np.uint8]

    @property
    def row_count(self) -> int:
        return len(self.point_id)


class Page(NamedTuple):
    """Changes after a place, with the time of each, the place after each and the one after all.

    `is_reset`: earlier ones are gone.
    """

    changes: Changes
    time_us: npt.NDArray[np.int64]
    place_after: npt.NDArray[np.int64]
    next_place: int
    is_reset: bool


def write(
    connection: sqlite3.Connection, changes: Changes, time_us: int, kept_max: int = ROWS_KEPT_MAX
) -> None:
    """Log some changes, and forget the oldest beyond the bound; in the caller's transaction."""
    if changes.row_count == 0:
        return
    assert changes.row_count < 1 << OFFSET_BITS, "figures are made in smaller parts"
    columns: list[npt.NDArray[Any]] = list(changes)
    body = b"".join(column.astype(type_).tobytes() for column, type_ in zip(columns, _TYPES, strict=True))
    packed = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(body)
    connection.execute(
        "INSERT INTO change_log (time_us, row_count, changes) VALUES (?, ?, ?)",
        (time_us, changes.row_count, packed),
    )
    connection.execute(
        "DELETE FROM change_log WHERE number <= (SELECT max(number) FROM (SELECT number, sum(row_count) OVER "
        "(ORDER BY number DESC) AS total FROM change_log) WHERE total > ?)",
        (kept_max,),
    )


def end_place(connection: sqlite3.Connection) -> int:
    """The place after the newest change."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'change_log'").fetchone()
    return (int(row[0]) + 1 if row else 1) << OFFSET_BITS


def read(connection: sqlite3.Connection, place: int, limit: int) -> Page:
    """Up to `limit` changes from a place on."""
    number, offset = place >> OFFSET_BITS, place & ((1 << OFFSET_BITS) - 1)
    (oldest,) = connection.execute("SELECT min(number) FROM change_log").fetchone()
    end = end_place(connection)
    is_reset = place > end or (oldest is not None and 0 < number < oldest)
    if is_reset or number == 0:
        number, offset = oldest or (end >> OFFSET_BITS), 0
    parts, times, places, left = [_none()], [np.empty(0, np.int64)], [np.empty(0, np.int64)], limit
    next_place = (number << OFFSET_BITS) | offset
    for found, time_us, row_count, packed in connection.execute(
        "SELECT number, time_us, row_count, changes FROM change_log WHERE number >= ? ORDER BY number",
        (number,),
    ):
        first = offset if found == number else 0
        last = min(row_count, first + left)
        parts.append(_unpack(packed, row_count, first, last))
        times.append(np.full(last - first, time_us, np.int64))
        places.append((found << OFFSET_BITS) | np.arange(first + 1, last + 1))
        left -= last - first
        next_place = (found << OFFSET_BITS) | last if last < row_count else (found + 1) << OFFSET_BITS
        if last == row_count and len(places[-1]):
            places[-1][-1] = next_place
        if left == 0:
            break
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Page(Changes._make(columns), np.concatenate(times), np.concatenate(places), next_place, is_reset)


def _none() -> Changes:
    return Changes._make(np.empty(0, type_) for type_ in _TYPES)


def _unpack(packed: bytes, row_count: int, first: int, last: int) -> Changes:
    body = zstd_frame.unpack(packed, _BYTES_MAX)
    columns: list[npt.NDArray[Any]] = []
    at = 0
    for type_ in _TYPES:
        columns.append(np.frombuffer(body, type_, row_count, at)[first:last])
        at += row_count * type_.itemsize
    return Changes._make(columns)
