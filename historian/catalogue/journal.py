"""The journal of outages: when a source could not deliver and when this process did not live, and why.

A gap in a point's samples finds its cause here. Outages wait in memory for `flush`, which the historian calls twice a
second: ``kill -9`` may lose those of that time. Commits go to SQLite's log without waiting for the disk: what was flushed
survives ``kill -9``; a power cut may lose the last moments, but not that the historian was down.
To tell an outage takes a microsecond and may be done on an event loop; `flush`, `outages` and `prune` block.
"""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from historian.catalogue.database import Database
from historian.clock import Clock

HISTORIAN_DOWN: Final = "historian_down"
COLLECTOR_OFF: Final = "collector_off"  # a driver was stopped, or a collector elsewhere says that it was
MISSING_FILE: Final = "missing_file"  # the detail names the file

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS outage (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER,
  cause TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS outage_by_source ON outage (source, start_us);
CREATE INDEX IF NOT EXISTS outage_by_end ON outage (end_us);
CREATE TABLE IF NOT EXISTS collector (name TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS process_life (
  id INTEGER PRIMARY KEY, start_us INTEGER NOT NULL, alive_us INTEGER NOT NULL, stop_us INTEGER
) STRICT
"""

DETAIL_LENGTH_MAX: Final = 500
WAITING_MAX: Final = 200_000  # some 60 MB; more than the exceptions of every point of a large system at once
_PRUNED_AT_ONCE: Final = 10_000  # rows deleted in one transaction
_INSERT: Final = "INSERT INTO outage (source, start_us, end_us, cause, detail) VALUES (?, ?, ?, ?, ?)"
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


class _Entry:
    """An outage in memory: `key` is its row's once it has one, `is_waiting` while the file does not know all of it."""

    __slots__ = ("end_us", "is_waiting", "key", "outage")

    def __init__(self, outage: Outage, key: int | None = None) -> None:
        self.outage = outage
        self.end_us = outage.end_us
        self.key = key
        self.is_waiting = False


class Journal:
    """Implements ports.SourceJournal. One process writes; an outage open at its death stays open.

    What is told waits in memory for `flush`, so that a burst of device exceptions is one write and none is made on the
    loop; `outages` writes what waits before it reads. The file may be the registry's or one of its own.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # of what is in memory; never held while the file is written
        self._writing = threading.Lock()
        self._database = Database(path, SCHEMA, is_synced=False)
        open_rows = self._database.rows(
            "SELECT source, start_us, end_us, cause, detail, id FROM outage WHERE end_us IS NULL"
        )
        self._open = {row[0]: _Entry(Outage(*row[:-1]), row[-1]) for row in open_rows}
        self._waiting: list[_Entry] = []
        self._life_id: int | None = None
        self.lost_count = 0  # outages forgotten because the file could not be written for too long

    @property
    def waiting_count(self) -> int:
        """Outages that are not in the file as they are known."""
        return len(self._waiting)

    def close(self) -> None:
        """Write what waits and release the file. A clean end calls `process_stopped` first."""
        self.flush()
        self._database.close()

    def outage_began(self, source: str, time_us: int, cause: str, detail: str) -> None:
        """Open an outage of `source`; one already open keeps its first cause."""
        with self._lock:
            if source not in self._open:
                entry = _Entry(Outage(source, time_us, None, cause, detail[:DETAIL_LENGTH_MAX]))
                self._open[source] = entry
                self._wait(entry)

    def outage_ended(self, source: str, time_us: int) -> None:
        """Close the open outage of `source`, if any; a clock that stepped back gives an empty one."""
        with self._lock:
            entry = self._open.pop(source, None)
            if entry is not None:
                entry.end_us = max(entry.outage.start_us, time_us)
                self._wait(entry)

    def record(self, outage: Outage) -> None:
        """Keep an outage that is over, such as a file that did not come; those of one source may overlap."""
        assert outage.end_us is not None, "an outage that lasts is begun, not recorded"
        with self._lock:
            self._wait(_Entry(outage._replace(detail=outage.detail[:DETAIL_LENGTH_MAX])))

    def collectors_configured(self, names: Sequence[str], time_us: int) -> None:
        """The collectors of this process. One that an earlier life had and nobody configures any more is off from now on.

        It is so until it says that it is back (`outage_ended`), which a driver does when it runs.
        """
        known = {name for (name,) in self._database.rows("SELECT name FROM collector")}
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO collector (name) VALUES (?)", [(name,) for name in sorted(set(names) - known)]
            )
        for name in sorted(known - set(names)):
            self.outage_began(name, time_us, COLLECTOR_OFF, "no driver of that name is configured")

    def flush(self) -> int:
        """Put everything told so far into the file, in one transaction; returns how many outages were written.

        Raises CatalogueError; then all of it waits on.
        """
        with self._writing:
            with self._lock:
                taken, self._waiting = self._waiting, []
                states = [(entry, entry.key, entry.end_us) for entry in taken]
                for entry in taken:
                    entry.is_waiting = False
            try:
                self._write(states)
            except BaseException:
                with self._lock:
                    for entry in taken:
                        self._wait(entry)
                raise
            return len(taken)

    def prune(self, before_us: int) -> int:
        """Forget outages that were over before a time, and earlier lives of the process; returns how many outages."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM process_life WHERE coalesce(stop_us, alive_us) < ?"
                " AND id < (SELECT max(id) FROM process_life)",
                (before_us,),
            )
        count = 0
        while True:
            with self._database.transaction() as connection:
                gone = connection.execute(
                    "DELETE FROM outage WHERE id IN (SELECT id FROM outage WHERE end_us < ? LIMIT ?)",
                    (before_us, _PRUNED_AT_ONCE),
                ).rowcount
            count += gone
            if gone < _PRUNED_AT_ONCE:
                return count

    def _wait(self, entry: _Entry) -> None:
        """Under the lock."""
        if entry.is_waiting:
            return
        if len(self._waiting) >= WAITING_MAX:
            self.lost_count += 1
            return
        entry.is_waiting = True
        self._waiting.append(entry)

    def _write(self, states: Sequence[tuple[_Entry, int | None, int | None]]) -> None:
        if not states:
            return
        made: list[tuple[_Entry, int | None]] = []
        with self._database.transaction() as connection:
            for entry, key, end_us in states:
                if key is None:
                    outage = entry.outage
                    row = (outage.source, outage.start_us, end_us, outage.cause, outage.detail)
                    made.append((entry, connection.execute(_INSERT, row).lastrowid))
                else:
                    connection.execute("UPDATE outage SET end_us = ? WHERE id = ?", (end_us, key))
        for entry, key in made:
            entry.key = key

    def outages(self, sources: Sequence[str], start_us: int, end_us: int) -> list[Outage]:
        """Outages of these sources that touch ``[start_us, end_us)``, by start, whole ones.

        Times when the historian itself was down are always among them.
        """
        self.flush()
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
