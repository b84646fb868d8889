"""Entities over HTTP: stated, told as of any moment, guarded, masked, paged."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from api.caller import IDENTITY
from historian.clock import ManualClock
from historian.model.access import ROLE_RIGHTS, Identity, Role
from tests.unit.api.conftest import Api, expect_problem

PATH = "/api/v1/entities/power_account/0320100012345"
ENTERPRISE = "/api/v1/entities/enterprise/E1"


async def put(api: Api, path: str = PATH, status: int = 200, **body: Any) -> Any:
    response = await api.client.put(path, json=body)
    assert response.status == status, await response.text()
    return await response.json()


async def test_an_account_is_made_and_read(api: Api) -> None:
    made = await put(
        api, status=201, attributes={"name": "某某公司", "T2.04": "agricultural", "contract_capacity": "800.0"},
        extra={"抄表员": "7"}, aliases=["2010001234"],
    )  # fmt: skip
    told = await api.get_json(PATH)
    assert made == told | {"changes": 5}
    assert told["attributes"]["contract_capacity"] == {
        "value": "800", "valid_from": None, "valid_to": None, "recorded_at": "2026-11-22T08:00:00Z",
        "item": "X.02", "unit": "kVA",
    }  # fmt: skip
    assert told["attributes"]["use_type"]["value"] == "agricultural"
    assert told["extra"]["抄表员"]["value"] == "7"
    under_old = await api.get_json("/api/v1/entities/power_account/2010001234")
    assert (under_old["renamed_to"], under_old["aliases"]) == ("0320100012345", ["2010001234"])


async def test_the_past_is_answered_both_ways(api: Api) -> None:
    clock = api.context.clock
    assert isinstance(clock, ManualClock)
    await put(api, status=201, attributes={"name": "a"}, valid_from="2026-01-01")
    clock.advance(3600)
    await put(api, attributes={"name": "b"}, valid_from="2026-01-01", author="li", reason="typo")
    await put(api, attributes={"name": "c"}, valid_from="2026-06-01T00:00:00+08:00")

    async def name(query: str) -> str | None:
        attributes = (await api.get_json(f"{PATH}?{query}"))["attributes"]
        return attributes["name"]["value"] if "name" in attributes else None

    assert await name("") == "c"
    assert await name("at=2026-05-31T15:59:59Z") == "b"
    assert await name("at=2026-03-01T00:00:00Z&as_of=2026-11-22T08:30:00Z") == "a"
    assert await name("as_of=2026-11-22T08:30:00Z") == "a"
    assert await name("at=2025-12-31T15:59:59Z") is None
    told = await api.get_json(f"{PATH}/history?attribute=name")
    assert [(one["value"], one.get("reason", "")) for one in told["statements"]] == [
        ("a", ""), ("b", "typo"), ("c", ""),
    ]  # fmt: skip
    assert told["statements"][0]["valid_from"] == "2025-12-31T16:00:00Z"
    patch = await api.client.patch(PATH, json={"withdraw": ["name"], "valid_from": "2026-06-01"})
    assert (await patch.json())["attributes"]["name"]["value"] == "b"
    assert (await api.get_json(f"{PATH}/history"))["statements"][-1]["withdrawn"] is True
    await api.problem(f"{PATH}?as_of=2026-11-22T07:00:00Z", 404, "entity-not-found")


async def test_of_two_who_write_at_once_one_is_told(api: Api) -> None:
    await put(api, status=201, attributes={"name": "a"})
    etag = (await api.client.get(PATH)).headers["ETag"]
    replies = await asyncio.gather(
        *(
            api.client.patch(PATH, json={"attributes": {"name": name}}, headers={"If-Match": etag})
            for name in "bc"
        )
    )
    assert sorted(reply.status for reply in replies) == [200, 412]
    new = await api.client.put(PATH, json={}, headers={"If-None-Match": "*"})
    await expect_problem(new, 412, "entity-changed")
    again = await api.client.put(PATH, json={}, headers={"If-Match": "abc"})
    await expect_problem(again, 400, "invalid-parameter")


async def test_a_rename_keeps_the_old_number(api: Api) -> None:
    await put(api, status=201)
    renamed = await api.client.patch(PATH, json={"id": "3300320100012345"})
    assert (await renamed.json())["aliases"] == ["0320100012345"]
    assert (await api.get_json(PATH))["renamed_to"] == "3300320100012345"
    await put(api, "/api/v1/entities/power_account/other", 201)
    taken = await api.client.patch("/api/v1/entities/power_account/other", json={"id": "0320100012345"})
    await expect_problem(taken, 409, "entity-conflict")


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        (ENTERPRISE, {"attributes": {"uscc": "914403001922038217"}}, 422, "entity-invalid"),
        (ENTERPRISE, {"attributes": {"colour": "red"}}, 422, "entity-invalid"),
        (ENTERPRISE, {"attributes": {"industry_code": "C98"}}, 422, "entity-invalid"),
        ("/api/v1/entities/house/1", {}, 422, "item-invalid"),
        (ENTERPRISE, {"colour": "red"}, 422, "invalid-body"),
        (ENTERPRISE, {"valid_from": "2026-01-01T00:00:00"}, 422, "invalid-body"),
        (ENTERPRISE, {"valid_from": "2026-02-30"}, 400, "invalid-time"),
        ("/api/v1/entities/enterprise/a%20b", {}, 422, "entity-invalid"),
    ],
)
async def test_what_is_wrong_is_refused(
    api: Api, path: str, body: dict[str, object], status: int, kind: str
) -> None:
    await expect_problem(await api.client.put(path, json=body), status, kind)
    await api.problem(ENTERPRISE, 404, "entity-not-found")


async def test_one_who_is_not_there_is_not_patched(api: Api) -> None:
    await expect_problem(await api.client.patch(PATH, json={}), 404, "entity-not-found")
    told = await api.problem(PATH, 404, "entity-not-found", **{"Accept-Language": "zh"})
    assert told["title"] == "档案对象不存在"


async def test_entities_come_page_by_page(api: Api) -> None:
    for number in range(5):
        await put(api, f"/api/v1/entities/line/L{number}", 201, attributes={"name": f"n{number}"})
    ids, cursor = [], ""
    for expected in (2, 2, 1):
        page = await api.get_json(f"/api/v1/entities?type=line&limit=2&cursor={cursor}")
        assert page["count"] == expected
        ids += [one["id"] for one in page["entities"]]
        cursor = page.get("next", "")
    assert ids == [f"L{number}" for number in range(5)]
    assert cursor == ""
    found = await api.get_json("/api/v1/entities?type=line&match=*[13]")
    assert [one["attributes"]["name"]["value"] for one in found["entities"]] == ["n1", "n3"]
    assert (await api.get_json("/api/v1/entities?type=line&as_of=2026-01-01T00:00:00Z"))["entities"] == []
    await api.problem("/api/v1/entities", 400, "invalid-parameter")


async def test_personal_data_are_masked_for_who_may_not_see_them(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(api, ENTERPRISE, 201, attributes={"legal_representative": "张三", "entity_name": "某某公司"})
    viewer = Identity("v", "person", ROLE_RIGHTS[Role.VIEWER])
    monkeypatch.setattr(
        web.BaseRequest, "get", lambda self, key, default=None: viewer if key is IDENTITY else default
    )
    told = await api.get_json(ENTERPRISE)
    assert told["attributes"]["legal_representative"]["value"] == "张***"
    assert told["attributes"]["legal_representative"]["masked"] is True
    assert told["attributes"]["entity_name"]["value"] == "某某公司"
    listed = await api.get_json("/api/v1/entities?type=enterprise")
    history = await api.get_json(f"{ENTERPRISE}/history")
    assert "张三" not in str((listed, history))
    back = {"attributes": {"legal_representative": "张***"}}
    await expect_problem(await api.client.put(ENTERPRISE, json=back), 422, "entity-invalid")
