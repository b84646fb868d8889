"""Silence over HTTP: who is overdue, gaps of many points, and outages told from outside."""

import pytest

from historian.model.timestamp import parse_time_us
from tests.unit.api.conftest import Api, expect_problem

NOW_US = parse_time_us("2026-11-22T08:00:00Z")
Q_MS = 900_000
NOW_MS = NOW_US // 1000
SPAN = f"start={NOW_MS - 8 * Q_MS}&end={NOW_MS}"


@pytest.fixture
async def filled(api: Api) -> Api:
    """a is up to date, b silent for two hours, c has nothing; a and b are of S."""
    for name, station in (("a", "S"), ("b", "S"), ("c", "")):
        await api.put_point(name, station=station, interval="15m")
    await api.ingest(
        {"point": "a", "times": [NOW_MS - k * Q_MS for k in range(12)], "values": [1.0] * 12},
        {"point": "b", "times": [NOW_MS - 8 * Q_MS], "values": [1.0]},
    )
    return api


async def test_who_is_overdue_since_when(filled: Api) -> None:
    answer = await filled.get_json("/api/v1/overdue")
    assert (answer["point_count"], answer["overdue_count"], answer["next"]) == (3, 2, "")
    b, c = answer["overdue"]
    assert b == {
        "point": "b", "station": "S", "item": "", "interval": "15m", "since": "2026-11-22T06:00:00Z",
        "due": "2026-11-22T06:15:00Z", "silent_s": 7200.0, "missing": 8, "cause": "unknown", "detail": "",
    }  # fmt: skip
    assert (c["point"], c["since"], c["silent_s"], c["cause"]) == ("c", None, None, "no_data_yet")
    assert [row["point"] for row in (await filled.get_json("/api/v1/overdue?station=S"))["overdue"]] == ["b"]
    assert (await filled.get_json("/api/v1/overdue?points=b,a"))["overdue_count"] == 1


async def test_the_overdue_come_in_pages(filled: Api) -> None:
    first = await filled.get_json("/api/v1/overdue?limit=1")
    assert [row["point"] for row in first["overdue"]] == ["b"]
    second = await filled.get_json(f"/api/v1/overdue?limit=1&cursor={first['next']}")
    assert ([row["point"] for row in second["overdue"]], second["next"]) == (["c"], "")
    await filled.problem(f"/api/v1/overdue?station=S&limit=1&cursor={first['next']}", 400, "invalid-cursor")
    response = await filled.get("/api/v1/overdue?limit=1&format=csv")
    assert response.headers["X-Next-Cursor"] == first["next"]
    assert (await response.text()).splitlines()[1].startswith("b,S,,15m,2026-11-22T06:00:00Z")


async def test_an_outage_told_from_outside_explains_gaps_and_silence(filled: Api) -> None:
    body = {
        "station": "S", "start": NOW_MS - 8 * Q_MS, "end": NOW_MS + 1, "cause": "missing_file",
        "detail": "load_20261122.csv", "author": "gateway",
    }  # fmt: skip
    response = await filled.client.post("/api/v1/outages", json=body)
    assert response.status == 201, await response.text()
    assert (await response.json())["source"] == "station:S"
    answer = await filled.get_json(f"/api/v1/gaps?station=S&{SPAN}")
    assert [(gap["point"], gap["missing_count"], gap["cause"]) for gap in answer["gaps"]] == [
        ("b", 7, "missing_file")
    ]
    assert answer["missing_by_cause"] == {"missing_file": 7}
    [silent] = (await filled.get_json("/api/v1/overdue?station=S"))["overdue"]
    assert (silent["cause"], silent["detail"]) == ("missing_file", "load_20261122.csv (gateway)")
    [outage] = (await filled.get_json(f"/api/v1/outages?station=S&{SPAN}"))["outages"]
    assert (outage["cause"], outage["start"]) == ("missing_file", "2026-11-22T06:00:00Z")


async def test_gaps_of_many_points_as_a_table(filled: Api) -> None:
    text = await (await filled.get(f"/api/v1/gaps?points=a,b,c&{SPAN}&format=csv")).text()
    assert text.splitlines() == [
        "point,station,start,end,missing_count,cause,detail",
        "b,S,2026-11-22T06:15:00Z,2026-11-22T08:00:00Z,7,unknown,",
        "c,,2026-11-22T06:00:00Z,2026-11-22T08:00:00Z,8,no_data_yet,",
    ]


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"station": "Q"}, 404, "station-not-found"),
        ({"end": NOW_MS - 9 * Q_MS}, 400, "invalid-parameter"),
        ({"start": "2026-11-22T06:00:00"}, 400, "invalid-time"),
        ({"cause": "No words"}, 422, "invalid-body"),
    ],
)
async def test_an_outage_that_says_too_little_is_refused(
    filled: Api, change: dict[str, object], status: int, kind: str
) -> None:
    body = {"station": "S", "start": NOW_MS - 8 * Q_MS, "end": NOW_MS, "cause": "collector_off"} | change
    await expect_problem(await filled.client.post("/api/v1/outages", json=body), status, kind)


async def test_a_retired_point_and_what_lies_ahead_have_causes_and_nothing_missing(filled: Api) -> None:
    body = {"term": {"kind": "retired"}, "valid_from": NOW_MS - 4 * Q_MS, "reason": "feeder closed"}
    response = await filled.client.post("/api/v1/points/b/terms", json=body)
    assert response.status == 201
    ahead = f"start={NOW_MS - 8 * Q_MS}&end={NOW_MS + Q_MS}&time=epoch_ms"
    expected = [
        (NOW_MS - 7 * Q_MS, NOW_MS - 4 * Q_MS, 3, "unknown"),
        (NOW_MS - 4 * Q_MS, NOW_MS, 0, "point_retired"),
    ]
    for more, rest in (("", []), ("&not_due=1", [(NOW_MS, NOW_MS + Q_MS, 0, "not_due")])):
        for path in ("/gaps?points=b&", "/points/b/gaps?"):
            gaps = (await filled.get_json(f"/api/v1{path}{ahead}{more}"))["gaps"]
            rows = [(one["start"], one["end"], one["missing_count"], one["cause"]) for one in gaps]
            assert rows == [*expected, *rest], path
    assert (await filled.get_json("/api/v1/overdue?points=b"))["overdue_count"] == 0
