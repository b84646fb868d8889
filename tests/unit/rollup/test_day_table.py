"""Day figures come back from disk as they went."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from historian.rollup import day_key
from historian.rollup.day_figure import DayFigure
from historian.rollup.day_table import DayTable

NOTHING = np.empty(0, np.int64)


def make_figure(point_id: int = 1, day: int = 700_000, **changes: object) -> DayFigure:
    figure = DayFigure(
        point_id=point_id,
        day=day,
        start_us=10,
        end_us=20,
        total_numerator=2**80 + 1,
        total_denominator=3 * 2**70,
        known_us=10,
        ranked_numerator=2**80,
        ranked_denominator=2**63,
        ranked_us=9,
        max_value=0.1,
        max_start_us=11,
        max_end_us=12,
        min_value=-0.1,
        min_start_us=13,
        min_end_us=14,
        expected_count=6,
        received_count=5,
        good_count=4,
        measured_count=3,
        estimated_count=2,
        manual_count=1,
        is_complete=True,
        time_zone="Asia/Seoul",
        unit="kWh",
        kind="interval",
        interval_us=900,
        multiplier=1.5,
        revision=1,
        computed_at_us=99,
    )
    return figure._replace(**changes)  # type: ignore[arg-type]


@pytest.fixture
def table(tmp_path: Path) -> Iterator[DayTable]:
    made = DayTable(tmp_path / "figures.db")
    yield made
    made.close()


def test_a_figure_comes_back_as_it_went(table: DayTable) -> None:
    full = make_figure()
    bare = make_figure(
        day=700_001, max_value=None, max_start_us=None, max_end_us=None, min_value=None,
        min_start_us=None, min_end_us=None, is_complete=False, total_numerator=-(2**62), total_denominator=1,
        ranked_numerator=None, ranked_denominator=None, ranked_us=None,
    )  # fmt: skip
    table.store([full, bare], [], NOTHING)
    assert table.load([1, 2], 700_000, 700_002) == [{700_000: full, 700_001: bare}, {}]


def test_only_days_of_the_range_are_loaded(table: DayTable) -> None:
    table.store([make_figure(day=day) for day in (4, 5, 6, 7)], [], NOTHING)
    assert list(table.load([1], 5, 7)[0]) == [5, 6]
    assert table.days_kept(1, 5, 7) == [5, 6]


def test_a_newer_figure_takes_the_place_of_the_older(table: DayTable) -> None:
    older = make_figure()
    newer = make_figure(revision=2, max_value=7.0)
    table.store([older], [], NOTHING)
    table.store([newer], [older], NOTHING)
    assert table.load([1], 0, 10**6) == [{700_000: newer}]
    assert table.load_history(1, 0, 10**6) == [older]


def test_history_is_in_order_of_day_and_revision(table: DayTable) -> None:
    versions = [make_figure(day=day, revision=revision) for day in (2, 1) for revision in (2, 1)]
    table.store([], versions, NOTHING)
    assert [(one.day, one.revision) for one in table.load_history(1, 0, 9)] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
    ]


def test_dirty_marks_are_cleared_with_the_figures_that_answer_them(table: DayTable) -> None:
    keys = day_key.pack_pairs([(1, 5), (1, 6), (2, 5)])
    table.mark_dirty(keys)
    table.mark_dirty(keys[:1])
    table.store([make_figure(day=5)], [], keys[:2])
    assert table.load_dirty().tolist() == keys[2:].tolist()


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    table = DayTable(tmp_path / "figures.db")
    table.store([make_figure()], [], NOTHING)
    table.mark_dirty(day_key.pack_pairs([(3, 4)]))
    table.close()
    again = DayTable(tmp_path / "figures.db")
    assert again.load([1], 0, 10**6) == [{700_000: make_figure()}]
    assert day_key.unpack_pairs(again.load_dirty()) == [(3, 4)]
    again.close()


def test_a_new_table_has_nothing(table: DayTable) -> None:
    assert len(table.load_dirty()) == len(table.keys_kept()) == 0


def test_keys_of_all_figures(table: DayTable) -> None:
    table.store([make_figure(2, 5), make_figure(1, 9)], [], NOTHING)
    assert day_key.unpack_pairs(table.keys_kept()) == [(1, 9), (2, 5)]


@pytest.mark.parametrize("numerator", [10**17, 10**18, 2**63 - 1, 2**63, -(10**18), -(2**63)])
def test_sums_around_64_bits(table: DayTable, numerator: int) -> None:
    figure = make_figure(total_numerator=numerator, ranked_numerator=numerator - 1)
    table.store([figure], [], NOTHING)
    assert table.load([1], 0, 10**6) == [{700_000: figure}]


def test_a_table_of_an_earlier_version_gets_the_columns_it_lacks(tmp_path: Path) -> None:
    table = DayTable(tmp_path / "figures.db")
    table.store([make_figure()], [make_figure(revision=0)], NOTHING)
    table.close()
    connection = sqlite3.connect(tmp_path / "figures.db")
    for name in ("ranked_numerator", "ranked_denominator", "ranked_us"):
        for kept in ("day_figure", "day_figure_history"):
            connection.execute(f"ALTER TABLE {kept} DROP COLUMN {name}")
    connection.commit()
    connection.close()
    again = DayTable(tmp_path / "figures.db")
    expected = make_figure(ranked_numerator=None, ranked_denominator=None, ranked_us=None)
    assert again.load([1], 0, 10**6) == [{700_000: expected}]
    assert again.load_history(1, 0, 10**6) == [expected._replace(revision=0)]
    again.close()
