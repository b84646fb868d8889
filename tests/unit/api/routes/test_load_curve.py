"""Load curves over HTTP: always every slot, the axis from the server, other days slot by slot."""

import csv
import io

import pytest

from tests.unit.api.conftest import Api

T0_MS = 1795190400000  # 2026-11-21T00:00:00+08:00
QUARTER_MS = 900_000
DAY_MS = 96 * QUARTER_MS


def day_of(values: list[float], start_ms: int = T0_MS) -> dict[str, object]:
    return {"times": [start_ms + i * QUARTER_MS for i in range(len(values))], "values": values}


@pytest.fixture
async def filled(api: Api) -> Api:
    """Interval energy of 96 quarters: 1 kWh each, 2.5 in slot 40, slot 10 missing; the day before 0.5 each."""
    await api.put_point("e", "kWh", "interval", station="S1")
    values = [1.0] * 96
    values[40] = 2.5
    series = day_of(values)
    series["times"].pop(10)  # type: ignore[attr-defined]
    series["values"].pop(10)  # type: ignore[attr-defined]
    await api.ingest({"point": "e"} | series, {"point": "e"} | day_of([0.5] * 96, T0_MS - DAY_MS))
    return api


async def test_a_day_has_96_slots_with_their_labels(filled: Api) -> None:
    reply = await filled.get_json("/api/v1/points/e/load-curve?date=2026-11-21")
    assert (reply["labels"][0], reply["labels"][-1]) == ("00:15", "24:00")
    for column in ("labels", "starts", "ends", "values", "states", "counts", "quality"):
        assert len(reply[column]) == 96, column
    assert (reply["unit"], reply["interval"], reply["label"]) == ("kW", "15m", "end")
    assert (reply["date"], reply["time_zone"]) == ("2026-11-21", "Asia/Shanghai")
    assert reply["starts"][0] == "2026-11-20T16:00:00Z"


async def test_a_missing_slot_is_null_and_not_zero(filled: Api) -> None:
    reply = await filled.get_json("/api/v1/points/e/load-curve?date=2026-11-21")
    assert (reply["values"][10], reply["states"][10], reply["counts"][10]) == (None, "missing", 0)
    assert (reply["values"][9], reply["states"][9], reply["counts"][9]) == (4.0, "complete", 1)


async def test_the_figures_of_the_day(filled: Api) -> None:
    summary = (await filled.get_json("/api/v1/points/e/load-curve?date=2026-11-21"))["summary"]
    assert (summary["max"], summary["max_start"]) == (10.0, "2026-11-21T02:00:00Z")
    assert (summary["min"], summary["min_start"]) == (4.0, "2026-11-20T16:00:00Z")
    assert (summary["energy"], summary["energy_unit"]) == (96.5, "kWh")
    assert summary["load_factor"] == pytest.approx(96.5 / 95 * 4 / 10)
    assert (summary["peak_valley_difference"], summary["peak_valley_rate"]) == (6.0, 0.6)
    assert (summary["expected"], summary["received"]) == (96, 95)


async def test_labels_name_starts_where_asked(filled: Api) -> None:
    reply = await filled.get_json("/api/v1/points/e/load-curve?date=2026-11-21&label=start&interval=1h")
    assert (reply["labels"][0], reply["labels"][-1], len(reply["values"])) == ("00:00", "23:00", 24)


async def test_other_days_are_laid_over_it_slot_by_slot(filled: Api) -> None:
    reply = await filled.get_json("/api/v1/points/e/load-curve?date=2026-11-21&compare=-1d,-7d,2026-11-20")
    yesterday, week, named = reply["compare"]
    assert (yesterday["offset"], yesterday["date"]) == ("-1d", "2026-11-20")
    assert yesterday["values"] == [2.0] * 96
    assert week["values"] == [None] * 96
    assert named["values"] == yesterday["values"]
    assert yesterday["summary"]["energy"] == 48.0


