"""The quarantine: samples stamped outside the time fence wait here, on disk, for a person to decide.

Entries are rows of one SQLite file, synced before `keep` returns. Whatever waits together shares one commit. What was
decided stays as evidence: the newest `samples_max` decided entries, and for ever who decided how many, when and why.
"""

import asyncio
import concurrent.futures
import functools
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from historian.catalogue.database import Database
from historian.errors import CatalogueError
from historian.logs import EventLog
from historian.metrics import Metrics
from historian.model import timestamp
from historian.model.decision import Decision
from historian.model.point import DAY_US
from historian.model.ports import REJECT_CODES, Outcome
from historian.model.quarantine import STATES, QuarantinedSample, QuarantineState, Rejected
from historian.model.sample import SampleBatch

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS quarantined (
  id INTEGER PRIMARY KEY AUTOINCREMENT, point_id INTEGER NOT NULL, time_us INTEGER NOT NULL, value REAL NOT NULL,
  quality INTEGER NOT NULL, outcome INTEGER NOT NULL, source TEXT NOT NULL, arrival_us INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0, stored_time_us INTEGER, decision INTEGER REFERENCES decision (id)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS quarantined_kept ON quarantined (point_id, time_us, value, quality) WHERE state = 0;
CREATE INDEX IF NOT EXISTS quarantined_arrival ON quarantined (point_id, arrival_us);
CREATE INDEX IF NOT EXISTS quarantined_decided ON quarantined (id) WHERE state > 0;
CREATE TABLE IF NOT EXISTS decision (
  id INTEGER PRIMARY KEY, state INTEGER NOT NULL, decided_us INTEGER NOT NULL, author TEXT NOT NULL,
  reason TEXT NOT NULL, sample_count INTEGER NOT NULL
) STRICT
"""
# The outcome of a sample outside the fence, and what it becomes once it is in here.
QUARANTINED: Final = {
    Outcome.TIME_TOO_OLD: Outcome.QUARANTINED_TOO_OLD,
    Outcome.TIME_IN_FUTURE: Outcome.QUARANTINED_IN_FUTURE,
}
_CODES: Final = {REJECT_CODES[outcome]: int(outcome) for outcome in QUARANTINED}
# Stamps that can be written as dates, in every zone.
_TIME_MIN_US: Final = timestamp.TIME_MIN_US + DAY_US
_TIME_MAX_US: Final = timestamp.TIME_MAX_US - DAY_US
_IDS_PER_STATEMENT: Final = 500  # SQLite builds allow at least 999 parameters
_COLUMNS: Final = (
    "q.id, q.point_id, q.time_us, q.value, q.quality, q.outcome, q.source, q.arrival_us, q.state,"
    " q.stored_time_us, d.decided_us, d.author, d.reason"
)
_INSERT: Final = (
    "INSERT OR IGNORE INTO quarantined (point_id, time_us, value, quality, outcome, source, arrival_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_IS_KEPT: Final = (
    "SELECT 1 FROM quarantined WHERE state = 0 AND point_id = ? AND time_us = ? AND value = ? AND quality = ?"
)

OutcomeColumn = npt.NDArray[np.uint8]
Row = tuple[int, int, float, int, int, str, int]
T = TypeVar("T")

log = EventLog("ingest")


class _Waiting:
    """Samples of one sender, and the future it waits on: for each sample, whether it is kept."""

    __slots__ = ("answer", "arrival_us", "batch", "outcome", "source")

    def __init__(self, batch: SampleBatch, outcome: OutcomeColumn, source: str, arrival_us: int) -> None:
        self.batch = batch
        self.outcome = outcome
        self.source = source
        self.arrival_us = arrival_us
        self.answer: asyncio.Future[npt.NDArray[np.bool_]] = asyncio.get_running_loop().create_future()

    def rows(self) -> list[Row]:
        columns = (column.tolist() for column in (*self.batch, self.outcome))
        return [(*row, self.source, self.arrival_us) for row in zip(*columns, strict=True)]


class Quarantine:
    """Keeps at most `samples_max` undecided samples. The file is touched by a thread of its own only.

    `is_writable` tells whether the disk may be written at all. Raises CatalogueError and FormatTooNew at opening.
    """

    def __init__(
        self, path: Path, samples_max: int, metrics: Metrics, is_writable: Callable[[], bool] = lambda: True
    ) -> None:
        self._samples_max = samples_max
        self._is_writable = is_writable
        self._database = Database(path, SCHEMA, is_synced=True)
        self._kept_count = int(self._database.rows("SELECT count(*) FROM quarantined WHERE state = 0")[0][0])
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "quarantine-writer")
        self._waiting: list[_Waiting] = []
        self._waiting_samples = 0
        self._writer: asyncio.Task[None] | None = None
        self._is_closed = False
        self._full = metrics.counter(
            "historian_quarantine_full_total", "Samples refused for good: the quarantine took no more"
        )
        metrics.gauge(
            "historian_quarantine_samples", "Samples that wait for a decision", lambda: self._kept_count
        )

    @property
    def kept_count(self) -> int:
        """Samples that wait for a decision."""
        return self._kept_count

    async def close(self) -> None:
        """Answer who still waits, and release the file; who comes later is refused."""
        self._is_closed = True
        if self._writer is not None:
            await self._writer
        self._thread.shutdown()
        self._database.close()

    async def keep(
        self, batch: SampleBatch, outcome: OutcomeColumn, source: str, arrival_us: int
    ) -> OutcomeColumn:
        """Take the samples that `outcome` says lie outside the fence; the outcomes, changed where they are taken.

        Returning means they are on disk. A sample that is kept already is taken once. Where the quarantine is full
        or cannot write, or a stamp is in no calendar, outcomes stay: those samples are refused, and counted.
        """
        is_outside = (outcome == Outcome.TIME_TOO_OLD) | (outcome == Outcome.TIME_IN_FUTURE)
        if not is_outside.any():
            return outcome
        is_kept = is_outside & (batch.time_us >= _TIME_MIN_US) & (batch.time_us <= _TIME_MAX_US)
        if is_kept.any():
            waiting = _Waiting(batch.take(is_kept), outcome[is_kept], source, arrival_us)
            is_kept[is_kept] = await self._put(waiting)
        self._full.add(int(np.count_nonzero(is_outside & ~is_kept)))
        answer = outcome.copy()
        for outside, kept in QUARANTINED.items():
            answer[is_kept & (outcome == outside)] = kept
        return answer

    async def entries(
        self,
        *,
        point_id: int | None = None,
        code: str | None = None,
        state: QuarantineState = "kept",
        after_id: int = 0,
        limit: int = 1000,
    ) -> list[QuarantinedSample]:
        """See `model.quarantine.QuarantineDesk`; an unknown code has no entries."""
        conditions, values = ["q.state = ?", "q.id > ?"], [STATES.index(state), after_id]
        if point_id is not None:
            conditions.append("q.point_id = ?")
            values.append(point_id)
        if code is not None:
            conditions.append("q.outcome = ?")
            values.append(_CODES.get(code, -1))
        statement = f"WHERE {' AND '.join(conditions)} ORDER BY q.id LIMIT ?"
        return await self._in_thread(lambda: self._select(statement, (*values, limit)))

    async def find(self, ids: Sequence[int]) -> list[QuarantinedSample]:
        """The entries of those ids that exist, whatever their state, by rising id."""

        def select() -> list[QuarantinedSample]:
            found: list[QuarantinedSample] = []
            for part in _parts(sorted(set(ids))):
                found += self._select(f"WHERE q.id IN ({_marks(part)}) ORDER BY q.id", tuple(part))
            return found

        return await self._in_thread(select)

    async def rejected(self, point_ids: Sequence[int], start_us: int, end_us: int) -> list[Rejected]:
        """See `model.quarantine.RejectedSamples`; of what was released or erased as far as it is kept as evidence."""

        def select() -> list[Rejected]:
            found: list[Rejected] = []
            for part in _parts(sorted(set(point_ids))):
                rows = self._database.rows(
                    "SELECT point_id, arrival_us, outcome FROM quarantined"  # noqa: S608 - marks only
                    f" WHERE point_id IN ({_marks(part)}) AND arrival_us >= ? AND arrival_us < ?",
                    (*part, start_us, end_us),
                )
                found += [
                    Rejected(point, came_us, REJECT_CODES[Outcome(code)]) for point, came_us, code in rows
                ]
            return found

        return await self._in_thread(select)

    async def decide(
        self,
        stored_time_us: dict[int, int | None],
        state: QuarantineState,
        decision: Decision,
        decided_us: int,
    ) -> None:
        """Close kept entries, by id with the stamp they were stored under; those not kept any more are passed over."""
        await self._in_thread(lambda: self._close_entries(stored_time_us, state, decision, decided_us))

    async def _put(self, waiting: _Waiting) -> npt.NDArray[np.bool_]:
        if self._is_closed or self._waiting_samples >= self._samples_max or not self._is_writable():
            return np.zeros(waiting.batch.sample_count, np.bool_)
        self._waiting.append(waiting)
        self._waiting_samples += waiting.batch.sample_count
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting(), name="quarantine-writer")
        return await waiting.answer

    async def _write_waiting(self) -> None:
        """Commit group after group until nobody waits."""
        while self._waiting:
            group, self._waiting, self._waiting_samples = self._waiting, [], 0
            try:
                answers = await self._in_thread(functools.partial(self._insert, group))
            except CatalogueError as error:
                log.error("quarantine_not_written", problem=error)
                answers = [np.zeros(one.batch.sample_count, np.bool_) for one in group]
            for one, answer in zip(group, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)
        self._writer = None

    def _insert(self, group: Sequence[_Waiting]) -> list[npt.NDArray[np.bool_]]:
        kept_count = self._kept_count
        answers = []
        with self._database.transaction() as connection:
            for one in group:
                answer, kept_count = self._insert_rows(connection, one.rows(), kept_count)
                answers.append(answer)
        self._kept_count = kept_count
        return answers

    def _insert_rows(
        self, connection: sqlite3.Connection, rows: list[Row], kept_count: int
    ) -> tuple[npt.NDArray[np.bool_], int]:
        at = 0
        while at < len(rows) and kept_count < self._samples_max:
            part = rows[at : at + self._samples_max - kept_count]
            before = connection.total_changes
            connection.executemany(_INSERT, part)
            kept_count += connection.total_changes - before
            at += len(part)
        is_kept = np.ones(len(rows), np.bool_)
        for index in range(at, len(rows)):  # full: what is here already still counts as kept
            is_kept[index] = connection.execute(_IS_KEPT, rows[index][:4]).fetchone() is not None
        return is_kept, kept_count

    def _close_entries(
        self,
        stored_time_us: dict[int, int | None],
        state: QuarantineState,
        decision: Decision,
        decided_us: int,
    ) -> None:
        number = STATES.index(state)
        with self._database.transaction() as connection:
            key = connection.execute(
                "INSERT INTO decision (state, decided_us, author, reason, sample_count) VALUES (?, ?, ?, ?, ?)",
                (number, decided_us, decision.author, decision.reason, len(stored_time_us)),
            ).lastrowid
            before = connection.total_changes
            connection.executemany(
                "UPDATE quarantined SET state = ?, decision = ?, stored_time_us = ? WHERE id = ? AND state = 0",
                [(number, key, stored, entry) for entry, stored in stored_time_us.items()],
            )
            closed_count = connection.total_changes - before
            connection.execute(
                "DELETE FROM quarantined WHERE state > 0 AND id <= coalesce("
                "(SELECT id FROM quarantined WHERE state > 0 ORDER BY id DESC LIMIT 1 OFFSET ?), 0)",
                (self._samples_max,),
            )
        self._kept_count -= closed_count

    def _select(self, statement: str, values: tuple[object, ...]) -> list[QuarantinedSample]:
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM quarantined q LEFT JOIN decision d ON d.id = q.decision {statement}",  # noqa: S608
            values,
        )
        return [_entry_of(row) for row in rows]

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _entry_of(row: tuple[Any, ...]) -> QuarantinedSample:
    (
        entry,
        point_id,
        time_us,
        value,
        quality,
        outcome,
        source,
        arrival_us,
        state,
        stored_us,
        decided_us,
        who,
        why,
    ) = row
    return QuarantinedSample(
        id=entry,
        point_id=point_id,
        time_us=time_us,
        value=value,
        quality=quality,
        code=REJECT_CODES[Outcome(outcome)],
        source=source,
        arrival_us=arrival_us,
        state=STATES[state],
        stored_time_us=stored_us,
        decided_us=decided_us,
        author=who or "",
        reason=why or "",
    )


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[at : at + _IDS_PER_STATEMENT] for at in range(0, len(ids), _IDS_PER_STATEMENT))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
