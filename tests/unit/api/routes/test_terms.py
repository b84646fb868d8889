"""Statements about points over HTTP: stated, told, taken back, and what figures make of them."""

import pytest

from tests.unit.api.conftest import Api, expect_problem
from tests.unit.api.routes.test_tariffs import put_calendar

REGISTER = {"kind": "register", "modulus": 1_000_000, "resolution": 0.01}
FROM = "2026-11-01T00:00:00+08:00"
DAY = "from=2026-11-20&to=2026-11-21"
T0_MS = 1795104000000  # 2026-11-20T00:00:00+08:00


async def state(api: Api, term: dict[str, object], status: int = 201, **more: object) -> dict[str, object]:
    body = {"term": term, "valid_from": FROM, "reason": "contract 17", **more}
    response = await api.client.post("/api/v1/points/e/terms", json=body)
    assert response.status == status, await response.text()
    made: dict[str, object] = await response.json()
    return made


@pytest.fixture
async def register(api: Api) -> Api:
    await api.put_point("e", "kWh", "register", multiplier=8000)
    return api


async def energy(api: Api, more: str = "") -> float | None:
    (row,) = (await api.get_json(f"/api/v1/rollups?points=e&{DAY}{more}"))["rows"]
    found: float | None = row["energy"]
    return found


async def test_a_rollover_is_counted_once_the_modulus_is_stated_and_taken_back_with_it(register: Api) -> None:
    """999998.50 → 000001.25 is 2.75, times 8000."""
    times = [T0_MS, T0_MS + 86_400_000]
    await register.ingest({"point": "e", "times": times, "values": [999998.50, 1.25]})
    assert await energy(register) is None
    made = await state(register, REGISTER)
    assert await energy(register) == 22_000.0
    (row,) = (await register.get_json(f"/api/v1/rollups?points=e&{DAY}&fields=energy,events"))["rows"]
    assert row["events"] == "rollover,gap_spanned"
    response = await register.client.post(
        f"/api/v1/points/e/terms/{made['number']}/withdraw", json={"reason": "typo"}
    )
    assert response.status == 200
    assert await energy(register) is None


async def test_an_exchange_counts_both_meters_each_with_its_multiplier(api: Api) -> None:
    """(1010 - 1000) × 80 + (5 - 0) × 120 = 1400."""
    await api.put_point("e", "kWh", "register", multiplier=80)
    await api.ingest({"point": "e", "times": [T0_MS, T0_MS + 86_400_000], "values": [1000.0, 5.0]})
    noon = "2026-11-20T12:00:00+08:00"
    await state(api, {"kind": "exchange", "old_end": 1010.0, "new_start": 0.0}, valid_from=noon)
    response = await api.client.patch("/api/v1/points/e", json={"multiplier": 120, "valid_from": noon})
    assert response.status == 200
    assert await energy(api) == 1400.0
    told = await api.get_json("/api/v1/points/e/terms")
    assert told["multiplier"] == [
        {"valid_from": None, "value": 80.0},
        {"valid_from": "2026-11-20T04:00:00Z", "value": 120.0},
    ]


async def test_what_was_stated_is_told_with_who_and_why(register: Api) -> None:
    made = await state(register, REGISTER, author="anna", valid_to="2026-12-01T00:00:00+08:00")
    told = await register.get_json("/api/v1/points/e/terms")
    assert told["statements"] == [made]
    assert made["term"] == {**REGISTER, "modulus": 1_000_000.0, "is_signed": False}
    assert (made["author"], made["reason"], made["state"]) == ("anna", "contract 17", "stated")
    assert told["in_force"][0]["valid_to"] == "2026-11-30T16:00:00Z"
    before = await register.get_json("/api/v1/points/e/terms?as_of=2026-11-22T07:59:59Z")
    assert (before["statements"], before["in_force"]) == ([], [])


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"term": {"kind": "register", "modulus": -1}, "valid_from": FROM, "reason": "r"}, 422, "invalid-body"),
        ({"term": {"kind": "nothing"}, "valid_from": FROM, "reason": "r"}, 422, "invalid-body"),
        ({"term": REGISTER, "valid_from": FROM, "reason": " "}, 422, "edit-refused"),
        ({"term": REGISTER, "valid_from": "yesterday", "reason": "r"}, 422, "invalid-body"),
        ({"term": REGISTER, "valid_from": FROM, "valid_to": FROM, "reason": "r"}, 400, "invalid-time"),
        ({"term": {"kind": "tariff", "calendar": "none"}, "valid_from": FROM, "reason": "r"}, 404, "tariff-not-found"),
        ({"term": {"kind": "ratio", "formula": "load_ratio", "inputs": ["x"]}, "valid_from": FROM, "reason": "r"}, 404, "point-not-found"),
    ],
)  # fmt: skip
async def test_what_cannot_hold_is_refused(
    register: Api, body: dict[str, object], status: int, kind: str
) -> None:
    await expect_problem(await register.client.post("/api/v1/points/e/terms", json=body), status, kind)
    assert (await register.get_json("/api/v1/points/e/terms"))["statements"] == []