async def test_values_are_converted_and_the_other_days_too(filled: Api) -> None:
    reply = await filled.get_json("/api/v1/points/e/load-curve?date=2026-11-21&compare=-1d&unit=MW")
    assert (reply["unit"], reply["values"][0], reply["summary"]["max"]) == ("MW", 0.004, 0.01)
    assert reply["compare"][0]["values"][0] == 0.002
    assert reply["summary"]["energy"] == 96.5


async def test_several_points_are_summed_and_what_lacks_is_told(filled: Api) -> None:
    await filled.put_point("f", "kWh", "interval", station="S1")
    await filled.ingest({"point": "f"} | day_of([1.0] * 20))
    reply = await filled.get_json("/api/v1/load-curve?station=S1&date=2026-11-21")
    assert (reply["points"], reply["station"]) == (["e", "f"], "S1")
    assert reply["values"][:1] + reply["values"][10:11] + reply["values"][30:31] == [8.0, 4.0, 4.0]
    assert (reply["missing_points"][0], reply["missing_points"][10], reply["missing_points"][30]) == (0, 1, 1)
    assert reply["states"][10] == "partial"
    same = await filled.get_json("/api/v1/load-curve?points=e,f&date=2026-11-21")
    assert same["values"] == reply["values"]


async def test_points_that_do_not_add_up_are_422(filled: Api) -> None:
    await filled.put_point("q", "kvar", "instantaneous")
    await filled.problem("/api/v1/load-curve?points=e,q&date=2026-11-21", 422, "unit-mismatch")


async def test_the_curve_comes_as_csv_with_the_overlays_as_columns(filled: Api) -> None:
    response = await filled.get("/api/v1/points/e/load-curve?date=2026-11-21&compare=-1d&format=csv")
    rows = list(csv.DictReader(io.StringIO(await response.text())))
    assert len(rows) == 96
    assert (rows[0]["label"], rows[0]["value"], rows[0]["value -1d"], rows[0]["unit"]) == (
        "00:15",
        "4.0",
        "2.0",
        "kW",
    )
    assert (rows[10]["value"], rows[10]["state"]) == ("", "missing")


@pytest.mark.parametrize(("date", "slots"), [("2026-03-29", 92), ("2026-10-25", 100), ("2026-10-24", 96)])
async def test_a_day_on_which_clocks_change_has_its_own_length(api: Api, date: str, slots: int) -> None:
    await api.put_point("e", "kWh", "interval", time_zone="Europe/Berlin")
    reply = await api.get_json(f"/api/v1/points/e/load-curve?date={date}&compare=-1d")
    assert len(reply["values"]) == slots
    assert len(reply["compare"][0]["values"]) == slots


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("", 400, "invalid-parameter"),
        ("date=21.11.2026", 400, "invalid-parameter"),
        ("date=2026-02-30", 400, "invalid-parameter"),
        ("date=2026-11-21&interval=15", 400, "invalid-parameter"),
        ("date=2026-11-21&label=middle", 400, "invalid-parameter"),
        ("date=2026-11-21&compare=yesterday", 400, "invalid-parameter"),
        ("date=2026-11-21&compare=-0d", 400, "invalid-parameter"),
        ("date=0001-01-01&compare=-9999w", 400, "invalid-parameter"),
        ("date=2026-11-21&unit=V", 422, "unit-mismatch"),
        ("date=9999-12-31", 400, "invalid-time"),
        ("date=0001-01-01", 400, "invalid-time"),
    ],
)
async def test_a_wrong_question_is_refused(api: Api, query: str, status: int, kind: str) -> None:
    await api.put_point("e", "kWh", "interval")
    await api.problem(f"/api/v1/points/e/load-curve?{query}", status, kind)


async def state(api: Api, point: str, **term: object) -> None:
    body = {"term": term, "valid_from": "2020-01-01T00:00:00+08:00", "reason": "as built"}
    response = await api.client.post(f"/api/v1/points/{point}/terms", json=body)
    assert response.status == 201, await response.text()


