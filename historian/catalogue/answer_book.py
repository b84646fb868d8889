"""Answers to requests that came with a key of their sender, so that the same request again gets the same answer.

    key   digest of the key and of what it is for      digest   of the whole request
    began_us   the time that stands for "now" in it    answer   NULL while none was given

An answer is on disk before it is given, and after the samples it speaks of. Whoever dies between the two leaves samples
without an answer: sent again they are taken anew, and equal samples are duplicates. Where "now" is part of what is
stored, the entry is on disk before the samples, too, and the second time takes the first one's.
"""

import asyncio
import concurrent.futures
import functools
import hashlib
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from historian.catalogue.database import Database
from historian.clock import Clock
from historian.errors import HistorianError, KeyReused, KeyUnderWay
from historian.metrics import Metrics

KEPT_US: Final = 24 * 3_600_000_000
RETRY_AFTER_S: Final = 1  # to whom asks while the first request is under way
FORGOTTEN_AT_ONCE_MAX: Final = 200  # old entries that one commit removes, so that none is long

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answer (
  number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, digest BLOB NOT NULL, began_us INTEGER NOT NULL,
  answer BLOB
) STRICT
"""
_PUT: Final = "INSERT INTO answer (key, digest, began_us, answer) VALUES (?, ?, ?, ?)"
_DROP: Final = "DELETE FROM answer WHERE key = ?"
_FORGET: Final = "DELETE FROM answer WHERE number IN (SELECT number FROM answer ORDER BY number LIMIT ?)"
_FORGET_OLD: Final = f"{_FORGET} AND began_us <= ?"
_KEY_BYTES: Final = 16

T = TypeVar("T")


class Answered(NamedTuple):
    """What was answered, and whether that was an earlier time."""

    answer: bytes
    is_repeated: bool


class _Entry(NamedTuple):
    key: bytes
    digest: bytes
    began_us: int
    answer: bytes | None


class AnswerBook:
    """Keeps answers for 24 h, at most `keys_max` of them. The file is touched by a thread of its own only.

    Raises CatalogueError and FormatTooNew at opening.
    """

    def __init__(self, path: Path, clock: Clock, keys_max: int, metrics: Metrics) -> None:
        self._clock = clock
        self._keys_max = keys_max
        self._database = Database(path, SCHEMA, is_synced=True)
        self._count = int(self._database.rows("SELECT count(*) FROM answer")[0][0])
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "answer-writer")
        self._under_way: dict[bytes, bytes] = {}
        self._waiting: list[tuple[_Entry, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._forgotten = metrics.counter(
            "historian_idempotency_keys_forgotten_total",
            "Keys given up before their 24 h, because more came than are kept",
        )
        self._repeated = metrics.counter(
            "historian_idempotency_repeats_total", "Requests answered with what was answered before"
        )
        metrics.gauge(
            "historian_idempotency_keys", "Keys of requests that are remembered", lambda: self._count
        )

    async def close(self) -> None:
        """Write what waits, and release the file."""
        if self._writer is not None:
            await self._writer
        self._thread.shutdown()
        self._database.close()

    async def once(
        self,
        key: str,
        digest: bytes,
        work: Callable[[int], Awaitable[bytes]],
        *,
        depends_on_now: bool = False,
    ) -> Answered:
        """The answer that was given under this key, or that of `work`, which is given the time to take for now.

        Raises KeyReused where the key stood for another digest, KeyUnderWay where its first request is not answered yet, and
        what `work` raises: then nothing is kept.
        """
        name = hashlib.blake2b(key.encode(), digest_size=_KEY_BYTES).digest()
        first = self._under_way.get(name)
        if first is not None:
            raise KeyUnderWay(RETRY_AFTER_S) if first == digest else KeyReused()
        self._under_way[name] = digest
        try:
            return await self._once(name, digest, work, depends_on_now)
        finally:
            del self._under_way[name]

    async def _once(
        self, key: bytes, digest: bytes, work: Callable[[int], Awaitable[bytes]], depends_on_now: bool
    ) -> Answered:
        kept = await self._in_thread(lambda: self._find(key))
        if kept is not None and kept.digest != digest:
            raise KeyReused()
        if kept is not None and kept.answer is not None:
            self._repeated.add()
            return Answered(kept.answer, True)
        entry = kept or _Entry(key, digest, self._clock.now_us(), None)
        if kept is None and depends_on_now:
            await self._put(entry)
        answer = await work(entry.began_us)
        await self._put(entry._replace(answer=answer))
        return Answered(answer, False)

    def _find(self, key: bytes) -> _Entry | None:
        rows = self._database.rows(
            "SELECT key, digest, began_us, answer FROM answer WHERE key = ? AND began_us > ?",
            (key, self._clock.now_us() - KEPT_US),
        )
        return _Entry(*rows[0]) if rows else None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _put(self, entry: _Entry) -> None:
        """On disk when this returns; what waits together shares one commit."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting(), name="answer-writer")
        await done

    async def _write_waiting(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            entries = [entry for entry, _ in group]
            fault: Exception | None = None
            try:
                await self._in_thread(functools.partial(self._write, entries))
            except HistorianError as error:
                fault = error
            for _, done in group:
                if done.done():
                    continue  # the sender went away
                if fault is None:
                    done.set_result(None)
                else:
                    done.set_exception(fault)
        self._writer = None

    def _write(self, entries: Sequence[_Entry]) -> None:
        keys = [(entry.key,) for entry in entries]
        with self._database.transaction() as connection:
            replaced = _changed(connection, lambda: connection.executemany(_DROP, keys))
            too_old_us = self._clock.now_us() - KEPT_US
            old = _changed(
                connection, lambda: connection.execute(_FORGET_OLD, (FORGOTTEN_AT_ONCE_MAX, too_old_us))
            )
            count = self._count - replaced - old + len(entries)
            excess = min(max(0, count - self._keys_max), FORGOTTEN_AT_ONCE_MAX + len(entries))
            given_up = _changed(connection, lambda: connection.execute(_FORGET, (excess,)))
            connection.executemany(_PUT, entries)
        self._count = count - given_up
        self._forgotten.add(given_up)


def _changed(connection: sqlite3.Connection, change: Callable[[], object]) -> int:
    """How many rows a statement changed."""
    before = connection.total_changes
    change()
    return connection.total_changes - before
