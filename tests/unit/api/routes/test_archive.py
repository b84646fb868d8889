"""The archive as CSV over HTTP."""

from typing import Any

import pytest
from aiohttp import ClientPayloadError, web

from api.caller import IDENTITY
from api.routes import archive
from historian.model.access import ROLE_RIGHTS, Identity, Role
from historian.model.point import PointDraft, PointKind
from tests.support.guarded import Guarded
from tests.unit.api.conftest import Api, expect_problem

ROWS = "type,id,attribute,value,valid_from\nenterprise,E1,legal_representative,张三,\nenterprise,E1,colour,red,\n"
CSV = {"Content-Type": "text/csv"}


async def test_rows_go_in_and_come_out(api: Api) -> None:
    response = await api.client.post("/api/v1/archive/entities", data=ROWS.encode(), headers=CSV)
    report = await response.json()
    assert (report["rows"], report["created"], report["rejected"]) == (2, 1, 1)
    assert report["rejects"][0]["line"] == 3
    response = await api.client.get("/api/v1/archive/entities?bom=1")
    text = (await response.read()).decode("utf-8-sig")
    assert response.content_type == "text/csv"
    assert text.splitlines()[1:] == ["enterprise,E1,,,", "enterprise,E1,legal_representative,张三,"]
    again = await api.client.post("/api/v1/archive/entities", data=text.encode(), headers=CSV)
    assert (await again.json())["unchanged"] == 2


@pytest.mark.parametrize("table", ["relations", "charges", "points"])
async def test_an_empty_table_is_its_header(api: Api, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "CHUNK_ROWS", 1)
    text = await (await api.get(f"/api/v1/archive/{table}")).text()
    assert text.count("\n") == 1
    await api.put_point("a")
    text = await (await api.get(f"/api/v1/archive/{table}")).text()
    assert text.count("\n") == (2 if table == "points" else 1)


async def test_a_table_is_cut_when_its_token_ends(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded.context.registry.create(PointDraft(name="a", unit="kW", kind=PointKind.INSTANTANEOUS))
    book, make = guarded.context.access.book, archive._text
    made: list[bytes] = []

    def make_and_revoke(rows: Any) -> bytes:
        made.append(make(rows))
        if len(made) == 2:  # the first is on its way
            book.revoke_token(book.tokens()[0].id)
        return made[-1]

    monkeypatch.setattr(archive, "CHUNK_ROWS", 1)
    monkeypatch.setattr(archive, "_text", make_and_revoke)
    async with guarded.client() as client:
        answer = await client.get("/api/v1/archive/points", headers=guarded.token())
        assert answer.status == 200
        with pytest.raises(ClientPayloadError):
            await answer.read()
    assert len(made) == 2


async def test_what_cannot_be_taken_is_told(api: Api) -> None:
    post, path = api.client.post, "/api/v1/archive/entities"
    await expect_problem(await post(path, data=b"type\n", headers=CSV), 400, "malformed-body")
    told = await expect_problem(await post(path, data=b"type,id\n\xff", headers=CSV), 400, "malformed-body")
    assert told["errors"][0]["line"] == 2
    await expect_problem(await post(path, data=b"type,id\n"), 415, "unsupported-media-type")
    await expect_problem(
        await post("/api/v1/archive/houses", data=b"", headers=CSV), 400, "invalid-parameter"
    )


async def test_what_is_not_listed_is_counted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "REJECTS_LISTED_MAX", 1)
    body = b"type,id\nhouse,1\nhouse,2\n"
    report = await (await api.client.post("/api/v1/archive/entities", data=body, headers=CSV)).json()
    assert (len(report["rejects"]), report["rejects_omitted"], report["rejected"]) == (1, 1, 2)


async def test_personal_data_are_masked_for_who_may_not_see_them(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.client.post("/api/v1/archive/entities", data=ROWS.encode(), headers=CSV)
    viewer = Identity("v", "person", ROLE_RIGHTS[Role.VIEWER])
    monkeypatch.setattr(
        web.BaseRequest, "get", lambda self, key, default=None: viewer if key is IDENTITY else default
    )
    text = await (await api.get("/api/v1/archive/entities")).text()
    assert "张***" in text
    assert "张三" not in text