async def test_thermal_energy_never_adds_to_electrical_energy(api: Api) -> None:
    for name in ("el", "heat", "plain"):
        await api.put_point(name, "kWh", "interval")
        await api.ingest({"point": name} | day_of([1.0] * 96))
    sums = "/api/v1/load-curve?date=2026-11-21&points="
    assert (await api.get_json(f"{sums}el,heat,plain"))["summary"]["energy"] == 288.0
    await state(api, "heat", kind="medium", carrier="heat")
    await state(api, "el", kind="medium", carrier="electricity")
    assert (await api.get_json(f"{sums}el,plain"))["summary"]["energy"] == 192.0
    for points in ("el,heat", "heat,plain", "el,heat,plain"):
        problem = await api.problem(f"{sums}{points}", 422, "unit-mismatch")
        assert "heat" in problem["detail"], points
    assert (await api.get_json("/api/v1/points/heat/load-curve?date=2026-11-21"))["summary"]["energy"] == 96.0


async def test_gas_of_different_conditions_does_not_add_up(api: Api) -> None:
    for name, reference in (("g0", "0C,101.325kPa"), ("g20", "20C,101.325kPa"), ("h20", "20C,101.325kPa")):
        await api.put_point(name, "m3", "interval")
        await api.ingest({"point": name} | day_of([1.0] * 96))
        await state(api, name, kind="medium", carrier="gas", reference=reference)
    sums = "/api/v1/load-curve?date=2026-11-21&points="
    assert (await api.get_json(f"{sums}g20,h20"))["summary"]["energy"] == 192.0
    problem = await api.problem(f"{sums}g0,g20", 422, "unit-mismatch")
    assert "reference conditions differ" in problem["detail"]


async def test_a_summary_tells_utilisation_estimates_and_events(filled: Api) -> None:
    edit = {"kind": "estimate", "times": ["2026-11-21T02:30:00+08:00"], "values": [1.0], "reason": "gap"}
    response = await filled.client.post("/api/v1/points/e/edits", json=edit)
    assert response.status == 200, await response.text()
    summary = (await filled.get_json("/api/v1/points/e/load-curve?date=2026-11-21"))["summary"]
    assert (summary["utilisation_hours"], summary["estimated"], summary["events"]) == (9.75, 1, [])
    assert summary["simultaneity"] is None


async def test_a_register_that_fell_says_so_in_the_summary(api: Api) -> None:
    await api.put_point("r", "kWh", "register")
    await api.ingest({"point": "r"} | day_of([float(i) for i in range(50)] + [float(i) for i in range(46)]))
    summary = (await api.get_json("/api/v1/points/r/load-curve?date=2026-11-21"))["summary"]
    assert summary["events"] == ["decrease"]


async def test_simultaneity_is_told_where_asked_for(api: Api) -> None:
    for name, values in (("a", [1.0, 3.0] + [0.0] * 94), ("b", [2.0] + [0.0] * 95)):
        await api.put_point(name, "kW", "mean_power")
        await api.ingest({"point": name} | day_of(values))
    path = "/api/v1/load-curve?points=a,b&date=2026-11-21"
    plain, asked = await api.get_json(path), await api.get_json(f"{path}&simultaneity=1")
    assert (plain["summary"]["simultaneity"], asked["summary"]["simultaneity"]) == (None, 0.6)
    assert plain["values"] == asked["values"]


async def test_the_medium_of_the_day_counts_where_it_changed(api: Api) -> None:
    """Two points that were electricity until this year, of which one is heat now."""
    for name in ("a", "b"):
        await api.put_point(name, "kWh", "interval")
        await api.ingest({"point": name} | day_of([1.0] * 96))
        await state(api, name, kind="medium", carrier="electricity")
    for name, since in (("a", "2026-06-01T00:00:00+08:00"), ("b", "2027-01-01T00:00:00+08:00")):
        body = {"term": {"kind": "medium", "carrier": "heat"}, "valid_from": since, "reason": "rebuilt"}
        response = await api.client.post(f"/api/v1/points/{name}/terms", json=body)
        assert response.status == 201, await response.text()
    await api.problem("/api/v1/load-curve?date=2026-11-21&points=a,b", 422, "unit-mismatch")
    before = await api.get_json("/api/v1/load-curve?date=2026-05-31&points=a,b")
    assert before["summary"]["energy_unit"] == "kWh"
