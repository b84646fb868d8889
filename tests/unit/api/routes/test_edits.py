"""Edits over HTTP: told first, made then, refused with the place that is wrong."""

from typing import Any

import pytest

from tests.unit.api.conftest import Api, expect_problem

T0_MS = 1795190400000  # 2026-11-20T16:00:00Z, midnight in Shanghai
Q_MS = 900_000
DAY = {"start": "2026-11-20T16:00:00Z", "end": "2026-11-21T16:00:00Z"}


@pytest.fixture
async def filled(api: Api) -> Api:
    """Point `p` in kW with quarters 1, 2, 3 of mean power."""
    await api.put_point("p", kind="mean_power", range=[0, 100])
    times = [T0_MS, T0_MS + Q_MS, T0_MS + 2 * Q_MS]
    await api.ingest({"point": "p", "times": times, "values": [1, 2, 3]})
    return api


async def edit(api: Api, *, dry: bool = False, **body: Any) -> Any:
    path = f"/api/v1/points/p/edits{'?dry_run=true' if dry else ''}"
    response = await api.client.post(path, json={"reason": "misread", **body})
    assert response.status == 200, await response.text()
    return await response.json()


async def refused(api: Api, body: dict[str, Any], kind: str) -> Any:
    return await expect_problem(await api.client.post("/api/v1/points/p/edits", json=body), 422, kind)


async def shown(api: Api) -> list[float]:
    query = f"start={DAY['start']}&end={DAY['end']}"
    values: list[float] = (await api.get_json(f"/api/v1/points/p/recorded?{query}"))["values"]
    return values


async def test_a_dry_run_tells_old_and_new_and_what_moves_and_changes_nothing(filled: Api) -> None:
    reply = await edit(
        filled,
        dry=True,
        kind="correct",
        times=[T0_MS + Q_MS, T0_MS + 9 * Q_MS],
        values=[2.5, 200],
        author="Wang",
    )
    old = {"value": 2.0, "quality": "good", "origin": "measured", "is_deleted": False}
    assert reply == {
        "point": "p", "unit": "kW", "label": "period_start", "kind": "correct", "reason": "misread", "author": "Wang",
        "dry_run": True, "changed": 2, "unchanged": 0, "missing": 0, "seq": 0,
        "changes": [
            {"time": "2026-11-20T16:15:00Z", "old": old, "new": {**old, "value": 2.5, "origin": "manual"}},
            {"time": "2026-11-20T18:15:00Z", "old": None,
             "new": {"value": 200.0, "quality": "suspect", "origin": "manual", "is_deleted": False}},
        ],
        "rollups": {"time_zone": "Asia/Shanghai", "days": ["2026-11-21"], "months": ["2026-11-01"],
                    "years": ["2026-01-01"]},
    }  # fmt: skip
    assert await shown(filled) == [1.0, 2.0, 3.0]


async def test_an_edit_is_made_once(filled: Api) -> None:
    body = {"kind": "correct", "times": [T0_MS + Q_MS], "values": [2.5]}
    first = await edit(filled, **body)
    again = await edit(filled, **body)
    assert (first["changed"], first["seq"], again["changed"], again["unchanged"]) == (1, 2, 0, 1)
    assert again["seq"] == 0
    assert await shown(filled) == [1.0, 2.5, 3.0]


async def test_an_estimate_says_that_it_is_one(filled: Api) -> None:
    reply = await edit(filled, kind="estimate", times=[T0_MS], values=[0.9], quality="suspect")
    new = reply["changes"][0]["new"]
    assert (new["quality"], new["origin"]) == ("suspect", "estimated")


async def test_values_in_another_unit_are_converted(filled: Api) -> None:
    reply = await edit(filled, kind="correct", times=[T0_MS], values=[0.0015], unit="MW")
    assert reply["changes"][0]["new"]["value"] == 1.5
    wrong = {"kind": "correct", "times": [T0_MS], "values": [1], "unit": "kvar", "reason": "r"}
    body = await refused(filled, wrong, "unit-mismatch")
    assert "kvar" in body["detail"]


async def test_deleted_samples_vanish_and_come_back(filled: Api) -> None:
    reply = await edit(filled, kind="delete", **DAY)
    assert (reply["changed"], reply["changes"][0]["new"]["is_deleted"]) == (3, True)
    assert await shown(filled) == []
    assert (await edit(filled, kind="delete", times=[T0_MS, 0]))["missing"] == 1
    await edit(filled, kind="undelete", times=[T0_MS, T0_MS + Q_MS])
    assert await shown(filled) == [1.0, 2.0]


