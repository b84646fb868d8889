"""Whoever has rights for some stations sees the entities of these, and no name of another's."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from historian.model.access import Right
from tests.support.guarded import Guarded
from tests.unit.api.conftest import expect_problem

BASE = "/api/v1/entities"
# (entity, kind, what it leads to): a chain in the north, the same in the south, and a line that reaches no station.
CHAIN = (("line", "line_of", "substation"), ("bay", "bay_of", "line"), ("metering_point", "metering_point_of", "bay"), ("meter", "meter_at", "metering_point"))  # fmt: skip


@pytest.fixture
async def client(guarded: Guarded) -> AsyncIterator[ClientSession]:
    async with guarded.client() as client:
        writer = guarded.token(Right.READ, Right.CONFIGURE, name="writer")
        for side in ("north", "south"):
            await put(client, f"{BASE}/substation/{side}", writer)
            for kind, relation, above in CHAIN:
                upper = side if above == "substation" else f"{side}.{above}"
                await put(client, f"{BASE}/{kind}/{side}.{kind}", writer)
                body = {"kind": relation, "to": {"type": above, "id": upper}}
                await put(client, f"{BASE}/{kind}/{side}.{kind}/relations", writer, **body)
        await put(client, f"{BASE}/enterprise/E", writer)
        await put(client, f"{BASE}/line/loose", writer)
        yield client


async def put(client: ClientSession, path: str, headers: dict[str, str], **body: object) -> None:
    answer = await client.put(path, json=body, headers=headers)
    assert answer.status in (200, 201), await answer.text()


async def listed(client: ClientSession, kind: str, headers: dict[str, str]) -> list[str]:
    told = await (await client.get(f"{BASE}?type={kind}", headers=headers)).json()
    return [one["id"] for one in told["entities"]]


async def test_each_step_of_the_chain_is_seen_and_anothers_is_not_there(
    guarded: Guarded, client: ClientSession
) -> None:
    south = guarded.token(stations=["south"])
    for kind in ("substation", *(one for one, _, _ in CHAIN)):
        own, other = (side if kind == "substation" else f"{side}.{kind}" for side in ("south", "north"))
        assert await listed(client, kind, south) == [own]
        for rest in ("", "/history", "/relations"):
            assert (await client.get(f"{BASE}/{kind}/{own}{rest}", headers=south)).status == 200
            told = await client.get(f"{BASE}/{kind}/{other}{rest}", headers=south)
            mine = await expect_problem(told, 404, "entity-not-found")
            never = await client.get(f"{BASE}/{kind}/{'x' * len(other)}{rest}", headers=south)
            expected = (await expect_problem(never, 404, "entity-not-found"))["detail"]
            assert mine["detail"] == expected.replace("x" * len(other), other)
    everything = await listed(client, "line", guarded.token(name="all"))
    assert everything == ["north.line", "south.line", "loose"]


async def test_a_point_that_measures_it_brings_it_within_reach(
    guarded: Guarded, client: ClientSession
) -> None:
    writer = guarded.token(Right.READ, Right.CONFIGURE, name="writer")
    for name, station in (("e", "south"), ("f", "north")):
        await put(client, f"/api/v1/points/{name}", writer, unit="kW", kind="instantaneous", station=station)
        await put(
            client,
            f"{BASE}/line/loose/relations",
            writer,
            kind="measured_by",
            to={"type": "point", "id": name},
        )
    south = guarded.token(stations=["south"])
    assert await listed(client, "line", south) == ["south.line", "loose"]
    told = await (await client.get(f"{BASE}/line/loose/relations", headers=south)).json()
    assert [one["to"]["id"] for one in told["relations"]] == ["e"]  # not the north's point


async def test_what_belongs_to_no_station_and_what_changes_need_all_rights(
    guarded: Guarded, client: ClientSession
) -> None:
    south = guarded.token(Right.READ, Right.CONFIGURE, stations=["south"])
    for path in (f"{BASE}/enterprise/E", f"{BASE}/enterprise/E/history", f"{BASE}/enterprise/E/relations", f"{BASE}?type=enterprise", f"{BASE}/enterprise/E/charges", "/api/v1/archive/entities"):  # fmt: skip
        await expect_problem(await client.get(path, headers=south), 403, "forbidden")
    answer = await client.put(f"{BASE}/line/south.line", json={}, headers=south)
    await expect_problem(answer, 403, "forbidden")
