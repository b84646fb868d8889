"""Locked periods over HTTP: a locked row stays, the correction stands beside it."""

from typing import Any

import pytest

from tests.unit.api.conftest import Api, expect_problem

T0_MS = 1793462400000  # 2026-11-01T00:00:00+08:00
DAY_MS = 86_400_000
QUERY = "points=e&period=billing&cutoff_day=1&from=2026-10-01&to=2026-10-02"
OCTOBER_MS = T0_MS - 31 * DAY_MS


@pytest.fixture
async def filled(api: Api) -> Api:
    """A meter with October 2026, an hour a day."""
    await api.put_point("e", "kWh", "interval", interval="1h")
    times = [OCTOBER_MS + day * DAY_MS for day in range(31)]
    await api.ingest({"point": "e", "times": times, "values": [2.0] * 31})
    return api


async def put(api: Api, day: int, value: float) -> None:
    await api.ingest({"point": "e", "times": [OCTOBER_MS + day * DAY_MS], "values": [value]})
    import numpy as np

    api.context.rollup.mark(
        np.array([1], np.uint32), np.array([(OCTOBER_MS + day * DAY_MS) * 1000], np.int64)
    )


async def lock(api: Api, query: str = QUERY, status: int = 201) -> Any:
    response = await api.client.post(
        f"/api/v1/rollups/locks?{query}", json={"reason": "bill 10", "author": "anna"}
    )
    assert response.status == status, await response.text()
    return await response.json()


async def row(api: Api, query: str = QUERY) -> dict[str, Any]:
    (found,) = (await api.get_json(f"/api/v1/rollups?{query}"))["rows"]
    return dict(found)


async def test_a_locked_row_stays_and_the_correction_is_pending(filled: Api) -> None:
    before = await row(filled)
    assert (before["energy"], before["state"], "lock" in before) == (62.0, "provisional", False)
    (made,) = (await lock(filled))["locks"]
    assert (made["first_day"], made["last_day"], made["energy"]) == ("2026-10-01", "2026-10-31", 62.0)
    same = await row(filled)
    assert (same["state"], same["lock"]["correction"]) == ("final", "none")
    assert {**same, "state": before["state"], "lock": None} == {**before, "lock": None}
    await put(filled, 4, 7.0)
    after = await row(filled)
    assert (after["energy"], after["max_demand"], after["coverage"]) == (62.0, 2.0, before["coverage"])
    assert after["lock"]["correction"] == "pending"
    assert after["lock"]["pending_energy"] == 67.0
    assert after["lock"]["pending_max_demand"] == 7.0
    month = await row(filled, "points=e&period=month&from=2026-10&to=2026-11")
    assert (month["energy"], month["state"]) == (67.0, "provisional")


async def test_a_lock_taken_back_lets_the_samples_speak_again(filled: Api) -> None:
    (made,) = (await lock(filled))["locks"]
    await put(filled, 4, 7.0)
    response = await filled.client.post(
        f"/api/v1/rollups/locks/{made['number']}/unlock", json={"reason": "credit note"}
    )
    assert response.status == 200
    assert (await row(filled))["energy"] == 67.0
    (told,) = (await filled.get_json("/api/v1/rollups/locks?points=e"))["locks"]
    assert (told["unlock_reason"], told["author"]) == ("credit note", "anna")
    await lock(filled)
    assert (await row(filled))["energy"] == 67.0


async def test_a_locked_figure_is_told_as_of_a_moment_at_which_it_was_locked(filled: Api) -> None:
    clock = filled.context.clock
    before_ms = clock.now_us() // 1000
    clock.advance(10)  # type: ignore[attr-defined]
    (made,) = (await lock(filled))["locks"]
    clock.advance(10)  # type: ignore[attr-defined]
    await put(filled, 4, 7.0)
    clock.advance(10)  # type: ignore[attr-defined]
    locked_ms = clock.now_us() // 1000
    clock.advance(10)  # type: ignore[attr-defined]
    await filled.client.post(f"/api/v1/rollups/locks/{made['number']}/unlock", json={"reason": "r"})
    clock.advance(10)  # type: ignore[attr-defined]
    then = await row(filled, f"{QUERY}&as_of={locked_ms}")
    assert (then["energy"], then["state"], then["lock"]["pending_energy"]) == (62.0, "final", 67.0)
    earlier = await row(filled, f"{QUERY}&as_of={before_ms}")
    assert (earlier["energy"], earlier["state"]) == (62.0, "provisional")
    assert (await row(filled))["energy"] == 67.0


