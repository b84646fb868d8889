"""Carbon over HTTP: exact, every factor named, nothing guessed, nothing mixed."""

from typing import Any

import pytest

from tests.unit.api.conftest import Api

CARBON = "/api/v1/carbon"
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
NEW_YEAR_2023_MS = 1672502400000  # 2023-01-01T00:00:00+08:00
SPRING_2025_MS = 1743436800000  # 2025-04-01T00:00:00+08:00


async def state(api: Api, point: str, status: int = 201, **term: object) -> Any:
    body = {"term": term, "valid_from": "2020-01-01T00:00:00+08:00", "reason": "as built"}
    response = await api.client.post(f"/api/v1/points/{point}/terms", json=body)
    assert response.status == status, await response.text()
    return await response.json()


async def daily(api: Api, name: str, first_ms: int, values: list[float], unit: str = "kWh") -> None:
    await api.put_point(name, unit, "interval", interval="1d", station="plant")
    times = [first_ms + i * DAY_MS for i in range(len(values))]
    await api.ingest({"point": name, "times": times, "values": values})


async def put_factors(api: Api, status: int = 200, **table: object) -> Any:
    whole = {
        "version": 1, "carrier": "electricity", "basis": "location", "unit": "kgCO2/kWh", "source": "own",
        "confidence": "high",
    } | table  # fmt: skip
    body = {"table": whole, "reason": "measured"}
    response = await api.client.put(f"/api/v1/factors/{table['id']}", json=body)
    assert response.status == status, await response.text()
    return await response.json()


async def test_energy_times_a_factor_that_is_named(api: Api) -> None:
    await daily(api, "e", NEW_YEAR_2023_MS - DAY_MS, [1000.0])
    await state(api, "e", kind="carbon", region="CN-32")
    reply = await api.get_json(f"{CARBON}?points=e&period=year&from=2022&to=2023")
    (row,) = reply["rows"]
    assert (row["energy"], row["unit"], row["co2"], row["co2_unit"]) == (1000.0, "kWh", 597.8, "kgCO2")
    assert (row["kgce"], row["carrier"], row["direction"]) == (122.9, "electricity", "consumption")
    (factor,) = row["factors"]
    assert (factor["id"], factor["version"], factor["value"], factor["unit"]) == (
        "cn-province-location-2022/CN-32",
        1,
        0.5978,
        "kgCO2/kWh",
    )
    assert (factor["basis"], factor["region"], factor["year"]) == ("location", "CN-32", 2022)
    assert [one["id"] for one in row["coal_factors"]] == ["ce-electricity-equivalent/CN"]
    assert reply["totals"] == []


async def test_factors_that_change_with_the_year_multiply_day_by_day(api: Api) -> None:
    await daily(api, "e", NEW_YEAR_2023_MS - DAY_MS, [10.0, 20.0])
    await state(api, "e", kind="carbon", region="CN")
    path = f"{CARBON}?points=e&period=billing&cutoff_day=15&from=2022-12-15&to=2023-01-15"
    (row,) = (await api.get_json(path))["rows"]
    assert (row["energy"], row["co2"]) == (30.0, 15.978)  # 10 × 0.5366 + 20 × 0.5306
    assert [one["year"] for one in row["factors"]] == [2022, 2023]


async def test_what_is_missing_is_refused_with_what_there_is(api: Api) -> None:
    await daily(api, "e", SPRING_2025_MS, [100.0])
    problem = await api.problem(f"{CARBON}?points=e&from=2025-04-01&to=2025-04-02", 422, "factor-missing")
    assert "state a carbon term" in problem["detail"]
    await state(api, "e", kind="carbon", region="CN")
    path = f"{CARBON}?points=e&from=2025-04-01&to=2025-04-02"
    assert "there are: 2021, 2022, 2023" in (await api.problem(path, 422, "factor-missing"))["detail"]
    (row,) = (await api.get_json(f"{path}&provisional=1"))["rows"]
    assert (row["co2"], row["state"], row["factors"][0]["year"]) == (53.06, "provisional", 2023)
    market = await api.get_json(f"{path}&provisional=1&basis=market")
    assert market["rows"][0]["co2"] == 60.96
    (coal,) = (await api.get_json(f"{path}&basis=none&coal=equal_value"))["rows"]
    assert (coal["co2"], coal["kgce"], coal["state"]) == (None, 40.4, "complete")


async def test_market_factors_of_a_province_are_not_made_up(api: Api) -> None:
    await daily(api, "e", NEW_YEAR_2023_MS, [100.0])
    await state(api, "e", kind="carbon", region="CN-32")
    path = f"{CARBON}?points=e&from=2023-01-01&to=2023-01-02&basis=market"
    assert "there are: CN" in (await api.problem(path, 422, "factor-missing"))["detail"]
    (row,) = (await api.get_json(f"{path}&region=CN"))["rows"]
    assert (row["co2"], row["factors"][0]["id"]) == (60.96, "cn-market-2023/CN")


