"""Heads of whole replies, as a client reads them."""

import io

import pytest
from aiohttp import web

from api import reply_head
from tests.unit.api.conftest import Api


def kept(response: web.Response) -> web.Response:
    response._keep_alive = True
    return response


def test_status_headers_and_length_in_one_piece() -> None:
    response = kept(web.Response(status=404, body=b"abc", content_type="text/csv", headers={"X-A": "1"}))
    head = reply_head.encode(response, 3).decode()
    assert head.startswith("HTTP/1.1 404 Not Found\r\n")
    assert head.endswith("\r\n\r\n")
    lines = head.split("\r\n")[1:-2]
    named = dict(line.split(": ", 1) for line in lines)
    assert named["Content-Length"] == "3"
    assert named["Content-Type"] == "text/csv"
    assert named["X-A"] == "1"
    assert "Date" in named
    assert "Connection" not in named


def test_a_reply_without_body_tells_no_length() -> None:
    assert b"Content-Length" not in reply_head.encode(kept(web.Response(status=204)), 0)


def test_an_end_of_the_connection_is_told() -> None:
    response = web.Response()
    response.force_close()
    assert b"\r\nConnection: close\r\n" in reply_head.encode(response, 0)


@pytest.mark.parametrize("value", ["a\r\nX-B: 2", "a\nb", "a\rb"])
def test_a_header_cannot_hold_another(value: str) -> None:
    response = kept(web.Response())
    response.headers["X-A"] = value
    with pytest.raises(ValueError, match="line end"):
        reply_head.encode(response, 0)


def test_what_is_a_whole_body() -> None:
    assert reply_head.whole_body(web.Response(body=b"abc")) == b"abc"
    assert reply_head.whole_body(web.Response(status=204)) == b""
    assert reply_head.whole_body(web.Response(status=304, body=b"abc")) is None
    assert reply_head.whole_body(web.StreamResponse()) is None
    assert reply_head.whole_body(web.Response(body=io.BytesIO(b"a"))) is None


async def test_large_and_small_replies_arrive_whole_and_the_connection_stays(api: Api) -> None:
    small = await api.get("/healthz", **{"Accept-Encoding": "identity"})
    large = await api.get("/openapi.json", **{"Accept-Encoding": "identity"})
    assert int(large.headers["Content-Length"]) == len(await large.read()) > reply_head.JOINED_BYTES_MAX
    assert int(small.headers["Content-Length"]) == len(await small.read())
    for response in (small, large):
        assert response.headers["Server"] == "historian"
        assert response.headers["X-Request-Id"]
        assert "Connection" not in response.headers


async def test_a_head_request_has_the_headers_alone(api: Api) -> None:
    response = await api.client.head("/healthz")
    assert response.status == 200
    assert int(response.headers["Content-Length"]) > 0
    assert await response.read() == b""
