"""Settings of a Modbus TCP connection as they stand in a substation file."""

from enum import Enum
from typing import Annotated, Final

import msgspec

from drivers import mapping
from drivers.setting_type import Name, Octet, Port, Seconds
from historian.model.point import SECOND_US

REGISTERS_PER_REQUEST_MAX: Final = 125  # Modbus application protocol v1.1b3 §6.3: quantity 1 to 0x7D
REGISTER_COUNT: Final = 65_536  # addresses are 16 bit

RegistersPerRequest = Annotated[int, msgspec.Meta(ge=2, le=REGISTERS_PER_REQUEST_MAX)]
RegisterGap = Annotated[int, msgspec.Meta(ge=0, le=REGISTERS_PER_REQUEST_MAX)]


class RegisterArea(Enum):
    """Which of a device's two tables of 16-bit registers; both are only ever read."""

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
        """Registers that one number takes."""
        return 1 if self in (RegisterType.INT16, RegisterType.UINT16) else 2

    @property
    def raw_max(self) -> int:
        """The largest magnitude whose scaling must be exact; for a float its significand's 24 bits."""
        return _RAW_MAX[self]


_RAW_MAX: Final = {
    RegisterType.INT16: 2**15,
    RegisterType.UINT16: 2**16 - 1,
    RegisterType.INT32: 2**31,
    RegisterType.UINT32: 2**32 - 1,
    RegisterType.FLOAT32: 2**24,
}


class Order(Enum):
    """Which half comes first: of two words, or of two octets in a word."""

    BIG = "big"
    LITTLE = "little"


class ModbusPoint(mapping.PointEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point read from Modbus registers; with both orders big, octets come as ABCD."""

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
    """One Modbus TCP connection; only read functions exist."""

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
    registers_max: RegistersPerRequest = REGISTERS_PER_REQUEST_MAX
    register_gap_max: RegisterGap = 8
    backlog_samples_max: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 100_000
    points: tuple[ModbusPoint, ...] = ()

    @property
    def poll_interval_us(self) -> int:
        """The poll interval in whole µs."""
        return round(self.poll_interval_s * SECOND_US)


def check_point(settings: ModbusTcpSettings, entry: ModbusPoint) -> None:
    """What only this protocol knows about an entry. Raises MappingError."""
    mapping.check_poll_interval(entry, settings.poll_interval_us)
    mapping.scaling_of(entry, entry.type.raw_max)
    first = entry.address - settings.address_base
    if first < 0 or first + entry.type.register_count > REGISTER_COUNT:
        problem = f"address {entry.address} is outside the registers {settings.address_base} to "
        raise mapping.MappingError("address", f"{problem}{REGISTER_COUNT - 1 + settings.address_base}")
