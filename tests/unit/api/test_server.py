"""What every answer carries, and what happens where nothing is found."""

import logging
from typing import Any

import pytest
import uvloop
from aiohttp import ClientSession

from api.context import ApiContext
from api.server import make_app, start
from tests.unit.api.conftest import Api, expect_problem


async def test_a_request_id_is_given_back(api: Api) -> None:
    response = await api.get("/healthz", **{"X-Request-Id": "abc-1:2.3"})
    assert response.headers["X-Request-Id"] == "abc-1:2.3"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>"])
async def test_a_request_id_that_is_none_is_made_anew(api: Api, given: str) -> None:
    made = (await api.get("/healthz", **{"X-Request-Id": given})).headers["X-Request-Id"]
    assert made
    assert made != given


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/points", "/nowhere", "/static/app.js"])
async def test_every_answer_forbids_what_a_browser_might_do(api: Api, path: str) -> None:
    headers = (await api.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/api/v2/query", "/api/v1/points/a/b/c"])
async def test_an_unknown_path_is_a_problem(api: Api, path: str) -> None:
    body = await api.problem(path, 404, "route-not-found")
    assert body["instance"] == path


async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(api: Api) -> None:
    response = await api.client.delete("/api/v1/points/a")
    body = await expect_problem(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == "GET, HEAD, PATCH, PUT"
    assert "GET" in body["detail"]


async def test_an_unknown_parameter_is_a_problem(api: Api) -> None:
    body = await api.problem("/api/v1/points?statoin=S1", 400, "invalid-parameter")
    assert body["errors"][0]["parameter"] == "statoin"
    assert "did you mean station?" in body["detail"]


async def test_an_address_may_name_some_thousand_points(api: Api) -> None:
    await api.put_point("station.feeder.power")
    names = ",".join(["station.feeder.power"] * 2500)
    [row] = (await api.get_json(f"/api/v1/latest?points={names}"))["latest"]
    assert row["point"] == "station.feeder.power"


async def test_queries_tell_how_long_they_took(api: Api) -> None:
    await api.put_point("a")
    headers = (await api.get("/api/v1/latest?points=a")).headers
    assert headers["Server-Timing"].startswith("total;dur=")
    assert "Server-Timing" not in (await api.get("/healthz")).headers


async def test_requests_are_counted_by_operation_and_status(api: Api) -> None:
    await api.get("/healthz")
    await api.get("/nowhere/1")
    await api.get("/nowhere/2")
    text = await (await api.get("/metrics")).text()
    assert 'historian_http_requests_total{method="GET",operation="getHealth",status="200"} 1' in text
    assert 'historian_http_requests_total{method="any",operation="unmatched",status="404"} 2' in text


async def test_a_fault_of_ours_is_500_and_its_cause_is_in_the_log(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(api.context.registry, "stations", fail)
    with caplog.at_level(logging.ERROR, "historian.api"):
        body = await api.problem("/api/v1/stations", 500, "internal-error")
    assert "inside" not in body["detail"]
    assert body["request_id"] in body["detail"]
    fields = caplog.records[0].__dict__["fields"]
    assert fields["request_id"] == body["request_id"]
    assert "ZeroDivisionError" in fields["error"]
    assert "test_server.py" in fields["at"]


async def test_a_taken_address_is_an_os_error(api: Api) -> None:
    port = api.client._base_url.port if api.client._base_url else 0

    with pytest.raises(OSError, match="address"):
        await start(make_app(api.context), "127.0.0.1", port or 0)


def test_it_serves_under_uvloop(context: ApiContext) -> None:
    async def ask() -> tuple[int, str]:
        await context.rollup.open()
        runner = await start(make_app(context), "127.0.0.1", 0)
        host, port = runner.addresses[0][:2]
        async with ClientSession() as client, client.get(f"http://{host}:{port}/readyz") as response:
            answer = response.status, await response.text()
        await runner.cleanup()
        await context.rollup.close()
        return answer

    status, text = uvloop.run(ask())
    assert (status, '"ready"' in text) == (200, True)