async def test_a_moment_is_restored(filled: Api) -> None:
    moment_ms = filled.context.clock.now_us() // 1000
    filled.context.clock.advance(60)  # type: ignore[attr-defined]
    await edit(filled, kind="correct", times=[T0_MS], values=[9])
    await edit(filled, kind="delete", times=[T0_MS + Q_MS])
    assert await shown(filled) == [9.0, 3.0]
    assert (await edit(filled, kind="restore", as_of=moment_ms, **DAY))["changed"] == 2
    assert await shown(filled) == [1.0, 2.0, 3.0]


async def test_energy_of_a_day_forgets_deleted_samples(filled: Api) -> None:
    path = "/api/v1/points/p/load-curve?date=2026-11-21"
    assert (await filled.get_json(path))["summary"]["energy"] == 1.5
    await edit(filled, kind="delete", times=[T0_MS + 2 * Q_MS])
    summary = (await filled.get_json(path))["summary"]
    assert (summary["energy"], summary["received"]) == (0.75, 2)


WRONG = [
    pytest.param({"kind": "correct", "times": [1], "values": [1]}, "invalid-body", "", id="no reason"),
    pytest.param({"kind": "correct", "reason": "r"}, "invalid-body", "/times", id="no times"),
    pytest.param({"kind": "correct", "reason": "r", "times": [1], "values": [1], "start": 1}, "invalid-body", "/start",
                 id="a field of another kind"),
    pytest.param({"kind": "delete", "reason": "r"}, "invalid-body", "/times", id="nothing to delete"),
    pytest.param({"kind": "delete", "reason": "r", "times": [1], **DAY}, "invalid-body", "/times", id="both ways"),
    pytest.param({"kind": "delete", "reason": "r", "times": []}, "invalid-body", "/times", id="an empty list"),
    pytest.param({"kind": "delete", "reason": "r", "start": 2, "end": 2}, "invalid-body", "/end", id="an empty range"),
    pytest.param({"kind": "restore", "reason": "r", **DAY}, "invalid-body", "/as_of", id="restore of no moment"),
    pytest.param({"kind": "correct", "reason": "r", "times": [1, 2], "values": [1]}, "invalid-body", "/values",
                 id="lengths differ"),
    pytest.param({"kind": "correct", "reason": "r", "times": [1, "x"], "values": [1, 2]}, "invalid-body", "/times/1",
                 id="a time that cannot be read"),
    pytest.param({"kind": "correct", "reason": "r", "times": [1, 2], "values": [1, None]}, "invalid-body", "/values/1",
                 id="null is no value"),
    pytest.param({"kind": "correct", "reason": "r", "times": [T0_MS], "values": [1], "quality": "great"},
                 "invalid-body", "/quality", id="no quality"),
    pytest.param({"kind": "correct", "reason": "r", "times": [T0_MS], "values": [1], "quality": ["good", "bad"]},
                 "invalid-body", "/quality", id="more qualities than values"),
    pytest.param({"kind": "correct", "reason": "r", "times": [T0_MS], "values": [1], "quality": "deleted"},
                 "invalid-body", "/quality", id="deleting by the back door"),
    pytest.param({"kind": "correct", "reason": " ", "times": [T0_MS], "values": [1]}, "edit-refused", None,
                 id="a blank reason"),
    pytest.param({"kind": "correct", "reason": "r", "times": [T0_MS] * 2, "values": [1, 2]}, "edit-refused", None,
                 id="a time twice"),
    pytest.param({"kind": "correct", "reason": "r", "times": [-10**12], "values": [1]}, "edit-refused", None,
                 id="before the oldest year"),
    pytest.param({"kind": "move", "reason": "r"}, "invalid-body", "/kind", id="no such kind"),
    pytest.param({"kind": "delete", "reason": "r", **DAY, "dry_run": True}, "invalid-body", None,
                 id="dry_run belongs into the address: a body that means it changes nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "pointer"), WRONG)
async def test_what_is_wrong_is_told_with_its_place(
    filled: Api, body: dict[str, Any], kind: str, pointer: str | None
) -> None:
    reply = await refused(filled, body, kind)
    if pointer:
        assert reply["errors"][0]["pointer"] == pointer
    assert await shown(filled) == [1.0, 2.0, 3.0]


async def test_faults_are_told_in_chinese_too(filled: Api) -> None:
    response = await filled.client.post(
        "/api/v1/points/p/edits", json={"kind": "delete", "reason": "r"}, headers={"Accept-Language": "zh"}
    )
    assert "二者取一" in (await expect_problem(response, 422, "invalid-body"))["detail"]
