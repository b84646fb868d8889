"""Points on disk."""

import sqlite3
from pathlib import Path

import msgspec
import numpy as np
import pytest

from historian.catalogue import point_table
from historian.catalogue.definition import Numbered, definition_of
from historian.catalogue.point_memory import Additions, PointMemory, PointRows
from historian.catalogue.point_table import PointTable
from historian.catalogue.text_column import pack
from historian.errors import CatalogueError
from historian.model.point import Point, PointKind, TimeLabel

FULL = Point(
    id=3, name="S1.变.P", unit="kW", kind=PointKind.MEAN_POWER, interval_us=300_000_000, label=TimeLabel.PERIOD_END,
    time_zone="Asia/Seoul", station="S1", item="T2.06", name_zh="负荷", name_en="load", range_low=-1.5,
    range_high=2.25, multiplier=8000.0, capacity=0.1, source="demo",
)  # fmt: skip
BARE = Point(id=1, name="b", unit="V", kind=PointKind.INSTANTANEOUS)
ADDITIONS = Additions([(1, definition_of(BARE)), (2, definition_of(FULL))], [(1, "S1")])
NUMBERS = {BARE.id: (1, 0), FULL.id: (2, 1)}
NOTHING = Additions([], [])


def rows_of(*points: Point) -> PointRows:
    numbers = [NUMBERS[point.id] for point in points]
    return PointRows(
        np.array([point.id for point in points], np.uint32),
        pack([point.name for point in points]),
        np.array([definition for definition, _ in numbers], np.uint32),
        np.array([station for _, station in numbers], np.uint32),
        [point.name_zh for point in points],
        [point.name_en for point in points],
    )


def points_in(table: PointTable) -> list[Point]:
    memory = PointMemory(table.load_definitions(), table.load_stations())
    for rows in table.load_points(len(memory.definitions), len(memory.stations)):
        memory.append(rows)
    return memory.points(memory.select(None, None, 0))


def change_by_hand(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_points_come_back_as_they_were(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert(rows_of(BARE, FULL), ADDITIONS)
    table.close()
    table = PointTable(tmp_path / "c.sqlite")
    assert points_in(table) == [BARE, FULL]
    assert table.highest_id() == 3
    table.close()


def test_more_points_than_one_part_come_back_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_table, "_LOAD_PART", 20_000)
    table = PointTable(tmp_path / "c.sqlite")
    count = 45_000
    ids = np.arange(1, count + 1, dtype=np.uint32)
    names = [f"n{i}" for i in ids]
    labels = ["" if i % 7 else f"点{i}" for i in ids]
    ones = np.ones(count, np.uint32)
    table.insert(PointRows(ids, pack(names), ones, 0 * ones, labels, [""] * count), ADDITIONS)
    parts = list(table.load_points(2, 1))
    assert len(parts) == 3
    assert np.concatenate([part.id for part in parts]).tolist() == ids.tolist()
    assert [name for part in parts for name in part.name.split()] == names
    assert [label for part in parts for label in part.name_zh] == labels
    table.close()


def test_an_insert_that_fails_leaves_nothing(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    with pytest.raises(CatalogueError, match="UNIQUE"):
        table.insert(rows_of(BARE, BARE), ADDITIONS)
    assert (points_in(table), len(table.load_definitions()), len(table.load_stations())) == ([], 0, 0)
    table.close()


def test_a_change_keeps_what_was(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert(rows_of(FULL), ADDITIONS)
    stronger = msgspec.structs.replace(FULL, multiplier=6000.0)
    table.change(FULL, stronger, (3, 1), Additions([(3, definition_of(stronger))], []), (100, 200))
    assert points_in(table) == [stronger]
    table.change(stronger, FULL, (2, 1), NOTHING, (300, 400))
    assert points_in(table) == [FULL]
    assert table.load_revisions(3) == [(FULL, None, 200), (stronger, 100, 200), (FULL, 300, 400)]
    assert table.revision_counts() == {3: 3}
    assert table.load_former_names() == {}
    table.close()


def test_a_former_name_is_kept_until_it_is_borne_again(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert(rows_of(BARE), ADDITIONS)
    renamed = msgspec.structs.replace(BARE, name="c")
    table.change(BARE, renamed, (1, 0), NOTHING, (1, 1))
    assert table.load_former_names() == {"b": 1}
    assert points_in(table) == [renamed]
    table.change(renamed, BARE, (1, 0), NOTHING, (2, 2))
    assert table.load_former_names() == {"c": 1}
    table.close()


def test_an_id_is_not_reused_even_when_its_row_is_gone(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert(rows_of(BARE, FULL), ADDITIONS)
    table.close()
    change_by_hand(tmp_path / "c.sqlite", "DELETE FROM point WHERE id = 3")
    table = PointTable(tmp_path / "c.sqlite")
    assert table.highest_id() == 3
    table.close()


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("UPDATE definition SET kind = 'guess'", r"c\.sqlite: table definition: .*guess"),
        ("DELETE FROM definition WHERE id = 1", r"c\.sqlite: table definition: rows are missing"),
        ("DELETE FROM definition", r"c\.sqlite: table point: .* has no definition"),
        ("UPDATE point SET station_id = 5", r"c\.sqlite: table point: .* has no definition or station"),
    ],
    ids=["no kind", "a row is gone", "all rows are gone", "no station"],
)
def test_rows_that_make_no_points_are_named(tmp_path: Path, statement: str, text: str) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert(rows_of(BARE, FULL), ADDITIONS)
    table.close()
    change_by_hand(tmp_path / "c.sqlite", statement)
    table = PointTable(tmp_path / "c.sqlite")
    with pytest.raises(CatalogueError, match=text):
        points_in(table)
    table.close()


def test_numbers_kept_here_are_those_of_the_memory(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert(rows_of(BARE, FULL), ADDITIONS)
    assert table.load_definitions().find(definition_of(FULL)) == 2
    assert table.load_stations().since(0) == Numbered(["S1"]).since(0)
    table.close()
