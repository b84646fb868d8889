"""Rules over HTTP: stated, told what they find, tried without a trace."""

from tests.unit.api.conftest import Api, expect_problem
from tests.unit.api.routes.test_tariffs import put_calendar

T0_MS = 1795104000000  # 2026-11-20T00:00:00+08:00
QUARTER_MS = 900_000
FROM = "2026-11-01T00:00:00+08:00"
SPAN = f"start={T0_MS}&end={T0_MS + 8 * QUARTER_MS}"
RULES = {"sentinel": {"values": [-99]}, "missing": {}}


async def fill(api: Api, **more: object) -> None:
    await api.put_point("p", "kW", "mean_power", **more)
    times = [T0_MS + place * QUARTER_MS for place in (0, 1, 2, 5, 6, 7)]
    await api.ingest({"point": "p", "times": times, "values": [4, -99, 4, 4, 4, 4]})


async def state(api: Api, rules: dict[str, object], status: int = 201) -> dict[str, object]:
    body = {"term": {"kind": "rules", "rules": rules}, "valid_from": FROM, "reason": "source"}
    response = await api.client.post("/api/v1/points/p/terms", json=body)
    assert response.status == status, await response.text()
    made: dict[str, object] = await response.json()
    return made


async def good_and_measured(api: Api) -> tuple[int, int]:
    (row,) = (await api.get_json("/api/v1/rollups?points=p&from=2026-11-20&to=2026-11-21"))["rows"]
    return row["coverage"]["good"], row["coverage"]["measured"]


async def test_rules_in_force_are_told_and_honoured_and_gone_when_withdrawn(api: Api) -> None:
    await fill(api)
    nothing = await api.get_json(f"/api/v1/points/p/validation?{SPAN}")
    assert (nothing["findings"], nothing["samples"], nothing["bad"]) == ([], 6, 0)
    assert await good_and_measured(api) == (6, 6)
    made = await state(api, RULES)
    found = await api.get_json(f"/api/v1/points/p/validation?{SPAN}&time=epoch_ms")
    assert found["findings"] == [
        {
            "rule": "sentinel", "start": T0_MS + QUARTER_MS, "end": T0_MS + 2 * QUARTER_MS, "count": 1, "worst": -99.0,
            "mark": "bad", "detail": {},
        },
        {
            "rule": "missing", "start": T0_MS + 3 * QUARTER_MS, "end": T0_MS + 5 * QUARTER_MS, "count": 2, "worst": None,
            "mark": None, "detail": {"gap_intervals": 1.5},
        },
    ]  # fmt: skip
    assert (found["point"], found["unit"], found["suspect"], found["bad"], found["is_cut"]) == (
        "p", "kW", 0, 1, False,
    )  # fmt: skip
    assert await good_and_measured(api) == (5, 5)
    await api.client.post(f"/api/v1/points/p/terms/{made['number']}/withdraw", json={"reason": "no"})
    assert await good_and_measured(api) == (6, 6)


async def test_a_load_curve_honours_rules(api: Api) -> None:
    await fill(api)
    await state(api, RULES)
    curve = await api.get_json("/api/v1/points/p/load-curve?date=2026-11-20")
    assert curve["values"][:3] == [4.0, None, 4.0]
    await api.put_point("q", "kW", "mean_power")
    await api.ingest({"point": "q", "times": [T0_MS + QUARTER_MS], "values": [1]})
    total = await api.get_json("/api/v1/load-curve?date=2026-11-20&points=p,q")
    assert total["values"][:3] == [4.0, 1.0, 4.0]


async def test_bills_honour_rules_and_estimates_that_gave_way(api: Api) -> None:
    await fill(api)
    await put_calendar(api)
    term = {"kind": "tariff", "calendar": "day-night"}
    await api.client.post(
        "/api/v1/points/p/terms", json={"term": term, "valid_from": FROM, "reason": "contract"}
    )
    beside = {
        "point": "p",
        "times": [T0_MS + 6 * QUARTER_MS + 60_000],
        "values": [96],
        "quality": ["estimated"],
    }
    await api.ingest(beside)

    async def valley() -> float:
        rows = (await api.get_json("/api/v1/rollups?points=p&from=2026-11-20&to=2026-11-21&fields=tou"))[
            "rows"
        ]
        found: float = rows[0]["tou"]["valley"]
        return found

    assert await valley() == (5 * 4 - 99) / 4
    await state(api, RULES)
    assert await valley() == 5 * 4 / 4


