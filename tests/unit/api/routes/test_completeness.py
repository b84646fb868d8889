"""Completeness over HTTP: rows by what is asked, delays, and the calendar of a month."""

import numpy as np
import pyarrow as pa
import pytest

from historian.model.timestamp import parse_time_us
from tests.unit.api.conftest import Api

NOW_US = parse_time_us("2026-11-22T08:00:00Z")  # 16:00 in Shanghai
DAY = "2026-11-21"
START_MS = parse_time_us("2026-11-21T00:00:00+08:00") // 1000
Q_MS = 900_000
SPAN = "from=2026-11-21&to=2026-11-23"


@pytest.fixture
async def filled(api: Api) -> Api:
    """S: a with a whole day, b with a half; R: c with nothing. The day after runs."""
    for name, station, item in (("a", "S", "T2.06"), ("b", "S", "T2.06"), ("c", "R", "T2.08")):
        await api.put_point(name, station=station, item=item, interval="15m")
    for name, count in (("a", 96), ("b", 48)):
        times = [START_MS + k * Q_MS for k in range(count)]
        await api.ingest({"point": name, "times": times, "values": [1.0] * count})
    ids = [1] * 96 + [2] * 48
    times_us = [(START_MS + k * Q_MS) * 1000 for k in (*range(96), *range(48))]
    api.context.rollup.mark(np.array(ids, np.uint32), np.array(times_us, np.int64))
    return api


async def test_rows_by_point_with_a_total(filled: Api) -> None:
    answer = await filled.get_json(f"/api/v1/completeness?from={DAY}&to=2026-11-22")
    assert [(row["point"], row["expected"], row["received"], row["missing"]) for row in answer["rows"]] == [
        ("a", 96, 96, 0),
        ("b", 96, 48, 48),
        ("c", 96, 0, 96),
    ]
    assert [row["completeness"] for row in answer["rows"]] == [1.0, 0.5, 0.0]
    assert answer["total"] == {
        "expected": 288, "received": 144, "good": 144, "missing": 144, "completeness": 0.5,
    }  # fmt: skip
    assert (answer["from"], answer["to"], answer["point_count"]) == (DAY, "2026-11-22", 3)
    assert "on_time" not in answer["rows"][0]


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("station", [("R", 160, 0), ("S", 320, 144)]),
        ("item", [("T2.06", 320, 144), ("T2.08", 160, 0)]),
        ("day", [(DAY, 288, 144), ("2026-11-22", 192, 0)]),
    ],
)
async def test_rows_by_what_is_asked(filled: Api, by: str, rows: list[tuple[str, int, int]]) -> None:
    answer = await filled.get_json(f"/api/v1/completeness?{SPAN}&by={by}")
    assert [(row[by], row["expected"], row["received"]) for row in answer["rows"]] == rows


async def test_delays_are_told_where_asked(filled: Api) -> None:
    path = f"/api/v1/completeness?from={DAY}&to=2026-11-22&delays=1"
    rows = (await filled.get_json(path))["rows"]
    late_s = (NOW_US - START_MS * 1000) / 1e6
    assert (rows[0]["arrivals_known"], rows[0]["on_time"], rows[0]["delay_max_s"]) == (96, 0.0, late_s)
    assert (rows[2]["arrivals_known"], rows[2].get("on_time")) == (0, None)
    text = await (await filled.get(path + "&format=csv")).text()
    assert text.splitlines()[0] == (
        "point,expected,received,good,missing,completeness,arrivals_known,on_time,delay_median_s,delay_max_s"
    )
    assert text.splitlines()[3] == "c,96,0,0,96,0.0,0,,,"


async def test_tables_have_the_same_rows(filled: Api) -> None:
    path = f"/api/v1/completeness?{SPAN}&by=station&format="
    rows = await filled.get_json(path + "rows")
    assert rows == [
        {"station": "R", "expected": 160, "received": 0, "good": 0, "missing": 160, "completeness": 0.0},
        {"station": "S", "expected": 320, "received": 144, "good": 144, "missing": 176, "completeness": 0.45},
    ]
    body = await (await filled.get(path + "arrow")).read()
    assert pa.ipc.open_stream(body).read_all().to_pylist() == rows


async def test_nothing_asked_about_is_nothing_due(api: Api) -> None:
    answer = await api.get_json(f"/api/v1/completeness?{SPAN}")
    assert (answer["rows"], answer["total"]["completeness"]) == ([], None)
    assert (await api.get_json("/api/v1/completeness/calendar?month=2026-11"))["days"] == []


async def test_the_calendar_of_a_month(filled: Api) -> None:
    answer = await filled.get_json("/api/v1/completeness/calendar?station=S&month=2026-11")
    assert len(answer["days"]) == 30
    day = answer["days"][20]
    assert (day["day"], day["expected"], day["missing"], day["light"], day["state"]) == (
        DAY, 192, 48, "red", "provisional",
    )  # fmt: skip
    assert day["worst"] == [{"point": "b", "expected": 96, "received": 48, "missing": 48}]
    today, tomorrow = answer["days"][21:23]
    assert (today["state"], today["expected"], today["light"]) == ("open", 128, "red")
    assert (tomorrow["state"], tomorrow["expected"], tomorrow["light"]) == ("open", 0, "none")
    assert (answer["green_share_min"], answer["amber_share_min"]) == (0.99, 0.9)
    assert answer["total"]["expected"] == sum(day["expected"] for day in answer["days"])
    by_day = await filled.get_json("/api/v1/completeness?station=S&from=2026-11&to=2026-12-01&by=day")
    names = ("day", "expected", "received", "good", "missing", "completeness")
    assert [[row[name] for name in names] for row in by_day["rows"]] == [
        [day[name] for name in names] for day in answer["days"]
    ]
    assert by_day["total"] == answer["total"]
    text = await (await filled.get("/api/v1/completeness/calendar?station=S&month=2026-11&format=csv")).text()
    assert text.splitlines()[21] == f"{DAY},192,144,144,48,0.75,red,provisional"


async def test_a_day_is_complete_or_final(filled: Api) -> None:
    path = "/api/v1/completeness/calendar?points=a&month=2026-11"
    assert (await filled.get_json(path))["days"][20]["state"] == "complete"
    response = await filled.client.post(
        f"/api/v1/rollups/locks?points=a&period=day&from={DAY}&to=2026-11-22", json={"reason": "billed"}
    )
    assert response.status == 201, await response.text()
    day = (await filled.get_json(path))["days"][20]
    assert (day["state"], day["light"]) == ("final", "green")


async def test_what_cannot_be_answered_is_said(filled: Api) -> None:
    await filled.problem("/api/v1/completeness?by=point", 400, "invalid-parameter")
    await filled.problem(f"/api/v1/completeness?{SPAN}&by=hour", 400, "invalid-parameter")
    await filled.problem(f"/api/v1/completeness?{SPAN}&station=Q", 404, "station-not-found")
    await filled.problem("/api/v1/completeness?from=1900&to=2900", 422, "query-too-large")
    await filled.problem("/api/v1/completeness/calendar?month=November", 400, "invalid-parameter")
