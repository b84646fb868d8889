"""The tables of points, and the way to them from format 1, where each point had all attributes in its own row."""

import sqlite3
from typing import Final

from historian.catalogue.definition import Definition, Numbered

DEFINITION_TABLE: Final = """CREATE TABLE IF NOT EXISTS definition (
  id INTEGER PRIMARY KEY, unit TEXT NOT NULL, kind TEXT NOT NULL, interval_us INTEGER NOT NULL,
  label TEXT NOT NULL, time_zone TEXT NOT NULL, item TEXT NOT NULL, range_low REAL, range_high REAL,
  multiplier REAL NOT NULL, capacity REAL, source TEXT NOT NULL
) STRICT"""
STATION_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS station (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT"
)
POINT_COLUMNS: Final = """(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
  definition_id INTEGER NOT NULL REFERENCES definition (id), station_id INTEGER REFERENCES station (id),
  name_zh TEXT, name_en TEXT
) STRICT"""
INSERT_DEFINITION: Final = f"INSERT INTO definition VALUES ({', '.join('?' * (len(Definition._fields) + 1))})"  # noqa: S608 - marks only

_FIRST_COLUMNS: Final = ", ".join(("id", "name", "name_zh", "name_en", "station", *Definition._fields))


def upgrade(connection: sqlite3.Connection) -> None:
    """From format 1, inside the caller's transaction. Ids, names and the highest id ever given stay.

    Looks at the table and not at the file's number: a journal in the same file may have been opened first.
    """
    is_first_format = connection.execute(
        "SELECT 1 FROM pragma_table_info('point') WHERE name = 'unit'"
    ).fetchone()
    if is_first_format is None:
        return
    connection.execute(DEFINITION_TABLE)
    connection.execute(STATION_TABLE)
    # A new table that takes the name at the end: what refers to `point` then means it without a change.
    connection.execute(f"CREATE TABLE point_new {POINT_COLUMNS}")
    definitions: Numbered[tuple[object, ...]] = Numbered()
    stations: Numbered[str] = Numbered()
    rows = connection.execute(f"SELECT {_FIRST_COLUMNS} FROM point ORDER BY id")  # noqa: S608 - our own names
    connection.executemany(
        "INSERT INTO point_new VALUES (?, ?, ?, ?, nullif(?, ''), nullif(?, ''))",
        (
            (
                point_id,
                name,
                definitions.number_of(tuple(attributes)),
                stations.number_of(station) if station else None,
                name_zh,
                name_en,
            )
            for point_id, name, name_zh, name_en, station, *attributes in rows
        ),
    )
    connection.executemany(INSERT_DEFINITION, ((number, *each) for number, each in definitions.since(0)))
    connection.executemany("INSERT INTO station VALUES (?, ?)", stations.since(0))
    highest = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'point'").fetchone()
    connection.execute("DROP TABLE point")
    connection.execute("ALTER TABLE point_new RENAME TO point")
    connection.execute("DELETE FROM sqlite_sequence WHERE name IN ('point', 'point_new')")
    if highest is not None:
        connection.execute("INSERT INTO sqlite_sequence VALUES ('point', ?)", highest)