async def test_an_estimate_that_gave_way_is_no_demand(api: Api) -> None:
    await fill(api)
    body = {"term": {"kind": "demand", "slide_s": 900}, "valid_from": FROM, "reason": "contract"}
    await api.client.post("/api/v1/points/p/terms", json=body)
    times = [T0_MS + 6 * QUARTER_MS + 60_000]
    await api.ingest({"point": "p", "times": times, "values": [96], "quality": ["estimated"]})
    url = "/api/v1/rollups?points=p&from=2026-11-20&to=2026-11-21&fields=billing_demand"
    assert (await api.get_json(url))["rows"][0]["billing_demand"]["value"] == 4.0


async def test_rules_on_trial_leave_no_trace(api: Api) -> None:
    await fill(api)
    await state(api, RULES)
    body = {"rules": {"range": {"high": 3}}, "start": T0_MS, "end": T0_MS + 8 * QUARTER_MS}
    response = await api.client.post("/api/v1/points/p/validation", json=body)
    found = await response.json()
    assert [(one["rule"], one["count"], one["mark"], one["detail"]) for one in found["findings"]] == [
        ("range", 1, "suspect", {"high": 3.0}), ("range", 1, "suspect", {"high": 3.0}),
        ("range", 3, "suspect", {"high": 3.0}),
    ]  # fmt: skip
    assert await good_and_measured(api) == (5, 5)


async def test_a_rule_without_threshold_is_told_on_trial_and_refused_as_a_statement(api: Api) -> None:
    await fill(api)
    body = {"rules": {"spike": {}}, "start": T0_MS, "end": T0_MS + QUARTER_MS}
    found = await (await api.client.post("/api/v1/points/p/validation?time=epoch_ms", json=body)).json()
    assert found["unchecked"] == [{"rule": "spike", "start": T0_MS, "end": T0_MS + QUARTER_MS}]
    problem = await state(api, {"spike": {}}, status=422)
    assert problem["code"] == "term_invalid"
    assert "state height, or give the point a capacity" in str(problem["detail"])


async def test_what_is_refused(api: Api) -> None:
    await fill(api)
    body = {"rules": {"stuck": {"samples": 90_000}}, "start": T0_MS, "end": T0_MS + QUARTER_MS}
    await expect_problem(await api.client.post("/api/v1/points/p/validation", json=body), 422, "term-invalid")
    body = {"rules": RULES, "start": T0_MS, "end": T0_MS}
    await expect_problem(await api.client.post("/api/v1/points/p/validation", json=body), 422, "invalid-body")
    body = {"rules": {"stuck": {"samples": 1}}, "start": T0_MS, "end": T0_MS + 1}
    await expect_problem(await api.client.post("/api/v1/points/p/validation", json=body), 422, "invalid-body")
    await api.problem("/api/v1/points/q/validation?start=0&end=1", 404, "point-not-found")
    far = f"start=0&end={T0_MS}"
    await api.problem(f"/api/v1/points/p/validation?{far}", 422, "query-too-large")


async def test_slots_that_do_not_fit_other_points_are_found_and_suspect(api: Api) -> None:
    t0_ms = 1795104000000  # 2026-11-20T00:00:00+08:00
    for name, unit, values in (
        ("p", "kW", [800.0, 600.0]),
        ("q", "kvar", [600.0] * 2),
        ("s", "kVA", [1000.0] * 2),
    ):
        await api.put_point(name, unit)
        await api.ingest({"point": name, "times": [t0_ms, t0_ms + 900_000], "values": values})
    body = {
        "term": {"kind": "triangle", "reactive": "q", "apparent": "s"}, "valid_from": "2026-01-01T00:00:00Z", "reason": "r",
    }  # fmt: skip
    assert (await api.client.post("/api/v1/points/p/terms", json=body)).status == 201
    path = f"/api/v1/points/p/validation?start={t0_ms}&end={t0_ms + 86_400_000}"
    (found,) = (await api.get_json(path))["findings"]
    assert (found["rule"], found["start"], found["count"], found["mark"]) == (
        "power_triangle", "2026-11-19T16:15:00Z", 1, "suspect",
    )  # fmt: skip
    curve = await api.get_json("/api/v1/points/p/load-curve?date=2026-11-20")
    assert (curve["values"][1], curve["quality"][:2]) == (600.0, ["good", "suspect"])
