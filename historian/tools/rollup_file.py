"""The kept figures as tools read them, in either format of the file, by code of their own.

Format 1 has one row a figure in `day_figure`. Format 2 has packed columns in `figure_block` and, newer, in
`figure_log`: zstd over the size of a head (u32), the head (msgpack: version, rows, names of the columns that
hold one value for all rows, sums beyond 64 bits by row), then the columns in the order below.
"""

import sqlite3
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from historian import zstd_frame
from historian.errors import CatalogueError, FormatTooNew
from historian.tools.day_sum import block_us_of

CLOCK_SLACK_US: Final = 3_600_000_000  # a clock may be set back meanwhile; making a figure anew costs little
READS_VERSION: Final = 2  # of the packed columns
DAY_BITS: Final = 22  # of a key: point id << 22 | day
WINDOW_BITS: Final = 5  # a block holds 32 days
NO_SLOT: Final = 255
_UNPACKED_BYTES_MAX: Final = 1 << 30

_COLUMNS: Final = {
    "point_id": "<u4", "day": "<i4", "definition": "<i4", "total_numerator": "<i8", "ranked_numerator": "<i8",
    "denominator": "<i8", "known_us": "<i8", "ranked_us": "<i8", "max_value": "<f8", "min_value": "<f8",
    "max_slot": "<u1", "min_slot": "<u1", "received": "<u4", "good": "<u4", "measured": "<u4",
    "estimated": "<u4", "manual": "<u4", "is_complete": "<u1", "input_digest": "<i8", "revision": "<u4", "computed_at_us": "<i8",
}  # fmt: skip
_SINCE: Final = {"input_digest": 2}  # columns that earlier versions do not have
_PACKED: Final = "SELECT figures FROM figure_block WHERE day_window BETWEEN ? AND ?"
_LOGGED: Final = "SELECT figures FROM figure_log ORDER BY number"
_DEFINITION: Final = ("time_zone", "unit", "kind", "interval_us", "multiplier")
_DEFINITIONS: Final = "SELECT code, time_zone, unit, kind, interval_us, multiplier{} FROM figure_definition"
_MARK_ROWS: Final = """
    INSERT OR IGNORE INTO dirty_day (point_id, day)
    SELECT point_id, day FROM day_figure WHERE computed_at_us >= ?
"""

Keys = npt.NDArray[np.int64]


class KeptFigure(NamedTuple):
    """One kept day. Slots count from the day's start; None where there is no maximum or minimum."""

    point_id: int
    day: int
    definition: tuple[
        Any, ...
    ]  # time zone, unit, kind, interval in µs, multiplier; the digest of terms if there are any
    total: Fraction
    known_us: int
    ranked: Fraction
    ranked_us: int
    max_value: float | None
    max_slot: int | None
    min_value: float | None
    min_slot: int | None
    received_count: int
    good_count: int
    measured_count: int
    estimated_count: int
    manual_count: int
    is_complete: bool


class _Part(NamedTuple):
    columns: dict[str, npt.NDArray[Any]]
    wide: dict[int, tuple[str, str, str]]


def newest_day(connection: sqlite3.Connection) -> int | None:
    """The ordinal of the newest day with a figure."""
    if _has_rows(connection):
        newest: int | None = connection.execute("SELECT max(day) FROM day_figure").fetchone()[0]
        return newest
    (window,) = connection.execute("SELECT max(day_window) FROM figure_block").fetchone()
    span = (window, window) if window is not None else (1, 0)
    days = [int(part.columns["day"].max()) for part in _parts(connection, span) if len(part.columns["day"])]
    return max(days, default=None)


def figures(connection: sqlite3.Connection, first_day: int, last_day: int) -> list[KeptFigure]:
    """The newest figures of ``[first_day, last_day)``, sorted by point and day."""
    if _has_rows(connection):
        return list(_of_rows(connection, first_day, last_day))
    definitions = _definitions(connection)
    found: dict[tuple[int, int], tuple[int, KeptFigure]] = {}
    for part in _parts(connection, (first_day >> WINDOW_BITS, (last_day - 1) >> WINDOW_BITS)):
        day = part.columns["day"]
        for row in np.flatnonzero((day >= first_day) & (day < last_day)).tolist():
            figure = _of_part(part, row, definitions)
            revision = int(part.columns["revision"][row])
            before = found.get(figure[:2])
            if before is None or before[0] <= revision:
                found[figure[:2]] = revision, figure
    return [found[key][1] for key in sorted(found)]


