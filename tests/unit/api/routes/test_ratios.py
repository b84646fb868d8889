"""Derived ratios over HTTP: vector sums, never the mean of ratios, capacity as it held."""

from typing import Any

import pytest

from tests.unit.api.conftest import Api

T0_MS = 1795104000000  # 2026-11-20T00:00:00+08:00
QUARTER_MS = 900_000
RATIOS = "/api/v1/ratios"


async def state(api: Api, point: str, status: int = 201, **term: object) -> Any:
    body = {"term": term, "valid_from": "2020-01-01T00:00:00+08:00", "reason": "as built"}
    response = await api.client.post(f"/api/v1/points/{point}/terms", json=body)
    assert response.status == status, await response.text()
    return await response.json()


async def put(api: Api, name: str, unit: str, values: list[float], kind: str = "mean_power") -> None:
    """Two days of quarters, the last value held."""
    await api.put_point(name, unit, kind)
    whole = values + values[-1:] * (192 - len(values))
    times = [T0_MS + i * QUARTER_MS for i in range(192)]
    await api.ingest({"point": name, "times": times, "values": whole})


@pytest.fixture
async def transformer(api: Api) -> Api:
    """1000 kVA; a day at 800 kW and 600 kvar, then one at 400 and 300."""
    await put(api, "P", "kW", [800.0] * 96 + [400.0])
    await put(api, "Q", "kvar", [600.0] * 96 + [300.0])
    await api.put_point("T1", "%", "ratio", capacity=1000)
    await state(api, "T1", kind="ratio", formula="load_ratio", inputs=["P", "Q"])
    return api


async def one_row(api: Api, query: str) -> Any:
    (row,) = (await api.get_json(f"{RATIOS}?{query}"))["rows"]
    return row


async def test_800_kw_and_600_kvar_on_1000_kva_are_100_per_cent(transformer: Api) -> None:
    reply = await transformer.get_json("/api/v1/points/T1/load-curve?date=2026-11-20")
    assert (reply["unit"], set(reply["values"]), set(reply["states"])) == ("%", {100.0}, {"complete"})
    assert (reply["summary"]["max"], reply["summary"]["mean"], reply["summary"]["energy"]) == (
        100.0,
        100.0,
        None,
    )
    row = await one_row(transformer, "points=T1&from=2026-11-20&to=2026-11-21")
    assert (row["ratio"], row["max"], row["unit"], row["state"]) == (100.0, 100.0, "%", "complete")
    assert (row["max_start"], row["max_end"]) == ("2026-11-19T16:00:00Z", "2026-11-19T16:15:00Z")
    assert (row["capacity"], row["capacity_unit"]) == (1000.0, "kVA")
    assert row["basis"] == "apparent power (vector sum of P and Q) over rated kVA"
    assert row["over_capacity_count"] == 0


async def test_above_100_per_cent_is_legal_and_told(transformer: Api) -> None:
    await transformer.ingest({"point": "P", "times": [T0_MS], "values": [1600.0]})
    await transformer.ingest({"point": "Q", "times": [T0_MS], "values": [1200.0]})
    row = await one_row(transformer, "points=T1&from=2026-11-20&to=2026-11-21")
    assert (row["max"], row["over_capacity_count"], row["warnings"]) == (200.0, 1, ["over_capacity"])


async def test_a_ratio_of_a_longer_time_is_made_anew_and_never_a_mean_of_ratios(api: Api) -> None:
    """A power that turns round: each quarter is at 80 %, their mean energy is nothing."""
    await put(api, "P", "kW", [800.0, -800.0] * 96)
    await put(api, "Q", "kvar", [0.0])
    await api.put_point("T1", "1", "ratio", capacity=1000)
    await state(api, "T1", kind="ratio", formula="load_ratio", inputs=["P", "Q"])
    row = await one_row(api, "points=T1&from=2026-11-20&to=2026-11-21")
    assert (row["ratio"], row["mean"], row["max"]) == (0.0, 0.8, 0.8)


async def test_circuits_add_up_as_a_vector(transformer: Api) -> None:
    await put(transformer, "P2", "kW", [0.2 * 1000])
    await put(transformer, "Q2", "kvar", [-600.0])
    await transformer.put_point("S", "1", "ratio", capacity=2000)
    await state(transformer, "S", kind="ratio", formula="load_ratio", inputs=["P", "Q", "P2", "Q2"])
    row = await one_row(transformer, "points=S&from=2026-11-20&to=2026-11-21")
    assert row["ratio"] == 0.5  # 1000 kW and 0 kvar; by single apparent powers it would be more


async def test_the_capacity_of_the_time_counts(transformer: Api) -> None:
    body = {"capacity": 500, "valid_from": "2026-11-21T00:00:00+08:00"}
    response = await transformer.client.patch("/api/v1/points/T1", json=body)
    assert response.status == 200, await response.text()
    days = (await transformer.get_json(f"{RATIOS}?points=T1&from=2026-11-20&to=2026-11-22"))["rows"]
    assert [(row["ratio"], row["capacity"]) for row in days] == [(100.0, 1000.0), (100.0, 500.0)]
    row = await one_row(transformer, "points=T1&period=billing&cutoff_day=20&from=2026-11-20&to=2026-11-21")
    assert (row["capacity"], row["warnings"], row["state"]) == (
        pytest.approx((1000 + 500 * 2) / 3),
        ["capacity_changed"],
        "open",
    )


