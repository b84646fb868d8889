"""Calendars over HTTP: put, versioned, laid out over a day, flagged; and the energy they divide."""

from typing import Any

import pytest

from tests.unit.api.conftest import Api, expect_problem

SEASON = {"peak": ["08:00-20:00"], "valley": ["20:00-08:00"]}
HOT = {"band": "sharp", "windows": ["12:00-14:00"], "flags": ["hot_day"]}
T0_MS = 1795104000000  # 2026-11-20T00:00:00+08:00
DAY = "from=2026-11-20&to=2026-11-21"


def calendar(version: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": "day-night", "version": version, "seasons": [SEASON], **more}


async def put_calendar(api: Api, version: int = 1, status: int = 200, **more: Any) -> Any:
    body = {"calendar": calendar(version, **more), "reason": "notice 5"}
    response = await api.client.put("/api/v1/tariffs/day-night", json=body)
    assert response.status == status, await response.text()
    return await response.json()


async def billed(api: Api) -> None:
    await api.put_point("e", "kW", "mean_power")
    times = [T0_MS + i * 900_000 for i in range(96)]
    await api.ingest({"point": "e", "times": times, "values": [4.0] * 96})
    body = {
        "term": {"kind": "tariff", "calendar": "day-night"}, "valid_from": "2026-01-01T00:00:00+08:00", "reason": "r",
    }  # fmt: skip
    assert (await api.client.post("/api/v1/points/e/terms", json=body)).status == 201


async def bands(api: Api) -> tuple[dict[str, float], str, str]:
    (row,) = (await api.get_json(f"/api/v1/rollups?points=e&{DAY}"))["rows"]
    return row["tou"], row["tariff"], row["warnings"]


async def test_a_new_version_divides_anew_and_the_row_names_it(api: Api) -> None:
    await put_calendar(api)
    await billed(api)
    tou, tariff, _ = await bands(api)
    assert (tou["peak"], tou["valley"], tou["undivided"], tariff) == (48.0, 48.0, 0.0, "day-night@1")
    await put_calendar(api, 2, seasons=[{"flat": ["00:00-24:00"]}])
    tou, tariff, _ = await bands(api)
    assert (tou["flat"], tou["peak"], tariff) == (96.0, 0.0, "day-night@2")
    told = await api.get_json("/api/v1/tariffs/day-night")
    assert [one["calendar"]["version"] for one in told["versions"]] == [1, 2]
    assert (await api.get_json("/api/v1/tariffs"))["tariffs"][0]["version"] == 2


async def test_a_figure_can_be_told_as_it_was_under_the_version_then(api: Api) -> None:
    await put_calendar(api)
    await billed(api)
    then = api.context.clock.now_us() // 1000
    api.context.clock.advance(60)  # type: ignore[attr-defined]
    await put_calendar(api, 2, seasons=[{"flat": ["00:00-24:00"]}])
    (row,) = (await api.get_json(f"/api/v1/rollups?points=e&{DAY}&as_of={then}"))["rows"]
    assert (row["tou"]["peak"], row["tariff"], row["energy"]) == (48.0, "day-night@1", 96.0)
    (row,) = (await api.get_json(f"/api/v1/rollups?points=e&{DAY}&as_of={then - 1000}&fields=energy,tou"))[
        "rows"
    ]
    assert (row["energy"], row["tou"]["peak"]) == (None, None)


async def test_a_calendar_with_a_hole_is_refused_with_the_hole_named(api: Api) -> None:
    body = {
        "calendar": calendar(seasons=[{"peak": ["08:00-20:00"], "valley": ["20:30-08:00"]}]),
        "reason": "r",
    }
    problem = await expect_problem(
        await api.client.put("/api/v1/tariffs/day-night", json=body), 422, "tariff-invalid"
    )
    assert "20:00-20:30" in problem["detail"]
    assert (await api.get_json("/api/v1/tariffs"))["tariffs"] == []


async def test_versions_follow_each_other_and_the_same_again_is_none(api: Api) -> None:
    first = await put_calendar(api)
    assert await put_calendar(api) == first
    body = {"calendar": calendar(4, name_en="x"), "reason": "r"}
    problem = await expect_problem(
        await api.client.put("/api/v1/tariffs/day-night", json=body), 422, "tariff-invalid"
    )
    assert "allowed: 2" in problem["detail"]


async def test_the_id_in_the_path_is_that_of_the_calendar(api: Api) -> None:
    body = {"calendar": calendar(), "reason": "r"}
    await expect_problem(await api.client.put("/api/v1/tariffs/other", json=body), 400, "invalid-parameter")


async def test_a_flag_that_is_known_afterwards_moves_energy_into_its_band(api: Api) -> None:
    await put_calendar(api, overlays=[HOT])
    await billed(api)
    assert (await bands(api))[2] == "flags_unknown"
    response = await api.client.post(
        "/api/v1/tariffs/day-night/flags",
        json={"date": "2026-11-20", "flag": "hot_day", "reason": "36 degrees"},
    )
    assert response.status == 201
    number = (await response.json())["number"]
    tou, _, warnings = await bands(api)
    assert (tou["sharp"], tou["peak"], warnings) == (8.0, 40.0, "")
    withdrawn = await api.client.post(
        f"/api/v1/tariffs/day-night/flags/{number}/withdraw", json={"reason": "35.9 degrees"}
    )
    assert withdrawn.status == 200
    tou, _, warnings = await bands(api)
    assert (tou["sharp"], tou["peak"], warnings) == (0.0, 48.0, "")
    assert len((await api.get_json("/api/v1/tariffs/day-night"))["flags"]) == 1


async def test_a_flag_that_no_overlay_asks_for_is_refused(api: Api) -> None:
    await put_calendar(api)
    body = {"date": "2026-11-20", "flag": "hot_day", "reason": "r"}
    await expect_problem(
        await api.client.post("/api/v1/tariffs/day-night/flags", json=body), 422, "tariff-invalid"
    )


async def test_a_day_is_laid_out_by_the_clock_of_a_zone(api: Api) -> None:
    await put_calendar(api)
    told = await api.get_json("/api/v1/tariffs/day-night/day?date=2026-11-20")
    assert [one["band"] for one in told["bands"]] == ["valley", "peak", "valley"]
    assert told["bands"][1]["start"] == "2026-11-20T00:00:00Z"
    told = await api.get_json("/api/v1/tariffs/day-night/day?date=2026-11-20&tz=Europe/Berlin")
    assert told["bands"][1]["start"] == "2026-11-20T07:00:00Z"


@pytest.mark.parametrize("path", ["/tariffs/nobody", "/tariffs/nobody/day?date=2026-11-20"])
async def test_an_unknown_calendar_is_not_found(api: Api, path: str) -> None:
    problem = await api.problem(f"/api/v1{path}", 404, "tariff-not-found")
    assert "none" in problem["detail"]
