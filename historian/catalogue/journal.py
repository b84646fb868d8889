"""The journal of outages: when a source could not deliver and when this process did not live, and why.

A gap in a point's samples finds its cause here. Commits go to SQLite's log without waiting for the disk: the entries
survive ``kill -9``; a power cut may lose those of the last moments, but not that the historian was down.
Calls take tens of microseconds and may be made on an event loop.
"""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from historian.catalogue.database import Database
from historian.clock import Clock

HISTORIAN_DOWN: Final = "historian_down"

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS outage (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER,
  cause TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS outage_by_source ON outage (source, start_us);
CREATE TABLE IF NOT EXISTS process_life (
  id INTEGER PRIMARY KEY, start_us INTEGER NOT NULL, alive_us INTEGER NOT NULL, stop_us INTEGER
) STRICT
"""

DETAIL_LENGTH_MAX: Final = 500
_SOURCES_PER_QUERY_MAX: Final = 500  # SQLite builds allow at least 999 parameters


class Outage(NamedTuple):
    """A time in which `source` delivered nothing; `end_us` None while it lasts.

    `source` is empty where the historian itself was down.
    """

    source: str
    start_us: int
    end_us: int | None
    cause: str
    detail: str


class Journal:
    """Implements ports.SourceJournal. One process writes; an outage open at its death stays open.

    The file may be the registry's or one of its own.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._database = Database(path, SCHEMA, is_synced=False)
        open_rows = self._database.rows("SELECT source, id, start_us FROM outage WHERE end_us IS NULL")
        self._open: dict[str, tuple[int, int]] = {source: (key, start) for source, key, start in open_rows}
        self._life_id: int | None = None

    def close(self) -> None:
        """Release the file. A clean end calls `process_stopped` first."""
        self._database.close()

    def outage_began(self, source: str, time_us: int, cause: str, detail: str) -> None:
        """Open an outage of `source`; one already open keeps its first cause."""
        with self._lock:
            if source in self._open:
                return
            with self._database.transaction() as connection:
                key = connection.execute(
                    "INSERT INTO outage (source, start_us, cause, detail) VALUES (?, ?, ?, ?)",
                    (source, time_us, cause, detail[:DETAIL_LENGTH_MAX]),
                ).lastrowid
            assert key is not None, "an insert gives a row id"
            self._open[source] = (key, time_us)

    def outage_ended(self, source: str, time_us: int) -> None:
        """Close the open outage of `source`, if any; a clock that stepped back gives an empty one."""
        with self._lock:
            entry = self._open.get(source)
            if entry is None:
                return
            key, start_us = entry
            with self._database.transaction() as connection:
                connection.execute("UPDATE outage SET end_us = ? WHERE id = ?", (max(start_us, time_us), key))
            del self._open[source]

    def outages(self, sources: Sequence[str], start_us: int, end_us: int) -> list[Outage]:
        """Outages of these sources that touch ``[start_us, end_us)``, by start, whole ones.

        Times when the historian itself was down are always among them.
        """
        found = [*self._outages_of(sources, start_us, end_us), *self._down_times(start_us, end_us)]
        return sorted(found, key=lambda outage: outage.start_us)

    def process_started(self, time_us: int) -> None:
        """The process begins its life; call once, after the file was opened for writing samples."""
        with self._database.transaction() as connection:
            self._life_id = connection.execute(
                "INSERT INTO process_life (start_us, alive_us) VALUES (?, ?)", (time_us, time_us)
            ).lastrowid

    def process_alive(self, time_us: int) -> None:
        """A sign of life, each minute: after a crash the process counts as down from the last one on."""
        assert self._life_id is not None, "process_started comes first"
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE process_life SET alive_us = max(alive_us, ?) WHERE id = ?", (time_us, self._life_id)
            )

    def process_stopped(self, time_us: int) -> None:
        """The process ends in good order."""
        assert self._life_id is not None, "process_started comes first"
        with self._database.transaction() as connection:
            connection.execute("UPDATE process_life SET stop_us = ? WHERE id = ?", (time_us, self._life_id))

    def _outages_of(self, sources: Sequence[str], start_us: int, end_us: int) -> Iterator[Outage]:
        wanted = sorted(set(sources))
        for index in range(0, len(wanted), _SOURCES_PER_QUERY_MAX):
            part = wanted[index : index + _SOURCES_PER_QUERY_MAX]
            marks = ", ".join("?" * len(part))
            rows = self._database.rows(
                "SELECT source, start_us, end_us, cause, detail FROM outage"  # noqa: S608 - marks only
                f" WHERE source IN ({marks}) AND start_us < ? AND coalesce(end_us, ?) > ?",
                (*part, end_us, end_us, start_us),
            )
            yield from (Outage(*row) for row in rows)

    def _down_times(self, start_us: int, end_us: int) -> Iterator[Outage]:
        # In a process that did not start one (an offline tool), the last life's end lasts until now.
        still_down_us = self._clock.now_us() if self._life_id is None else None
        rows = self._database.rows(
            "SELECT down_us, up_us, is_clean FROM ("
            " SELECT coalesce(stop_us, alive_us) AS down_us, stop_us IS NOT NULL AS is_clean,"
            " lead(start_us, 1, ?) OVER (ORDER BY id) AS up_us FROM process_life"
            ") WHERE up_us > down_us AND down_us < ? AND up_us > ?",
            (still_down_us, end_us, start_us),
        )
        for down_us, up_us, is_clean in rows:
            detail = "stopped in good order" if is_clean else "died; down since its last sign of life"
            yield Outage("", down_us, up_us, HISTORIAN_DOWN, detail)
