"""Rollups over HTTP: rows with evidence, an ETag that tells change from no change, every revision."""

import csv
import io

import numpy as np
import pytest

from tests.unit.api.conftest import Api, expect_problem

T0_MS = 1795190400000  # 2026-11-21T00:00:00+08:00
QUARTER_MS = 900_000


async def fill(api: Api, value: float, count: int = 96) -> None:
    times = [T0_MS + i * QUARTER_MS for i in range(count)]
    await api.ingest({"point": "e", "times": times, "values": [value] * count})
    ids = np.full(count, 1, np.uint32)
    api.context.rollup.mark(ids, np.array(times, np.int64) * 1000)


@pytest.fixture
async def filled(api: Api) -> Api:
    await api.put_point("e", "kWh", "interval", station="S1")
    await fill(api, 0.25)
    return api


async def test_a_day_is_a_row_with_its_evidence(filled: Api) -> None:
    reply = await filled.get_json("/api/v1/rollups?period=day&points=e&from=2026-11-21&to=2026-11-22")
    (row,) = reply["rows"]
    assert (row["point"], row["period"]) == ("e", "day")
    assert (row["period_start"], row["period_end"]) == ("2026-11-20T16:00:00Z", "2026-11-21T16:00:00Z")
    assert (row["energy"], row["unit"], row["method"]) == (24.0, "kWh", "interval_sum")
    assert (row["max_demand"], row["max_demand_unit"], row["max_time"]) == (1.0, "kW", "2026-11-20T16:00:00Z")
    assert row["coverage"] == {
        "expected": 96, "received": 96, "good": 96, "measured": 96, "estimated": 0, "manual": 0,
    }  # fmt: skip
    assert row["state"] == "complete"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("period=day&from=2026-11-20&to=2026-11-23", 3),
        ("period=month&from=2026-11&to=2026-12", 1),
        ("period=year&from=2026&to=2027", 1),
        ("from=2026-11-21&to=2026-11-22", 1),
        (f"from={T0_MS}&to={T0_MS + 1}", 1),
        ("from=2026-11-21T00:00:00%2B08:00&to=2026-11-22T00:00:00%2B08:00", 1),
        ("from=2026-11-21T00:00:00 08:00&to=2026-11-22T00:00:01 08:00", 2),
    ],
)
async def test_the_range_is_dates_or_instants(filled: Api, query: str, count: int) -> None:
    assert len((await filled.get_json(f"/api/v1/rollups?station=S1&{query}"))["rows"]) == count


async def test_energy_is_converted_where_asked(filled: Api) -> None:
    path = "/api/v1/rollups?points=e&from=2026-11-21&to=2026-11-22"
    (row,) = (await filled.get_json(f"{path}&unit=MWh&tz=Asia/Shanghai"))["rows"]
    assert (row["energy"], row["unit"]) == (0.024, "MWh")
    assert row["period_start_local"] == "2026-11-21T00:00:00+08:00"
    await filled.problem(f"{path}&unit=kW", 422, "unit-mismatch")


async def test_an_unchanged_answer_is_304_and_a_changed_one_is_not(filled: Api) -> None:
    path = "/api/v1/rollups?points=e&from=2026-11-21&to=2026-11-22"
    first = await filled.get(path)
    etag = first.headers["ETag"]
    again = await filled.get(path, **{"If-None-Match": f'"other", W/{etag}'})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", etag)
    await fill(filled, 0.5, 1)
    changed = await filled.get(path, **{"If-None-Match": etag})
    assert changed.status == 200
    assert changed.headers["ETag"] != etag
    assert (await changed.json())["rows"][0]["energy"] == 24.25


async def test_every_way_of_writing_has_its_own_etag(filled: Api) -> None:
    path = "/api/v1/rollups?points=e&from=2026-11-21&to=2026-11-22"
    ways = ["", "&format=csv", "&time=epoch_ms", "&tz=Asia/Tokyo", "&unit=MWh"]
    etags = [(await filled.get(path + way)).headers["ETag"] for way in ways]
    assert len(set(etags)) == len(ways)


async def test_rows_come_flat_and_as_csv(filled: Api) -> None:
    path = "/api/v1/rollups?points=e&from=2026-11-21&to=2026-11-22"
    (row,) = await filled.get_json(f"{path}&format=rows")
    assert (row["energy"], row["coverage_expected"]) == (24.0, 96)
    (cells,) = csv.DictReader(io.StringIO(await (await filled.get(f"{path}&format=csv")).text()))
    assert (cells["energy"], cells["coverage_expected"], cells["load_factor"]) == ("24.0", "96", "1.0")


