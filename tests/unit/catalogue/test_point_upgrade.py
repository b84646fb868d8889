"""A catalogue of format 1 becomes one of today, once and whole."""

import sqlite3
from pathlib import Path

import pytest

from historian.catalogue.database import APPLICATION_ID
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import Point, PointDraft, PointKind, TimeLabel

FIRST_FORMAT = """
CREATE TABLE point (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, kind TEXT NOT NULL,
  interval_us INTEGER NOT NULL, label TEXT NOT NULL, time_zone TEXT NOT NULL, station TEXT NOT NULL,
  item TEXT NOT NULL, name_zh TEXT NOT NULL, name_en TEXT NOT NULL, range_low REAL, range_high REAL,
  multiplier REAL NOT NULL, capacity REAL, source TEXT NOT NULL
) STRICT;
CREATE TABLE former_name (
  name TEXT PRIMARY KEY, point_id INTEGER NOT NULL REFERENCES point (id)
) STRICT, WITHOUT ROWID;
INSERT INTO point VALUES
  (2, 'a', 'kW', 'mean_power', 900000000, 'period_start', 'UTC', 'S1', 'P', '甲', '', NULL, 5.5, 8000.0, 0.1, 'demo'),
  (3, 'b', 'V', 'instantaneous', 60000000, 'instant', 'UTC', '', '', '', 'bus', -1.0, NULL, 1.0, NULL, ''),
  (9, 'gone', 'V', 'instantaneous', 60000000, 'instant', 'UTC', '', '', '', '', NULL, NULL, 1.0, NULL, '');
DELETE FROM point WHERE id = 9;
INSERT INTO former_name VALUES ('old', 2);
PRAGMA user_version = 1;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "catalogue.sqlite")
    connection.executescript(FIRST_FORMAT)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.close()
    return tmp_path / "catalogue.sqlite"


def test_points_names_and_ids_stay(path: Path) -> None:
    for _ in range(2):  # the second time it is of today's format already
        registry = Registry(path, ManualClock(), "UTC")
        assert registry.list() == [
            Point(
                id=2, name="a", unit="kW", kind=PointKind.MEAN_POWER, label=TimeLabel.PERIOD_START, time_zone="UTC",
                station="S1", item="P", name_zh="甲", range_high=5.5, multiplier=8000.0, capacity=0.1, source="demo",
            ),
            Point(
                id=3, name="b", unit="V", kind=PointKind.INSTANTANEOUS, interval_us=60_000_000, time_zone="UTC",
                name_en="bus", range_low=-1.0,
            ),
        ]  # fmt: skip
        assert registry.get("old").id == 2
        registry.close()


def test_an_id_that_was_given_is_not_given_again(path: Path) -> None:
    registry = Registry(path, ManualClock(), "UTC")
    assert registry.create(PointDraft(name="c", unit="kW", kind=PointKind.MEAN_POWER)).id == 10
    registry.close()


def test_a_failure_on_the_way_leaves_the_file_as_it_was(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE point_new (x)")  # in the way of the upgrade
    connection.commit()
    with pytest.raises(Exception, match="point_new"):
        Registry(path, ManualClock(), "UTC")
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT unit FROM point WHERE id = 2").fetchone() == ("kW",)
    connection.close()
