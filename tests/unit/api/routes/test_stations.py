"""Stations over HTTP."""

import pytest

from historian.model.ports import DriverStatus
from historian.model.timestamp import parse_time_us
from tests.unit.api.conftest import Api

NOW_MS = parse_time_us("2026-11-22T08:00:00Z") // 1000


@pytest.fixture
async def filled(api: Api) -> Api:
    """A is up to date; B has nothing, and a driver that failed."""
    await api.put_point("A.P", station="A", item="T2.06", capacity=10)
    await api.put_point("B.P", station="B")
    await api.put_point("B.Q", station="B")
    await api.ingest({"point": "A.P", "times": [NOW_MS], "values": [4.0]})
    for name, station, state in (("a1", "A", "running"), ("b1", "B", "failed")):
        api.drivers.listed.append(
            DriverStatus(
                name=name,
                protocol="modbus",
                station=station,
                address="x",
                state=state,
                since_us=0,  # type: ignore[arg-type]
            )
        )
    return api


async def test_one_line_a_station(filled: Api) -> None:
    first, second = (await filled.get_json("/api/v1/stations"))["stations"]
    assert (first["station"], first["power"], first["power_unit"], first["load_ratio"]) == (
        "A",
        4.0,
        "kW",
        0.4,
    )
    assert (first["main_points"], first["main_basis"], first["reasons"]) == (["A.P"], "item", [])
    assert (first["power_time"], first["age_s"], first["drivers_down"]) == ("2026-11-22T08:00:00Z", 0.0, 0)
    assert (second["power"], second["main_basis"], second["candidates"]) == (
        None,
        "ambiguous",
        ["B.P", "B.Q"],
    )
    assert second["reasons"] == ["ambiguous_main_power", "no_capacity"]
    assert (second["overdue_count"], second["drivers_down"], second["age_s"]) == (2, 1, None)
    assert second["drivers"] == [{"name": "b1", "state": "failed", "last_error": ""}]


async def test_the_worst_come_first_where_asked(filled: Api) -> None:
    rows = await filled.get_json("/api/v1/stations?sort=worst&format=rows")
    assert [(row["station"], row["candidates"], row["main_points"]) for row in rows] == [
        ("B", "B.P B.Q", ""),
        ("A", "", "A.P"),
    ]
    assert "drivers" not in rows[0]
    await filled.problem("/api/v1/stations?sort=best", 400, "invalid-parameter")


async def test_one_station(filled: Api) -> None:
    one = await filled.get_json("/api/v1/stations/A?time=epoch_ms")
    assert (one["station"], one["power_time"]) == ("A", NOW_MS)
    await filled.problem("/api/v1/stations/Q", 404, "station-not-found")
