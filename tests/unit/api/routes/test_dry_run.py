"""Dry runs over HTTP: a rule, a multiplier, a calendar, each told before it is stated."""

from typing import Any

from tests.unit.api.conftest import Api, expect_problem
from tests.unit.api.routes.test_tariffs import calendar

T0_MS = 1795104000000  # 2026-11-20T00:00:00+08:00
QUARTER_MS = 900_000
DAYS = {"from": "2026-11-20", "to": "2026-11-21"}
RULES = {"kind": "rules", "rules": {"sentinel": {"values": [-99]}}}


async def fill(api: Api) -> None:
    await api.put_point("p", "kW", "mean_power", station="north")
    times = [T0_MS + place * QUARTER_MS for place in range(96)]
    await api.ingest({"point": "p", "times": times, "values": [-99] + [4] * 95})


async def ask(api: Api, **body: object) -> Any:
    response = await api.client.post("/api/v1/dry-run", json={**DAYS, "points": ["p"], **body})
    assert response.status == 200, await response.text()
    return await response.json()


async def test_a_rule_on_trial(api: Api) -> None:
    await fill(api)
    found = await ask(api, term=RULES)
    assert (found["dry_run"], found["looked_at"], found["moved_days"], found["moved_months"]) == (
        True,
        1,
        1,
        1,
    )
    month, day = found["rows"]
    assert (month["period"], month["date"], day["period"], day["date"]) == (
        "month", "2026-11-01", "day", "2026-11-20",
    )  # fmt: skip
    assert day == {
        "point": "p", "period": "day", "date": "2026-11-20", "unit": "kWh",
        "before": {"energy": 70.25, "min": -99.0, "good": 96}, "after": {"energy": 95.0, "min": 4.0, "good": 95},
    }  # fmt: skip
    assert (await api.get_json("/api/v1/points/p/terms"))["statements"] == []


async def test_a_multiplier_for_a_station(api: Api) -> None:
    await fill(api)
    multiplier = {"value": 2, "valid_from": T0_MS}
    response = await api.client.post(
        "/api/v1/dry-run?time=epoch_ms", json={**DAYS, "station": "north", "multiplier": multiplier}
    )
    found = await response.json()
    assert found["rows"][1]["after"] == {"energy": 140.5, "max_demand": 8.0, "min": -198.0}


async def test_a_calendar_with_its_first_tariff(api: Api) -> None:
    await fill(api)
    term = {"kind": "tariff", "calendar": "day-night"}
    found = await ask(api, calendar=calendar(), term=term)
    assert found["rows"][1]["before"]["tariff"] is None
    assert found["rows"][1]["after"]["tariff"] == "day-night@1"
    assert (await api.get_json("/api/v1/tariffs"))["tariffs"] == []
    response = await api.client.post("/api/v1/dry-run", json={**DAYS, "points": ["p"], "term": term})
    await expect_problem(response, 404, "tariff-not-found")


async def test_a_locked_day_is_flagged(api: Api) -> None:
    await fill(api)
    url = "/api/v1/rollups/locks?points=p&from=2026-11-20&to=2026-11-21"
    assert (await api.client.post(url, json={"reason": "billed"})).status == 201
    assert [row["locked"] for row in (await ask(api, term=RULES))["rows"]] == [True, True]


async def test_what_is_refused(api: Api) -> None:
    await fill(api)
    for body, kind, status in (
        ({}, "invalid-body", 422),
        ({"term": {"kind": "reset"}}, "invalid-body", 422),
        ({"term": {"kind": "reset"}, "valid_from": T0_MS}, "term-invalid", 422),
        ({"term": {"kind": "rules", "rules": {"spike": {}}}}, "term-invalid", 422),
        ({"multiplier": {"value": 0}}, "invalid-body", 422),
        ({"multiplier": {"value": 2}, "points": ["q"]}, "point-not-found", 404),
        ({"multiplier": {"value": 2}, "from": "1900", "to": "2100"}, "query-too-large", 422),
        ({"multiplier": {"value": 2}, "to": "2026-11-19"}, "invalid-parameter", 400),
    ):
        response = await api.client.post("/api/v1/dry-run", json={**DAYS, "points": ["p"], **body})
        await expect_problem(response, status, kind)
