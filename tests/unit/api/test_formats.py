"""The form of a reply is the one asked for; long tables are streamed."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator

import msgspec
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from api import formats, problem
from api.formats import Format, Table
from api.problem import Problem


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Format.JSON),
        ("*/*", Format.JSON),
        ("application/json", Format.JSON),
        ("text/csv", Format.CSV),
        ("application/x-ndjson", Format.NDJSON),
        ("application/vnd.apache.arrow.stream", Format.ARROW),
        ("text/html, text/csv;q=0.5", Format.CSV),
        ("application/json;q=0.1, text/csv;q=0.9", Format.CSV),
        ("text/csv;q=0, */*", Format.JSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.JSON),
    ],
)
def test_accept_chooses(accept: str, form: Format) -> None:
    assert formats.choose_format(make_mocked_request("GET", "/x", headers={"Accept": accept})) is form


def test_the_parameter_is_stronger_than_accept() -> None:
    request = make_mocked_request("GET", "/x?format=rows", headers={"Accept": "text/csv"})
    assert formats.choose_format(request) is Format.ROWS


@pytest.mark.parametrize("accept", ["image/png", "application/vnd.apache.arrow.file", "text/csv;q=0"])
def test_what_is_not_offered_is_406(accept: str) -> None:
    with pytest.raises(Problem) as caught:
        formats.choose_format(make_mocked_request("GET", "/x", headers={"Accept": accept}))
    assert caught.value.kind is problem.NOT_ACCEPTABLE


class Inner(msgspec.Struct):
    count: int


class Row(msgspec.Struct, omit_defaults=True):
    name: str
    inner: Inner
    time_local: str = ""
    note: str = ""


def test_structs_become_columns_and_inner_ones_are_flattened() -> None:
    table = formats.table_of([Row("a", Inner(1)), Row("b", Inner(2), note="x")], Row)
    assert [column.name for column in table.columns] == ["name", "inner_count", "note"]
    assert [list(column.cells(0, 2)) for column in table.columns] == [["a", "b"], [1, 2], ["", "x"]]


def test_local_times_show_where_there_are_any() -> None:
    table = formats.table_of([Row("a", Inner(1), time_local="08:00")], Row)
    assert "time_local" in [column.name for column in table.columns]


Client = TestClient[web.Request, web.Application]
ROW_COUNT = 3 * formats.CHUNK_ROWS + 1


async def reply_long_table(request: web.Request) -> web.StreamResponse:
    columns = (
        formats.times("time", np.arange(ROW_COUNT, dtype=np.int64) * 1_000_000),
        formats.constant("point", 'a "quoted", name'),
        formats.values("value", np.where(np.arange(ROW_COUNT) % 2 == 0, 1.5, np.nan)),
        formats.words("state", np.arange(ROW_COUNT) % 2, ("even", "odd")),
    )
    return await formats.reply_table(request, Table(columns, ROW_COUNT), formats.choose_format(request))


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    app.router.add_get("/", reply_long_table)
    async with TestClient(TestServer(app)) as found:
        yield found


@pytest.mark.parametrize("form", ["rows", "ndjson", "csv"])
async def test_a_long_table_comes_whole_in_every_form(client: Client, form: str) -> None:
    response = await client.get("/", params={"format": form})
    text = await response.text()
    assert response.headers["Transfer-Encoding"] == "chunked"
    match form:
        case "rows":
            rows = json.loads(text)
        case "ndjson":
            rows = [json.loads(line) for line in text.splitlines()]
        case _:
            rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == ROW_COUNT
    assert rows[-1]["time"] == "1970-01-01T03:24:48Z"
    assert rows[0]["point"] == 'a "quoted", name'
    assert [row["value"] for row in rows[:2]] in ([1.5, None], ["1.5", ""])
    assert rows[1]["state"] == "odd"


async def test_a_head_of_a_long_table_has_no_body(client: Client) -> None:
    response = await client.head("/", params={"format": "csv"})
    assert (response.status, response.content_type, await response.read()) == (200, "text/csv", b"")


async def test_a_reader_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stalled:
        async def write(self, chunk: bytes) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(formats, "REPLY_STALL_S", 0.01)
    with pytest.raises(ConnectionAbortedError):
        await formats.write_piece(make_mocked_request("GET", "/"), Stalled(), b"x")  # type: ignore[arg-type]
