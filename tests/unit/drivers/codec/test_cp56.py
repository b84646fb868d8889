import pytest

from drivers.codec.cp56 import Cp24, Cp56, decode_cp24, decode_cp56
from historian.errors import ProtocolError
from historian.model.timestamp import parse_time_us


@pytest.mark.parametrize(
    ("octets", "local_time"),
    [
        pytest.param("c7 5d 17 08 84 07 0d", "2013-07-04T08:23:24.007Z", id="with weekday"),
        pytest.param("c8 32 39 08 1d 08 08", "2008-08-29T08:57:13Z", id="without weekday"),
        pytest.param("94 dc 02 8a 23 0a 0b", "2011-10-03T10:02:56.468Z", id="summer time"),
        pytest.param("55 2a 00 00 01 01 00", "2000-01-01T00:00:10.837Z", id="clock never set"),
        pytest.param("5f ea 3b 17 1f 0c 63", "2099-12-31T23:59:59.999Z", id="last of the century"),
        pytest.param("00 00 00 00 1d 02 18", "2024-02-29T00:00:00Z", id="leap day"),
    ],
)
def test_stamp_is_read(octets: str, local_time: str) -> None:
    stamp = decode_cp56(bytes.fromhex(octets))
    assert stamp.local_us == parse_time_us(local_time)
    assert not stamp.is_invalid


@pytest.mark.parametrize(
    ("octets", "field"),
    [
        pytest.param("c8 32 b9 08 1d 08 08", "is_invalid", id="IV"),
        pytest.param("c8 32 79 08 1d 08 08", "is_substituted", id="GEN"),
        pytest.param("c8 32 39 88 1d 08 08", "is_summer", id="SU"),
    ],
)
def test_each_flag_comes_alone(octets: str, field: str) -> None:
    stamp = decode_cp56(bytes.fromhex(octets))
    flags = {name: getattr(stamp, name) for name in ("is_invalid", "is_substituted", "is_summer")}
    assert flags == {name: name == field for name in flags}
    assert stamp.local_us == parse_time_us("2008-08-29T08:57:13Z")


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param("60 ea 39 08 1d 08 08", id="60000 ms"),
        pytest.param("c8 32 3c 08 1d 08 08", id="minute 60"),
        pytest.param("c8 32 39 18 1d 08 08", id="hour 24"),
        pytest.param("c8 32 39 08 00 08 08", id="day 0"),
        pytest.param("c8 32 39 08 1e 02 08", id="30 February"),
        pytest.param("c8 32 39 08 1d 00 08", id="month 0"),
        pytest.param("c8 32 39 08 1d 0d 08", id="month 13"),
    ],
)
def test_impossible_date_is_an_invalid_stamp(octets: str) -> None:
    assert decode_cp56(bytes.fromhex(octets)).is_invalid


def test_short_stamp_has_minutes_and_milliseconds() -> None:
    assert decode_cp24(bytes.fromhex("c7 5d 17")) == Cp24((23 * 60 + 24) * 1_000_000 + 7_000, False, False)


def test_short_stamp_has_iv_and_gen() -> None:
    assert decode_cp24(bytes.fromhex("00 00 c0")) == Cp24(0, True, True)


def test_stamp_of_another_length_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        decode_cp56(bytes(6))
    with pytest.raises(ProtocolError):
        decode_cp24(bytes(4))


def test_impossible_date_keeps_its_other_flags() -> None:
    assert decode_cp56(bytes.fromhex("00 00 40 80 00 00 00")) == Cp56(0, True, True, True)
