import msgspec
import pytest

from drivers.setting_type import Name, Octet, Port, Seconds


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        pytest.param("demo110.iec104", Name, id="name"),
        pytest.param(65_535, Port, id="highest port"),
        pytest.param(0.01, Seconds, id="shortest time"),
        pytest.param(255, Octet, id="highest octet"),
    ],
)
def test_value_within_its_range_is_taken(value: object, type_: type) -> None:
    assert msgspec.convert(value, type_) == value


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        pytest.param("two words", Name, id="blank in a name"),
        pytest.param("", Name, id="empty name"),
        pytest.param(0, Port, id="port 0"),
        pytest.param(0.0, Seconds, id="no time at all"),
        pytest.param(256, Octet, id="more than an octet"),
    ],
)
def test_value_outside_its_range_is_refused(value: object, type_: type) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, type_)
