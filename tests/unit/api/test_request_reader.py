"""What is no HTTP request is answered as everything else is: by a problem, without a stack trace anywhere."""

import asyncio
import json
import logging

import pytest

from tests.unit.api.conftest import Api

WITHIN_S = 5.0


async def send(api: Api, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer, which ends with the connection."""
    assert api.client._base_url is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", api.client._base_url.port)
    writer.write(request)
    async with asyncio.timeout(WITHIN_S):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"x" * 10_000 + b"\r\n\r\n",
        b"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["no request", "long address", "long header", "broken chunk"],
)
async def test_it_is_a_problem_and_no_stack_trace(
    api: Api, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        head, body = await send(api, request_bytes)
    assert b" 400 " in head.splitlines()[0]
    assert b"application/problem+json" in head
    assert b"Server: historian" in head
    told = json.loads(body)
    assert told["type"] == "/problems/bad-request"
    assert f"X-Request-Id: {told['request_id']}".encode() in head
    assert len(told["detail"]) < 300
    assert caplog.records == []
    assert "historian_http_unreadable_total 1" in await (await api.get("/metrics")).text()


async def test_the_connection_after_it_is_served(api: Api) -> None:
    await send(api, b"NONSENSE\r\n\r\n")
    assert (await api.get("/healthz")).status == 200
