import sqlite3
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from historian.errors import CatalogueError
from historian.tools import rollup_file
from tests.support.hand_made import DAY, DAY_US, POINTS, QUARTER_US, START_US, Figure, write_rollup

HOUR_US = 4 * QUARTER_US


def figure(point_id: int, day: int, total: int, **other: int) -> Figure:
    return Figure(point_id, day, (total, 1), DAY_US, 8.0, 3, 1.0, 255, 96, is_complete=True)._replace(**other)


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    write_rollup(
        tmp_path,
        POINTS,
        [figure(1, DAY, 10), figure(2, DAY, 20), figure(1, DAY + 1, 30)],
        [figure(2, DAY, 25, revision=2), figure(2, DAY + 40, 50, computed_at_us=START_US + 9 * HOUR_US)],
        [(1, DAY), (2, DAY)],
    )
    return tmp_path / "rollup.sqlite"


@pytest.fixture
def connection(packed: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(packed)
    yield opened
    opened.close()


def test_the_newest_of_block_and_log_is_read(connection: sqlite3.Connection) -> None:
    found = rollup_file.figures(connection, DAY, DAY + 2)
    assert [(one.point_id, one.day, one.total) for one in found] == [
        (1, DAY, 10),
        (1, DAY + 1, 30),
        (2, DAY, 25),
    ]
    first = found[0]
    assert first.definition == ("Asia/Shanghai", "kWh", "interval", QUARTER_US, 1.0)
    assert (first.max_value, first.max_slot, first.received_count, first.is_complete) == (8.0, 3, 96, True)


def test_without_a_slot_there_is_no_extreme(tmp_path: Path) -> None:
    write_rollup(tmp_path, POINTS, [figure(1, DAY, 10, max_slot=255)])
    opened = sqlite3.connect(tmp_path / "rollup.sqlite")
    [one] = rollup_file.figures(opened, DAY, DAY + 1)
    opened.close()
    assert (one.max_value, one.max_slot, one.min_value) == (None, None, None)


def test_the_newest_day_may_be_in_the_log(connection: sqlite3.Connection) -> None:
    assert rollup_file.newest_day(connection) == DAY + 40


def test_marks_are_what_was_not_cleaned_since(connection: sqlite3.Connection) -> None:
    assert rollup_file.dirty_days(connection) == {(1, DAY), (2, DAY)}
    packed = connection.execute("SELECT keys FROM dirty_log").fetchone()[0]
    connection.execute("INSERT INTO dirty_log (is_cleaned, keys) VALUES (1, ?)", (packed,))
    assert rollup_file.dirty_days(connection) == set()


def test_figures_made_since_are_marked(packed: Path) -> None:
    rollup_file.mark_younger(packed, START_US + 5 * HOUR_US)
    opened = sqlite3.connect(packed)
    assert rollup_file.dirty_days(opened) == {(1, DAY), (2, DAY), (2, DAY + 40)}
    opened.close()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file of the format before."""
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE day_figure (point_id, day, start_us, end_us, total_numerator TEXT, total_denominator TEXT, "
            "known_us, ranked_numerator, ranked_denominator, ranked_us, max_value, max_start_us, max_end_us, "
            "min_value, min_start_us, min_end_us, expected_count, received_count, good_count, measured_count, "
            "estimated_count, manual_count, is_complete, time_zone, unit, kind, interval_us, multiplier, revision, "
            "computed_at_us)"
        )
        connection.execute("CREATE TABLE dirty_day (point_id, day, PRIMARY KEY (point_id, day))")
        row = (
            1, DAY, START_US, START_US + DAY_US, "3", "2", DAY_US, None, None, None, 6.0, START_US + QUARTER_US, 0,
            None, None, None, 96, 95, 94, 93, 1, 0, 1, "Asia/Shanghai", "kWh", "interval", QUARTER_US, 1.0, 1,
            START_US + 9 * HOUR_US,
        )  # fmt: skip
        connection.execute(f"INSERT INTO day_figure VALUES ({', '.join('?' * len(row))})", row)
    connection.close()
    return path


def test_the_format_before_is_read(rows: Path) -> None:
    opened = sqlite3.connect(rows)
    [one] = rollup_file.figures(opened, DAY, DAY + 1)
    assert (one.total, one.ranked, one.ranked_us) == (Fraction(3, 2), Fraction(3, 2), DAY_US)
    assert (one.max_slot, one.min_slot, one.received_count) == (1, None, 95)
    assert rollup_file.newest_day(opened) == DAY
    assert rollup_file.dirty_days(opened) == set()
    opened.close()
    rollup_file.mark_younger(rows, START_US + 5 * HOUR_US)
    opened = sqlite3.connect(rows)
    assert rollup_file.dirty_days(opened) == {(1, DAY)}
    opened.close()


@pytest.mark.parametrize("content", [b"\0" * 20, b"no figures"])
def test_damaged_columns_are_an_error_that_names_the_file(packed: Path, content: bytes) -> None:
    with sqlite3.connect(packed) as connection:
        connection.execute("UPDATE figure_log SET figures = ?", (content,))
    connection.close()
    with pytest.raises(CatalogueError, match=r"rollup\.sqlite: packed figures"):
        rollup_file.mark_younger(packed, START_US)
