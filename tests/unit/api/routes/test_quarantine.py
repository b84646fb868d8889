"""The quarantine over HTTP: listed, released under the right stamp, erased with a reason."""

import csv
import io
from typing import Any

import numpy as np
import pytest

from historian.ingest.quarantine import Quarantine
from historian.model.point import DAY_US
from historian.model.ports import Outcome
from historian.model.sample import make_batch
from tests.unit.api.conftest import Api, expect_problem

SPAN = "start=2026-11-01T00:00:00Z&end=2026-12-01T00:00:00Z"


@pytest.fixture
async def kept(api: Api, quarantine: Quarantine) -> Api:
    """Entries 1 and 2 of point `p`, a year ahead, and 3 of point `q`, of 1970."""
    await api.put_point("p")
    await api.put_point("q", "kWh", "register")
    future_us = api.context.clock.now_us() + 365 * DAY_US
    ahead = np.full(2, Outcome.TIME_IN_FUTURE, np.uint8)
    await quarantine.keep(
        make_batch(1, [future_us, future_us + DAY_US], [1.0, 2.0]), ahead, "http", 1_000_000
    )
    await quarantine.keep(
        make_batch(2, [0], [3.0], 2), np.full(1, Outcome.TIME_TOO_OLD, np.uint8), "modbus", 2_000_000
    )
    return api


async def post(api: Api, what: str, **body: Any) -> Any:
    response = await api.client.post(f"/api/v1/quarantine/{what}", json={"reason": "clock", **body})
    assert response.status == 200, await response.text()
    return await response.json()


async def values(api: Api) -> list[float]:
    found: list[float] = (await api.get_json(f"/api/v1/points/p/recorded?{SPAN}"))["values"]
    return found


async def test_what_waits_is_listed_with_its_cause(kept: Api) -> None:
    reply = await kept.get_json("/api/v1/quarantine")
    assert reply["kept"] == 3
    assert reply["entries"][2] == {
        "id": 3, "point": "q", "time": "1970-01-01T00:00:00Z", "value": 3.0, "unit": "kWh", "quality": "bad",
        "origin": "measured", "code": "time_too_old", "source": "modbus", "arrived_at": "1970-01-01T00:00:02Z",
        "state": "kept",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("point=p", [1, 2]),
        ("code=time_too_old", [3]),
        ("point=q&code=time_in_future", []),
        ("state=erased", []),
    ],
)
async def test_entries_are_chosen(kept: Api, query: str, ids: list[int]) -> None:
    assert [entry["id"] for entry in (await kept.get_json(f"/api/v1/quarantine?{query}"))["entries"]] == ids


async def test_entries_are_paged(kept: Api) -> None:
    first = await kept.get_json("/api/v1/quarantine?limit=2")
    second = await kept.get_json(f"/api/v1/quarantine?limit=2&cursor={first['next']}")
    assert [entry["id"] for page in (first, second) for entry in page["entries"]] == [1, 2, 3]
    assert "next" not in second


async def test_entries_come_as_csv(kept: Api) -> None:
    response = await kept.get("/api/v1/quarantine", Accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(await response.text())))
    assert [row["code"] for row in rows] == ["time_in_future", "time_in_future", "time_too_old"]


async def test_released_samples_are_in_the_store_and_no_longer_here(kept: Api) -> None:
    reply = await post(kept, "release", ids=[1, 2], shift="-365d", author="Wang")
    assert (reply["done"], reply["refused"], reply["kept"]) == (2, [], 1)
    assert await values(kept) == [1.0, 2.0]
    (first, _) = (await kept.get_json("/api/v1/quarantine?state=released"))["entries"]
    assert (first["stored_time"], first["author"], first["reason"]) == (
        "2026-11-22T08:00:00Z",
        "Wang",
        "clock",
    )
    versions = await kept.get_json("/api/v1/points/p/revisions?time=2026-11-22T08:00:00Z")
    assert versions["revisions"][0]["source"] == "http"
    assert "released from quarantine by Wang" in versions["revisions"][0]["reason"]
    assert (await post(kept, "release", ids=[1, 2], shift="-365d"))["already"] == 2


async def test_one_sample_is_given_its_time(kept: Api) -> None:
    await post(kept, "release", ids=[2], time="2026-11-22T00:00:00+08:00")
    assert await values(kept) == [2.0]


async def test_what_cannot_be_stored_stays_and_says_why(kept: Api) -> None:
    await kept.ingest({"point": "p", "times": ["2026-11-22T08:00:00Z"], "values": [7]})
    reply = await post(kept, "release", ids=[1, 3, 99], shift="-365d")
    assert {entry["id"]: entry["code"] for entry in reply["refused"]} == {
        1: "conflict",
        3: "time_too_old",
        99: "unknown",
    }
    assert (reply["done"], reply["kept"]) == (0, 3)
    assert (await post(kept, "release", ids=[1], shift="-365d", on_conflict="replace"))["done"] == 1
    assert await values(kept) == [1.0]


async def test_erased_samples_leave_their_evidence(kept: Api) -> None:
    reply = await post(kept, "erase", ids=[3], author="Li")
    assert (reply["done"], reply["kept"], reply["seq"]) == (1, 2, 0)
    (entry,) = (await kept.get_json("/api/v1/quarantine?state=erased"))["entries"]
    assert (entry["value"], entry["author"], entry["decided_at"]) == (3.0, "Li", "2026-11-22T08:00:00Z")


@pytest.mark.parametrize(
    ("body", "kind", "pointer"),
    [
        pytest.param({"ids": [1]}, "invalid-body", None, id="no reason"),
        pytest.param({"ids": [1], "reason": " "}, "edit-refused", None, id="a blank reason"),
        pytest.param({"ids": [], "reason": "r"}, "edit-refused", None, id="no ids"),
        pytest.param({"ids": [-1], "reason": "r"}, "edit-refused", None, id="no id"),
        pytest.param({"ids": [2**64], "reason": "r"}, "edit-refused", None, id="an id beyond any"),
        pytest.param({"ids": list(range(50_001)), "reason": "r"}, "edit-refused", None, id="too many"),
        pytest.param({"ids": [1], "reason": "r", "shift": "8 h"}, "invalid-body", "/shift", id="no shift"),
        pytest.param(
            {"ids": [1], "reason": "r", "shift": "1h", "time": 1}, "invalid-body", "/shift", id="both"
        ),
        pytest.param(
            {"ids": [1, 2], "reason": "r", "time": 1}, "invalid-body", "/time", id="one time for two"
        ),
        pytest.param({"ids": [1], "reason": "r", "time": "noon"}, "invalid-body", "/time", id="no time"),
    ],
)
async def test_a_release_that_is_wrong_changes_nothing(
    kept: Api, body: dict[str, Any], kind: str, pointer: str | None
) -> None:
    reply = await expect_problem(await kept.client.post("/api/v1/quarantine/release", json=body), 422, kind)
    if pointer:
        assert reply["errors"][0]["pointer"] == pointer
    assert (await kept.get_json("/api/v1/quarantine"))["kept"] == 3
