"""A file of format 1 is taken over: figures, history, marks."""

import sqlite3
from pathlib import Path

import pytest

from historian.rollup import day_key
from historian.rollup.day_figure import DayFigure
from historian.rollup.day_table import DayTable
from tests.unit.rollup.test_day_table import history, logged, make_figure


def write_old(
    path: Path, figures: list[DayFigure], replaced: list[DayFigure], *, has_ranks: bool = True
) -> None:
    """A file as version 0.2 wrote it; the earliest had no ranked sums."""
    names = [name for name in DayFigure._fields if has_ranks or not name.startswith("ranked_")]
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {0x48534350}")
    connection.execute("PRAGMA user_version = 1")
    for table, rows in (("day_figure", figures), ("day_figure_history", replaced)):
        connection.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        for row in rows:
            cells = [getattr(row, name) for name in names]
            texts = [
                str(cell) if name.endswith("ator") and cell is not None else cell
                for name, cell in zip(names, cells, strict=True)
            ]
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", texts)
    connection.execute("CREATE TABLE dirty_day (point_id INTEGER, day INTEGER)")
    connection.executemany("INSERT INTO dirty_day VALUES (?, ?)", [(1, 9), (2, 5)])
    connection.commit()
    connection.close()


@pytest.mark.parametrize("opening", [1, 2])
def test_everything_of_an_old_file_is_there(tmp_path: Path, opening: int) -> None:
    write_old(tmp_path / "figures.db", [make_figure(), make_figure(2)], [make_figure(revision=0)])
    for _ in range(opening):
        table = DayTable(tmp_path / "figures.db")
        assert logged(table) == [make_figure(), make_figure(2)]
        assert history(table, 1, 0, 10**6) == [make_figure(revision=0)]
        assert day_key.unpack_pairs(table.load_dirty()) == [(1, 9), (2, 5)]
        table.close()


def test_the_earliest_files_have_no_ranked_sums(tmp_path: Path) -> None:
    write_old(tmp_path / "figures.db", [make_figure()], [], has_ranks=False)
    table = DayTable(tmp_path / "figures.db")
    expected = make_figure(ranked_numerator=None, ranked_denominator=None, ranked_us=None)
    assert logged(table) == [expected]
    table.close()
