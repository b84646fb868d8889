from pathlib import Path

import pytest

from drivers import substation
from drivers.iec104 import Iec104Driver
from drivers.modbus_tcp import ModbusTcpDriver
from historian import resources
from historian.clock import ManualClock
from historian.errors import PointConflict, SettingsError
from historian.model.point import Point, PointDraft
from tests.support.fake_ports import ListDirectory, ListJournal

GOOD = """\
station = "s1"

[[drivers]]
protocol = "modbus_tcp"
name = "s1.modbus"
host = "10.0.0.1"

[[drivers.points]]
name = "s1.p"
unit = "kW"
interval = "1m"
address = 10

[[drivers.points]]
name = "s1.q"
unit = "kvar"
interval = "1m"
address = 12

[[drivers]]
protocol = "iec104"
name = "s1.iec104"
host = "10.0.0.2"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "s1.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_gives_typed_settings(tmp_path: Path) -> None:
    settings = substation.load(write(tmp_path, GOOD)).settings
    assert settings.station == "s1"
    assert [driver.name for driver in settings.drivers] == ["s1.modbus", "s1.iec104"]
    assert [point.name for point in settings.drivers[0].points] == ["s1.p", "s1.q"]


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        pytest.param('"modbus_tcp"', '"modbus"', 4, "modbus_tcp", id="unknown protocol"),
        pytest.param("address = 10", "adress = 10", 12, "adress", id="unknown key"),
        pytest.param("address = 12", 'address = "12"', 18, "address", id="wrong type"),
        pytest.param("address = 12", "address = 70000", 18, "address", id="out of range"),
        pytest.param("address = 12", "address = 65536", 18, "outside the registers", id="beyond the device"),
        pytest.param('unit = "kvar"', 'unit = "kvolt"', 16, "kvolt", id="unknown unit"),
        pytest.param('name = "s1.q"', 'name = "s1.p"', 15, "is there twice", id="point twice"),
        pytest.param('name = "s1.iec104"', 'name = "s1.modbus"', 22, "is there twice", id="driver twice"),
        pytest.param('name = "s1.q"', 'name = "s1 q"', 15, "name", id="blank in a name"),
        pytest.param("address = 12", "address = 12\nrange = [1.0, 0.0]", 19, "empty", id="empty range"),
        pytest.param("address = 12", "address = 12\nscale = 0.0", 19, "scale 0", id="scale zero"),
        pytest.param(
            "address = 12", "address = 12\nscale = 3.14159265358979", 19, "digits", id="inexact scale"
        ),
        pytest.param(
            'host = "10.0.0.1"',
            'host = "10.0.0.1"\npoll_interval_s = 7.0',
            12,
            "multiple of the poll interval",
            id="interval off the poll grid",
        ),
        pytest.param(
            'host = "10.0.0.1"',
            'host = "10.0.0.1"\nback_off_min_s = 5.0\nback_off_max_s = 1.0',
            7,
            "back_off_min_s",
            id="back-off bounds crossed",
        ),
        pytest.param(
            'station = "s1"', 'station = "s1"\ntime_zone = "Mars/Base"', 2, "Mars/Base", id="unknown zone"
        ),
        pytest.param("address = 10", "address 10", 12, "not valid TOML", id="not TOML"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    assert GOOD.count(old) == 1
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        substation.load(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert problem in str(caught.value)


def test_a_missing_file_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        substation.load(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("changes", "line", "name"),
    [
        pytest.param({"s1.p": "s2.p", "s1.q": "s2.q", "s1.iec104": "s2.iec104"}, 5, "s1.modbus", id="driver"),
        pytest.param({"s1.modbus": "s2.m", "s1.iec104": "s2.i", "s1.p": "s2.p"}, 15, "s1.q", id="point"),
    ],
)
def test_a_name_that_another_file_has_is_refused(
    tmp_path: Path, changes: dict[str, str], line: int, name: str
) -> None:
    first, second = write(tmp_path, GOOD), tmp_path / "s2.toml"
    text = GOOD
    for old, new in changes.items():
        text = text.replace(old, new)
    second.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=f"{name!r} is already in {first}") as caught:
        substation.load_all([first, second])
    assert str(caught.value).startswith(f"{second}:{line}: ")


def test_files_with_different_names_load_together(tmp_path: Path) -> None:
    second = tmp_path / "s2.toml"
    second.write_text(GOOD.replace("s1", "s2"), encoding="utf-8")
    loaded = substation.load_all([write(tmp_path, GOOD), second])
    assert [each.settings.station for each in loaded] == ["s1", "s2"]


async def test_each_driver_is_built_with_its_points(tmp_path: Path) -> None:
    directory = ListDirectory()
    loaded = substation.load(write(tmp_path, GOOD))
    modbus, iec104 = substation.build_drivers(loaded, directory, ListJournal(), ManualClock())
    assert isinstance(modbus, ModbusTcpDriver)
    assert isinstance(iec104, Iec104Driver)
    assert (modbus.name, iec104.name) == ("s1.modbus", "s1.iec104")
    assert [(point.name, point.source, point.station) for point in directory.points] == [
        ("s1.p", "s1.modbus", "s1"),
        ("s1.q", "s1.modbus", "s1"),
    ]
    assert modbus.status().state == "stopped"


async def test_a_point_that_the_catalogue_refuses_is_named_with_its_line(tmp_path: Path) -> None:
    class FullDirectory(ListDirectory):
        def ensure(self, draft: PointDraft) -> Point:
            raise PointConflict(f"{draft.name} has unit MW")

    path = write(tmp_path, GOOD)
    with pytest.raises(SettingsError, match=r"s1\.toml:9: s1\.p has unit MW"):
        substation.build_drivers(substation.load(path), FullDirectory(), ListJournal(), ManualClock())


def test_the_shipped_demo_station_loads() -> None:
    settings = substation.load(resources.config_dir() / "substations" / "demo110.toml").settings
    modbus, iec104 = settings.drivers
    assert (settings.station, settings.time_zone) == ("demo110", "Asia/Shanghai")
    assert (modbus.port, iec104.port) == (15_020, 12_404)
    assert [point.name for point in modbus.points] == [
        f"demo110.f101.{each}" for each in ("ua", "ub", "uc", "ia", "ib", "ic", "p", "q")
    ]
    assert {point.interval for point in modbus.points} == {"1m"}
