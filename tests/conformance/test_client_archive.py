"""The Python client with a token against the real server with access control on: archive, CSV, audit trail, events."""

import asyncio
import contextlib
import datetime
import zoneinfo
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from historian.client import AsyncClient, Client, Problem
from historian.client.archive_calls import SINCE_EVER
from historian.client.archive_replies import Party
from historian.client.replies import PointAttributes
from historian.model.access import Right
from tests.conformance.test_client import Either
from tests.support import served_core
from tests.support.served_core import Served

MIDNIGHT = datetime.datetime(2026, 1, 5, tzinfo=zoneinfo.ZoneInfo("Asia/Shanghai"))
DAY = datetime.timedelta(days=1)
YEAR_US = 365 * 86_400 * 1_000_000
RIGHTS = tuple(right for right in Right if right is not Right.ADMINISTER)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def token_of(served: Served, *rights: Right) -> str:
    book = served.parts.access.book
    return book.add_token("desk", rights, None, "test", served.parts.clock.now_us() + YEAR_US)[1]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served_core.serve(tmp_path_factory.mktemp("data"), auth="on") as served:
        yield served


@pytest_asyncio.fixture(params=["blocking", "awaiting"], loop_scope="module")
async def either(request: pytest.FixtureRequest, served: Served) -> AsyncIterator[Either]:
    token = token_of(served, *RIGHTS)
    if request.param == "awaiting":
        async with AsyncClient(served.address, token) as client:
            yield Either(client)
    else:
        with Client(served.address, token) as blocking:
            yield Either(blocking)


async def test_entities_are_dated_twice_and_guarded(either: Either) -> None:
    own = type(either.client).__name__
    made = await either.ask("put_entity", "water_account", own, {"name": "a"}, valid_from=SINCE_EVER)
    assert (made.id, made.changes, made.attributes["name"].valid_from) == (own, 1, None)
    changed = await either.ask(
        "put_entity", "water_account", own, {"name": "b"}, valid_from=MIDNIGHT, revision=made.revision,
        extra={"route": "7"}, aliases=[f"{own}.old"], reason="moved",
    )  # fmt: skip
    with pytest.raises(Problem, match="is not revision"):
        await either.ask("put_entity", "water_account", own, {"name": "c"}, revision=made.revision)
    now = await either.ask("entity", "water_account", f"{own}.old")
    assert (now.renamed_to, now.attributes["name"].value, now.extra["route"].value) == (own, "b", "7")
    before = await either.ask("entity", "water_account", own, at=MIDNIGHT - DAY)
    assert (before.attributes["name"].value, before.revision) == ("a", changed.revision)
    stated = await either.ask("entity_history", "water_account", own, attribute="name")
    assert [(one.value, one.author, one.reason) for one in stated] == [
        ("a", "desk", ""),
        ("b", "desk", "moved"),
    ]
    listed = await either.ask("entities", "water_account", match=f"{own}*", page_size=1)
    assert [one.id for one in listed] == [own]


async def test_relations_and_charges(either: Either) -> None:
    own = type(either.client).__name__
    meter, place = f"{own}.meter", Party(type="metering_point", id=f"{own}.place")
    for kind, name in (("meter", meter), ("metering_point", place.id), ("water_account", f"{own}.w")):
        await either.ask("put_entity", kind, name)
    told = await either.ask("put_relation", "meter", meter, "meter_at", to=place, valid_from=MIDNIGHT)
    assert (told.changed, told.source.id, told.to.id) == (True, meter, place.id)
    assert [one.number for one in await either.ask("relations", "meter", meter, at=MIDNIGHT)] == [told.number]
    assert await either.ask("relations", "meter", meter, at=MIDNIGHT - DAY) == []
    bill = {"start": MIDNIGHT, "end": MIDNIGHT + 31 * DAY}
    first = await either.ask("record_charge", "water_account", f"{own}.w", amount="86.40", **bill)
    again = await either.ask(
        "record_charge", "water_account", f"{own}.w", amount="80", reason="refund", **bill
    )
    assert (first.amount, first.unit, again.supersedes, again.author) == ("86.4", "CNY", first.number, "desk")
    charges = await either.ask("charges", "water_account", f"{own}.w")
    assert [one.number for one in charges] == [again.number]
    assert len(await either.ask("charges", "water_account", f"{own}.w", superseded=True)) == 2


async def test_items_and_tables(either: Either) -> None:
    items = await either.ask("items", entity_type="enterprise")
    assert {"T1.01", "T1.03"} <= {one.id for one in items}
    own = type(either.client).__name__
    text = f"type,id,attribute,value\nwater_account,{own}.csv,name,x\nnothing,y,,\n"
    taken = await either.ask("import_archive", "entities", text)
    assert (taken.created, taken.rejected, taken.rejects[0].line) == (1, 1, 3)
    assert f"water_account,{own}.csv,name,x" in await either.ask("export_archive", "entities")


async def test_what_was_done_is_in_the_trail_under_the_name_of_the_token(either: Either) -> None:
    own = f"{type(either.client).__name__}.trail"
    await either.ask("put_entity", "meter", own, reason="bought")
    begun, done = await either.ask("audit", object=own, kind="config", page_size=1)
    assert (done.who, done.who_kind, done.action, done.reason) == ("desk", "token", "putEntity", "bought")
    assert (done.result, done.begun, done.changes[0].new) == ("done", begun.number, f"meter {own}")
    with pytest.raises(Problem, match="is not who sends this"):
        await either.ask("put_entity", "meter", own, author="somebody else")


async def test_without_a_token_and_without_a_right(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncClient(served.address) as nobody:
        with pytest.raises(Problem) as refused:
            await nobody.items()
        assert refused.value.status == 401
    monkeypatch.setenv("HISTORIAN_TOKEN", token_of(served, Right.READ))
    async with AsyncClient(served.address) as reader:
        assert await reader.items(table=1)
        with pytest.raises(Problem) as forbidden:
            await reader.put_entity("meter", "m")
        assert forbidden.value.status == 403


async def test_events_of_one_station(served: Served) -> None:
    async with AsyncClient(served.address, token_of(served, *RIGHTS)) as client:
        for name in ("north", "south"):
            await client.put_point(
                f"{name}.e", PointAttributes(unit="kWh", kind="interval", interval="15m", station=name)
            )
            await client.ingest({f"{name}.e": ([MIDNIGHT], [1.0])})
        await served.parts.rollup.flush_dirty()
        for asked in ({"station": "south"}, {"points": ["south.e"]}):
            async with asyncio.timeout(10), contextlib.aclosing(client.events("0", **asked)) as events:
                event = await anext(events)
            assert "south.e" in event.data
            assert "north.e" not in event.data
