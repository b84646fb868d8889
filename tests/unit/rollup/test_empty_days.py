"""Days of which nothing is known hold until points change."""

import numpy as np
import pytest

from historian.rollup import empty_days
from historian.rollup.empty_days import EmptyDays

KEYS = np.array([3, 5, 9], np.int64)


def test_what_was_put_in_is_there() -> None:
    days = EmptyDays()
    days.keys(1)
    days.add(KEYS, 1)
    days.discard(KEYS[1:2])
    assert days.keys(1).tolist() == [3, 9]


def test_all_leave_when_points_change() -> None:
    days = EmptyDays()
    days.keys(1)
    days.add(KEYS, 1)
    assert days.keys(2).tolist() == []


def test_what_was_found_with_points_of_before_is_not_taken() -> None:
    days = EmptyDays()
    days.keys(2)
    days.add(KEYS, 1)
    assert days.keys(2).tolist() == []


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(empty_days, "KEYS_MAX", 4)
    days = EmptyDays()
    days.keys(1)
    days.add(KEYS, 1)
    days.add(np.array([11, 12], np.int64), 1)
    assert days.keys(1).tolist() == [11, 12]
    days.add(np.arange(20, 30), 1)
    assert len(days.keys(1)) == 4
