"""Relations over HTTP: meters, points, paths; conflicts by name."""

from typing import Any

import pytest

from tests.unit.api.conftest import Api, expect_problem

PLACE = "/api/v1/entities/metering_point/P1"


async def relate(api: Api, path: str = PLACE, status: int = 200, **body: Any) -> Any:
    response = await api.client.put(f"{path}/relations", json=body)
    assert response.status == status, await response.text()
    return await response.json()


@pytest.fixture
async def stocked(api: Api) -> Api:
    for each in ("metering_point/P1", "metering_point/P2", "meter/A", "meter/B", "substation/S", "line/L"):
        assert (await api.client.put(f"/api/v1/entities/{each}", json={})).status == 201
    return api


async def test_which_meter_was_there_when(stocked: Api) -> None:
    made = await relate(
        stocked, kind="meter_at", **{"from": {"type": "meter", "id": "A"}}, valid_from="2026-01-01"
    )
    assert made["changed"] is True
    assert made["from"] == {"type": "meter", "id": "A"}
    assert made["to"] == {"type": "metering_point", "id": "P1"}
    noon = "2026-06-01T12:00:00+08:00"
    refused = await stocked.client.put(
        f"{PLACE}/relations",
        json={"kind": "meter_at", "from": {"type": "meter", "id": "B"}, "valid_from": noon},
    )
    told = await expect_problem(refused, 409, "entity-conflict")
    assert "meter A is at metering_point P1" in told["detail"]
    await relate(
        stocked, "/api/v1/entities/meter/B", kind="meter_at", to={"type": "metering_point", "id": "P1"},
        valid_from=noon, exchange=True,
    )  # fmt: skip

    async def meters(query: str) -> list[str]:
        told = await stocked.get_json(f"{PLACE}/relations?kind=meter_at{query}")
        return [one["from"]["id"] for one in told["relations"]]

    assert await meters("&at=2026-06-01T03:59:59Z") == ["A"]
    assert await meters("&at=2026-06-01T04:00:00Z") == ["B"]
    assert await meters("") == ["A", "B"]
    assert await meters("&as_of=2026-11-22T07:00:00Z") == []


async def test_a_point_is_related_by_its_name(stocked: Api) -> None:
    await stocked.put_point("hall.import")
    made = await relate(stocked, kind="measured_by", to={"type": "point", "id": "hall.import"})
    assert made["to"] == {"type": "point", "id": "hall.import"}
    await stocked.client.patch("/api/v1/points/hall.import", json={"name": "hall.energy"})
    (told,) = (await stocked.get_json(f"{PLACE}/relations"))["relations"]
    assert told["to"]["id"] == "hall.energy"
    missing = {"kind": "measured_by", "to": {"type": "point", "id": "none"}}
    await expect_problem(await stocked.client.put(f"{PLACE}/relations", json=missing), 404, "point-not-found")


async def test_a_line_belongs_to_a_substation_and_a_path_to_its_item(stocked: Api) -> None:
    made = await relate(
        stocked, "/api/v1/entities/line/L", kind="line_of", to={"type": "substation", "id": "S"}
    )
    assert (made["item"], made["name_zh"]) == ("T2.17", "线路所属变电站")
    path = await relate(
        stocked, kind="supply_path", carrier="electricity", to={"type": "line", "id": "L"}, reason="survey"
    )
    assert (path["item"], path["carrier"], path["valid_from"], path["reason"]) == (
        "T6.04", "electricity", None, "survey",
    )  # fmt: skip
    again = await relate(stocked, kind="supply_path", carrier="electricity", to={"type": "line", "id": "L"})
    assert again["changed"] is False
    gone = await relate(
        stocked, kind="supply_path", carrier="electricity", to={"type": "line", "id": "L"}, withdraw=True
    )
    assert gone["withdrawn_at"] == "2026-11-22T08:00:00Z"


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"kind": "meter_at"}, 422, "invalid-body"),
        ({"kind": "meter_at", "to": {"type": "meter", "id": "A"}, "from": {"type": "meter", "id": "A"}}, 422, "invalid-body"),
        ({"kind": "beside", "to": {"type": "meter", "id": "A"}}, 422, "entity-invalid"),
        ({"kind": "meter_at", "to": {"type": "meter", "id": "A"}}, 422, "entity-invalid"),
        ({"kind": "meter_at", "from": {"type": "meter", "id": "C"}}, 404, "entity-not-found"),
        ({"kind": "meter_at", "from": {"type": "meter", "id": "A"}, "valid_from": 5, "valid_to": 5}, 422, "entity-invalid"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(
    stocked: Api, body: dict[str, object], status: int, kind: str
) -> None:
    await expect_problem(await stocked.client.put(f"{PLACE}/relations", json=body), status, kind)
    assert (await stocked.get_json(f"{PLACE}/relations"))["relations"] == []
