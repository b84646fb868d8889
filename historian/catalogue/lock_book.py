"""The book of locked periods: figures that were billed, kept as they were told, whatever is corrected later.

A lock holds a whole row as it was when it was locked. It is never changed: it is taken back, and another may take its
place. `lock` and `unlock` block until SQLite has synced.
"""

import threading
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from historian.catalogue.database import Database
from historian.clock import Clock
from historian.errors import CatalogueError, LockRefused

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS figure_lock (
  number INTEGER PRIMARY KEY AUTOINCREMENT, point_id INTEGER NOT NULL, period TEXT NOT NULL, first_day INTEGER NOT NULL,
  last_day INTEGER NOT NULL, time_zone TEXT NOT NULL, figures TEXT NOT NULL, locked_us INTEGER NOT NULL,
  author TEXT NOT NULL, reason TEXT NOT NULL, unlocked_us INTEGER, unlock_author TEXT, unlock_reason TEXT
) STRICT
"""

Figures = dict[str, float | int | str | None]
_COLUMNS: Final = (
    "number, point_id, period, first_day, last_day, time_zone, figures, locked_us, author, reason, unlocked_us,"
    " unlock_author, unlock_reason"
)


class PeriodKey(NamedTuple):
    """A period of a point: local days ``[first_day, last_day)`` by proleptic ordinal."""

    point_id: int
    period: str
    first_day: int
    last_day: int


class Lock(NamedTuple):
    """A locked period; `figures` are the columns of its row, `unlocked_us` None while it holds."""

    number: int
    key: PeriodKey
    time_zone: str
    figures: Figures
    locked_us: int
    author: str
    reason: str
    unlocked_us: int | None = None
    unlock_author: str = ""
    unlock_reason: str = ""

    def holds_at(self, time_us: int) -> bool:
        """Whether the period was locked then."""
        return self.locked_us <= time_us and (self.unlocked_us is None or self.unlocked_us > time_us)


class LockBook:
    """All locks ever made. Look-ups are pure memory."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._mutex = threading.RLock()
        with database.transaction() as connection:
            connection.execute(SCHEMA)
        self._by_point: dict[int, list[Lock]] = {}
        self._by_number: dict[int, Lock] = {}
        for row in database.rows(f"SELECT {_COLUMNS} FROM figure_lock ORDER BY number"):  # noqa: S608 - our own names
            self._put(self._lock_of(row))

    @property
    def has_any(self) -> bool:
        """Whether anything was ever locked."""
        return bool(self._by_number)

    def of_point(self, point_id: int) -> list[Lock]:
        """Every lock of a point, those taken back too, in the order of their making."""
        return list(self._by_point.get(point_id, ()))

    def held(self, key: PeriodKey, as_of_us: int | None = None) -> Lock | None:
        """The lock of exactly that period, as things are or as they were."""
        for lock in reversed(self._by_point.get(key.point_id, ())):
            if lock.key == key and (
                lock.unlocked_us is None if as_of_us is None else lock.holds_at(as_of_us)
            ):
                return lock
        return None

    def covering(self, point_id: int, day: int) -> Lock | None:
        """A lock in force of a period that holds the day."""
        return next(
            (
                lock
                for lock in self._by_point.get(point_id, ())
                if lock.unlocked_us is None and lock.key.first_day <= day < lock.key.last_day
            ),
            None,
        )

    def lock(self, wanted: Sequence[tuple[PeriodKey, str, Figures]], author: str, reason: str) -> list[Lock]:
        """Lock periods, each given by its key, zone and row; all or none. Raises LockRefused where one is locked."""
        with self._mutex:
            for key, _zone, _figures in wanted:
                if self.held(key) is not None:
                    raise LockRefused(
                        f"the {key.period} of point {key.point_id} is locked already; unlock it first"
                    )
            now_us = self._clock.now_us()
            made: list[Lock] = []
            with self._database.transaction() as connection:
                for key, zone, figures in wanted:
                    cursor = connection.execute(
                        "INSERT INTO figure_lock (point_id, period, first_day, last_day, time_zone, figures, locked_us,"
                        " author, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (*key, zone, msgspec.json.encode(figures).decode(), now_us, author, reason),
                    )
                    assert cursor.lastrowid is not None, "an inserted row has a number"
                    made.append(Lock(cursor.lastrowid, key, zone, figures, now_us, author, reason))
            for one in made:
                self._put(one)
        return made

    def unlock(self, number: int, author: str, reason: str) -> Lock:
        """Take a lock back. Raises LockRefused where there is none in force."""
        with self._mutex:
            before = self._by_number.get(number)
            if before is None or before.unlocked_us is not None:
                raise LockRefused(f"lock {number} is not there, or was taken back already")
            now_us = self._clock.now_us()
            with self._database.transaction() as connection:
                connection.execute(
                    "UPDATE figure_lock SET unlocked_us = ?, unlock_author = ?, unlock_reason = ? WHERE number = ?",
                    (now_us, author, reason, number),
                )
            after = before._replace(unlocked_us=now_us, unlock_author=author, unlock_reason=reason)
            place = self._by_point[before.key.point_id].index(before)
            self._by_point[before.key.point_id][place] = after
            self._by_number[number] = after
        return after

    def _put(self, lock: Lock) -> None:
        self._by_point.setdefault(lock.key.point_id, []).append(lock)
        self._by_number[lock.number] = lock

    def _lock_of(self, row: tuple[Any, ...]) -> Lock:
        try:
            figures = msgspec.json.decode(row[6], type=Figures)
        except msgspec.DecodeError as error:
            raise CatalogueError(str(self._database.path), f"figure_lock {row[0]}: {error}") from error
        return Lock(
            row[0],
            PeriodKey(*row[1:5]),
            row[5],
            figures,
            row[7],
            row[8],
            row[9],
            row[10],
            row[11] or "",
            row[12] or "",
        )
