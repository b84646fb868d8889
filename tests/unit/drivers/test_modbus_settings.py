import msgspec
import pytest

from drivers.mapping import MappingError
from drivers.modbus_settings import ModbusPoint, ModbusTcpSettings, RegisterType, check_point


def settings(**changes: object) -> ModbusTcpSettings:
    return ModbusTcpSettings(**{"name": "d", "host": "h", **changes})  # type: ignore[arg-type]


def entry(address: int, type_: RegisterType = RegisterType.UINT16) -> ModbusPoint:
    return ModbusPoint(name="a.b", unit="kW", interval="1m", address=address, type=type_)


@pytest.mark.parametrize(
    ("address_base", "address", "type_"),
    [
        pytest.param(0, 0, RegisterType.UINT16, id="first register"),
        pytest.param(0, 65_535, RegisterType.UINT16, id="last register"),
        pytest.param(1, 65_536, RegisterType.UINT16, id="last register counted from one"),
        pytest.param(0, 65_534, RegisterType.INT32, id="last two registers"),
    ],
)
def test_addresses_within_the_device_are_accepted(
    address_base: int, address: int, type_: RegisterType
) -> None:
    check_point(settings(address_base=address_base), entry(address, type_))


@pytest.mark.parametrize(
    ("address_base", "address", "type_"),
    [
        pytest.param(1, 0, RegisterType.UINT16, id="register 0 where counting starts at one"),
        pytest.param(0, 65_536, RegisterType.UINT16, id="beyond the last"),
        pytest.param(0, 65_535, RegisterType.FLOAT32, id="second half beyond the last"),
    ],
)
def test_addresses_outside_the_device_are_refused(
    address_base: int, address: int, type_: RegisterType
) -> None:
    with pytest.raises(MappingError, match="outside the registers") as caught:
        check_point(settings(address_base=address_base), entry(address, type_))
    assert caught.value.key == "address"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"registers_max": 126}, id="more registers than the protocol allows"),
        pytest.param({"poll_interval_s": 0.0}, id="no poll interval"),
        pytest.param({"unit_id": 256}, id="unit id above an octet"),
        pytest.param({"write_interval_s": 1}, id="nothing can be written"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"protocol": "modbus_tcp", "name": "d", "host": "h", **changes}, ModbusTcpSettings)


def test_raw_max_bounds_every_number_of_a_type() -> None:
    assert [type_.raw_max.bit_length() for type_ in RegisterType] == [16, 16, 32, 32, 25]
