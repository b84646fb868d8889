"""Factors over HTTP: with their origin, in versions that are never changed."""

from typing import Any

from tests.unit.api.conftest import Api

TABLE: dict[str, object] = {
    "id": "own", "version": 1, "carrier": "electricity", "basis": "location", "unit": "kgCO2/kWh", "source": "own",
    "confidence": "high", "values": {"plant": 0.5},
}  # fmt: skip


async def put(api: Api, status: int, name: str = "own", reason: str = "measured", **more: object) -> Any:
    body = {"table": TABLE | more, "reason": reason}
    response = await api.client.put(f"/api/v1/factors/{name}", json=body)
    assert response.status == status, await response.text()
    return await response.json()


async def test_factors_are_told_with_their_origin(api: Api) -> None:
    reply = await api.get_json("/api/v1/factors?carrier=electricity&basis=market")
    assert [one["id"] for one in reply["factors"]] == ["cn-market-2021", "cn-market-2022", "cn-market-2023"]
    table = reply["factors"][0]["versions"][0]["table"]
    assert (table["values"], table["unit"]) == ({"CN": 0.5942}, "kgCO2/kWh")
    assert table["source"]
    by_region = await api.get_json("/api/v1/factors?region=CN-32")
    assert [one["id"] for one in by_region["factors"]] == [
        "cn-province-location-2021",
        "cn-province-location-2022",
    ]


async def test_a_version_is_put_and_the_one_before_stays(api: Api) -> None:
    clock: Any = api.context.clock
    await put(api, 200)
    before_ms = clock.now_us() // 1000
    clock.advance(60.0)
    made = await put(api, 200, version=2, values={"plant": 0.4})
    assert (made["table"]["version"], made["reason"]) == (2, "measured")
    (now,) = (await api.get_json("/api/v1/factors?region=plant"))["factors"]
    (then,) = (await api.get_json(f"/api/v1/factors?region=plant&as_of={before_ms}"))["factors"]
    assert [one["table"]["values"]["plant"] for one in now["versions"]] == [0.5, 0.4]
    assert [one["table"]["values"]["plant"] for one in then["versions"]] == [0.5]


async def test_what_cannot_be_is_refused(api: Api) -> None:
    assert "allowed: 1" in (await put(api, 422, version=2))["detail"]
    await put(api, 400, "another")
    assert "cn-grid-location-2022" in (await put(api, 422, values={"CN": 0.5}, year=2022))["detail"]
    await put(api, 422, reason=" ")
    await put(api, 422, unit="kg/kWh")
    await put(api, 422, values={}, hours={"plant": [0.5] * 23})
    await put(api, 422, values={"plant": -1.0})
    await put(api, 422, hours={"plant": [0.5] * 24})
    await put(api, 422, values={})
