"""Kept figures: the highest version of each, kinds apart, columns as they were put."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from historian.store.rollup_table import RollupTable


@pytest.fixture
def table(tmp_path: Path) -> Iterator[RollupTable]:
    table = RollupTable(tmp_path / "figures")
    yield table
    table.close()


def put(
    table: RollupTable, version: int, keys: list[tuple[int, int]], kind: str = "day", **columns: Any
) -> None:
    """Figures of (point, period) keys."""
    ids, periods = zip(*keys, strict=True)
    table.put(kind, np.array(ids, np.uint32), np.array(periods, np.int64), columns, version)


def get(table: RollupTable, ids: list[int], first: int = 0, last: int = 100, kind: str = "day") -> list[Any]:
    """(point, period, energy) of each."""
    found = table.get(kind, ids, first, last)
    energy = found.columns.get("energy", np.empty(0)).tolist()
    return list(zip(found.point_id.tolist(), found.period.tolist(), energy, strict=True))


def test_the_highest_version_is_read_whenever_it_came(table: RollupTable) -> None:
    put(table, 5, [(1, 10), (2, 10)], energy=np.array([1.0, 2.0]))
    put(table, 4, [(1, 10), (3, 10)], energy=np.array([9.0, 3.0]))
    put(table, 6, [(2, 10)], energy=np.array([2.5]))
    assert get(table, [1, 2, 3]) == [(1, 10, 1.0), (2, 10, 2.5), (3, 10, 3.0)]


def test_replay_changes_nothing_and_of_equal_versions_the_later_is_read(table: RollupTable) -> None:
    for energy in (1.0, 1.0, 1.5):
        put(table, 5, [(1, 10)], energy=np.array([energy]))
    assert get(table, [1]) == [(1, 10, 1.5)]


def test_rows_are_sorted_and_the_end_is_not_inside(table: RollupTable) -> None:
    put(table, 1, [(2, 11), (1, 12), (1, 10), (2, 10)], energy=np.array([4.0, 3.0, 1.0, 2.0]))
    assert get(table, [2, 1]) == [(1, 10, 1.0), (1, 12, 3.0), (2, 10, 2.0), (2, 11, 4.0)]
    assert get(table, [2, 1], 10, 12) == [(1, 10, 1.0), (2, 10, 2.0), (2, 11, 4.0)]


def test_kinds_lie_apart(table: RollupTable) -> None:
    put(table, 5, [(1, 10)], energy=np.array([1.0]))
    put(table, 9, [(1, 10)], "month", energy=np.array([30.0]))
    assert (get(table, [1]), get(table, [1], kind="month")) == ([(1, 10, 1.0)], [(1, 10, 30.0)])
    assert get(table, [1], kind="year") == []


def test_columns_come_back_with_their_types_and_bits(table: RollupTable) -> None:
    columns: dict[str, Any] = {
        "energy": np.array([-0.0, np.nan]),
        "state": np.array([255, 0], np.uint8),
        "start_us": np.array([-(1 << 63), (1 << 63) - 1], np.int64),
        "method": np.array(["sum", "mean"]),
    }
    put(table, 1, [(1, 10), (1, 11)], **columns)
    found = table.get("day", [1], 0, 100).columns
    assert {name: column.dtype for name, column in found.items()} == {
        name: column.dtype for name, column in columns.items()
    }
    assert all(found[name].tobytes() == column.tobytes() for name, column in columns.items())


def test_columns_are_those_that_every_row_has(table: RollupTable) -> None:
    put(table, 1, [(1, 10)], energy=np.array([1.0]), older=np.array([1]))
    put(table, 1, [(1, 11)], energy=np.array([2], np.int64), newer=np.array([1]))
    found = table.get("day", [1], 0, 100)
    assert list(found.columns) == ["energy"]
    assert found.columns["energy"].dtype == np.float64
    assert found.columns["energy"].tolist() == [1.0, 2.0]