async def test_energy_alone_is_that_of_the_lock_too(filled: Api) -> None:
    await lock(filled)
    await put(filled, 4, 7.0)
    found = await row(filled, f"{QUERY}&fields=energy,lock")
    assert (found["energy"], found["lock"]["pending_energy"]) == (62.0, 67.0)


async def test_a_period_that_is_not_over_is_not_locked(filled: Api) -> None:
    query = "points=e&period=month&from=2026-11&to=2026-12"
    response = await filled.client.post(f"/api/v1/rollups/locks?{query}", json={"reason": "r"})
    problem = await expect_problem(response, 409, "lock-refused")
    assert "not over" in problem["detail"]
    assert (await filled.get_json("/api/v1/rollups/locks?points=e"))["locks"] == []


async def test_what_is_locked_is_not_locked_again(filled: Api) -> None:
    await lock(filled)
    response = await filled.client.post(f"/api/v1/rollups/locks?{QUERY}", json={"reason": "r"})
    await expect_problem(response, 409, "lock-refused")


@pytest.mark.parametrize("number", ["5", "x"])
async def test_a_lock_that_is_not_there_is_not_taken_back(filled: Api, number: str) -> None:
    response = await filled.client.post(f"/api/v1/rollups/locks/{number}/unlock", json={"reason": "r"})
    assert response.status in (400, 409)


async def test_points_of_different_cut_off_days_are_asked_for_apart(filled: Api) -> None:
    await filled.put_point("f", "kWh", "interval")
    body = {
        "term": {"kind": "billing", "cutoff_day": 25},
        "valid_from": "2026-01-01T00:00:00+08:00",
        "reason": "r",
    }
    assert (await filled.client.post("/api/v1/points/f/terms", json=body)).status == 201
    path = "/api/v1/rollups?period=billing&from=2026-10-10&to=2026-10-11"
    await filled.problem(f"{path}&points=e,f", 422, "query-refused")
    (found,) = (await filled.get_json(f"{path}&points=f"))["rows"]
    assert (found["period_start"], found["period_end"]) == ("2026-09-24T16:00:00Z", "2026-10-24T16:00:00Z")


async def test_billing_periods_may_be_cut_as_the_meter_was_read(filled: Api) -> None:
    path = "/api/v1/rollups?points=e&period=billing&from=2026-10-03&to=2026-10-20&fields=energy,period_end"
    rows = (await filled.get_json(f"{path}&cuts=2026-10-05,2026-10-12"))["rows"]
    assert [(row["period_start"][:10], row["energy"]) for row in rows] == [
        ("2026-10-02", 4.0), ("2026-10-04", 14.0), ("2026-10-11", 16.0),
    ]  # fmt: skip
    (whole,) = (await filled.get_json(f"{path}&cuts=none"))["rows"]
    assert whole["energy"] == 34.0
    await filled.problem(f"{path}&cuts=2026-10-12,2026-10-05", 400, "invalid-parameter")
    await filled.problem(f"{path}&cuts=2026-10-20", 400, "invalid-parameter")
    await filled.problem(f"{path.replace('billing', 'month')}&cuts=none", 400, "invalid-parameter")
    (made,) = (await lock(filled, "points=e&period=billing&from=2026-10-03&to=2026-10-20&cuts=none"))["locks"]
    assert (made["first_day"], made["last_day"]) == ("2026-10-03", "2026-10-19")
