"""The route table holds what the contract names."""

import pytest

from api.routes.table import all_operations

CONTRACT = [
    "POST /api/v1/ingest", "POST /api/v2/write", "GET /api/v1/points", "POST /api/v1/points",
    "GET /api/v1/points/{point}", "PUT /api/v1/points/{point}", "PATCH /api/v1/points/{point}",
    "GET /api/v1/points/{point}/recorded", "GET /api/v1/points/{point}/at", "GET /api/v1/points/{point}/interpolated",
    "GET /api/v1/points/{point}/plot", "GET /api/v1/points/{point}/summary", "GET /api/v1/points/{point}/gaps",
    "GET /api/v1/points/{point}/load-curve", "GET /api/v1/load-curve", "GET /api/v1/latest", "GET /api/v1/stations",
    "GET /api/v1/rollups", "GET /api/v1/rollups/{point}/{period}/{date}/revisions", "GET /api/v1/drivers",
    "GET /api/v1/drivers/{driver}", "GET /healthz", "GET /api/v1/healthz", "GET /readyz", "GET /api/v1/readyz",
    "GET /metrics", "GET /api/v1/metrics", "GET /openapi.json", "GET /api/v1/openapi.json", "GET /",
]  # fmt: skip


@pytest.mark.parametrize("route", CONTRACT)
def test_the_contract_is_served(route: str) -> None:
    served = {f"{operation.method} {path}" for operation in all_operations() for path in operation.paths()}
    assert route in served


def test_every_operation_has_its_own_name_and_says_what_it_does() -> None:
    operations = all_operations()
    assert len({operation.name for operation in operations}) == len(operations)
    assert all(operation.summary.endswith(".") for operation in operations)
