"""A substation file (`config/substations/*.toml`): who is asked, how, and for which points.

One file is one station with any number of drivers. Every field is explained in
`config/substations/demo110.toml`.
"""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec

from drivers import mapping
from historian.errors import SettingsError, TimeError
from historian.model.timestamp import load_zone
from historian.toml_file import load_typed
from historian.toml_location import line_of

REGISTERS_PER_REQUEST_MAX: Final = 125  # Modbus application protocol v1.1b3 §6.3: quantity 1 to 0x7D
REGISTER_COUNT: Final = 65_536  # addresses are 16 bit

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Seconds = Annotated[float, msgspec.Meta(ge=0.01, le=3600.0)]
Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]


class RegisterArea(Enum):
    """Which of a Modbus device's two tables of 16-bit registers; both are only ever read."""

    HOLDING_REGISTER = "holding_register"
    INPUT_REGISTER = "input_register"


class RegisterType(Enum):
    """How registers make a number."""

    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    FLOAT32 = "float32"

    @property
    def register_count(self) -> int:
        return 1 if self in (RegisterType.INT16, RegisterType.UINT16) else 2


class Order(Enum):
    """Which half comes first: of two words, or of two bytes in a word."""

    BIG = "big"
    LITTLE = "little"


class ModbusPoint(mapping.PointEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point read from Modbus registers. With both orders big, octets come as ABCD."""

    address: Annotated[int, msgspec.Meta(ge=0, le=REGISTER_COUNT)]
    area: RegisterArea = RegisterArea.HOLDING_REGISTER
    type: RegisterType = RegisterType.UINT16
    word_order: Order = Order.BIG
    byte_order: Order = Order.BIG
    unit_id: Octet | None = None


class ModbusTcpSettings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="protocol",
    tag="modbus_tcp",
):
    """One Modbus TCP connection."""

    name: Name
    host: str
    port: Port = 502
    unit_id: Octet = 1
    address_base: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0
    poll_interval_s: Annotated[float, msgspec.Meta(ge=0.05, le=3600.0)] = 5.0
    stamp_tolerance_s: Seconds = 2.0
    connect_timeout_s: Seconds = 5.0
    response_timeout_s: Seconds = 1.0
    timeouts_max: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    probe_interval_s: Seconds = 30.0
    back_off_min_s: Seconds = 1.0
    back_off_max_s: Seconds = 60.0
    registers_max: Annotated[int, msgspec.Meta(ge=2, le=REGISTERS_PER_REQUEST_MAX)] = 125
    register_gap_max: Annotated[int, msgspec.Meta(ge=0, le=REGISTERS_PER_REQUEST_MAX)] = 8
    backlog_samples_max: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 100_000
    points: tuple[ModbusPoint, ...] = ()


class Iec104Point(mapping.PointEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point of an IEC 60870-5-104 controlled station."""

    information_object_address: Annotated[int, msgspec.Meta(ge=0, le=16_777_215)]
    common_address: Annotated[int, msgspec.Meta(ge=0, le=65_535)] | None = None


class Iec104Settings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="protocol",
    tag="iec104",
):
    """One IEC 60870-5-104 connection."""

    name: Name
    host: str
    port: Port = 2404
    common_address: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 1
    connect_timeout_s: Seconds = 10.0
    back_off_min_s: Seconds = 1.0
    back_off_max_s: Seconds = 60.0
    backlog_samples_max: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 100_000
    points: tuple[Iec104Point, ...] = ()


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
        if driver.back_off_min_s > driver.back_off_max_s:
            raise substation.error((*location, "back_off_min_s"), "back_off_min_s is above back_off_max_s")
        entries: Sequence[ModbusPoint | Iec104Point] = driver.points
        for point_index, entry in enumerate(entries):
            point_location = (*location, "points", point_index)
            if entry.name in point_names:
                raise substation.error((*point_location, "name"), f"point {entry.name!r} is there twice")
            point_names.add(entry.name)
            _check_point(substation, driver, entry, point_location)


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
            check_modbus_point(driver, entry)
    except mapping.MappingError as error:
        raise substation.error((*location, error.key), str(error)) from error


def check_modbus_point(driver: ModbusTcpSettings, entry: ModbusPoint) -> None:
    """What only Modbus knows about an entry. Raises MappingError."""
    mapping.check_poll_interval(entry, round(driver.poll_interval_s * 1_000_000))
    mapping.scaling_of(entry, RAW_MAX[entry.type])
    first = entry.address - driver.address_base
    if first < 0 or first + entry.type.register_count > REGISTER_COUNT:
        raise mapping.MappingError("address", f"address {entry.address} is outside the device's registers")


RAW_MAX: Final = {
    RegisterType.INT16: 2**15,
    RegisterType.UINT16: 2**16 - 1,
    RegisterType.INT32: 2**31,
    RegisterType.UINT32: 2**32 - 1,
    RegisterType.FLOAT32: 2**24,  # the significand's 24 bits
}
