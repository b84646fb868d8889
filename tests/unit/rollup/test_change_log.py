"""The log of changes: in order, from any place on, bounded, and loud where something is gone."""

import sqlite3
from collections.abc import Iterator

import numpy as np
import pytest

from historian.rollup import change_log
from historian.rollup.change_log import Changes


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:")
    made.execute(change_log.SCHEMA)
    yield made
    made.close()


def some(*days: int) -> Changes:
    count = len(days)
    return Changes(
        np.full(count, 7, np.uint32), np.array(days, np.int32), np.arange(1, count + 1, dtype=np.uint32),
        np.ones(count, np.uint8),
    )  # fmt: skip


def days_from(connection: sqlite3.Connection, place: int, limit: int = 100) -> tuple[list[int], int, bool]:
    page = change_log.read(connection, place, limit)
    assert len(page.time_us) == page.changes.row_count
    return page.changes.day.tolist(), page.next_place, page.is_reset


def test_who_follows_gets_every_change_once_in_order(connection: sqlite3.Connection) -> None:
    start = change_log.end_place(connection)
    change_log.write(connection, some(1, 2, 3), 10)
    change_log.write(connection, some(4), 20)
    seen: list[int] = []
    place = start
    for _ in range(4):
        days, place, is_reset = days_from(connection, place, limit=2)
        assert not is_reset
        seen += days
    assert seen == [1, 2, 3, 4]
    change_log.write(connection, some(5), 30)
    assert days_from(connection, place)[0] == [5]
    assert change_log.read(connection, start, 9).time_us.tolist() == [10, 10, 10, 20, 30]


def test_nothing_is_logged_for_nothing(connection: sqlite3.Connection) -> None:
    change_log.write(connection, some(), 10)
    assert days_from(connection, 0) == ([], change_log.end_place(connection), False)


def test_zero_begins_with_the_oldest_and_no_place_is_the_end(connection: sqlite3.Connection) -> None:
    change_log.write(connection, some(1), 10)
    assert days_from(connection, 0)[0] == [1]
    assert days_from(connection, change_log.end_place(connection))[0] == []


def test_who_comes_too_late_is_told_so_and_gets_what_is_left(connection: sqlite3.Connection) -> None:
    place = change_log.end_place(connection)
    for day in range(6):
        change_log.write(connection, some(day, day), 10, kept_max=4)
    days, following, is_reset = days_from(connection, place)
    assert (days, is_reset) == ([4, 4, 5, 5], True)
    assert days_from(connection, following) == ([], following, False)


def test_a_place_that_never_was_is_a_reset(connection: sqlite3.Connection) -> None:
    change_log.write(connection, some(1), 10)
    assert days_from(connection, 1 << 40)[::2] == ([1], True)
