"""Whether the process lives, whether it can write, and what it counted."""

import pytest

from historian.model.ports import StoreStatus
from tests.unit.api.conftest import Api


@pytest.mark.parametrize("base", ["", "/api/v1"])
async def test_the_process_answers(api: Api, base: str) -> None:
    assert await api.get_json(f"{base}/healthz") == {"status": "ok", "version": "1.2.3"}


@pytest.mark.parametrize("base", ["", "/api/v1"])
async def test_it_is_ready_where_a_durable_write_is_possible(api: Api, base: str) -> None:
    api.store.health = StoreStatus(is_writable=True, sequence=7, damage=["segment 3: bad CRC"])
    reply = await api.get_json(f"{base}/readyz")
    assert (reply["status"], reply["sequence"], reply["damage"]) == ("ready", 7, ["segment 3: bad CRC"])
    assert reply["quarantined_sample_count"] == 0


@pytest.mark.parametrize(
    ("cause", "status", "kind", "retry_after"),
    [("disk_reserve", 507, "disk-reserve", None), ("log_failed", 503, "log-failed", "30")],
)
async def test_it_is_not_ready_where_none_is(
    api: Api, cause: str, status: int, kind: str, retry_after: str | None
) -> None:
    api.store.health = StoreStatus(is_writable=False, cause=cause, detail="free some space")
    body = await api.problem("/readyz", status, kind)
    assert body["detail"] == "free some space"
    assert (await api.get("/readyz")).headers.get("Retry-After") == retry_after


async def test_metrics_are_prometheus_text(api: Api) -> None:
    api.context.metrics.counter("historian_test_total", "A test.").add()
    response = await api.get("/metrics")
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "historian_test_total 1" in await response.text()


async def test_a_head_request_is_answered_without_body(api: Api) -> None:
    response = await api.client.head("/healthz")
    assert (response.status, await response.read()) == (200, b"")
