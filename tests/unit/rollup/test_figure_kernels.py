"""Cells: what must be made, what a made figure changes."""

import numpy as np

from historian.energy import fleet
from historian.energy.fleet import Ask, Asked
from historian.energy.steady_kernels import Figures
from historian.model.point import MINUTE_US, PointKind
from historian.model.sample import SampleRun, block_of
from historian.rollup import day_key, figure_kernels, frames
from historian.rollup.figure_kernels import (
    CHANGED,
    EMPTY,
    FIGURE,
    NOTHING,
    REPLACED,
    SAME,
    UNSURE,
    Cells,
    Place,
)

DAY = 700_000  # a window begins with it
QUARTER_US = 15 * MINUTE_US
WANTED = np.full(2, 7, np.int32)
DAYS = np.array([DAY, DAY + 1], np.int64)
PLACE = Place(np.zeros((1, 1), np.int32), np.zeros(2, np.int64), np.array([3, 200]), DAY // 32)


def figures(*values: float) -> Figures:
    """Two points and days of one sample each, or of none for NaN."""
    runs = []
    for row in range(2):
        pairs = [(day * 86_400_000_000, value) for day, value in enumerate(values[2 * row : 2 * row + 2])]
        there = [pair for pair in pairs if pair[1] == pair[1]]
        times, numbers = (np.array([pair[part] for pair in there]) for part in (0, 1))
        runs.append(
            SampleRun(
                row, times.astype(np.int64), numbers.astype(np.float64), np.zeros(len(there), np.uint16)
            )
        )
    edges = [np.arange(97, dtype=np.int64) * QUARTER_US + day * 86_400_000_000 for day in range(2)]
    return fleet.day_figures(
        block_of(runs), Asked.of([Ask(PointKind.INTERVAL, QUARTER_US, 1.0)] * 2), edges
    ).figures


def put(cells: Cells, made: Figures, revision: int, computed_at_us: int) -> None:
    rows = Figures(*(column.reshape(-1) for column in made))
    cell = np.array([(3 << 5), (3 << 5) | 1, (200 << 5), (200 << 5) | 1])
    figure_kernels.put_rows(
        np.zeros(4, np.int32), cell, np.full(4, 7, np.int32), rows, np.full(4, revision, np.uint32),
        np.full(4, computed_at_us, np.int64), cells,
    )  # fmt: skip


def judge(cells: Cells, made: Figures) -> tuple[list[list[int]], list[list[int]]]:
    verdict, revision = np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint32)
    ends_us = np.array([100, 200], np.int64)
    figure_kernels.judge(
        made, np.ones((2, 2), np.uint8), PLACE, DAYS, ends_us, WANTED, cells, verdict, revision
    )
    return verdict.tolist(), revision.tolist()


def test_new_figures_are_changes_and_nothing_is_nothing() -> None:
    verdict, revision = judge(frames.make_cells(1), figures(1.0, np.nan, np.nan, 2.0))
    assert verdict == [[CHANGED, EMPTY], [EMPTY, CHANGED]]
    assert revision == [[1, 1], [1, 1]]


def test_only_what_differs_changes_and_what_was_told_of_a_day_that_was_over_is_replaced() -> None:
    cells = frames.make_cells(1)
    put(cells, figures(1.0, 2.0, 3.0, 4.0), 5, 150)
    verdict, revision = judge(cells, figures(1.5, 2.5, 3.0, np.nan))
    assert verdict == [[REPLACED, CHANGED], [SAME, CHANGED]]
    assert revision[0] == [6, 6]


def test_another_definition_or_wide_sums_are_not_for_kernels() -> None:
    cells = frames.make_cells(1)
    put(cells, figures(1.0, 2.0, 3.0, 4.0), 1, 0)
    cells.definition[0, 3 << 5] = 8
    cells.denominator[0, (200 << 5) | 1] = 0
    assert judge(cells, figures(1.0, 2.0, 3.0, 4.0))[0] == [[UNSURE, SAME], [SAME, UNSURE]]


def test_what_is_unknown_dirty_or_of_another_definition_is_wrong() -> None:
    cells = frames.make_cells(1)
    put(cells, figures(1.0, 2.0, 3.0, 4.0), 1, 0)
    cells.state[0, 3 << 5] = NOTHING
    cells.definition[0, (3 << 5) | 1] = 8
    is_wrong = np.zeros((2, 3), np.uint8)
    count = figure_kernels.find_wrong(cells.state, cells.definition, PLACE, DAY, WANTED, is_wrong)
    assert (count, is_wrong.tolist()) == (3, [[0, 1, 1], [0, 0, 1]])
    keys = day_key.pack_pairs([(1, DAY - 1), (1, DAY), (1, DAY + 3), (9, DAY + 1)])
    assert figure_kernels.mark_dirty(keys, np.array([9, 1]), DAY, is_wrong) == 2
    assert is_wrong.tolist() == [[0, 1, 1], [1, 0, 1]]


def test_a_lower_revision_does_not_take_the_place_of_a_higher_one() -> None:
    cells = frames.make_cells(1)
    put(cells, figures(1.0, 2.0, 3.0, 4.0), 5, 0)
    put(cells, figures(9.0, 9.0, 9.0, 9.0), 4, 0)
    assert cells.total_numerator[0, 3 << 5] == 1
    put(cells, figures(9.0, 9.0, 9.0, 9.0), 5, 0)
    assert cells.total_numerator[0, 3 << 5] == 9


def test_a_state_is_set_where_chosen() -> None:
    cells = frames.make_cells(1)
    chosen = np.array([[0, 1], [0, 0]], np.uint8)
    figure_kernels.set_state(PLACE, DAYS, chosen, FIGURE, WANTED, cells.state, cells.definition)
    assert np.flatnonzero(cells.state[0]).tolist() == [(3 << 5) | 1]
    assert cells.definition[0, (3 << 5) | 1] == 7
