"""What the trail keeps of a changed entity or relation."""

import pytest

from historian.audit.recorder import Recorder
from historian.model.audit import AuditQuestion, Change
from historian.model.timestamp import TIME_MAX_US
from tests.unit.api.conftest import Api

ACCOUNT = "/api/v1/entities/water_account/E1"
PLACE = "/api/v1/entities/metering_point/P1/relations"


async def put(api: Api, path: str, **body: object) -> None:
    answer = await api.client.put(path, json=body)
    assert answer.status in (200, 201), await answer.text()


async def changes(trail: Recorder) -> list[Change]:
    page = await trail.read(AuditQuestion(0, TIME_MAX_US))
    return list(page.records[-1].changes)


async def test_what_held_at_its_moment_is_the_old_value(api: Api, trail: Recorder) -> None:
    await put(api, ACCOUNT, attributes={"name": "甲"})
    assert await changes(trail) == [Change("entity", None, "water_account E1"), Change("name", None, "甲")]
    await put(api, ACCOUNT, attributes={"name": "丙"}, valid_from="2026-06-01")
    await put(api, ACCOUNT, attributes={"name": "乙"}, valid_from="2026-03-01", reason="forgotten")
    assert await changes(trail) == [Change("name from 2026-02-28T16:00:00Z", "甲", "乙")]
    await put(api, ACCOUNT, withdraw=["name"], valid_from="2026-06-01")
    assert await changes(trail) == [Change("name from 2026-05-31T16:00:00Z", "丙", None)]
    await put(api, ACCOUNT, attributes={"name": "甲"}, valid_from=None)
    assert await changes(trail) == []


async def test_ids_and_former_ids_are_told(api: Api, trail: Recorder) -> None:
    await put(api, ACCOUNT)
    await put(api, ACCOUNT, id="E2", aliases=["E0"])
    assert await changes(trail) == [Change("aliases", None, "E0"), Change("id", "E1", "E2")]


async def test_personal_data_stay_out_of_the_trail(api: Api, trail: Recorder) -> None:
    await put(api, "/api/v1/entities/enterprise/E1", attributes={"legal_representative": "张三丰"})
    assert (await changes(trail))[1] == Change("legal_representative", None, "张***")
    address = "河北省保定市竞秀区朝阳北大街一号"
    await put(api, ACCOUNT, attributes={"address": address})
    assert address not in str(await changes(trail))
    assert "河北省保定市***" in str(await changes(trail))


@pytest.mark.parametrize("is_withdrawn", [False, True])
async def test_relations_tell_what_they_end(api: Api, trail: Recorder, is_withdrawn: bool) -> None:
    for each in ("metering_point/P1", "meter/A", "meter/B"):
        await put(api, f"/api/v1/entities/{each}")
    meter = {"kind": "meter_at", "from": {"type": "meter", "id": "A"}}
    await put(api, PLACE, **meter, valid_from="2026-01-01T00:00:00Z")
    first = "meter A > metering_point P1 [2026-01-01T00:00:00Z, )"
    assert await changes(trail) == [Change("meter_at", None, first)]
    if is_withdrawn:
        await put(api, PLACE, **meter, valid_from="2026-01-01T00:00:00Z", withdraw=True)
        assert await changes(trail) == [Change("meter_at", first, None)]
        return
    other = {"kind": "meter_at", "from": {"type": "meter", "id": "B"}}
    await put(api, PLACE, **other, valid_from="2026-06-01T00:00:00Z", exchange=True)
    second = "meter B > metering_point P1 [2026-06-01T00:00:00Z, )"
    assert await changes(trail) == [Change("meter_at", first, second)]
    await put(api, PLACE, **other, valid_from="2026-06-01T00:00:00Z")
    assert await changes(trail) == []
