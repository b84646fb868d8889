"""Large replies are packed for those who take it, and say so."""

import gzip
import json

import aiohttp
import pytest
import zstandard
from multidict import CIMultiDictProxy
from yarl import URL

from api.packed_reply import PACKED_BYTES_MIN, choose_coding
from tests.unit.api.conftest import Api

COUNT = 5000


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("", ""),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("GZIP;q=1.0, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip;q=0", ""),
        ("*", "zstd"),
        ("*;q=0", ""),
        ("zstd;q=0, *", "gzip"),
        ("zstd;q=x", ""),
        ("br, identity", ""),
    ],
)
def test_the_coding_is_the_one_the_client_weighs_most(accept: str, coding: str) -> None:
    assert choose_coding(accept) == coding


async def ask(api: Api, accept: str, limit: int = COUNT) -> tuple[bytes, CIMultiDictProxy[str]]:
    """Body as it came, and headers."""
    await api.put_point("a")
    await api.ingest({"point": "a", "times": list(range(COUNT)), "values": [i / 8 for i in range(COUNT)]})
    path = f"/api/v1/points/a/recorded?start=0&end={COUNT}&limit={limit}"
    assert api.client._base_url is not None
    url = str(api.client._base_url.join(URL(path)))
    async with (
        aiohttp.ClientSession(auto_decompress=False) as client,
        client.get(url, headers={"Accept-Encoding": accept}) as response,
    ):
        return await response.read(), response.headers


async def test_a_large_reply_is_packed_as_asked(api: Api) -> None:
    plain, headers = await ask(api, "identity")
    assert len(plain) > PACKED_BYTES_MIN
    assert ("Content-Encoding" in headers, headers["Vary"]) == (False, "Accept-Encoding")
    packed, headers = await ask(api, "gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    packed, headers = await ask(api, "zstd, gzip")
    assert headers["Content-Encoding"] == "zstd"
    assert zstandard.decompress(packed) == plain
    assert len(packed) == int(headers["Content-Length"]) < len(plain) / 3


async def test_a_small_reply_is_not(api: Api) -> None:
    body, headers = await ask(api, "zstd", limit=5)
    assert "Content-Encoding" not in headers
    assert len(json.loads(body)["values"]) == 5
