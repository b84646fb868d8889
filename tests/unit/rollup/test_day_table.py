"""Day figures come back from disk as they went: through the log, the blocks and the history."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from historian.energy import calendar
from historian.errors import CatalogueError
from historian.model.point import MINUTE_US
from historian.model.timestamp import load_zone
from historian.rollup import day_key, day_table, figure_columns
from historian.rollup.day_figure import DayFigure
from historian.rollup.day_key import KeyColumn
from historian.rollup.day_table import DayTable
from historian.rollup.definitions import Definitions

NOTHING = np.empty(0, np.int64)
ZONE = load_zone("Asia/Seoul")
QUARTER_US = 15 * MINUTE_US
FIRST = 700_000  # a window begins with it


def make_figure(point_id: int = 1, day: int = FIRST, **changes: object) -> DayFigure:
    figure = DayFigure(
        point_id=point_id,
        day=day,
        start_us=calendar.day_start_us(datetime.date.fromordinal(day), ZONE),
        end_us=calendar.day_start_us(datetime.date.fromordinal(day + 1), ZONE),
        total_numerator=2**80 + 1,
        total_denominator=3 * 2**70,
        known_us=10,
        ranked_numerator=2**80 + 3,
        ranked_denominator=2**63,
        ranked_us=9,
        max_value=0.1,
        max_start_us=calendar.day_start_us(datetime.date.fromordinal(day), ZONE),
        max_end_us=calendar.day_start_us(datetime.date.fromordinal(day), ZONE) + QUARTER_US,
        min_value=-0.1,
        min_start_us=calendar.day_start_us(datetime.date.fromordinal(day), ZONE) + QUARTER_US,
        min_end_us=calendar.day_start_us(datetime.date.fromordinal(day), ZONE) + 2 * QUARTER_US,
        expected_count=96,
        received_count=5,
        good_count=4,
        measured_count=3,
        estimated_count=2,
        manual_count=1,
        is_complete=True,
        input_digest=-5,
        time_zone="Asia/Seoul",
        unit="kWh",
        kind="interval",
        interval_us=QUARTER_US,
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


def store(
    table: DayTable,
    figures: list[DayFigure],
    replaced: list[DayFigure] | None = None,
    cleaned: KeyColumn = NOTHING,
) -> None:
    table.store(
        figure_columns.of_figures(figures, table.definitions),
        figure_columns.of_figures(replaced or [], table.definitions),
        cleaned,
    )


def logged(table: DayTable) -> list[DayFigure]:
    return [
        figure for part in table.load_log() for figure in figure_columns.to_figures(part, table.definitions)
    ]


def history(table: DayTable, point_id: int, first_day: int, last_day: int) -> list[DayFigure]:
    return figure_columns.to_figures(table.load_history(point_id, first_day, last_day), table.definitions)


def test_what_is_stored_is_in_the_log_in_its_order(table: DayTable) -> None:
    newer = make_figure(revision=2)
    store(table, [make_figure()])
    store(table, [newer, make_figure(2)])
    assert logged(table) == [make_figure(), newer, make_figure(2)]


def test_a_block_holds_its_figures_until_it_is_written_again(table: DayTable) -> None:
    figures = figure_columns.of_figures([make_figure(1, day) for day in (64, 65, 95)], table.definitions)
    [(name, part)] = day_table.split(figures)
    assert name == (0, 2)
    table.write_blocks([(name, part)], is_all=False)
    kept = table.load_block(name)
    assert kept is not None
    assert kept.day.tolist() == [64, 65, 95]
    assert table.load_block((0, 3)) is None


def test_the_log_is_emptied_when_all_its_blocks_are_written(table: DayTable) -> None:
    store(table, [make_figure()])
    blocks = day_table.split(figure_columns.of_figures([make_figure()], table.definitions))
    table.write_blocks(blocks, is_all=False)
    assert len(logged(table)) == 1
    table.write_blocks(blocks, is_all=True)
    assert logged(table) == []


def test_figures_are_split_by_256_points_and_32_days() -> None:
    figures = [make_figure(point, FIRST + day) for point, day in ((255, 31), (256, 31), (255, 32), (255, 0))]
    parts = day_table.split(figure_columns.of_figures(figures, Definitions()))
    window = FIRST // 32
    assert {name: part.point_id.tolist() for name, part in parts} == {
        (0, window): [255, 255], (0, window + 1): [255], (1, window): [256],
    }  # fmt: skip


def test_history_is_in_order_of_day_and_revision(table: DayTable) -> None:
    store(table, [], [make_figure(day=day, revision=revision) for day in (40, 2) for revision in (2, 1)])
    store(table, [], [make_figure(day=2, revision=3), make_figure(2, 2)])
    assert [(one.day, one.revision) for one in history(table, 1, 0, 41)] == [
        (2, 1),
        (2, 2),
        (2, 3),
        (40, 1),
        (40, 2),
    ]
    assert [one.day for one in history(table, 1, 3, 40)] == []


def test_dirty_marks_are_cleared_with_the_figures_that_answer_them(table: DayTable) -> None:
    keys = day_key.pack_pairs([(1, 5), (1, 6), (2, 5)])
    table.mark_dirty(keys)
    table.mark_dirty(keys[:1])
    store(table, [make_figure(day=5)], [], keys[:2])
    assert table.load_dirty().tolist() == keys[2:].tolist()


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    table = DayTable(tmp_path / "figures.db")
    store(table, [make_figure()], [make_figure(revision=0)])
    table.mark_dirty(day_key.pack_pairs([(3, 4), (3, 5)]))
    store(table, [], [], day_key.pack_pairs([(3, 5), (9, 9)]))
    table.close()
    again = DayTable(tmp_path / "figures.db")
    assert logged(again) == [make_figure()]
    assert history(again, 1, 0, 10**6) == [make_figure(revision=0)]
    assert day_key.unpack_pairs(again.load_dirty()) == [(3, 4)]
    again.close()


def test_a_long_log_of_marks_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_table, "DIRTY_SLACK", 2)
    table = DayTable(tmp_path / "figures.db")
    for day in range(9):
        table.mark_dirty(day_key.pack_days(1, [day, day + 100]))
        store(table, [], [], day_key.pack_days(1, [day]))
    assert len(table._database.rows("SELECT number FROM dirty_log")) < 18
    table.close()
    again = DayTable(tmp_path / "figures.db")
    assert [day for _, day in day_key.unpack_pairs(again.load_dirty())] == list(range(100, 109))
    again.close()


def test_a_new_table_has_nothing(table: DayTable) -> None:
    assert len(table.load_dirty()) == len(table.keys_kept()) == 0


def test_keys_of_all_figures_in_blocks_and_log(table: DayTable) -> None:
    store(table, [make_figure(2, 5), make_figure(1, 9)])
    blocks = day_table.split(figure_columns.of_figures([make_figure(300, 70)], table.definitions))
    table.write_blocks(blocks, is_all=False)
    assert day_key.unpack_pairs(table.keys_kept()) == [(1, 9), (2, 5), (300, 70)]


@pytest.mark.parametrize("numerator", [10**18, 2**62 - 1, 2**62, 2**63, -(10**18), -(2**62), -(2**63)])
def test_sums_around_64_bits(table: DayTable, numerator: int) -> None:
    odd = numerator | 1
    figure = make_figure(
        total_numerator=odd, total_denominator=2, ranked_numerator=odd - 2, ranked_denominator=2
    )
    store(table, [figure])
    assert logged(table) == [figure]


def test_damaged_figures_are_told(table: DayTable) -> None:
    store(table, [make_figure()])
    with table._database.transaction() as connection:
        connection.execute("UPDATE figure_log SET figures = x'00'")
    with pytest.raises(CatalogueError, match="cannot be read"):
        table.load_log()
