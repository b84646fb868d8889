"""Points over HTTP: make, read, change, rename, page, refuse."""

import pytest

from tests.unit.api.conftest import Api, expect_problem


async def test_a_point_is_made_with_its_defaults(api: Api) -> None:
    made = await api.put_point("S1.F101.P", "kW", "mean_power", station="S1")
    assert made["id"] == 1
    assert made["interval"] == "15m"
    assert made["label"] == "period_start"
    assert made["time_zone"] == "Asia/Shanghai"
    assert made["range"] is None
    assert made == await api.get_json("/api/v1/points/S1.F101.P")
    assert made == await api.get_json("/api/v1/points/1")


async def test_a_new_point_is_201_and_the_same_again_200(api: Api) -> None:
    body = {"unit": "kW", "kind": "instantaneous"}
    assert (await api.client.put("/api/v1/points/a", json=body)).status == 201
    assert (await api.client.put("/api/v1/points/a", json=body)).status == 200


async def test_a_name_in_chinese_is_encoded_in_the_path(api: Api) -> None:
    await api.put_point("站1.馈线.有功")
    assert (await api.get_json("/api/v1/points/%E7%AB%991.%E9%A6%88%E7%BA%BF.%E6%9C%89%E5%8A%9F"))["id"] == 1


async def test_attributes_are_changed_and_the_rest_stays(api: Api) -> None:
    await api.put_point("a", range=[0, 10], capacity=100)
    response = await api.client.patch(
        "/api/v1/points/a", json={"name_zh": "甲", "range": [None, 20], "interval": "5m"}
    )
    changed = await response.json()
    assert (changed["name_zh"], changed["range"], changed["interval"]) == ("甲", [None, 20.0], "5m")
    assert changed["capacity"] == 100.0


async def test_a_renamed_point_answers_under_the_old_name(api: Api) -> None:
    await api.put_point("old")
    assert (await api.client.patch("/api/v1/points/old", json={"name": "new"})).status == 200
    found = await api.get_json("/api/v1/points/old")
    assert (found["name"], found["renamed_to"]) == ("new", "new")
    assert "renamed_to" not in await api.get_json("/api/v1/points/new")


async def test_an_unknown_point_is_404(api: Api) -> None:
    body = await api.problem("/api/v1/points/nobody", 404, "point-not-found")
    assert "nobody" in body["detail"]
    await api.problem("/api/v1/points/99999999999999999999", 404, "point-not-found")


async def test_the_problem_is_in_chinese_where_asked(api: Api) -> None:
    body = await api.problem("/api/v1/points/nobody", 404, "point-not-found", **{"Accept-Language": "zh-CN"})
    assert body["title"] == "测点不存在"
    assert "没有名为" in body["detail"]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"kind": "instantaneous"}, 422, "invalid-body"),
        ({"unit": "kW"}, 422, "invalid-body"),
        ({"unit": "kW", "kind": "reading"}, 422, "invalid-body"),
        ({"unit": "kW", "kind": "instantaneous", "colour": "red"}, 422, "invalid-body"),
        ({"unit": "kW", "kind": "instantaneous", "interval": "quarter"}, 422, "invalid-body"),
        ({"unit": "horsepower", "kind": "instantaneous"}, 422, "unit-mismatch"),
        ({"unit": "kW", "kind": "instantaneous", "range": [5, 1]}, 422, "point-invalid"),
        ({"unit": "kW", "kind": "instantaneous", "multiplier": 0}, 422, "point-invalid"),
        ({"unit": "kW", "kind": "instantaneous", "time_zone": "Mars/Base"}, 400, "invalid-time"),
    ],
    ids=["no unit", "no kind", "kind", "unknown field", "interval", "unit", "range", "multiplier", "zone"],
)
async def test_a_wrong_point_is_refused(api: Api, body: dict[str, object], status: int, kind: str) -> None:
    await expect_problem(await api.client.put("/api/v1/points/a", json=body), status, kind)
    await api.problem("/api/v1/points/a", 404, "point-not-found")


@pytest.mark.parametrize(
    "body",
    [{"kind": "register"}, {"unit": "V"}, {"name": "b"}],
    ids=["kind is fixed", "unit of another dimension", "name is taken"],
)
async def test_a_change_that_conflicts_is_409(api: Api, body: dict[str, object]) -> None:
    await api.put_point("a")
    await api.put_point("b")
    await expect_problem(await api.client.patch("/api/v1/points/a", json=body), 409, "point-conflict")


async def test_many_points_are_made_and_one_fault_costs_only_itself(api: Api) -> None:
    await api.put_point("b", "V")
    points = [{"name": name, "unit": "kW", "kind": "instantaneous"} for name in ("a", "b", "c d", "a")]
    response = await api.client.post("/api/v1/points", json=points)
    reply = await response.json()
    assert response.status == 200
    assert (reply["created"], reply["existing"], reply["rejected"]) == (1, 1, 2)
    assert [(entry["index"], entry["code"]) for entry in reply["rejects"]] == [
        (1, "point_conflict"),
        (2, "point_invalid"),
    ]


