"""Estimates over HTTP: tried, stored, listed; late data take their place again."""

from typing import Any

from tests.unit.api.conftest import Api, expect_problem

T0_MS = 1795104000000  # 2026-11-20T00:00:00+08:00
QUARTER_MS = 900_000
BODY = {"start": T0_MS, "end": T0_MS + 8 * QUARTER_MS, "reason": "link down", "author": "anna"}
URL = "/api/v1/points/p/estimates"


async def fill(api: Api) -> None:
    await api.put_point("p", "kW", "mean_power")
    times = [T0_MS + place * QUARTER_MS for place in (0, 1, 4, 5, 6, 7)]
    await api.ingest({"point": "p", "times": times, "values": [4, 4, 10, 4, 4, 4]})


async def ask(api: Api, more: str = "", status: int = 200, **body: object) -> Any:
    response = await api.client.post(f"{URL}{more}", json={**BODY, **body})
    assert response.status == status, await response.text()
    return await response.json()


async def coverage(api: Api) -> dict[str, int]:
    (row,) = (await api.get_json("/api/v1/rollups?points=p&from=2026-11-20&to=2026-11-21"))["rows"]
    found: dict[str, int] = row["coverage"]
    return found


async def test_a_dry_run_tells_and_stores_nothing(api: Api) -> None:
    await fill(api)
    found = await ask(api, "?dry_run=1&time=epoch_ms")
    assert found["samples"] == [
        {"time": T0_MS + 2 * QUARTER_MS, "value": 6.0}, {"time": T0_MS + 3 * QUARTER_MS, "value": 8.0},
    ]  # fmt: skip
    assert (found["dry_run"], found["count"], found["unchanged"], found["number"], found["seq"]) == (
        True, 2, 0, 0, 0,
    )  # fmt: skip
    assert found["record"]["methods"] == {"linear": 2}
    assert found["rollups"] == {
        "time_zone": "Asia/Shanghai", "days": ["2026-11-20"], "months": ["2026-11-01"], "years": ["2026-01-01"],
    }  # fmt: skip
    assert (await coverage(api))["received"] == 6
    assert (await api.get_json(URL))["estimates"] == []


async def test_estimates_are_stored_listed_and_counted_as_such(api: Api) -> None:
    await fill(api)
    made = await ask(api)
    assert (made["count"], made["number"], made["seq"] > 0) == (2, 1, True)
    assert (await coverage(api))["estimated"] == 2
    again = await ask(api)
    assert (again["count"], again["unchanged"], again["number"]) == (0, 2, 0)
    (entry,) = (await api.get_json(f"{URL}?time=epoch_ms"))["estimates"]
    assert entry["record"]["methods"] == {"linear": 2}
    assert (entry["start"], entry["end"], entry["count"], entry["author"], entry["seq"]) == (
        T0_MS, T0_MS + 8 * QUARTER_MS, 2, "anna", made["seq"],
    )  # fmt: skip
    assert entry["reason"] == "link down [estimated: linear 2]"
    rows = (await api.get_json(f"/api/v1/points/p/revisions?time={T0_MS + 2 * QUARTER_MS}"))["revisions"]
    assert [(one["origin"], one["source"], one["reason"]) for one in rows] == [
        ("estimated", "estimate:anna", "link down [estimated: linear 2]")
    ]


async def test_measured_data_that_come_late_take_the_place_of_estimates(api: Api) -> None:
    await fill(api)
    await ask(api)
    late = [
        T0_MS + 2 * QUARTER_MS,
        T0_MS + 3 * QUARTER_MS + 60_000,
    ]  # one at the stamp, one a minute beside it
    await api.ingest({"point": "p", "times": late, "values": [5, 5]})
    found = await coverage(api)
    assert (found["measured"], found["estimated"]) == (8, 0)


async def test_what_estimates_rest_on_is_named(api: Api) -> None:
    await fill(api)
    await api.put_point("other", "kW", "mean_power")
    times = [T0_MS + place * QUARTER_MS for place in range(16)]
    await api.ingest({"point": "other", "times": times, "values": [2] * 16})
    found = await ask(api, "?dry_run=1", alternate="other", like_days=["2026-11-19"])
    assert found["record"]["notes"] == ["alternate_shares_too_little"]
    outage = {"start": T0_MS + 2 * QUARTER_MS, "end": T0_MS + 4 * QUARTER_MS}
    found = await ask(api, "?dry_run=1", outages=[outage])
    assert found["record"]["methods"] == {"outage": 2}


async def test_the_list_goes_on_where_it_stopped(api: Api) -> None:
    await fill(api)
    for place in (2, 3):
        await ask(api, start=T0_MS + place * QUARTER_MS, end=T0_MS + (place + 1) * QUARTER_MS)
    first = await api.get_json(f"{URL}?limit=1")
    second = await api.get_json(f"{URL}?limit=1&cursor={first['next']}")
    assert [one["number"] for one in (*first["estimates"], *second["estimates"])] == [1, 2]
    assert "next" not in second
    await api.put_point("q")
    await api.problem(f"/api/v1/points/q/estimates?cursor={first['next']}", 400, "invalid-cursor")


async def test_what_is_refused(api: Api) -> None:
    await fill(api)
    for body, kind, status in (
        ({**BODY, "reason": " "}, "edit-refused", 422),
        ({**BODY, "end": T0_MS}, "invalid-body", 422),
        ({**BODY, "end": "2099-01-01T00:00:00Z"}, "edit-refused", 422),
        ({**BODY, "register": "p"}, "edit-refused", 422),
        ({**BODY, "alternate": "nobody"}, "point-not-found", 404),
        ({**BODY, "outages": [{"start": T0_MS, "end": T0_MS + 2}, {"start": T0_MS + 1, "end": T0_MS + 3}]}, "invalid-body", 422),
    ):  # fmt: skip
        await expect_problem(await api.client.post(URL, json=body), status, kind)
    assert (await coverage(api))["estimated"] == 0
