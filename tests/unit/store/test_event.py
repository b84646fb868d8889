"""Circular rows: made, and kept when the columns grow."""

import numpy as np

from historian.store import event_kernels
from historian.store.event import Events, grown


def put(events: Events, row: int, time: int) -> None:
    at = event_kernels.take_place(*events.circles, row, time, True)
    events.circles[1][at] = time


def times_of(events: Events, row: int) -> list[int]:
    to = (np.full(9, -1), np.empty(9), np.empty(9, np.uint16))
    event_kernels.copy_between(events.circles, row, 0, 999, to, 0)
    return [time for time in to[0].tolist() if time >= 0]


def test_rows_are_numbered_on() -> None:
    events = Events()
    assert events.make_rows(np.array([4, 2])).tolist() == [0, 1]
    assert events.make_rows(np.array([3])).tolist() == [2]


def test_growing_keeps_what_rows_hold() -> None:
    events = Events()
    events.make_rows(np.array([3, 3]))
    for time in range(5):
        put(events, 0, time)
        put(events, 1, 10 + time)
    for _ in range(20):
        events.make_rows(np.array([3]))
    assert times_of(events, 0) == [2, 3, 4]
    assert times_of(events, 1) == [12, 13, 14]
    assert times_of(events, 5) == []
    assert events.size_bytes >= 22 * 3 * 18


def test_a_grown_column_is_filled() -> None:
    assert grown(np.array([1, 2]), 4, 7).tolist() == [1, 2, 7, 7]
    assert grown(np.zeros((1, 2), np.int64), 2, 7).tolist() == [[0, 0], [7, 7]]