async def test_export_and_own_use_stand_apart_and_sums_are_of_one_kind(api: Api) -> None:
    for name, direction in (
        ("in", "consumption"),
        ("in2", "consumption"),
        ("out", "export"),
        ("own", "self"),
    ):
        await daily(api, name, NEW_YEAR_2023_MS, [100.0])
        await state(api, name, kind="carbon", region="CN", direction=direction)
    await daily(api, "gas", NEW_YEAR_2023_MS, [10.0], "m3")
    await state(api, "gas", kind="medium", carrier="gas", reference="20C,101.325kPa")
    await state(api, "gas", kind="carbon", region="CN", coal_technology="gas_field")
    await daily(api, "water", NEW_YEAR_2023_MS, [10.0], "m3")
    reply = await api.get_json(f"{CARBON}?points=in,in2,out,own,gas&from=2023-01-01&to=2023-01-02")
    assert [row["direction"] for row in reply["rows"]] == [
        "consumption", "consumption", "export", "self_consumption", "consumption",
    ]  # fmt: skip
    assert all(row["co2"] > 0 for row in reply["rows"])
    totals = {(one["direction"], one["carrier"]): one for one in reply["totals"]}
    assert totals["consumption", "electricity"]["co2"] == 106.12
    assert totals["consumption", "electricity"]["points"] == 2
    assert totals["export", "electricity"]["co2"] == totals["self_consumption", "electricity"]["co2"] == 53.06
    gas = totals["consumption", "natural_gas"]
    assert (gas["co2"], gas["kgce"], gas["unit"]) == (21.622, 12.143, "m3")
    await state(api, "water", kind="medium", carrier="water")
    await state(api, "water", kind="carbon", region="CN")
    path = f"{CARBON}?points=water&from=2023-01-01&to=2023-01-02"
    assert "no factor for fresh_water" in (await api.problem(path, 422, "factor-missing"))["detail"]
    (water,) = (await api.get_json(f"{path}&basis=none"))["rows"]
    assert (water["energy"], water["unit"], water["kgce"]) == (10.0, "m3", 2.571)
    assert water["warnings"] == ["one_m3_of_water_taken_as_one_t"]


async def test_a_negative_amount_is_refused(api: Api) -> None:
    await daily(api, "e", NEW_YEAR_2023_MS, [-5.0])
    await state(api, "e", kind="carbon", region="CN")
    path = f"{CARBON}?points=e&from=2023-01-01&to=2023-01-02"
    assert "export of its own" in (await api.problem(path, 422, "factor-missing"))["detail"]


async def test_factors_by_the_hour_multiply_hour_by_hour(api: Api) -> None:
    hours = [0.0] * 24
    hours[:4] = [1.0, 0.8, 0.2, 0.2]
    await put_factors(api, id="plant", hours={"plant": hours})
    await api.put_point("e", "kWh", "interval", interval="1h")
    times = [NEW_YEAR_2023_MS + i * HOUR_MS for i in range(24)]
    await api.ingest({"point": "e", "times": times, "values": [10.0, 20.0, 30.0, 40.0] + [1.0] * 20})
    await state(api, "e", kind="carbon", region="plant")
    for name in ("day", "month", "year"):
        (row,) = (await api.get_json(f"{CARBON}?points=e&period={name}&from=2023-01-01&to=2023-01-02"))[
            "rows"
        ]
        assert (row["energy"], row["co2"]) == (120.0, 40.0), name
        assert (row["factors"][0]["value"], row["factors"][0]["hours"]) == (None, hours)
    await daily(api, "d", NEW_YEAR_2023_MS, [100.0])
    await state(api, "d", kind="carbon", region="plant")
    path = f"{CARBON}?points=d&from=2023-01-01&to=2023-01-02"
    assert "a value every 24 h" in (await api.problem(path, 422, "factor-missing"))["detail"]


async def test_energy_across_a_gap_lies_in_no_hour(api: Api) -> None:
    await put_factors(api, id="plant", hours={"CN-plant": [0.5] * 24})
    await api.put_point("r", "kWh", "register", interval="1h")
    times = [NEW_YEAR_2023_MS + i * HOUR_MS for i in (0, 1, 10, *range(11, 25))]
    await api.ingest({"point": "r", "times": times, "values": [float(i) for i in (0, 1, 10, *range(11, 25))]})
    await state(api, "r", kind="carbon", region="CN-plant")
    (row,) = (await api.get_json(f"{CARBON}?points=r&from=2023-01-01&to=2023-01-02"))["rows"]
    assert (row["energy"], row["co2"], row["energy_in_no_hour"]) == (24.0, 7.5, 9.0)
    assert (row["state"], row["warnings"]) == ("provisional", ["energy_in_no_hour"])


async def test_a_figure_names_the_factors_that_were_known_then(api: Api) -> None:
    clock: Any = api.context.clock
    await daily(api, "e", NEW_YEAR_2023_MS, [100.0])
    await put_factors(api, id="plant", values={"plant": 0.5}, year=2023)
    await state(api, "e", kind="carbon", region="plant")
    path = f"{CARBON}?points=e&from=2023-01-01&to=2023-01-02"
    before_ms = clock.now_us() // 1000
    clock.advance(60.0)
    await put_factors(api, id="plant", version=2, values={"plant": 0.4}, year=2023)
    now = (await api.get_json(path))["rows"][0]
    then = (await api.get_json(f"{path}&as_of={before_ms}"))["rows"][0]
    assert (now["co2"], now["factors"][0]["version"]) == (40.0, 2)
    assert (then["co2"], then["factors"][0]["version"]) == (50.0, 1)


@pytest.mark.parametrize("unit", ["V", "degC"])
async def test_what_is_no_energy_has_no_carbon(api: Api, unit: str) -> None:
    await api.put_point("v", unit)
    await state(api, "v", kind="carbon", region="CN")
    await api.problem(f"{CARBON}?points=v&from=2023-01-01&to=2023-01-02", 422, "unit-mismatch")


async def test_a_period_of_which_nothing_is_known_has_no_carbon(api: Api) -> None:
    await api.put_point("e", "kWh", "interval")
    await state(api, "e", kind="carbon", region="CN")
    (row,) = (await api.get_json(f"{CARBON}?points=e&from=2023-01-01&to=2023-01-02"))["rows"]
    assert (row["energy"], row["co2"], row["kgce"]) == (None, None, None)
