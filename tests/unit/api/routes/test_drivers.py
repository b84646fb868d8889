"""Drivers over HTTP."""

from historian.model.ports import DriverStatus
from tests.unit.api.conftest import Api

STATUS = DriverStatus(
    name="f101", protocol="modbus-tcp", station="demo110", address="127.0.0.1:502", state="waiting",
    since_us=1_000_000, last_error="refused", last_error_us=2_000_000, restart_count=3, counters={"requests": 5},
)  # fmt: skip


async def test_drivers_are_listed_in_the_order_configured(api: Api) -> None:
    api.drivers.listed = [STATUS]
    (driver,) = (await api.get_json("/api/v1/drivers"))["drivers"]
    assert driver == {
        "name": "f101", "protocol": "modbus-tcp", "station": "demo110", "address": "127.0.0.1:502",
        "state": "waiting", "since": "1970-01-01T00:00:01Z", "last_data": None, "last_error": "refused",
        "last_error_at": "1970-01-01T00:00:02Z", "restart_count": 3, "counters": {"requests": 5},
    }  # fmt: skip


async def test_one_driver_is_found_by_its_name(api: Api) -> None:
    api.drivers.listed = [STATUS]
    assert (await api.get_json("/api/v1/drivers/f101?time=epoch_ms"))["since"] == 1000
    await api.problem("/api/v1/drivers/f102", 404, "driver-not-found")
