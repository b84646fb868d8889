"""Every version of a sample over HTTP, and answers as of a moment."""

import csv
import io
from typing import Any

import pytest

from tests.unit.api.conftest import Api

T0_MS = 1795190400000  # 2026-11-20T16:00:00Z, midnight in Shanghai
Q_MS = 900_000
FIRST, SECOND, THIRD = ("2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z")
DAY = "start=2026-11-20T16:00:00Z&end=2026-11-21T16:00:00Z"


@pytest.fixture
async def corrected(api: Api) -> Api:
    """Point `p`: 1 and 2 came at FIRST, the second became 2.5 at SECOND and was deleted at THIRD; now is later."""
    await api.put_point("p")
    await api.ingest({"point": "p", "times": [T0_MS, T0_MS + Q_MS], "values": [1, 2]})
    for body in (
        {"kind": "correct", "times": [T0_MS + Q_MS], "values": [2.5], "reason": "misread", "author": "Wang"},
        {"kind": "delete", "times": [T0_MS + Q_MS], "reason": "not our meter"},
    ):
        api.context.clock.advance(3600)  # type: ignore[attr-defined]
        response = await api.client.post("/api/v1/points/p/edits", json=body)
        assert response.status == 200, await response.text()
    api.context.clock.advance(3600)  # type: ignore[attr-defined]
    return api


async def test_every_version_says_when_whence_and_why(corrected: Api) -> None:
    reply = await corrected.get_json(f"/api/v1/points/p/revisions?time={T0_MS + Q_MS}")
    same = {"time": "2026-11-20T16:15:00Z", "quality": "good"}
    assert reply == {
        "point": "p", "unit": "kW", "label": "instant",
        "revisions": [
            {**same, "value": 2.0, "origin": "measured", "sequence": 1, "arrived_at": FIRST, "source": "http",
             "reason": "", "state": "superseded"},
            {**same, "value": 2.5, "origin": "manual", "sequence": 2, "arrived_at": SECOND, "source": "edit:Wang",
             "reason": "misread", "state": "superseded"},
            {**same, "value": 2.5, "origin": "manual", "sequence": 3, "arrived_at": THIRD, "source": "edit",
             "reason": "not our meter", "state": "deleted"},
        ],
    }  # fmt: skip


async def test_a_range_is_paged_by_whole_samples(corrected: Api) -> None:
    path = f"/api/v1/points/p/revisions?{DAY}&limit=1"
    first = await corrected.get_json(path)
    second = await corrected.get_json(f"{path}&cursor={first['next']}")
    assert [row["state"] for row in first["revisions"]] == ["current"]
    assert [row["state"] for row in second["revisions"]] == ["superseded", "superseded", "deleted"]
    assert "next" not in second


async def test_versions_come_as_csv_in_the_unit_asked_for(corrected: Api) -> None:
    response = await corrected.get(f"/api/v1/points/p/revisions?{DAY}&unit=MW&format=csv&tz=Asia/Shanghai")
    rows = list(csv.DictReader(io.StringIO(await response.text())))
    assert [row["value"] for row in rows] == ["0.001", "0.002", "0.0025", "0.0025"]
    assert rows[3]["arrived_at_local"] == "2026-11-22T18:00:00+08:00"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "time"),
        (f"time={T0_MS}&start={T0_MS}&end={T0_MS + 1}", "time"),
        (f"start={T0_MS}", "end"),
    ],
)
async def test_one_sample_or_a_range_is_asked_for(corrected: Api, query: str, parameter: str) -> None:
    body = await corrected.problem(f"/api/v1/points/p/revisions?{query}", 400, "invalid-parameter")
    assert body["errors"][0]["parameter"] == parameter


async def test_a_sample_that_never_was_has_no_versions(corrected: Api) -> None:
    assert (await corrected.get_json("/api/v1/points/p/revisions?time=0"))["revisions"] == []


VALUES_THEN: list[Any] = [
    pytest.param("2026-11-22T07:59:59Z", [], id="before anything came"),
    pytest.param(FIRST, [1.0, 2.0], id="as first sent"),
    pytest.param(SECOND, [1.0, 2.5], id="corrected"),
    pytest.param(THIRD, [1.0], id="deleted"),
]


@pytest.mark.parametrize(("as_of", "values"), VALUES_THEN)
async def test_samples_as_of_a_moment(corrected: Api, as_of: str, values: list[float]) -> None:
    recorded = await corrected.get_json(f"/api/v1/points/p/recorded?{DAY}&as_of={as_of}")
    assert recorded["values"] == values


@pytest.mark.parametrize(("as_of", "values"), VALUES_THEN)
async def test_other_questions_as_of_a_moment(corrected: Api, as_of: str, values: list[float]) -> None:
    last = values[-1] if values else None
    at = await corrected.get_json(f"/api/v1/points/p/at?time={T0_MS + Q_MS}&as_of={as_of}")
    assert at["value"] == last
    summary = await corrected.get_json(f"/api/v1/points/p/summary?{DAY}&as_of={as_of}")
    assert (summary["rows"][0]["max"], summary["rows"][0]["count"]) == (last, len(values))
    plot = await corrected.get_json(f"/api/v1/points/p/plot?{DAY}&width=96&as_of={as_of}")
    assert len(plot["pixels"]["index"]) == len(values)
    grid = await corrected.get_json(f"/api/v1/points/p/interpolated?{DAY}&interval=15m&as_of={as_of}")
    assert [value for value in grid["values"] if value is not None] == values


async def test_a_page_as_of_a_moment_goes_on_as_of_that_moment(corrected: Api) -> None:
    path = f"/api/v1/points/p/recorded?{DAY}&limit=1"
    first = await corrected.get_json(f"{path}&as_of={FIRST}")
    second = await corrected.get_json(f"{path}&as_of={FIRST}&cursor={first['next']}")
    assert first["values"] + second["values"] == [1.0, 2.0]
    await corrected.problem(f"{path}&as_of={SECOND}&cursor={first['next']}", 400, "invalid-cursor")


async def test_what_will_be_known_is_not_told(corrected: Api) -> None:
    path = f"/api/v1/points/p/recorded?{DAY}&as_of=2026-11-23T00:00:00Z"
    body = await corrected.problem(path, 400, "invalid-time")
    assert body["errors"][0]["parameter"] == "as_of"


@pytest.mark.parametrize(("as_of", "values"), VALUES_THEN)
async def test_newest_values_gaps_and_load_curves_as_of_a_moment(
    corrected: Api, as_of: str, values: list[float]
) -> None:
    latest = await corrected.get_json(f"/api/v1/latest?points=p&as_of={as_of}")
    assert latest["now"] == as_of
    assert latest["latest"][0]["value"] == (values[-1] if values else None)
    gaps = await corrected.get_json(f"/api/v1/points/p/gaps?{DAY}&as_of={as_of}")
    assert sum(gap["missing_count"] for gap in gaps["gaps"]) == 96 - len(values)
    curve = await corrected.get_json(f"/api/v1/points/p/load-curve?date=2026-11-21&as_of={as_of}")
    assert curve["summary"]["received"] == len(values)
