"""Points on disk."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from historian.catalogue.point_table import PointTable
from historian.errors import CatalogueError
from historian.model.point import Point, PointKind, TimeLabel

FULL = Point(
    id=3, name="S1.变.P", unit="kW", kind=PointKind.MEAN_POWER, interval_us=300_000_000, label=TimeLabel.PERIOD_END,
    time_zone="Asia/Seoul", station="S1", item="T2.06", name_zh="负荷", name_en="load", range_low=-1.5,
    range_high=2.25, multiplier=8000.0, capacity=0.1, source="demo",
)  # fmt: skip
BARE = Point(id=1, name="b", unit="V", kind=PointKind.INSTANTANEOUS)


def test_points_come_back_as_they_were(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert([FULL, BARE])
    table.close()
    table = PointTable(tmp_path / "c.sqlite")
    assert table.load_points() == [BARE, FULL]
    assert table.highest_id() == 3
    table.close()


def test_an_insert_that_fails_leaves_none_of_its_points(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    with pytest.raises(CatalogueError, match="UNIQUE"):
        table.insert([BARE, FULL, msgspec.structs.replace(FULL, id=4)])
    assert table.load_points() == []
    table.close()


def test_a_change_keeps_what_was(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert([FULL])
    stronger = msgspec.structs.replace(FULL, multiplier=6000.0)
    table.change(FULL, stronger, 100, 200)
    table.change(stronger, FULL, 300, 400)
    assert table.load_points() == [FULL]
    assert table.load_revisions(3) == [(FULL, None, 200), (stronger, 100, 200), (FULL, 300, 400)]
    assert table.revision_count() == 3
    assert table.load_former_names() == {}
    table.close()


def test_a_former_name_is_kept_until_it_is_borne_again(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert([BARE])
    renamed = msgspec.structs.replace(BARE, name="c")
    table.change(BARE, renamed, 1, 1)
    assert table.load_former_names() == {"b": 1}
    table.change(renamed, BARE, 2, 2)
    assert table.load_former_names() == {"c": 1}
    table.close()


def test_an_id_is_not_reused_even_when_its_row_is_gone(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert([BARE, FULL])
    table.close()
    connection = sqlite3.connect(tmp_path / "c.sqlite")
    connection.execute("DELETE FROM point WHERE id = 3")
    connection.commit()
    connection.close()
    table = PointTable(tmp_path / "c.sqlite")
    assert table.highest_id() == 3
    table.close()


def test_a_row_that_makes_no_point_is_named(tmp_path: Path) -> None:
    table = PointTable(tmp_path / "c.sqlite")
    table.insert([BARE])
    table.close()
    connection = sqlite3.connect(tmp_path / "c.sqlite")
    connection.execute("UPDATE point SET kind = 'guess'")
    connection.commit()
    connection.close()
    table = PointTable(tmp_path / "c.sqlite")
    with pytest.raises(CatalogueError, match=r"c\.sqlite: table point: .*guess"):
        table.load_points()
    table.close()
