"""Figures in memory: what is evicted comes back, what was logged survives, the newest revision stays."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from historian.rollup import figure_columns, frames
from historian.rollup.day_figure import DayFigure
from historian.rollup.day_table import DayTable
from historian.rollup.frames import FRAMES_MIN, Frames, Question
from tests.unit.rollup.test_day_table import FIRST, NOTHING, make_figure


@pytest.fixture
def some(tmp_path: Path) -> Iterator[Frames]:
    made = open_frames(tmp_path)
    yield made
    made.table.close()


def open_frames(folder: Path) -> Frames:
    made = Frames(DayTable(folder / "figures.db"), 0)
    made.open()
    return made


def store(kept: Frames, *figures: DayFigure) -> None:
    definitions = kept.table.definitions
    kept.store(figure_columns.of_figures(figures, definitions), figure_columns.allocate(0), NOTHING)


def take(kept: Frames, point_ids: list[int], first: int = FIRST, last: int = FIRST + 64) -> list[DayFigure]:
    columns = kept.take(Question(np.array(point_ids, np.int64), first, last))
    return figure_columns.to_figures(columns, kept.table.definitions)


def test_figures_are_taken_in_the_order_of_points_asked_for(some: Frames) -> None:
    figures = {at: make_figure(*at) for at in ((1, FIRST + 40), (1, FIRST), (700, FIRST + 3))}
    store(some, *figures.values())
    assert take(some, [700, 2, 1]) == [figures[700, FIRST + 3], figures[1, FIRST], figures[1, FIRST + 40]]


def test_more_blocks_than_memory_holds_come_back_from_disk(some: Frames) -> None:
    figures = [make_figure(256 * number) for number in range(3 * FRAMES_MIN)]
    for figure in figures:
        store(some, figure)
    assert len(some.cells.state) == FRAMES_MIN
    assert [take(some, [figure.point_id])[0] for figure in figures] == figures


def test_a_question_that_needs_more_than_the_memory_is_answered_still(some: Frames) -> None:
    figures = [make_figure(1, FIRST + 32 * number) for number in range(FRAMES_MIN + 3)]
    store(some, *figures)
    assert take(some, [1], FIRST, FIRST + 32 * (FRAMES_MIN + 3)) == figures


def test_the_log_is_applied_at_the_next_start_whether_blocks_were_written_or_not(tmp_path: Path) -> None:
    kept = open_frames(tmp_path)
    store(kept, make_figure(), make_figure(2))
    kept.write_changed()
    store(kept, make_figure(revision=2, max_value=9.0))
    kept.table.close()
    again = open_frames(tmp_path)
    assert take(again, [1, 2]) == [make_figure(revision=2, max_value=9.0), make_figure(2)]
    again.table.close()


def test_an_older_revision_in_the_log_does_not_hide_a_newer_one_in_a_block(tmp_path: Path) -> None:
    kept = open_frames(tmp_path)
    newer = make_figure(revision=2, total_numerator=1, total_denominator=1, ranked_numerator=None,
                        ranked_denominator=None, ranked_us=None)  # fmt: skip
    store(kept, make_figure())
    store(kept, newer)
    kept.table.write_blocks(
        [((0, FIRST // 32), kept.take(Question(np.array([1]), FIRST, FIRST + 1)))], is_all=False
    )
    kept.table.close()
    again = open_frames(tmp_path)
    assert take(again, [1]) == [newer]
    again.table.close()


def test_a_long_log_is_written_into_blocks(some: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LOG_FIGURES_MAX", 2)
    store(some, make_figure(1), make_figure(2))
    assert len(some.table.load_log()) == 1
    store(some, make_figure(3))
    assert some.table.load_log() == []
    assert take(some, [1, 2, 3]) == [make_figure(number) for number in (1, 2, 3)]


def test_days_kept_of_a_point(some: Frames) -> None:
    store(some, *(make_figure(1, FIRST + day) for day in (0, 5, 2000)))
    assert some.days_kept(1, FIRST, FIRST + 2000) == [FIRST, FIRST + 5]
    assert some.days_kept(1, FIRST + 1, FIRST + 2001) == [FIRST + 5, FIRST + 2000]


def test_a_question_is_cut_by_memory_and_by_size(some: Frames) -> None:
    spread = Question(np.arange(100, dtype=np.int64) * 256, FIRST, FIRST + 32)
    parts = some.parts(spread, 1 << 40)
    assert [len(part) for part in parts] == [16] * 6 + [4]
    assert np.concatenate(parts).tolist() == list(range(100))
    close = Question(np.arange(500, dtype=np.int64), FIRST, FIRST + 32)
    assert [len(part) for part in some.parts(close, 1)] == [256, 244]