async def test_a_bulk_body_of_wrong_form_is_refused_with_a_pointer(api: Api) -> None:
    response = await api.client.post(
        "/api/v1/points", json=[{"name": "a", "unit": "kW", "kind": "ratio"}, {}]
    )
    body = await expect_problem(response, 422, "invalid-body")
    assert body["errors"][0]["pointer"] == "/1/name"


async def test_malformed_json_is_400_with_its_position(api: Api) -> None:
    response = await api.client.post("/api/v1/points", data=b'[{"name": }]')
    body = await expect_problem(response, 400, "malformed-json")
    assert "column 11" in body["detail"]


async def test_points_come_page_by_page(api: Api) -> None:
    points = [{"name": f"p{number}", "unit": "kW", "kind": "instantaneous"} for number in range(5)]
    await api.client.post("/api/v1/points", json=points)
    names, cursor = [], ""
    for expected in (2, 2, 1):
        page = await api.get_json(f"/api/v1/points?limit=2&cursor={cursor}")
        assert page["count"] == expected
        names += [point["name"] for point in page["points"]]
        cursor = page.get("next", "")
    assert names == [f"p{number}" for number in range(5)]
    assert cursor == ""


async def test_a_cursor_of_another_query_is_400(api: Api) -> None:
    points = [{"name": f"p{number}", "unit": "kW", "kind": "instantaneous"} for number in range(3)]
    await api.client.post("/api/v1/points", json=points)
    page = await api.get_json("/api/v1/points?limit=1")
    await api.problem(f"/api/v1/points?limit=1&match=p*&cursor={page['next']}", 400, "invalid-cursor")


async def test_points_are_found_by_glob_station_and_item(api: Api) -> None:
    await api.put_point("S1.P", station="S1", item="T2.06")
    await api.put_point("S1.Q", "kvar", station="S1")
    await api.put_point("S2.P", station="S2")

    async def found(query: str) -> list[str]:
        return [point["name"] for point in (await api.get_json(f"/api/v1/points?{query}"))["points"]]

    assert await found("match=*.P") == ["S1.P", "S2.P"]
    assert await found("station=S1") == ["S1.P", "S1.Q"]
    assert await found("item=T2.06") == ["S1.P"]


async def test_stations_are_listed_with_their_points(api: Api) -> None:
    await api.put_point("S2.P", station="S2")
    await api.put_point("S1.P", station="S1")
    await api.put_point("S1.Q", "kvar", station="S1")
    await api.put_point("alone")
    stations = (await api.get_json("/api/v1/stations"))["stations"]
    assert [(one["station"], one["point_count"]) for one in stations] == [("S1", 2), ("S2", 1)]


async def test_a_point_takes_from_its_item_what_it_does_not_say(api: Api) -> None:
    response = await api.client.put("/api/v1/points/a", json={"item": "T5.04"})
    made = await response.json()
    assert response.status == 201
    assert (made["unit"], made["kind"], made["interval"], made["item"]) == (
        "V",
        "instantaneous",
        "5m",
        "T5.04",
    )
    assert "warnings" not in made


async def test_what_differs_from_the_item_is_kept_and_warned_of(api: Api) -> None:
    made = await api.put_point("q", "var", "instantaneous", item="T5.07", interval="1h")
    assert (made["unit"], made["interval"]) == ("var", "1h")
    assert [one["id"] for one in made["warnings"]] == ["unit-differs", "interval-longer", "var-vs-kvar"]
    assert all(one["treatment_zh"] and one["treatment_en"] and one["problem_zh"] for one in made["warnings"])
    response = await api.client.patch("/api/v1/points/q", json={"unit": "kvar", "interval": "5m"})
    assert [one["id"] for one in (await response.json())["warnings"]] == ["var-vs-kvar"]
    response = await api.client.post("/api/v1/points", json=[{"name": "e", "item": "T5.08"}])
    assert [one["id"] for one in (await response.json())["points"][0]["warnings"]] == ["energy-or-register"]
    assert "warnings" not in await api.get_json("/api/v1/points/q")


@pytest.mark.parametrize("item", ["T9.99", "T1.04", "T2.09", "T6.03"])
async def test_an_item_that_points_cannot_have_is_422(api: Api, item: str) -> None:
    body = {"unit": "kW", "kind": "instantaneous", "item": item}
    told = await expect_problem(await api.client.put("/api/v1/points/a", json=body), 422, "item-invalid")
    assert told["errors"][0]["pointer"] == "/item"
    await api.put_point("a")
    await expect_problem(await api.client.patch("/api/v1/points/a", json={"item": item}), 422, "item-invalid")


async def test_points_as_rows_are_a_list_to_choose_from(api: Api) -> None:
    await api.put_point("a", station="hall", name_zh="甲")
    await api.put_point("b", station="hall")
    await api.put_point("c", station="yard")
    rows = await api.get_json("/api/v1/points?station=hall&format=rows")
    assert [(row["name"], row["unit"], row["interval"], row["name_zh"]) for row in rows] == [
        ("a", "kW", "15m", "甲"),
        ("b", "kW", "15m", ""),
    ]
    response = await api.get("/api/v1/points?limit=2&format=csv")
    assert (await response.text()).splitlines()[1].startswith("a,1,kW")
    assert response.headers["X-Next-Cursor"]
