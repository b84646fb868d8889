"""Matrices, their columns and their memory."""

import numpy as np
import pytest

from historian.store import grid_kernels
from historian.store.grid import ROWS_MAX, ROWS_MIN, Grid
from tests.support.store_kit import QUARTER_US

SECOND_US = 1_000_000


@pytest.mark.parametrize(
    ("hours", "interval_us", "expected"),
    [
        pytest.param(48, QUARTER_US, 194, id="48 hours and two to spare"),
        pytest.param(48, 4 * QUARTER_US, 50, id="hourly"),
        pytest.param(1, 24 * QUARTER_US, ROWS_MIN, id="few"),
        pytest.param(48, SECOND_US, ROWS_MAX, id="faster than ten seconds"),
    ],
)
def test_row_count(hours: int, interval_us: int, expected: int) -> None:
    assert Grid(hours).row_count(interval_us) == expected


def test_points_of_one_interval_share_a_matrix() -> None:
    grid = Grid(1)
    places = grid.make_columns(np.array([QUARTER_US, SECOND_US, QUARTER_US]))
    assert places[0] >> 32 == places[2] >> 32 != places[1] >> 32
    assert [place & grid_kernels.COLUMN_MASK for place in places.tolist()] == [0, 0, 1]
    assert [grid.interval_of(place) for place in places.tolist()] == [QUARTER_US, SECOND_US, QUARTER_US]


def test_later_points_get_columns_of_their_own() -> None:
    grid = Grid(1)
    places = [int(grid.make_columns(np.array([QUARTER_US]))[0]) for _ in range(50)]
    assert len(set(places)) == 50
    assert len({place >> 32 for place in places}) < 20


def test_a_further_matrix_moves_nobody() -> None:
    grid = Grid(1)
    first = grid.make_columns(np.full(100, QUARTER_US))
    base = grid.matrices[0][0, grid_kernels.BASE]
    values = grid.matrices[2]
    [place] = grid.make_columns(np.array([QUARTER_US])).tolist()
    assert (place >> 32, place & grid_kernels.COLUMN_MASK) == (1, 0)
    assert first[0] >> 32 == 0
    assert grid.matrices[0][0, grid_kernels.BASE] == base
    assert grid.matrices[2] is values
    assert grid.make_columns(np.full(24, QUARTER_US))[-1] >> 32 == 1


def test_growing_takes_all_samples_along() -> None:
    grid = Grid(1)
    place = int(grid.make_columns(np.array([QUARTER_US]))[0])
    point = np.array([[-1, 0, place, 0]])
    times = np.arange(20, dtype=np.int64) * QUARTER_US
    ids, rest = np.zeros(20, np.uint32), np.empty(20, np.int64)
    columns = (times / 1e9, np.arange(20, dtype=np.uint16))
    grid_kernels.insert(ids, times, *columns, True, point, grid.matrices, rest)
    for interval_us in (SECOND_US, QUARTER_US, QUARTER_US):
        grid.make_columns(np.full(10, interval_us))
        to = (np.empty(16, np.int64), np.empty(16), np.empty(16, np.uint16))
        args = (ids[:1], point, grid.matrices, 0, times[-1] + 1)
        grid_kernels.copy_between(*args, np.zeros(1, np.int64), to)
        assert to[0].tolist() == times[4:].tolist()
        assert to[1].tolist() == columns[0][4:].tolist()
        assert to[2].tolist() == columns[1][4:].tolist()


def test_size_counts_eleven_bytes_a_slot() -> None:
    grid = Grid(48)
    grid.make_columns(np.full(10, QUARTER_US))
    assert grid.size_bytes == 10 * 194 * 11
