"""Bodies are refused by size before they are read, and cut by deadline and rate."""

import asyncio
import gzip
import json
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest
import zstandard

from api import body, problem
from api.problem import Problem
from historian.settings import ServerSettings, Settings
from tests.unit.api.conftest import Api, expect_problem

LIMIT = 4096


@pytest.fixture
def settings() -> Settings:
    return Settings(server=ServerSettings(body_bytes_max=LIMIT, body_deadline_s=1))


class RawClient:
    """Bytes out, bytes in: what no well-behaved client library sends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> tuple[int, dict[str, object]]:
        """Status and problem of the next answer."""
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
            text = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(head.split(" ")[1]), json.loads(text) if text else {}


@pytest.fixture
async def raw(api: Api) -> AsyncIterator[RawClient]:
    assert api.client._base_url is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", api.client._base_url.port)
    yield RawClient(reader, writer)
    writer.close()


def head(**headers: object) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(["POST /api/v2/write HTTP/1.1", "Host: x", *lines, "", ""]).encode()


async def test_a_declared_length_over_the_limit_is_refused_at_once(raw: RawClient) -> None:
    raw.writer.write(head(Content_Length=99_999_999))
    started_s = time.monotonic()
    status, told = await raw.answer()
    assert (status, told["type"]) == (413, "/problems/body-too-large")
    assert time.monotonic() - started_s < 0.5
    assert str(LIMIT) in str(told["detail"])


async def test_a_client_that_asks_first_is_refused_before_it_sends(raw: RawClient) -> None:
    raw.writer.write(head(Content_Length=99_999_999, Expect="100-continue"))
    assert (await raw.answer())[0] == 413


async def test_a_client_that_asks_first_may_go_on(raw: RawClient) -> None:
    line = b"m x=1"
    raw.writer.write(head(Content_Length=len(line), Expect="100-continue"))
    assert (await raw.answer())[0] == 100
    raw.writer.write(line)
    assert (await raw.answer())[0] == 204


async def test_a_stalled_body_is_cut_at_the_deadline(raw: RawClient) -> None:
    raw.writer.write(head(Content_Length=100) + b"m x=1\n")
    started_s = time.monotonic()
    status, told = await raw.answer()
    assert (status, told["type"]) == (408, "/problems/body-too-slow")
    assert 0.5 < time.monotonic() - started_s < 3


async def test_a_trickling_body_is_cut_by_its_rate(raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_GRACE_S", 0.1)
    raw.writer.write(head(Content_Length=100))
    started_s = time.monotonic()
    answer = asyncio.create_task(raw.answer())
    while not answer.done():
        raw.writer.write(b"#")
        await asyncio.wait([answer], timeout=0.02)
    assert (await answer)[0] == 408
    assert time.monotonic() - started_s < 0.9


async def test_a_body_in_chunks_is_measured_as_it_comes(raw: RawClient) -> None:
    raw.writer.write(head(Transfer_Encoding="chunked"))
    for _ in range(10):
        raw.writer.write(b"400\r\n" + b"#" * 0x400 + b"\r\n")
    assert (await raw.answer())[0] == 413


async def test_a_body_at_the_limit_is_taken(api: Api) -> None:
    assert (await api.client.post("/api/v2/write", data=b"#" * LIMIT)).status == 204


@pytest.mark.parametrize("encoding", ["br", "compress", "gzip, gzip"])
async def test_an_encoding_that_is_not_taken_is_415(api: Api, encoding: str) -> None:
    response = await api.client.post("/api/v2/write", data=b"x", headers={"Content-Encoding": encoding})
    await expect_problem(response, 415, "unsupported-media-type")
    assert response.headers["Accept-Encoding"] == "zstd, gzip, deflate"


def packed(body: bytes, encoding: str) -> bytes:
    """In one member."""
    match encoding:
        case "gzip":
            return gzip.compress(body)
        case "deflate":
            return zlib.compress(body)
    return zstandard.ZstdCompressor().compress(body)


ENCODINGS = pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])


@ENCODINGS
def test_a_bomb_is_never_unpacked_beyond_the_limit(encoding: str) -> None:
    bomb = packed(b" " * 50_000_000, encoding)
    tracemalloc.start()
    with pytest.raises(Problem) as caught:
        body._unpack(bomb, encoding, ServerSettings(body_bytes_max=LIMIT))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.kind is problem.BODY_TOO_LARGE
    assert peak_bytes < (40_000_000 if encoding == "zstd" else 1_000_000)


@ENCODINGS
def test_members_are_joined_and_there_may_not_be_many(encoding: str) -> None:
    limits = ServerSettings(body_bytes_max=LIMIT)
    assert (
        body._unpack(packed(b"a", encoding) + packed(b"b" * 2000, encoding), encoding, limits)
        == b"a" + b"b" * 2000
    )
    with pytest.raises(Problem) as caught:
        body._unpack(packed(b"", encoding) * (body.MEMBERS_MAX + 1), encoding, limits)
    assert caught.value.kind is problem.MALFORMED_BODY


@ENCODINGS
def test_the_limit_holds_over_all_members(encoding: str) -> None:
    limits = ServerSettings(body_bytes_max=LIMIT)
    half = packed(b"x" * (LIMIT // 2), encoding)
    assert len(body._unpack(half * 2, encoding, limits)) == LIMIT
    with pytest.raises(Problem) as caught:
        body._unpack(half * 2 + packed(b"x", encoding), encoding, limits)
    assert caught.value.kind is problem.BODY_TOO_LARGE


@ENCODINGS
@pytest.mark.parametrize("cut", [1, 5, -1])
def test_a_stream_that_ends_early_is_malformed(encoding: str, cut: int) -> None:
    text = bytes(range(256)) * 8
    with pytest.raises(Problem) as caught:
        body._unpack(packed(text, encoding)[:cut], encoding, ServerSettings())
    assert caught.value.kind is problem.MALFORMED_BODY


@ENCODINGS
async def test_every_wrapping_is_taken(api: Api, encoding: str) -> None:
    data = packed(b"m x=1", encoding)
    response = await api.client.post("/api/v2/write", data=data, headers={"Content-Encoding": encoding})
    assert response.status == 204
