"""One question about many points: the answers of the single routes, faults of their own, pages, limits before work."""

import csv
import io
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from tests.unit.api.conftest import Api, expect_problem

START, END = "2026-11-21T00:00:00+08:00", "2026-11-21T01:00:00+08:00"
SPAN = {"start": START, "end": END}
SPAN_QUERY = "start=2026-11-21T00:00:00%2B08:00&end=2026-11-21T01:00:00%2B08:00"
TIMES = [1_795_190_400_000 + i * 900_000 for i in range(4)]
SINGLE = {
    "recorded": ({**SPAN, "boundary": "outside"}, f"/recorded?{SPAN_QUERY}&boundary=outside"),
    "interpolated": ({**SPAN, "interval": "5m"}, f"/interpolated?{SPAN_QUERY}&interval=5m"),
    "at": (
        {"time": TIMES[1] + 1, "mode": "interpolated"},
        f"/at?time={TIMES[1] + 1}&mode=interpolated",
    ),
    "plot": ({**SPAN, "width": 10}, f"/plot?{SPAN_QUERY}&width=10"),
    "summary": ({**SPAN, "interval": "30m"}, f"/summary?{SPAN_QUERY}&interval=30m"),
}


@pytest.fixture
async def filled(api: Api) -> Api:
    for name in ("a", "b", "c"):
        await api.put_point(name, station="hall", interval="15m")
        await api.ingest({"point": name, "times": TIMES, "values": [1.0, 2.0, 3.5, 2.5]})
    return api


async def ask(api: Api, query: str = "", status: int = 200, **body: Any) -> Any:
    response = await api.client.post(f"/api/v1/query{query}", json=body)
    assert response.status == status, await response.text()
    return await response.json()


@pytest.mark.parametrize("kind", SINGLE)
async def test_each_entry_is_what_the_route_of_the_point_answers(filled: Api, kind: str) -> None:
    body, path = SINGLE[kind]
    form = "tz=Asia/Shanghai&unit=W&quality=full"
    reply = await ask(filled, f"?{form}", kind=kind, points=["b", "a"], **body)
    singles = [await filled.get_json(f"/api/v1/points/{name}{path}&{form}") for name in ("b", "a")]
    assert reply == {"kind": kind, "results": singles}


async def test_latest_has_the_rows_of_latest(filled: Api) -> None:
    reply = await ask(filled, kind="latest", station="hall")
    assert reply["results"] == (await filled.get_json("/api/v1/latest?station=hall"))["latest"]


@pytest.mark.parametrize("kind", [*SINGLE, "latest"])
async def test_a_point_that_cannot_be_answered_costs_only_itself(filled: Api, kind: str) -> None:
    body = SINGLE.get(kind, ({}, ""))[0]
    reply = await ask(filled, kind=kind, points=["nobody", "a"], **body)
    fault, answer = reply["results"]
    assert answer["point"] == "a"
    assert (fault["point"], fault["error"]["status"]) == ("nobody", 404)
    assert fault["error"]["type"] == "/problems/point-not-found"


async def test_a_former_name_answers_with_the_present_one(filled: Api) -> None:
    await filled.client.patch("/api/v1/points/a", json={"name": "z"})
    (entry,) = (await ask(filled, kind="at", points=["a"], time=TIMES[0]))["results"]
    assert (entry["point"], entry["renamed_to"]) == ("z", "z")


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 4, 5, 12])
async def test_pages_of_samples_go_on_within_and_between_points(filled: Api, limit: int, order: str) -> None:
    seen: list[tuple[str, str]] = []
    asked = {"kind": "recorded", "points": ["b", "nobody", "a", "c"], "limit": limit, "order": order, **SPAN}
    more: dict[str, str] = {}
    for _ in range(20):
        reply = await ask(filled, **asked, **more)
        entries = [entry for entry in reply["results"] if "error" not in entry]
        assert sum(len(entry["times"]) for entry in entries) <= limit
        seen += [(entry["point"], time) for entry in entries for time in entry["times"]]
        if "next" not in reply:
            break
        more = {"cursor": reply["next"]}
    whole = await ask(filled, **{**asked, "limit": 100})
    entries = [entry for entry in whole["results"] if "error" not in entry]
    assert seen == [(entry["point"], time) for entry in entries for time in entry["times"]]
    assert len(seen) == 12


async def test_pages_of_points_go_on_though_points_come(filled: Api) -> None:
    asked = {"kind": "latest", "station": "hall", "limit": 2}
    first = await ask(filled, **asked)
    await filled.put_point("aa", station="hall")
    second = await ask(filled, **asked, cursor=first["next"])
    names = [entry["point"] for entry in first["results"] + second["results"]]
    assert names == ["a", "b", "c", "aa"]
    assert "next" not in second