async def test_every_revision_is_told(filled: Api) -> None:
    await filled.get_json("/api/v1/rollups?points=e&from=2026-11-21&to=2026-11-22")
    filled.context.clock.advance(60)  # type: ignore[attr-defined]
    await fill(filled, 0.5, 1)
    reply = await filled.get_json("/api/v1/rollups/e/day/2026-11-21/revisions")
    assert [row["energy"] for row in reply["revisions"]] == [24.0, 24.25]
    assert (reply["point"], reply["period"], reply["date"]) == ("e", "day", "2026-11-21")


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("rollups?from=2026-11-21&to=2026-11-22", 400, "invalid-parameter"),
        ("rollups?points=e&to=2026-11-22", 400, "invalid-parameter"),
        ("rollups?points=e&from=2026-11-21&to=2026-11-21", 400, "invalid-parameter"),
        ("rollups?points=e&from=2026-11-21&to=2026-11-22&period=week", 400, "invalid-parameter"),
        ("rollups?points=e&from=2026-11-21T00:00:00&to=2026-11-22", 400, "invalid-time"),
        ("rollups?points=e&from=2026-13&to=2027", 400, "invalid-parameter"),
        ("rollups?points=e&from=9999-12-31&to=9999-12-31T23:00:00Z", 400, "invalid-time"),
        ("rollups?points=x&from=2026-11-21&to=2026-11-22", 404, "point-not-found"),
        ("rollups/e/week/2026-11-21/revisions", 400, "invalid-parameter"),
        ("rollups/e/day/yesterday/revisions", 400, "invalid-parameter"),
        ("rollups/x/day/2026-11-21/revisions", 404, "point-not-found"),
    ],
)
async def test_a_wrong_question_is_refused(filled: Api, path: str, status: int, kind: str) -> None:
    await filled.problem(f"/api/v1/{path}", status, kind)


async def test_a_query_over_the_limits_is_refused(api: Api) -> None:
    points = [{"name": f"p{i}", "unit": "kWh", "kind": "interval", "station": "S1"} for i in range(30)]
    await api.client.post("/api/v1/points", json=points)
    await api.problem("/api/v1/rollups?station=S1&from=1900&to=2026", 422, "query-too-large")


FROZEN = [1000.0, 1008.0, 1020.0, 1020.5]  # read at 00:00 of November 2nd, 3rd, 4th and 5th
FREEZE_MS = 1793548800000  # 2026-11-02T00:00:00+08:00


@pytest.mark.parametrize(
    ("label", "first_ms"), [("instant", FREEZE_MS), ("period_start", FREEZE_MS - 86_400_000)]
)
async def test_the_day_of_a_freeze_is_the_one_that_it_ends(api: Api, label: str, first_ms: int) -> None:
    """DL/T 645 stamps a freeze with its instant, Q/GDW 376.1 with the day before: the same days of energy."""
    await api.put_point("r", "kWh", "register", interval="1d", label=label, multiplier=10)
    times = [first_ms + i * 86_400_000 for i in range(4)]
    await api.ingest({"point": "r", "times": times, "values": FROZEN})
    csv_text = "point,time,value\n" + "".join(
        f"r,{time},{value}\n" for time, value in zip(times, FROZEN, strict=True)
    )
    async with api.client.post(
        "/api/v1/ingest", data=csv_text, headers={"Content-Type": "text/csv"}
    ) as response:
        assert (await response.json())["duplicate"] == 4
    rows = (await api.get_json("/api/v1/rollups?points=r&from=2026-11-01&to=2026-11-06"))["rows"]
    assert [row["energy"] for row in rows] == [None, 80.0, 120.0, 5.0, None]
    recorded = await api.get_json(
        "/api/v1/points/r/recorded?start=2026-11-01T00:00:00%2B08:00&end=2026-11-06T00:00:00%2B08:00&time=epoch_ms"
    )
    assert recorded["times"] == [FREEZE_MS + i * 86_400_000 for i in range(4)]
    assert recorded["label"] == "instant"


async def test_a_freeze_by_day_is_refused_where_days_have_other_lengths(api: Api) -> None:
    body = {
        "unit": "kWh", "kind": "register", "interval": "1d", "label": "period_start", "time_zone": "Europe/Berlin",
    }  # fmt: skip
    response = await api.client.put("/api/v1/points/r", json=body)
    assert response.status == 422
    assert "23 to 25 hours" in (await response.json())["detail"]


