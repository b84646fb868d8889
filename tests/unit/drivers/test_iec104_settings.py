import msgspec
import pytest

from drivers.iec104_settings import (
    Iec104Point,
    Iec104Settings,
    address_of,
    check_connection,
    check_point,
    common_addresses,
)
from drivers.mapping import MappingError
from historian.model.point import PointKind


def settings(**changes: object) -> Iec104Settings:
    return Iec104Settings(**{"name": "d", "host": "station.example", **changes})  # type: ignore[arg-type]


def entry(address: int, common_address: int | None = None, **changes: object) -> Iec104Point:
    fields = {"name": f"p{common_address}-{address}", "unit": "MW", **changes}
    return Iec104Point(
        information_object_address=address,
        common_address=common_address,
        **fields,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="defaults of the standard"),
        pytest.param({"send_window_apdus": 12, "receive_window_apdus": 8}, id="w two thirds of k"),
        pytest.param({"send_window_apdus": 2, "receive_window_apdus": 1}, id="small windows"),
        pytest.param({"confirm_timeout_s": 11, "acknowledge_delay_s": 10}, id="t2 just below t1"),
        pytest.param({"time_zone": "UTC", "clock_sync_interval_s": 3600}, id="clock sync of a UTC device"),
    ],
)
def test_connection_that_keeps_the_standard_is_accepted(changes: dict[str, object]) -> None:
    check_connection(settings(**changes), "Asia/Shanghai")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        pytest.param({"receive_window_apdus": 9}, "receive_window_apdus", id="w above two thirds of k"),
        pytest.param({"send_window_apdus": 1, "receive_window_apdus": 1}, "receive_window_apdus", id="k 1"),
        pytest.param({"confirm_timeout_s": 10}, "acknowledge_delay_s", id="t2 not below t1"),
        pytest.param({"host": "::1"}, "host", id="IPv6"),
        pytest.param({"time_zone": "Mars/Olympus"}, "time_zone", id="no zone"),
        pytest.param({"clock_sync_interval_s": 60}, "clock_sync_interval_s", id="clock sync, local device"),
        pytest.param({"points": (entry(1), entry(1, 1))}, "points", id="an address twice"),
    ],
)
def test_connection_that_breaks_it_is_refused_at_its_field(changes: dict[str, object], key: str) -> None:
    with pytest.raises(MappingError) as refusal:
        check_connection(settings(**changes), "Asia/Shanghai")
    assert refusal.value.key == key


@pytest.mark.parametrize(
    "field",
    [
        pytest.param({"connect_timeout_s": 0}, id="t0 0"),
        pytest.param({"confirm_timeout_s": 256}, id="t1 256"),
        pytest.param({"test_interval_s": 172_801}, id="t3 beyond two days"),
        pytest.param({"send_window_apdus": 32_768}, id="k beyond the sequence numbers"),
        pytest.param({"common_address": 65_535}, id="the address of all"),
        pytest.param({"common_address": 0}, id="the unused address"),
    ],
)
def test_value_outside_the_range_of_the_standard_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"protocol": "iec104", "name": "d", "host": "h", **field}, Iec104Settings)


def test_point_may_lie_under_another_common_address() -> None:
    own = settings(common_address=7, points=(entry(1), entry(1, 3), entry(2, 3)))
    assert [address_of(own, point) for point in own.points] == [(7, 1), (3, 1), (3, 2)]
    assert common_addresses(own) == [3, 7]


def test_counter_keeps_all_its_digits_under_a_scale() -> None:
    check_point(entry(1, kind=PointKind.REGISTER, unit="kWh", scale=0.001))


def test_scale_that_cannot_be_exact_is_refused() -> None:
    with pytest.raises(MappingError):
        check_point(entry(1, kind=PointKind.REGISTER, unit="kWh", scale=1.23456789))
