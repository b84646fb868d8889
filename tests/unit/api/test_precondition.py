"""Preconditions over HTTP: lost updates are refused, what the client holds is not sent again."""

from typing import Any

import pytest

from tests.unit.api.conftest import Api, expect_problem

POINT = "/api/v1/points/a"
BODY = {"unit": "kW", "kind": "instantaneous"}


async def etag(api: Api) -> str:
    return (await api.get(POINT)).headers["ETag"]


async def change(api: Api, method: str, body: dict[str, Any], **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.request(method, POINT, json=body, headers=given)


async def test_a_point_that_did_not_change_is_not_sent_again(api: Api) -> None:
    await api.put_point("a")
    response = await api.get(POINT, **{"If-None-Match": await etag(api)})
    assert (response.status, await response.read()) == (304, b"")
    await change(api, "PATCH", {"name_zh": "馈线"})
    assert (await api.get(POINT, **{"If-None-Match": response.headers["ETag"]})).status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_who_saw_an_earlier_point_does_not_overwrite_the_later_one(api: Api, method: str) -> None:
    await api.put_point("a")
    seen = await etag(api)
    first = await change(api, method, {**BODY, "name_en": "first"}, If_Match=seen)
    assert first.status == 200
    assert first.headers["ETag"] == await etag(api) != seen
    second = await change(api, method, {**BODY, "name_en": "second"}, If_Match=seen)
    body = await expect_problem(second, 412, "precondition-failed")
    assert first.headers["ETag"] in body["detail"]
    assert (await api.get_json(POINT))["name_en"] == "first"
    assert (await change(api, method, BODY, If_Match=f'"x", {first.headers["ETag"]}')).status == 200
    weak = f"W/{await etag(api)}"
    await expect_problem(await change(api, method, BODY, If_Match=weak), 412, "precondition-failed")


async def test_a_point_is_only_changed_or_only_made_where_asked(api: Api) -> None:
    response = await change(api, "PUT", BODY, If_Match="*")
    await expect_problem(response, 412, "precondition-failed")
    made = await change(api, "PUT", BODY, If_None_Match="*")
    assert (made.status, made.headers["ETag"]) == (201, await etag(api))
    again = await change(api, "PUT", BODY, If_None_Match="*")
    await expect_problem(again, 412, "precondition-failed")
    assert (await change(api, "PUT", BODY, If_Match="*")).status == 200


async def test_an_edit_is_only_made_as_it_was_told(api: Api) -> None:
    await api.put_point("a")
    await api.ingest({"point": "a", "times": [1_795_190_400_000], "values": [1.0]})
    edit = {"kind": "correct", "times": [1_795_190_400_000], "values": [2.0], "reason": "r"}
    path = f"{POINT}/edits"
    told = (await api.client.post(f"{path}?dry_run=1", json=edit)).headers["ETag"]
    await api.ingest({"point": "a", "times": [1_795_190_400_000], "values": [1.5]})
    refused = await api.client.post(path, json=edit, headers={"If-Match": told})
    await expect_problem(refused, 412, "precondition-failed")
    told = (await api.client.post(f"{path}?dry_run=1", json=edit)).headers["ETag"]
    made = await api.client.post(path, json=edit, headers={"If-Match": told})
    assert (await made.json())["changed"] == 1
