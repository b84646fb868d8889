"""The route table holds what the contract names."""

import re
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from api.routes.table import all_operations
from tests.unit.api.conftest import Api

CONTRACT = [
    "POST /api/v1/ingest", "POST /api/v2/write", "GET /api/v1/points", "POST /api/v1/points",
    "GET /api/v1/points/{point}", "PUT /api/v1/points/{point}", "PATCH /api/v1/points/{point}",
    "GET /api/v1/points/{point}/recorded", "GET /api/v1/points/{point}/at", "GET /api/v1/points/{point}/interpolated",
    "GET /api/v1/points/{point}/plot", "GET /api/v1/points/{point}/summary", "GET /api/v1/points/{point}/gaps",
    "GET /api/v1/points/{point}/revisions", "POST /api/v1/points/{point}/edits", "GET /api/v1/quarantine",
    "POST /api/v1/quarantine/release", "POST /api/v1/quarantine/erase",
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


WORDS = st.sampled_from(
    ["", "0", "1", "-1", "p", "p,q", "x", "S1", "2026-11-21", "2026-11-21T00:00:00Z", "2026-11-21T00:00:00", "9" * 20,
     "9999-12-31", "0001-01-01", "1795190400000", "15m", "0s", "9999999d", "Asia/Shanghai", "..", "kWh", "MW", "asc",
     "desc", "csv", "rows", "epoch_ms", "full", "end", "-1d", "-9999w", "%00", "😀", "[", "*", "day", "year"]
)  # fmt: skip
GETS = [operation for operation in all_operations() if operation.method == "GET"]


@st.composite
def requests(draw: st.DrawFn) -> URL:
    """A GET of any route, its places and parameters filled with words that fit and words that do not."""
    operation = draw(st.sampled_from(GETS))
    path = re.sub(r"\{\w+(:[^}]*)?\}", lambda _: quote(draw(WORDS) or "p", safe=""), operation.paths()[0])
    names = [entry.name for entry in operation.parameters if entry.where == "query"]
    chosen = draw(st.lists(st.sampled_from(names), max_size=6)) if names else []
    return URL(f"{path}?{urlencode([(name, draw(WORDS)) for name in chosen])}", encoded=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(url=requests())
async def test_no_question_whatever_is_a_fault_of_ours(api: Api, url: URL) -> None:
    if not api.store.samples:
        await api.put_point("p", station="S1")
        await api.put_point("q", "kWh", "interval", station="S1")
        await api.ingest({"point": "p", "times": [1795190400000], "values": [1]})
    async with api.client.get(url) as response:
        assert response.status < 500, (url, await response.text())
        if response.status >= 400:
            assert response.content_type == "application/problem+json", url
