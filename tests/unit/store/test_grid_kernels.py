"""One matrix: slots, rows, what is on the grid."""

import numpy as np
import pytest

from historian.store import grid_kernels
from historian.store.grid import Grid
from historian.store.grid_kernels import HEAD, OFF_GRID, RECENT_PHASE, Matrices

STEP = 300_000_000  # 5 minutes: 16 rows with one hour
IDS = np.array([0, 1], np.uint32)


def made() -> tuple[np.ndarray, Matrices]:
    """Two points of one class, and their matrices."""
    grid = Grid(1)
    places = grid.make_columns(np.array([STEP, STEP]))
    return np.array([[-1, -(1 << 63), place, 0] for place in places.tolist()]), grid.matrices


def put(
    point: np.ndarray, matrices: Matrices, ids: list[int], times: list[int], is_replacing: bool = True
) -> list[int]:
    """Insert; gives back the positions that are off the grid."""
    rest = np.empty(len(ids), np.int64)
    count = grid_kernels.insert(
        np.array(ids, np.uint32),
        np.array(times, np.int64),
        np.arange(1.0, len(ids) + 1),
        np.zeros(len(ids), np.uint16),
        is_replacing,
        point,
        matrices,
        rest,
    )
    return rest[:count].tolist()


def values(point: np.ndarray, matrices: Matrices, start: int, end: int) -> list[list[float]]:
    counts = np.zeros(2, np.int64)
    grid_kernels.count_between(IDS, point, matrices, start, end, counts)
    to = (np.empty(counts.sum(), np.int64), np.empty(counts.sum()), np.empty(counts.sum(), np.uint16))
    grid_kernels.copy_between(IDS, point, matrices, start, end, np.array([0, counts[0]]), to)
    return [to[1][: counts[0]].tolist(), to[1][counts[0] :].tolist()]


def test_the_first_sample_sets_the_phase() -> None:
    point, matrices = made()
    assert put(point, matrices, [0, 1], [7, STEP + 9]) == []
    assert point[:, grid_kernels.PHASE].tolist() == [7, 9]


def test_what_is_off_the_grid_is_left_to_others_but_counts_as_newest() -> None:
    point, matrices = made()
    assert put(point, matrices, [0, 0, 0], [7, STEP + 7, 2 * STEP + 8]) == [2]
    assert point[0, grid_kernels.NEWEST] == 2 * STEP + 8
    assert values(point, matrices, 0, 9 * STEP)[0] == [1.0, 2.0]


def test_before_1970_slots_have_negative_numbers() -> None:
    point, matrices = made()
    assert put(point, matrices, [0, 0], [-STEP, 0]) == []
    assert values(point, matrices, -STEP, 1)[0] == [1.0, 2.0]


def test_a_series_wraps_around_the_rows() -> None:
    point, matrices = made()
    put(point, matrices, [0] * 40, [n * STEP for n in range(40)])
    assert values(point, matrices, 0, 99 * STEP)[0] == [float(n) for n in range(25, 41)]


def test_an_older_sample_stays_below_one_that_is_there() -> None:
    point, matrices = made()
    put(point, matrices, [0], [0])
    put(point, matrices, [1, 0, 0], [0, 0, STEP], is_replacing=False)
    assert values(point, matrices, 0, 2 * STEP) == [[1.0, 3.0], [1.0]]


def test_taking_a_row_for_a_new_slot_forgets_the_old_one() -> None:
    point, matrices = made()
    put(point, matrices, [0, 1], [0, 0])
    put(point, matrices, [0], [16 * STEP])
    assert values(point, matrices, 0, 99 * STEP) == [[1.0], []]


def test_a_row_the_class_is_past_does_not_count_before_it_is_taken() -> None:
    point, matrices = made()
    put(point, matrices, [0, 1], [0, 0])
    put(point, matrices, [0], [17 * STEP])  # takes row 1; slot 0 still stands in row 0
    assert grid_kernels.find_row(matrices[0], matrices[1], 0, 0) == -1


@pytest.mark.parametrize(("start", "end"), [(s, e) for s in range(-2, 5) for e in range(-2, 5)])
def test_a_slot_range_is_what_lies_in_the_span(start: int, end: int) -> None:
    point, matrices = made()
    put(point, matrices, [0, 0], [10, 2 * STEP + 10])
    table = matrices[0]
    for shift in (0, 10, 11):
        span = (start * STEP + shift, end * STEP + shift)
        first, last = grid_kernels.slot_range(table, 0, 10, *span)
        wanted = [n for n in range(-13, 3) if span[0] <= n * STEP + 10 < span[1]]
        assert list(range(first, last)) == wanted


def test_an_empty_class_has_no_floor_and_no_slots() -> None:
    _, matrices = made()
    assert grid_kernels.matrix_floor(matrices[0], 0, -1) == grid_kernels.LOWEST
    assert grid_kernels.matrix_floor(matrices[0], 0, 5) == grid_kernels.LOWEST
    assert grid_kernels.slot_range(matrices[0], 0, 5, -(1 << 63), (1 << 63) - 1) == (0, 0)
    assert matrices[0][0, HEAD] == matrices[0][0, RECENT_PHASE] == grid_kernels.NEVER


def test_a_time_between_slots_takes_no_row() -> None:
    _, matrices = made()
    table, row_slot, _, _, mark = matrices
    assert grid_kernels.take_row_at(table, row_slot, mark, 0, 0, 5) == OFF_GRID
    assert grid_kernels.find_row_at(table, row_slot, 0, 0, 5) == -1


def test_a_stretch_ends_where_class_or_phase_change() -> None:
    point, _ = made()
    point = np.vstack([point, point, point[:1]])
    point[:, grid_kernels.PHASE] = [0, 0, 0, 7, 7]
    point[4, grid_kernels.PLACE] = -2
    ids = np.arange(5, dtype=np.uint32)
    assert [grid_kernels.stretch_end(ids, first, point) for first in range(4)] == [3, 3, 3, 4]
