"""A substation file (`config/substations/*.toml`): who is asked, how, and for which points.

One file is one station with any number of drivers. Every field is explained in
`config/substations/demo110.toml`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from drivers import iec104_settings, mapping, modbus_settings
from drivers.driver import Driver
from drivers.iec104 import Iec104Driver
from drivers.iec104_settings import Iec104Point, Iec104Settings
from drivers.modbus_link import ModbusLink
from drivers.modbus_settings import ModbusPoint, ModbusTcpSettings
from drivers.modbus_tcp import ModbusTcpDriver
from drivers.setting_type import Name
from historian.clock import Clock
from historian.errors import PointError, SettingsError, TimeError
from historian.model.point import Point
from historian.model.ports import PointDirectory, SourceJournal
from historian.model.timestamp import load_zone
from historian.toml_file import load_typed
from historian.toml_location import line_of

DriverSettings = ModbusTcpSettings | Iec104Settings


class SubstationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a substation file holds."""

    station: Name
    name_zh: str = ""
    name_en: str = ""
    time_zone: str = "Asia/Shanghai"
    drivers: tuple[DriverSettings, ...] = ()


class Substation(NamedTuple):
    """A substation file that was read and checked."""

    path: Path
    text: str
    settings: SubstationSettings

    def error(self, location: Sequence[str | int], problem: str) -> SettingsError:
        """The error to raise for the field at `location`, such as ``("drivers", 0, "points", 2, "unit")``."""
        return SettingsError(str(self.path), line_of(self.text, location), problem)


def load(path: Path) -> Substation:
    """Read and check one file. Raises SettingsError with file and line."""
    settings = load_typed(path, SubstationSettings)
    substation = Substation(path, path.read_text(encoding="utf-8-sig"), settings)
    _check(substation)
    return substation


def load_all(paths: Sequence[Path]) -> list[Substation]:
    """As `load`, for all files of one process: a driver or point stands in one of them only."""
    loaded = [load(path) for path in paths]
    driver_places: dict[str, Path] = {}
    point_places: dict[str, Path] = {}
    for each in loaded:
        for driver_index, driver in enumerate(each.settings.drivers):
            location = ("drivers", driver_index)
            _claim(driver_places, driver.name, each, (*location, "name"))
            for point_index, entry in enumerate(driver.points):
                _claim(point_places, entry.name, each, (*location, "points", point_index, "name"))
    return loaded


def _claim(
    places: dict[str, Path], name: str, substation: Substation, location: tuple[str | int, ...]
) -> None:
    first_path = places.setdefault(name, substation.path)
    if first_path != substation.path:
        raise substation.error(location, f"{name!r} is already in {first_path}")


def build_drivers(
    substation: Substation, directory: PointDirectory, journal: SourceJournal, clock: Clock
) -> list[Driver]:
    """The drivers of a file, their points made where absent; nothing is connected yet.

    Raises SettingsError where the catalogue refuses a point, say for another definition of that name.
    """
    return [
        _build_driver(substation, driver_index, directory, journal, clock)
        for driver_index in range(len(substation.settings.drivers))
    ]


def _build_driver(
    substation: Substation,
    driver_index: int,
    directory: PointDirectory,
    journal: SourceJournal,
    clock: Clock,
) -> Driver:
    station = substation.settings.station
    points = _ensure_points(substation, driver_index, directory)
    driver = substation.settings.drivers[driver_index]
    match driver:
        case ModbusTcpSettings():
            link = ModbusLink(driver.host, driver.port, driver.connect_timeout_s, driver.response_timeout_s)
            return ModbusTcpDriver(driver, station, points, link, clock, journal)
        case Iec104Settings():
            time_zone = driver.time_zone or substation.settings.time_zone
            return Iec104Driver(driver, station, time_zone, points, clock, journal)


def _ensure_points(substation: Substation, driver_index: int, directory: PointDirectory) -> list[Point]:
    settings = substation.settings
    driver = settings.drivers[driver_index]
    points: list[Point] = []
    for point_index, entry in enumerate(driver.points):
        draft = mapping.draft_of(entry, settings.station, driver.name, settings.time_zone)
        try:
            points.append(directory.ensure(draft))
        except PointError as error:
            location = ("drivers", driver_index, "points", point_index, "name")
            raise substation.error(location, str(error)) from error
    return points


def _check(substation: Substation) -> None:
    settings = substation.settings
    try:
        load_zone(settings.time_zone)
    except TimeError as error:
        raise substation.error(("time_zone",), str(error)) from error
    driver_names: set[str] = set()
    point_names: set[str] = set()
    for driver_index, driver in enumerate(settings.drivers):
        location = ("drivers", driver_index)
        if driver.name in driver_names:
            raise substation.error((*location, "name"), f"driver {driver.name!r} is there twice")
        driver_names.add(driver.name)
        _check_driver(substation, driver, location)
        entries: Sequence[ModbusPoint | Iec104Point] = driver.points
        for point_index, entry in enumerate(entries):
            point_location = (*location, "points", point_index)
            if entry.name in point_names:
                raise substation.error((*point_location, "name"), f"point {entry.name!r} is there twice")
            point_names.add(entry.name)
            _check_point(substation, driver, entry, point_location)


def _check_driver(substation: Substation, driver: DriverSettings, location: tuple[str | int, ...]) -> None:
    if driver.back_off_min_s > driver.back_off_max_s:
        raise substation.error((*location, "back_off_min_s"), "back_off_min_s is above back_off_max_s")
    try:
        if isinstance(driver, Iec104Settings):
            iec104_settings.check_connection(driver, substation.settings.time_zone)
    except mapping.MappingError as error:
        raise substation.error((*location, error.key), str(error)) from error


def _check_point(
    substation: Substation,
    driver: DriverSettings,
    entry: ModbusPoint | Iec104Point,
    location: tuple[str | int, ...],
) -> None:
    settings = substation.settings
    try:
        mapping.draft_of(entry, settings.station, driver.name, settings.time_zone)
        if isinstance(driver, ModbusTcpSettings) and isinstance(entry, ModbusPoint):
            modbus_settings.check_point(driver, entry)
        elif isinstance(entry, Iec104Point):
            iec104_settings.check_point(entry)
    except mapping.MappingError as error:
        raise substation.error((*location, error.key), str(error)) from error