async def test_active_power_alone_needs_a_power_factor_that_is_stated(transformer: Api) -> None:
    await transformer.put_point("T2", "1", "ratio", capacity=1000)
    await state(transformer, "T2", kind="ratio", formula="load_ratio", inputs=["P"])
    path = f"{RATIOS}?points=T2&from=2026-11-20&to=2026-11-21"
    problem = await transformer.problem(path, 422, "query-refused")
    assert "1 active and 0 reactive" in problem["detail"]
    await transformer.problem("/api/v1/points/T2/load-curve?date=2026-11-20", 422, "query-refused")
    await state(transformer, "T2", kind="ratio", formula="load_ratio", inputs=["P"], assumed_power_factor=0.8)
    row = await one_row(transformer, "points=T2&from=2026-11-20&to=2026-11-21")
    assert (row["ratio"], row["assumed_power_factor"]) == (1.0, 0.8)
    assert row["basis"] == "active power over the assumed power factor and rated kVA"


async def test_a_line_by_its_largest_current(api: Api) -> None:
    for name, value in (("Ia", 100.0), ("Ib", 150.0), ("Ic", 120.0)):
        await put(api, name, "A", [value], "instantaneous")
    await api.put_point("L", "%", "ratio", capacity=300)
    await state(api, "L", kind="ratio", formula="line_load_ratio", inputs=["Ia", "Ib", "Ic"])
    row = await one_row(api, "points=L&from=2026-11-20&to=2026-11-21")
    assert (row["ratio"], row["capacity_unit"]) == (50.0, "A")


async def test_a_power_factor_is_of_energies(api: Api) -> None:
    """Half a day at 100 kW and none reactive, half a day at 10 kW and 100 kvar: a mean of factors would be 0.55."""
    await put(api, "P", "kWh", [25.0] * 48 + [2.5] * 48 + [0.0], "interval")
    await put(api, "Q", "kvarh", [0.0] * 48 + [25.0] * 48 + [0.0], "interval")
    await api.put_point("PF", "1", "ratio")
    await state(api, "PF", kind="ratio", formula="power_factor", inputs=["P", "Q"])
    row = await one_row(api, "points=PF&from=2026-11-20&to=2026-11-21")
    assert row["ratio"] == pytest.approx(1320 / (1320**2 + 1200**2) ** 0.5, rel=1e-15)
    assert (row["rounded"], row["standards"], row["mean"]) == (
        0.74,
        [0.9, 0.85, 0.8],
        pytest.approx(0.5498, abs=1e-3),
    )
    assert "capacity" not in row


async def test_reactive_energy_counts_whichever_way_it_flowed(api: Api) -> None:
    await put(api, "P", "kWh", [30.0], "interval")
    await put(api, "lag", "kvarh", [25.0], "interval")
    await put(api, "lead", "kvarh", [-15.0], "interval")
    await api.put_point("PF", "1", "ratio")
    await state(api, "PF", kind="ratio", formula="power_factor", inputs=["P", "lag", "lead"])
    row = await one_row(api, "points=PF&from=2026-11-20&to=2026-11-21")
    assert (row["ratio"], row["rounded"]) == (0.6, 0.6)


async def test_a_quarter_that_an_input_lacks_has_no_ratio(transformer: Api) -> None:
    edit = {"kind": "delete", "times": ["2026-11-20T01:00:00+08:00"], "reason": "void"}
    response = await transformer.client.post("/api/v1/points/Q/edits", json=edit)
    assert response.status == 200, await response.text()
    reply = await transformer.get_json("/api/v1/points/T1/load-curve?date=2026-11-20")
    assert (reply["values"][4], reply["states"][4]) == (None, "missing")
    row = await one_row(transformer, "points=T1&from=2026-11-20&to=2026-11-21")
    assert (row["value_count"], row["slot_count"], row["state"]) == (95, 96, "provisional")


async def test_what_is_no_input_or_no_ratio_is_refused(transformer: Api) -> None:
    await state(transformer, "P", 422, kind="ratio", formula="load_ratio", inputs=["P", "Q"])
    await state(transformer, "T1", 404, kind="ratio", formula="load_ratio", inputs=["P", "nobody"])
    await transformer.problem(f"{RATIOS}?points=P&from=2026-11-20&to=2026-11-21", 422, "query-refused")
    await put(transformer, "U", "V", [230.0], "instantaneous")
    await state(transformer, "T1", kind="ratio", formula="load_ratio", inputs=["P", "U"])
    await transformer.problem(f"{RATIOS}?points=T1&from=2026-11-20&to=2026-11-21", 422, "unit-mismatch")
    await transformer.put_point("T3", "1", "ratio")
    await state(transformer, "T3", kind="ratio", formula="load_ratio", inputs=["P", "Q"])
    problem = await transformer.problem(
        f"{RATIOS}?points=T3&from=2026-11-20&to=2026-11-21", 422, "query-refused"
    )
    assert "no capacity in kVA" in problem["detail"]
