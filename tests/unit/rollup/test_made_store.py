"""Only what says something new is stored; what was told is kept when it is replaced."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from historian.energy.fleet import Asked
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import SampleRun, block_of
from historian.model.timestamp import load_zone
from historian.rollup import day_figure, day_key, day_maker, figure_columns, made_store
from historian.rollup.day_table import DayTable
from historian.rollup.frames import Frames, Question

ZONE = load_zone("Asia/Shanghai")
DAY = 739_940
QUARTER_US = 15 * MINUTE_US
POINT = Point(id=1, name="p", unit="kWh", kind=PointKind.INTERVAL)
START_US = int(day_figure.slot_edges_us(DAY, ZONE, QUARTER_US)[0])


@pytest.fixture
def frames(tmp_path: Path) -> Iterator[Frames]:
    table = DayTable(tmp_path / "figures.db")
    yield Frames(table, 0)
    table.close()


def store(frames: Frames, value: float, now_us: int, multiplier: float = 1.0) -> None:
    reading = day_maker.Reading(np.array([1]), ZONE, range(DAY, DAY + 2), QUARTER_US, False)
    point = Point(id=1, name="p", unit="kWh", kind=PointKind.INTERVAL, multiplier=multiplier)
    run = SampleRun(1, np.array([START_US]), np.array([value]), np.zeros(1, np.uint16))
    made = day_maker.make_days(
        reading, lambda _id: point, Asked.of([day_figure.ask_of(point)]), block_of([run]), now_us
    )
    code = frames.table.definitions.code_of(day_figure.definition_of(point))
    keys = day_key.pack_days(1, [DAY, DAY + 1])
    made_store.store(frames, frames.table.definitions, made, np.array([code], np.int32), keys)


def kept(frames: Frames) -> list[tuple[int, int, float]]:
    columns = frames.take(Question(np.array([1]), DAY, DAY + 2))
    figures = figure_columns.to_figures(columns, frames.table.definitions)
    return [(figure.day - DAY, figure.revision, float(figure.total)) for figure in figures]


def history(frames: Frames) -> list[int]:
    revisions: list[int] = frames.table.load_history(1, DAY, DAY + 2).revision.tolist()
    return revisions


def test_the_same_again_is_no_change(frames: Frames) -> None:
    for now_us in (1, 2):
        store(frames, 4.0, now_us)
    assert kept(frames) == [(0, 1, 4.0)]
    assert len(frames.table.load_log()) == 1


def test_a_figure_told_while_the_day_ran_is_not_kept_when_replaced(frames: Frames) -> None:
    store(frames, 4.0, START_US)
    store(frames, 5.0, START_US + 10 * 86_400_000_000)
    store(frames, 6.0, START_US + 11 * 86_400_000_000)
    assert kept(frames) == [(0, 3, 6.0)]
    assert history(frames) == [2]


@pytest.mark.parametrize(("value", "revision"), [(1e300, 1), (2e300, 2)])
def test_wide_sums_are_compared_whole(frames: Frames, value: float, revision: int) -> None:
    store(frames, 1e300, 1)
    store(frames, value, 2)
    assert kept(frames) == [(0, revision, value)]


def test_another_definition_with_the_same_figures_is_the_same_version(frames: Frames) -> None:
    """A dated multiplier concerns some days; the others are not told as changed."""
    store(frames, 0.0, 2**60)
    before = frames.take(Question(np.array([1]), DAY, DAY + 1)).definition[0]
    store(frames, 0.0, 2**60, multiplier=2.0)
    assert kept(frames) == [(0, 1, 0.0)]
    assert frames.take(Question(np.array([1]), DAY, DAY + 1)).definition[0] != before
    assert history(frames) == []
    assert changes(frames) == [(0, 1)]
    store(frames, 0.0, 2**60, multiplier=2.0)
    assert len(frames.table.load_log()) == 2


def test_days_that_are_over_are_told_when_their_figures_change(frames: Frames) -> None:
    store(frames, 4.0, START_US)
    assert changes(frames) == []
    store(frames, 5.0, 2**60)
    store(frames, 5.0, 2**60)
    store(frames, 6.0, 2**60)
    assert changes(frames) == [(0, 2), (0, 3)]


def changes(frames: Frames) -> list[tuple[int, int]]:
    found = frames.table.load_changes(0, 100).changes
    return list(zip((found.day - DAY).tolist(), found.revision.tolist(), strict=True))
