"""Figures become columns and come back; property tests do it for any figure."""

import numpy as np

from historian.rollup import figure_columns
from historian.rollup.definitions import Definitions
from tests.unit.rollup.test_day_table import make_figure


def test_wide_sums_follow_their_rows() -> None:
    definitions = Definitions()
    narrow = make_figure(2, total_numerator=5, total_denominator=4, ranked_numerator=3, ranked_denominator=8)
    columns = figure_columns.of_figures([make_figure(), narrow, make_figure(3)], definitions)
    assert sorted(columns.wide) == [0, 2]
    assert columns.exact_sums(1) == (10, 3, 8)
    taken = columns.take(np.array([2, 1]))
    assert sorted(taken.wide) == [0]
    assert figure_columns.to_figures(taken, definitions) == [make_figure(3), narrow]


def test_parts_are_joined_in_order() -> None:
    definitions = Definitions()
    parts = [figure_columns.of_figures([make_figure(number)], definitions) for number in (1, 2)]
    joined = figure_columns.join([parts[1], figure_columns.allocate(0), parts[0]])
    assert figure_columns.to_figures(joined, definitions) == [make_figure(2), make_figure(1)]
    assert figure_columns.join([]).row_count == 0


def test_a_figure_without_extremes_has_no_slots() -> None:
    bare = make_figure(
        max_value=None, max_start_us=None, max_end_us=None, min_value=None, min_start_us=None, min_end_us=None
    )
    definitions = Definitions()
    columns = figure_columns.of_figures([bare], definitions)
    assert (columns.max_slot[0], columns.min_slot[0]) == (255, 255)
    assert figure_columns.to_figures(columns, definitions) == [bare]