def _definitions(connection: sqlite3.Connection) -> dict[int, tuple[Any, ...]]:
    """By code. Files up to version 0.4 know of no terms."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(figure_definition)")}
    rows = connection.execute(_DEFINITIONS.format(", terms" if "terms" in columns else ""))
    return {row[0]: tuple(row[1:6]) + tuple(filter(None, row[6:])) for row in rows}


def dirty_days(connection: sqlite3.Connection) -> set[tuple[int, int]]:
    """(point id, day) of every figure that is marked to be made anew."""
    if _has_rows(connection):
        return set(connection.execute("SELECT point_id, day FROM dirty_day"))
    dirty: set[int] = set()
    for is_cleaned, packed in connection.execute("SELECT is_cleaned, keys FROM dirty_log ORDER BY number"):
        keys = np.cumsum(np.frombuffer(_unzipped(packed), np.int64)).tolist()
        if is_cleaned:
            dirty.difference_update(keys)
        else:
            dirty.update(keys)
    return {(key >> DAY_BITS, key & ((1 << DAY_BITS) - 1)) for key in dirty}


def mark_younger(path: Path, time_us: int) -> None:
    """Mark every figure made after `time_us`, or shortly before, to be made anew. Raises CatalogueError.

    Such a figure may count samples that came after the log was copied.
    """
    since_us = time_us - CLOCK_SLACK_US
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        if _has_rows(connection):
            connection.execute(_MARK_ROWS, (since_us,))
            return
        keys = [_younger(part, since_us) for part in _parts(connection, (-(1 << 31), 1 << 31))]
        steps = (
            np.diff(np.unique(np.concatenate(keys)), prepend=np.int64(0)) if keys else np.empty(0, np.int64)
        )
        if len(steps):
            packed = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(steps.tobytes())
            connection.execute("INSERT INTO dirty_log (is_cleaned, keys) VALUES (0, ?)", (packed,))
    except sqlite3.Error as error:
        raise CatalogueError(str(path), str(error)) from error
    finally:
        connection.close()


def _younger(part: _Part, since_us: int) -> Keys:
    is_young = part.columns["computed_at_us"] >= since_us
    point_id, day = (part.columns[name][is_young].astype(np.int64) for name in ("point_id", "day"))
    keys: Keys = (point_id << DAY_BITS) | day
    return keys


def _has_rows(connection: sqlite3.Connection) -> bool:
    """Whether the file is of format 1."""
    named = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'day_figure'").fetchone()
    return named is not None


def _parts(connection: sqlite3.Connection, windows: tuple[int, int]) -> Iterator[_Part]:
    """The blocks of these windows of days, then all of the log."""
    for (packed,) in connection.execute(_PACKED, windows):
        yield _unpacked(packed)
    for (packed,) in connection.execute(_LOGGED):
        yield _unpacked(packed)


def _unpacked(packed: bytes) -> _Part:
    try:
        return _decoded(_unzipped(packed))
    except (msgspec.MsgspecError, ValueError, IndexError, TypeError) as error:
        raise sqlite3.DatabaseError(f"packed figures do not decode: {error}") from error


def _decoded(body: bytes) -> _Part:
    size = int.from_bytes(body[:4], "little")
    version, row_count, constant, wide = msgspec.msgpack.decode(body[4 : 4 + size])
    if version > READS_VERSION:
        raise FormatTooNew(f"figures of format {version}; this version reads up to {READS_VERSION}")
    columns: dict[str, npt.NDArray[Any]] = {}
    at = 4 + size
    for name, dtype in _COLUMNS.items():
        if version < _SINCE.get(name, 1):
            continue
        stored = np.frombuffer(body, dtype, 1 if name in constant else row_count, at)
        columns[name] = np.broadcast_to(stored, row_count)
        at += stored.nbytes
    if at != len(body):
        raise ValueError(f"{len(body) - at} octets are left over")
    return _Part(columns, wide)


def _unzipped(packed: bytes) -> bytes:
    try:
        return zstd_frame.unpack(packed, _UNPACKED_BYTES_MAX)
    except zstd_frame.FrameDamaged as error:
        raise sqlite3.DatabaseError(f"packed figures do not decompress: {error}") from error


def _of_part(part: _Part, row: int, definitions: dict[int, tuple[Any, ...]]) -> KeptFigure:
    one = {name: column[row].item() for name, column in part.columns.items()}
    total, ranked, denominator = (
        (one["total_numerator"], one["ranked_numerator"], one["denominator"])
        if one["denominator"]
        else map(int, part.wide[row])
    )
    has_extremes = one["max_slot"] != NO_SLOT
    return KeptFigure(
        one["point_id"],
        one["day"],
        definitions[one["definition"]],
        Fraction(total, denominator),
        one["known_us"],
        Fraction(ranked, denominator),
        one["ranked_us"],
        one["max_value"] if has_extremes else None,
        one["max_slot"] if has_extremes else None,
        one["min_value"] if has_extremes else None,
        one["min_slot"] if has_extremes else None,
        one["received"],
        one["good"],
        one["measured"],
        one["estimated"],
        one["manual"],
        bool(one["is_complete"]),
    )


def _of_rows(connection: sqlite3.Connection, first_day: int, last_day: int) -> Iterator[KeptFigure]:
    statement = "SELECT * FROM day_figure WHERE day >= ? AND day < ? ORDER BY point_id, day"
    cursor = connection.execute(statement, (first_day, last_day))
    names = [column[0] for column in cursor.description]
    for values in cursor:
        row = dict(zip(names, values, strict=True))
        total = Fraction(int(row["total_numerator"]), int(row["total_denominator"]))
        has_own_rank = row["ranked_us"] is not None
        yield KeptFigure(
            row["point_id"],
            row["day"],
            tuple(row[name] for name in _DEFINITION),
            total,
            row["known_us"],
            Fraction(int(row["ranked_numerator"]), int(row["ranked_denominator"])) if has_own_rank else total,
            row["ranked_us"] if has_own_rank else row["known_us"],
            row["max_value"],
            _slot_of(row, "max_start_us"),
            row["min_value"],
            _slot_of(row, "min_start_us"),
            row["received_count"],
            row["good_count"],
            row["measured_count"],
            row["estimated_count"],
            row["manual_count"],
            bool(row["is_complete"]),
        )


def _slot_of(row: dict[str, Any], name: str) -> int | None:
    if row[name] is None:
        return None
    slot: int = (row[name] - row["start_us"]) // block_us_of(row["interval_us"])
    return slot