async def test_a_cursor_is_good_for_its_question_only(filled: Api) -> None:
    reply = await ask(filled, kind="latest", points=["a", "b"], limit=1)
    other = {"kind": "latest", "points": ["b", "a"], "cursor": reply["next"]}
    await expect_problem(await filled.client.post("/api/v1/query", json=other), 400, "invalid-cursor")


async def test_tables_of_many_points(filled: Api) -> None:
    body = {"kind": "recorded", "points": ["b", "a"], **SPAN}
    rows = await ask(filled, "?format=rows", **body)
    assert [(row["point"], row["value"], row["unit"]) for row in rows[3:5]] == [
        ("b", 2.5, "kW"), ("a", 1.0, "kW"),
    ]  # fmt: skip
    response = await filled.client.post("/api/v1/query?format=csv&bom=1", json=body)
    text = await response.text()
    assert text.startswith("﻿time,point,value")
    assert len(list(csv.reader(io.StringIO(text)))) == 9
    lines = await (await filled.client.post("/api/v1/query?format=ndjson", json=body)).text()
    assert msgspec.json.decode(lines.splitlines()[7])["value"] == 2.5
    arrow = await filled.client.post("/api/v1/query?format=arrow", json=body)
    table = pa.ipc.open_stream(await arrow.read()).read_all()
    assert table["value"].to_pylist() == [1.0, 2.0, 3.5, 2.5] * 2
    assert table["point"].to_pylist() == ["b"] * 4 + ["a"] * 4
    assert str(table["time"].type) == "timestamp[us, tz=UTC]"


async def test_a_table_does_not_pass_over_a_fault(filled: Api) -> None:
    body = {"kind": "latest", "points": ["a", "nobody"]}
    response = await filled.client.post("/api/v1/query?format=csv", json=body)
    await expect_problem(response, 404, "point-not-found")


async def test_a_page_in_a_table_names_its_cursor(filled: Api) -> None:
    body = {"kind": "recorded", "points": ["a"], "limit": 2, **SPAN}
    response = await filled.client.post("/api/v1/query?format=csv", json=body)
    assert response.headers["X-Next-Cursor"]


TOO_MUCH = {
    "samples": {"kind": "recorded", "points": ["a", "b"], **SPAN},
    "a page": {"kind": "recorded", "points": ["a"], "limit": 1001, **SPAN},
    "slots": {"kind": "interpolated", "points": ["a", "b"], "interval": "1s", **SPAN},
    "pixels": {"kind": "plot", "points": ["a", "b"], "width": 3_000, **SPAN},
    "points": {"kind": "latest", "points": ["a", "b", "c", "d"]},
}


@pytest.mark.parametrize("case", TOO_MUCH)
async def test_too_much_is_refused_before_work(
    filled: Api, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = QueryLimits(samples_max=1000 if case == "a page" else 6, slots_max=5_000, points_max=3)
    monkeypatch.setattr(filled.context.query, "_limits", limits)
    for name in ("recorded", "interpolated", "plot", "latest"):
        monkeypatch.setattr(QueryEngine, name, None)
    response = await filled.client.post("/api/v1/query", json=TOO_MUCH[case])
    await expect_problem(response, 422, "query-too-large")


BAD = {
    "no points": ({"kind": "latest"}, 400, "invalid-parameter"),
    "both": ({"kind": "latest", "points": ["a"], "station": "hall"}, 400, "invalid-parameter"),
    "no span": ({"kind": "plot", "points": ["a"]}, 400, "invalid-parameter"),
    "no time": ({"kind": "at", "points": ["a"]}, 400, "invalid-parameter"),
    "a word of another kind": ({"kind": "latest", "points": ["a"], "width": 5}, 422, "invalid-body"),
    "an unknown word": ({"kind": "latest", "points": ["a"], "widths": 5}, 422, "invalid-body"),
    "a list in a name": ({"kind": "latest", "points": ["a,b"]}, 422, "invalid-body"),
    "no zone": ({"kind": "at", "points": ["a"], "time": "2026-11-21T00:00:00"}, 400, "invalid-time"),
    "no station": ({"kind": "latest", "station": "moon"}, 404, "station-not-found"),
    "a bad cursor": ({"kind": "latest", "points": ["a"], "cursor": "x"}, 400, "invalid-cursor"),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_cannot_be_asked(filled: Api, case: str) -> None:
    body, status, kind = BAD[case]
    await expect_problem(await filled.client.post("/api/v1/query", json=body), status, kind)
