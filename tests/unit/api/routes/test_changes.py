"""The feed of changes over HTTP."""

import numpy as np

from tests.unit.api.conftest import Api

T0_MS = 1795104000000  # 2026-11-20T00:00:00+08:00


async def put(api: Api, value: float) -> None:
    times = [T0_MS + i * 900_000 for i in range(96)]
    await api.ingest({"point": "e", "times": times, "values": [value] * 96})
    api.context.rollup.mark(np.full(96, 1, np.uint32), np.array(times, np.int64) * 1000)
    await api.get_json("/api/v1/rollups?points=e&from=2026-11-20&to=2026-11-21")


async def test_who_follows_sees_each_change_of_a_day_that_is_over(api: Api) -> None:
    await api.put_point("e", "kWh", "interval")
    start = await api.get_json("/api/v1/changes")
    assert (start["changes"], start["is_reset"]) == ([], False)
    await put(api, 1.0)
    await put(api, 1.0)
    await put(api, 2.0)
    told = await api.get_json(f"/api/v1/changes?since={start['next']}")
    assert [(one["point"], one["date"], one["revision"]) for one in told["changes"]] == [
        ("e", "2026-11-20", 1), ("e", "2026-11-20", 2),
    ]  # fmt: skip
    assert all(one["is_complete"] and not one["is_locked"] for one in told["changes"])
    assert (await api.get_json(f"/api/v1/changes?since={told['next']}"))["changes"] == []
    assert len((await api.get_json("/api/v1/changes?since=0&limit=1"))["changes"]) == 1


async def test_a_change_within_a_locked_period_says_so(api: Api) -> None:
    await api.put_point("e", "kWh", "interval")
    await put(api, 1.0)
    start = await api.get_json("/api/v1/changes")
    path = "/api/v1/rollups/locks?points=e&from=2026-11-20&to=2026-11-21"
    assert (await api.client.post(path, json={"reason": "r"})).status == 201
    await put(api, 2.0)
    (change,) = (await api.get_json(f"/api/v1/changes?since={start['next']}"))["changes"]
    assert change["is_locked"]


async def test_a_cursor_of_something_else_is_refused(api: Api) -> None:
    await api.problem("/api/v1/changes?since=abc", 400, "invalid-cursor")