async def test_a_register_of_a_point_that_is_none_is_refused(api: Api) -> None:
    await api.put_point("e", "kW", "mean_power")
    body = {"term": REGISTER, "valid_from": FROM, "reason": "r"}
    problem = await expect_problem(
        await api.client.post("/api/v1/points/e/terms", json=body), 422, "term-invalid"
    )
    assert "kind register" in problem["detail"]


async def test_an_option_that_the_calendar_does_not_have_is_refused(register: Api) -> None:
    await put_calendar(register)
    body = {
        "term": {"kind": "tariff", "calendar": "day-night", "options": ["x"]},
        "valid_from": FROM,
        "reason": "r",
    }
    problem = await expect_problem(
        await register.client.post("/api/v1/points/e/terms", json=body), 422, "tariff-invalid"
    )
    assert "allowed" in problem["detail"]


@pytest.mark.parametrize("number", ["7", "x", "0"])
async def test_a_statement_that_is_not_there_is_not_taken_back(register: Api, number: str) -> None:
    response = await register.client.post(f"/api/v1/points/e/terms/{number}/withdraw", json={"reason": "r"})
    assert response.status in (400, 422)


async def test_who_follows_the_changes_hears_of_a_statement_that_moves_a_day(register: Api) -> None:
    """The day is not asked for: the background makes it anew."""
    times = [T0_MS, T0_MS + 86_400_000]
    await register.ingest({"point": "e", "times": times, "values": [999998.50, 1.25]})
    assert await energy(register) is None
    await register.context.rollup._days.refresh(1000)
    start = (await register.get_json("/api/v1/changes"))["next"]
    await state(register, REGISTER)
    assert register.context.rollup.pending_count > 0
    await register.context.rollup._days.refresh(1000)
    (change,) = (await register.get_json(f"/api/v1/changes?since={start}"))["changes"]
    assert (change["date"], change["revision"]) == ("2026-11-20", 2)


async def test_a_multiplier_from_a_date_on_moves_the_days_from_there(register: Api) -> None:
    times = [T0_MS + day * 86_400_000 for day in range(3)]
    await register.ingest({"point": "e", "times": times, "values": [0.0, 1.0, 2.0]})
    path = "/api/v1/rollups?points=e&from=2026-11-20&to=2026-11-22&fields=energy"
    assert [row["energy"] for row in (await register.get_json(path))["rows"]] == [8000.0, 8000.0]
    start = (await register.get_json("/api/v1/changes"))["next"]
    body = {"multiplier": 100, "valid_from": "2026-11-21T00:00:00+08:00"}
    assert (await register.client.patch("/api/v1/points/e", json=body)).status == 200
    await register.context.rollup._days.refresh(1000)
    changes = (await register.get_json(f"/api/v1/changes?since={start}"))["changes"]
    assert [change["date"] for change in changes] == ["2026-11-21"]
    assert [row["energy"] for row in (await register.get_json(path))["rows"]] == [8000.0, 100.0]


async def test_the_rates_that_a_meter_counts_itself_stand_beside_its_total(register: Api) -> None:
    times = [T0_MS, T0_MS + 86_400_000]
    await register.ingest({"point": "e", "times": times, "values": [100.0, 101.0]})
    for name, used in (("e.peak", 0.6), ("e.valley", 0.3)):
        await register.put_point(name, "kWh", "register", multiplier=8000)
        await register.ingest({"point": name, "times": times, "values": [50.0, 50.0 + used]})
    await state(register, {"kind": "rates", "peak": "e.peak", "valley": "e.valley"})
    (row,) = (await register.get_json(f"/api/v1/rollups?points=e&{DAY}"))["rows"]
    assert row["tou_register"] == {
        "sharp": None, "peak": 4800.0, "flat": None, "valley": 2400.0, "deep_valley": None, "difference": 800.0,
        "balance": "unknown",
    }  # fmt: skip
    await state(register, {**REGISTER, "resolution": 0.01})
    (row,) = (await register.get_json(f"/api/v1/rollups?points=e&{DAY}&fields=tou_register"))["rows"]
    assert row["tou_register"]["balance"] == "unbalanced"
    body = {"term": {"kind": "rates", "peak": "nobody"}, "valid_from": FROM, "reason": "r"}
    await expect_problem(
        await register.client.post("/api/v1/points/e/terms", json=body), 404, "point-not-found"
    )


async def test_main_power_of_a_register_is_refused_and_says_why(register: Api) -> None:
    body = {"term": {"kind": "main_power"}, "valid_from": FROM, "reason": "x"}
    response = await register.client.post("/api/v1/points/e/terms", json=body)
    told = await expect_problem(response, 422, "term-invalid")
    assert "main_power is for points of active power" in told["detail"]
    assert "e is of kind register in kWh" in told["detail"]
