"""The OpenAPI file tells every route, and every answer that is tried fits what it tells."""

import json
import re
from typing import Any

import pytest

from api import openapi
from api.context import ApiContext
from api.routes.table import all_operations
from api.server import make_app
from tests.unit.api.conftest import Api


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(openapi.build(all_operations(), "1.2.3"))


def test_it_is_openapi_3_1_of_this_version(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "1.2.3"


def test_every_route_of_the_application_is_told_and_no_other(document: Any, context: ApiContext) -> None:
    served = {
        (re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.resource.canonical), route.method)
        for route in make_app(context).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    told = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert told == served


def test_every_operation_has_its_own_id(document: Any) -> None:
    ids = [entry["operationId"] for methods in document["paths"].values() for entry in methods.values()]
    assert len(set(ids)) == len(ids)


def test_every_reference_leads_somewhere(document: Any) -> None:
    names = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))
    assert names
    assert set(names) <= set(document["components"]["schemas"])


def test_every_place_in_a_path_is_a_parameter(document: Any) -> None:
    for path, methods in document["paths"].items():
        for entry in methods.values():
            told = {parameter["name"] for parameter in entry["parameters"] if parameter["in"] == "path"}
            assert told == set(re.findall(r"\{(\w+)\}", path)), path


def test_every_error_is_told_as_a_problem(document: Any) -> None:
    for path, methods in document["paths"].items():
        for entry in methods.values():
            errors = {status: answer for status, answer in entry["responses"].items() if int(status) >= 400}
            assert {"400", "500"} <= set(errors), path
            assert all("application/problem+json" in answer["content"] for answer in errors.values()), path


def test_columns_are_told_by_what_they_hold(document: Any) -> None:
    samples = document["components"]["schemas"]["SamplesReply"]["properties"]
    assert samples["values"]["items"] == {"type": ["number", "null"]}
    assert samples["times"]["type"] == "array"


def test_flat_rows_are_told_wherever_they_can_be_asked_for(document: Any) -> None:
    told = 0
    for methods in document["paths"].values():
        for entry in methods.values():
            if any(parameter["name"] == "format" for parameter in entry["parameters"]):
                schema = entry["responses"]["200"]["content"]["application/json"]["schema"]
                assert [part.get("type", "one object") for part in schema["oneOf"]] == ["one object", "array"]
                told += 1
    assert told


def test_a_point_made_and_an_answer_held_are_told(document: Any) -> None:
    put = document["paths"]["/api/v1/points/{point}"]["put"]["responses"]
    assert put["201"]["content"] == put["200"]["content"]
    assert "content" not in document["paths"]["/api/v1/rollups"]["get"]["responses"]["304"]


@pytest.mark.parametrize("path", ["/openapi.json", "/api/v1/openapi.json"])
async def test_it_is_served(api: Api, path: str) -> None:
    assert (await api.get_json(path))["openapi"] == "3.1.0"
