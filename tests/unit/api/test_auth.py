"""Every operation of the table asks who one is, what one may, and shows nothing of other stations."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientSession

from api import formats
from api.operation import Operation
from api.routes import table
from historian.model.access import ROLE_RIGHTS, Right, Role
from historian.model.point import PointDraft, PointKind
from tests.support.guarded import PASSWORD, Guarded, log_in
from tests.unit.api.conftest import expect_problem

OPEN = {
    "getHealth", "getReadiness", "getOpenapi", "getPage", "getStatic", "getVendor", "logIn", "setUp",
}  # fmt: skip
THEIRS, OURS = "north.feeder.secret", "south.feeder.open"
VALUES = {
    "point": THEIRS, "number": "1", "name": "nobody", "id": "00000000", "driver": "d", "tariff": "cn-11-2023",
    "path": "app.js", "file": "app.js", "date": "2026-11-20", "period": "day",
}  # fmt: skip
SPAN = {
    "start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z", "from": "2026-11-20", "to": "2026-11-21",
    "period": "day", "time": "2026-11-20T00:00:00Z", "date": "2026-11-20", "width": "10", "since": "0",
}  # fmt: skip


def path_of(operation: Operation) -> str:
    """The first full path, variables filled in."""
    path = operation.paths()[0]
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, VALUES.get(part[1:-1].partition(":")[0], "x"))
    return path


def query_of(operation: Operation, **more: str) -> dict[str, str]:
    """What the operation needs in its query, and what else it knows."""
    known = {entry.name: entry.is_required for entry in operation.parameters if entry.where == "query"}
    found = {name: SPAN[name] for name in known if name in SPAN and (known[name] or name == "since")}
    return found | {name: value for name, value in more.items() if name in known}


async def ask(client: ClientSession, operation: Operation, **options: Any) -> tuple[int, str]:
    options = {"params": query_of(operation)} | options
    if operation.method != "GET" and "data" not in options:
        options |= {"json": {}}
    async with client.request(operation.method, path_of(operation), **options) as answer:
        is_endless = answer.content_type == "text/event-stream"
        return answer.status, "" if is_endless else await answer.text()


ALL = table.all_operations()
GUARDED = [one for one in ALL if one.right is not None]


async def test_nothing_is_answered_to_nobody(guarded: Guarded) -> None:
    async with guarded.client() as client:
        for operation in ALL:
            status, text = await ask(client, operation)
            is_open = operation.right is None and not operation.is_own
            assert (status == 401 and "not-logged-in" in text) != is_open, (operation.name, status, text)


def test_what_is_open_is_little() -> None:
    found = {one.name for one in ALL if one.right is None and not one.is_own}
    assert found <= OPEN | {"getPageFile", "getIndex"}, found - OPEN


async def test_each_role_gets_as_far_as_its_rights(guarded: Guarded) -> None:
    for role in Role:
        await guarded.person(f"a-{role.value}", role)
        async with guarded.client() as client:
            assert (await log_in(client, f"a-{role.value}")).status == 200
            for operation in GUARDED:
                if operation.name == "getEvents":
                    continue
                status, text = await ask(client, operation)
                is_refused = status == 403 and '"forbidden"' in text
                expected = operation.right not in ROLE_RIGHTS[role]
                assert is_refused == expected, (role, operation.name, status, text)


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer hst_00000000_x"}, {"Cookie": "historian_session=x"}]
)
async def test_who_is_not_known_is_told_how_to_be(guarded: Guarded, headers: dict[str, str]) -> None:
    async with guarded.client() as client:
        answer = await client.get("/api/v1/points", headers=headers)
        await expect_problem(answer, 401, "not-logged-in")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_body_is_not_read_before_one_is_known(guarded: Guarded) -> None:
    async with guarded.client() as client:
        answer = await client.post("/api/v1/ingest", data=b"x" * 100_000)
        assert answer.status == 401
        assert answer.headers["Connection"] == "close"


def two_stations(guarded: Guarded) -> None:
    for name, station in ((THEIRS, "north-station"), (OURS, "south-station")):
        guarded.context.registry.create(
            PointDraft(name=name, unit="kW", kind=PointKind.INSTANTANEOUS, station=station)
        )


BODIES = (
    {},
    {"points": [THEIRS], "station": "north-station"},
    {"series": [{"point": THEIRS, "times": [1795190400000], "values": [1.0]}]},
)


async def test_nothing_of_another_station_is_shown(guarded: Guarded) -> None:
    two_stations(guarded)
    allowed = tuple(right for right in Right if right is not Right.ADMINISTER)
    headers = guarded.token(*allowed, stations=["south-station"])
    async with guarded.client() as client:
        for operation in ALL:
            if not operation.takes_any_query and operation.name != "getEvents":
                await assert_hides(client, operation, headers)


async def assert_hides(client: ClientSession, operation: Operation, headers: dict[str, str]) -> None:
    """Whatever is asked: no answer names what is out of reach, unless the question did and it is refused."""
    answers = []
    asked: tuple[dict[str, str], ...] = (
        {},
        {"points": THEIRS},
        {"station": "north-station"},
        {"point": THEIRS},
    )
    for more in asked:
        options: dict[str, Any] = {"params": query_of(operation, **more), "headers": headers}
        bodies: Any = [{}] if operation.method == "GET" else [{"json": body} for body in BODIES]
        answers += [(more, *(await ask(client, operation, **options, **body))) for body in bodies]
    for more, status, text in answers:
        assert status != 500, (operation.name, more, text)
        words = set(re.findall(r"[a-z.-]+", text))
        if status < 400:
            assert not {THEIRS, "north-station"} & words, (operation.name, more, status, text)


async def test_a_point_of_another_station_is_as_if_there_were_none(guarded: Guarded) -> None:
    two_stations(guarded)
    headers = guarded.token(stations=["south-station"])
    async with guarded.client() as client:
        for name in (THEIRS, "never.was"):
            answer = await client.get(f"/api/v1/points/{name}", headers=headers)
            body = await expect_problem(answer, 404, "point-not-found")
            assert body["detail"] == f"no point is named {name!r}"
        assert (await client.get(f"/api/v1/points/{OURS}", headers=headers)).status == 200
        listed = await (await client.get("/api/v1/points", headers=headers)).json()
        assert [one["name"] for one in listed["points"]] == [OURS]
        everything = await (await client.get("/api/v1/points", headers=guarded.token())).json()
        assert everything["count"] == 2


async def test_a_kept_selection_is_not_given_to_others(guarded: Guarded) -> None:
    two_stations(guarded)
    north, south = (guarded.token(stations=[one]) for one in ("north-station", "south-station"))
    path = f"/api/v1/latest?points={THEIRS}"
    async with guarded.client() as client:
        assert (await client.get(path, headers=north)).status == 200
        await expect_problem(await client.get(path, headers=south), 404, "point-not-found")


async def test_a_session_changes_nothing_without_its_second_token(guarded: Guarded) -> None:
    await guarded.person("eva", Role.ENGINEER)
    async with guarded.client() as client:
        await log_in(client, "eva")
        body = {"unit": "kW", "kind": "instantaneous"}
        assert (await client.put("/api/v1/points/a", json=body)).status == 201
        for wrong in ("", "0" * 64):
            answer = await client.put("/api/v1/points/b", json=body, headers={"X-CSRF-Token": wrong})
            await expect_problem(answer, 403, "csrf-missing")
        assert (await client.get("/api/v1/points", headers={"X-CSRF-Token": ""})).status == 200


async def test_a_password_to_be_changed_opens_nothing_else(guarded: Guarded) -> None:
    await guarded.person("eva", Role.ENGINEER, must_change=True)
    async with guarded.client() as client:
        await log_in(client, "eva")
        await expect_problem(await client.get("/api/v1/points"), 403, "password-expired")
        body = {"present": PASSWORD, "new": "Another-Horse-8-staple"}
        assert (await client.post("/api/v1/password", json=body)).status == 200
        assert (await client.get("/api/v1/points")).status == 200


async def test_what_concerns_every_station_is_not_for_who_has_some(guarded: Guarded) -> None:
    async with guarded.client() as client:
        answer = await client.get("/metrics", headers=guarded.token(stations=["south-station"]))
        await expect_problem(answer, 403, "forbidden")
        assert (await client.get("/metrics", headers=guarded.token())).status == 200


async def test_denials_are_counted(guarded: Guarded) -> None:
    async with guarded.client() as client:
        await client.get("/api/v1/points")
        text = await (await client.get("/metrics", headers=guarded.token())).text()
    assert 'historian_http_denied_total{cause="not_logged_in"} 1' in text


async def test_a_long_answer_is_cut_when_its_token_ends(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_stations(guarded)
    book, encode = guarded.context.access.book, formats._encode_chunks

    def encode_and_revoke(*given: Any, **more: Any) -> Iterator[bytes]:
        for chunk in encode(*given, **more):
            yield chunk
            book.revoke_token(book.tokens()[0].id)

    monkeypatch.setattr(formats, "CHUNK_ROWS", 1)
    monkeypatch.setattr(formats, "_encode_chunks", encode_and_revoke)
    async with guarded.client() as client:
        answer = await client.get("/api/v1/points?format=csv", headers=guarded.token())
        assert answer.status == 200
        with pytest.raises(ClientPayloadError):
            await answer.read()
