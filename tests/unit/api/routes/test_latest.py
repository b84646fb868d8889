"""The newest sample of many points over HTTP."""

import pytest

from tests.unit.api.conftest import Api

NOW_MS = 1795334400000


async def test_latest_is_newest_by_time_with_its_age(api: Api) -> None:
    await api.put_point("a", station="S1")
    await api.put_point("b", station="S1")
    await api.ingest({"point": "a", "times": [NOW_MS - 60_000, NOW_MS - 7_200_000], "values": [2, 1]})
    reply = await api.get_json("/api/v1/latest?station=S1")
    first, second = reply["latest"]
    assert reply["now"] == "2026-11-22T08:00:00Z"
    assert (first["point"], first["value"], first["age_s"], first["is_stale"]) == ("a", 2.0, 60.0, False)
    assert (second["value"], second["time"], second["quality"], second["is_stale"]) == (
        None,
        None,
        "missing",
        True,
    )


async def test_points_come_in_the_order_asked_and_once(api: Api) -> None:
    for name in "abc":
        await api.put_point(name)
    reply = await api.get_json("/api/v1/latest?points=c,a,3&unit=MW")
    assert [row["point"] for row in reply["latest"]] == ["c", "a"]
    assert {row["unit"] for row in reply["latest"]} == {"MW"}


async def test_latest_comes_as_rows(api: Api) -> None:
    await api.put_point("a")
    (row,) = await api.get_json("/api/v1/latest?points=a&format=rows")
    assert row["point"] == "a"
    assert "time_local" not in row


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("", 400, "invalid-parameter"),
        ("points=a&station=S1", 400, "invalid-parameter"),
        ("points=nobody", 404, "point-not-found"),
        ("station=nowhere", 404, "station-not-found"),
        ("points=a&unit=V", 422, "unit-mismatch"),
    ],
)
async def test_a_wrong_selection_is_refused(api: Api, query: str, status: int, kind: str) -> None:
    await api.put_point("a")
    await api.problem(f"/api/v1/latest?{query}", status, kind)
