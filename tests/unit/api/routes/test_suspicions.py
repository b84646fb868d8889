"""Suspicions of magnitude over HTTP."""

import pytest

from historian.model.timestamp import parse_time_us
from tests.unit.api.conftest import Api

NOW_MS = parse_time_us("2026-11-22T08:00:00Z") // 1000
Q_MS = 15 * 60_000
SPAN = f"start={NOW_MS - 8 * Q_MS}&end={NOW_MS}"


@pytest.fixture
async def filled(api: Api) -> Api:
    """a sends W where kW are expected; w counts tonnes of water; b is as ever."""
    await api.put_point("a", station="S", capacity=10)
    await api.put_point("b", station="S", capacity=10)
    await api.put_point("w", "t", "interval", station="S", item="T6.08")
    times = [NOW_MS - k * Q_MS for k in range(8, 0, -1)]
    await api.ingest(
        {"point": "a", "times": times, "values": [5000.0 + k for k in range(8)]},
        {"point": "b", "times": times, "values": [5.5] * 8},
    )
    return api


async def test_each_is_told_with_numbers_and_what_to_look_at(filled: Api) -> None:
    answer = await filled.get_json(f"/api/v1/suspicions?station=S&{SPAN}")
    assert answer["point_count"] == 3
    scale, mass = answer["suspicions"]
    assert (scale["point"], scale["kind"], scale["against"], scale["factor"]) == (
        "a",
        "unit_scale",
        "its limit",
        0.001,
    )
    assert scale["numbers"] == {"median": 5003.5, "limit": 10.0}
    assert scale["advice"].startswith("compare the unit")
    assert (scale["start"], scale["end"]) == ("2026-11-22T06:00:00Z", "2026-11-22T08:00:00Z")
    assert (mass["point"], mass["kind"], mass["against"], mass["factor"]) == (
        "w",
        "mass_for_volume",
        "m3",
        None,
    )
    one = await filled.get_json(f"/api/v1/points/a/suspicions?{SPAN}")
    assert one["suspicions"] == [scale]


async def test_advice_is_in_the_language_of_who_asks(filled: Api) -> None:
    response = await filled.get(f"/api/v1/points/a/suspicions?{SPAN}", **{"Accept-Language": "zh-CN"})
    assert response.headers["Content-Language"] == "zh"
    assert (await response.json())["suspicions"][0]["advice"].startswith("核对数据源的单位")


async def test_as_a_table(filled: Api) -> None:
    text = await (await filled.get(f"/api/v1/suspicions?points=a,b&{SPAN}&format=csv&time=epoch_ms")).text()
    assert text.splitlines() == [
        "point,station,kind,against,factor,numbers,advice,start,end",
        "a,S,unit_scale,its limit,0.001,median=5003.5 limit=10,"
        '"compare the unit that the source sends with the unit of the point (W and kW, var and kvar, Wh and kWh)",'
        f"{NOW_MS - 8 * Q_MS},{NOW_MS}",
    ]
    [row] = await filled.get_json(f"/api/v1/suspicions?points=a&{SPAN}&format=rows")
    assert row["numbers"] == "median=5003.5 limit=10"


async def test_what_cannot_be_asked(filled: Api) -> None:
    await filled.problem(f"/api/v1/suspicions?{SPAN}", 400, "invalid-parameter")
    await filled.problem(f"/api/v1/suspicions?station=Q&{SPAN}", 404, "station-not-found")
    await filled.problem(f"/api/v1/points/none/suspicions?{SPAN}", 404, "point-not-found")
    await filled.problem("/api/v1/suspicions?points=a&start=0&end=1795334400000000", 400, "invalid-time")
