"""Billing amounts over HTTP."""

from typing import Any

import pytest

from historian.clock import ManualClock
from tests.unit.api.conftest import Api, expect_problem

PATH = "/api/v1/entities/water_account/W1/charges"


async def post(api: Api, status: int = 201, **body: Any) -> Any:
    response = await api.client.post(PATH, json={"start": "2026-01-05", "end": "2026-03-05", **body})
    assert response.status == status, await response.text()
    return await response.json()


@pytest.fixture
async def account(api: Api) -> Api:
    assert (await api.client.put("/api/v1/entities/water_account/W1", json={})).status == 201
    return api


async def test_two_months_of_water_are_one_period(account: Api) -> None:
    made = await post(account, amount="86.40", document="no. 7")
    assert made == {
        "number": 1, "item": "T3.06", "start": "2026-01-04T16:00:00Z", "end": "2026-03-04T16:00:00Z", "amount": "86.4",
        "unit": "CNY", "recorded_at": "2026-11-22T08:00:00Z", "document": "no. 7",
    }  # fmt: skip
    assert await post(account, 200, amount=86.4, document="no. 7") == made
    assert (await account.get_json(PATH))["charges"] == [made]


async def test_a_correction_supersedes_and_overlaps_are_told(account: Api) -> None:
    clock = account.context.clock
    assert isinstance(clock, ManualClock)
    await post(account, amount="86.4")
    clock.advance(60)
    await post(account, amount="80", reason="退补", author="li")
    other = await post(account, amount="1", end="2026-01-06")
    assert [one["id"] for one in other["warnings"]] == ["overlap"]
    assert "charge 2" in other["warnings"][0]["problem_en"]

    async def amounts(query: str) -> list[str]:
        return [one["amount"] for one in (await account.get_json(f"{PATH}?{query}"))["charges"]]

    assert await amounts("") == ["80", "1"]
    assert await amounts("as_of=2026-11-22T08:00:30Z") == ["86.4"]
    assert await amounts("superseded=1&item=T3.06") == ["86.4", "80", "1"]


@pytest.mark.parametrize(
    "body", [{"amount": "1.234"}, {"amount": "1", "item": "T2.09"}, {"amount": "1", "end": "2026-01-05"}]
)
async def test_what_is_no_charge_is_refused(account: Api, body: dict[str, object]) -> None:
    whole = {"start": "2026-01-05", "end": "2026-03-05", **body}
    await expect_problem(await account.client.post(PATH, json=whole), 422, "entity-invalid")
    assert (await account.get_json(PATH))["charges"] == []


async def test_an_account_that_is_not_there_has_none(api: Api) -> None:
    await api.problem(PATH, 404, "entity-not-found")
