"""The catalogue of items over HTTP."""

from tests.unit.api.conftest import Api

PATH = "/api/v1/catalogue/items"


async def test_every_row_of_the_six_tables_is_told_in_two_languages(api: Api) -> None:
    told = await api.get_json(PATH)
    rows = [item for item in told["items"] if item["table"] and not item["reserved"]]
    assert len(rows) == 55
    assert all(item["name_zh"] and item["name_en"] and item["category_en"] for item in rows)
    assert told["count"] == len(told["items"])
    assert len(told["units"]) == 12


async def test_an_item_tells_its_interval_and_what_is_wrong_with_it(api: Api) -> None:
    (load,) = [item for item in (await api.get_json(PATH))["items"] if item["id"] == "T2.06"]
    assert (load["kind"], load["unit"], load["interval_max"]) == ("mean_power", "kW", "15m")
    (erratum,) = load["errata"]
    assert erratum["id"] == "load-described-as-energy"
    assert erratum["problem_zh"]
    assert erratum["treatment_en"]


async def test_items_are_found_by_table_type_category_and_kind(api: Api) -> None:
    async def found(query: str) -> list[str]:
        return [item["id"] for item in (await api.get_json(f"{PATH}?{query}"))["items"]]

    assert len(await found("table=2")) == 18
    assert await found("entity_type=water_account&kind=billing_amount") == ["T3.06"]
    assert await found("table=5&category=user archive") == ["T5.01", "T5.02", "T5.03"]
    assert await found("table=4&category=能源计费") == ["T4.07", "T4.08"]


async def test_a_type_that_is_none_is_told_with_those_there_are(api: Api) -> None:
    told = await api.problem(f"{PATH}?entity_type=house", 422, "item-invalid")
    assert "power_account" in told["detail"]
