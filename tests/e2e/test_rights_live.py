"""The whole way with access control on: services that may one thing each, on the real store, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from historian.model.access import Right
from historian.model.timestamp import parse_time_us
from tests.support.served_core import Served, serve

POINT, NEIGHBOUR = "meter.south.energy", "meter.north.energy"
TIMES = [f"2026-03-01T00:{minute:02d}:00+08:00" for minute in (0, 15, 30, 45)]
RECORDED = f"/points/{POINT}/recorded?start=2026-03-01T00:00:00%2B08:00&end=2026-03-02T00:00:00%2B08:00"
CURVE = f"/points/{POINT}/load-curve?date=2026-03-01"
ROLLUPS = "/rollups?period=day&from=2026-03-01&to=2026-03-02&points="
YEAR_US = 300 * 86_400 * 1_000_000


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path / "d", auth="on") as opened:
        yield opened


def token(served: Served, *rights: Right, stations: tuple[str, ...] | None = None) -> dict[str, str]:
    """Headers as writers of line protocol send them."""
    book, now_us = served.parts.access.book, served.parts.clock.now_us()
    _, text = book.add_token("service", rights, stations, "anna", now_us + YEAR_US)
    return {"Authorization": f"Token {text}"}


async def make_points(served: Served) -> None:
    engineer = token(served, Right.READ, Right.CONFIGURE)
    for name, station in ((POINT, "south"), (NEIGHBOUR, "north")):
        body = {
            "unit": "kWh", "kind": "interval", "interval": "15m", "label": "period_start", "station": station,
            "time_zone": "Asia/Shanghai",
        }  # fmt: skip
        await served.ask("PUT", f"/points/{name}", 201, json=body, headers=engineer)


async def send_each_way(served: Served, headers: dict[str, str]) -> None:
    """1, 2, 3, 4 as JSON, CSV, Arrow and lines, and a 5 of the neighbour."""
    rows = [(POINT, TIMES[0], 1.0), (NEIGHBOUR, TIMES[0], 5.0)]
    series = [{"point": name, "times": [time], "values": [value]} for name, time, value in rows]
    assert (await served.ask("POST", "/ingest", json={"series": series}, headers=headers))["accepted"] == 2
    text = f"point,time,value\n{POINT},{TIMES[1]},2\n"
    for body, kind in ((text.encode(), "text/csv"), (arrow(), "application/vnd.apache.arrow.stream")):
        more = headers | {"Content-Type": kind}
        assert (await served.ask("POST", "/ingest", data=body, headers=more))["accepted"] == 1
    line = f"meter,site=south energy=4 {parse_time_us(TIMES[3]) * 1000}"
    async with served.client.post("/api/v2/write", data=line, headers=headers) as answer:
        assert answer.status == 204, await answer.text()


def arrow() -> bytes:
    times = pa.array([parse_time_us(TIMES[2])], pa.timestamp("us", tz="UTC"))
    batch = pa.record_batch([pa.array([POINT]), times, pa.array([3.0])], names=["point", "time", "value"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


async def refused(served: Served, method: str, path: str, **options: Any) -> None:
    problem = await served.ask(method, path, 403, **options)
    assert problem["type"] == "/problems/forbidden", problem


async def test_each_service_does_its_own_and_nothing_else(served: Served) -> None:
    await make_points(served)
    collector, viewer = token(served, Right.WRITE), token(served, Right.READ)
    await send_each_way(served, collector)
    assert (await served.ask("GET", RECORDED, headers=viewer))["values"] == [1.0, 2.0, 3.0, 4.0]
    for path in (RECORDED, CURVE, ROLLUPS + POINT, "/events"):
        await refused(served, "GET", path, headers=collector)
    edit = {"kind": "correct", "times": [TIMES[1]], "values": [2.5], "reason": "misread"}
    series = [{"point": POINT, "times": [TIMES[0]], "values": [9.0]}]
    await refused(served, "POST", "/ingest", json={"series": series}, headers=viewer)
    for headers in (viewer, collector):
        await refused(served, "POST", f"/points/{POINT}/edits", json=edit, headers=headers)
        await refused(served, "PUT", "/points/other", json={"unit": "kW"}, headers=headers)
    editor = token(served, Right.READ, Right.EDIT, stations=("south",))
    made = await served.ask("POST", f"/points/{POINT}/edits", json=edit, headers=editor)
    assert (made["changed"], made["author"]) == (1, "service")
    assert (await served.ask("GET", RECORDED, headers=viewer))["values"] == [1.0, 2.5, 3.0, 4.0]
    row = (await served.ask("GET", ROLLUPS + POINT, headers=viewer))["rows"][0]
    assert row["energy"] == 10.5


async def test_a_curve_in_memory_is_for_those_who_may_see_its_point(served: Served) -> None:
    await make_points(served)
    await send_each_way(served, token(served, Right.WRITE))
    unlimited, ours, theirs = (
        token(served, Right.READ, stations=stations) for stations in (None, ("south",), ("north",))
    )
    paths = (
        CURVE,
        f"/load-curve?date=2026-03-01&points={POINT}",
        "/load-curve?date=2026-03-01&station=south",
    )
    for path in paths:
        hits = served.parts.metrics.counter("historian_curve_cache_hits_total", "")
        before = hits.value
        first = await served.ask("GET", path, headers=unlimited)
        assert await served.ask("GET", path, headers=unlimited) == first
        assert hits.value == before + 1, "it is in memory"
        problem = await served.ask("GET", path, 404, headers=theirs)
        assert problem["type"] in ("/problems/point-not-found", "/problems/station-not-found")
        assert await served.ask("GET", path, headers=ours) == first


async def test_events_are_those_of_the_stations_one_has(served: Served) -> None:
    await make_points(served)
    await send_each_way(served, token(served, Right.WRITE))
    unlimited = token(served, Right.READ)
    for name in (POINT, NEIGHBOUR):
        await served.ask("GET", ROLLUPS + name, headers=unlimited)
    assert await first_point_told(served, unlimited) == POINT
    assert await first_point_told(served, token(served, Right.READ, stations=("north",))) == NEIGHBOUR


async def first_point_told(served: Served, headers: dict[str, str]) -> str:
    async with served.client.get("/api/v1/events?since=0", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        async for line in answer.content:
            if line.startswith(b"data: "):
                point: str = msgspec.json.decode(line[6:])["point"]
                return point
    raise AssertionError("the stream ended")