async def test_utilisation_hours_are_energy_over_the_maximum(api: Api) -> None:
    await api.put_point("p", "kW", "mean_power", interval="1h")
    await api.put_point("v", "V", interval="1h")
    times = [1795104000000 + i * 3_600_000 for i in range(24)]  # 2026-11-20T00:00:00+08:00
    values = [40.0] * 12 + [100.0] * 12
    await api.ingest(
        {"point": "p", "times": times, "values": values}, {"point": "v", "times": times, "values": values}
    )
    query = "/api/v1/rollups?points=p,v&from=2026-11-20&to=2026-11-21"
    for period in ("month", "year"):
        rows = (await api.get_json(f"{query}&period={period}"))["rows"]
        assert [row["utilisation_hours"] for row in rows] == [16.8, None], period
    named = (await api.get_json(f"{query}&fields=utilisation_hours"))["rows"]
    assert [row["utilisation_hours"] for row in named] == [16.8, None]
    assert "utilisation_hours" not in (await api.get_json(query))["rows"][0]
    in_mwh = await api.get_json(f"{query}&period=month&fields=utilisation_hours,energy&unit=MWh")
    assert (in_mwh["rows"][0]["energy"], in_mwh["rows"][0]["utilisation_hours"]) == (1.68, 16.8)


async def test_24_00_is_the_end_of_its_day(api: Api) -> None:
    await api.put_point("e", "kWh", "interval", label="period_end")
    await api.ingest({"point": "e", "times": ["2026-11-20T24:00:00+08:00"], "values": [2.0]})
    days = (await api.get_json("/api/v1/rollups?points=e&from=2026-11-20&to=2026-11-22&fields=energy"))[
        "rows"
    ]
    assert [row["energy"] for row in days] == [2.0, None]
    curve = await api.get_json("/api/v1/points/e/load-curve?date=2026-11-20")
    assert (curve["labels"][-1], curve["values"][-1]) == ("24:00", 8.0)


async def test_a_question_in_a_body_gets_the_same_answer_and_etag(api: Api) -> None:
    await api.put_point("a", "kWh", "interval")
    await api.put_point("b", "kWh", "interval")
    query = "from=2026-11-20&to=2026-11-22&fields=energy,max_demand&points=a,b"
    body = {
        "from": "2026-11-20",
        "to": "2026-11-22",
        "fields": ["energy", "max_demand"],
        "points": ["a", "b"],
    }
    for form in ("", "unit=MWh&time=epoch_ms&tz=Asia/Shanghai", "format=csv", "format=arrow"):
        asked = await api.client.get(f"/api/v1/rollups?{query}&{form}")
        posted = await api.client.post(f"/api/v1/rollups?{form}", json=body)
        assert posted.status == asked.status == 200
        assert await posted.read() == await asked.read()
        assert posted.headers["ETag"] == asked.headers["ETag"]
    again = await api.client.post(
        f"/api/v1/rollups?{form}", json=body, headers={"If-None-Match": asked.headers["ETag"]}
    )
    assert again.status == 304


async def test_a_body_may_not_hold_what_means_nothing(api: Api) -> None:
    body = {"from": "2026-11-20", "to": "2026-11-22", "names": ["a"]}
    await expect_problem(await api.client.post("/api/v1/rollups", json=body), 422, "invalid-body")


@pytest.mark.parametrize("form", ["json", "csv", "arrow"])
async def test_locked_figures_may_be_kept_for_a_while_and_open_ones_not(api: Api, form: str) -> None:
    await api.put_point("e", "kWh", "interval")
    times = [1_795_104_000_000 + i * 900_000 for i in range(96)]
    await api.ingest({"point": "e", "times": times, "values": [1.0] * 96})
    path = f"/api/v1/rollups?points=e&from=2026-11-20&to=2026-11-21&format={form}"
    assert (await api.get(path)).headers["Cache-Control"] == "no-cache"
    lock = "/api/v1/rollups/locks?points=e&from=2026-11-20&to=2026-11-21"
    assert (await api.client.post(lock, json={"reason": "r"})).status == 201
    response = await api.get(path)
    assert response.headers["Cache-Control"] == "private, max-age=300"
    assert response.headers["ETag"]
    half = await api.get(path.replace("2026-11-21", "2026-11-22"))
    assert half.headers["Cache-Control"] == "no-cache"
