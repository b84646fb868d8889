"""Connections over a cap are told so and closed; those within go on."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.connection_gate import Caps
from historian.metrics import Counter
from historian.settings import ServerSettings, Settings
from tests.unit.api.conftest import Api

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


async def connect(api: Api) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    assert api.client._base_url is not None
    return await asyncio.open_connection("127.0.0.1", api.client._base_url.port)


async def fill_and_ask_once_more(api: Api, count: int) -> tuple[bytes, list[asyncio.StreamWriter]]:
    """Open `count` living connections, then one more; what that one is told."""
    writers = []
    for _ in range(count):
        reader, writer = await connect(api)
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        writers.append(writer)
    reader, writer = await connect(api)
    writers.append(writer)
    async with asyncio.timeout(5):
        return await reader.read(), writers


class TestCapForEachAddress:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(server=ServerSettings(connections_per_address_max=3))

    async def test_one_too_many_is_told_and_closed(self, api: Api) -> None:
        answer, writers = await fill_and_ask_once_more(api, 3)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5" in head
        problem = json.loads(body)
        assert problem["type"] == "/problems/too-many-connections"
        assert "from 127.0.0.1" in problem["detail"]
        for writer in writers:
            writer.close()

    async def test_when_one_ends_another_may_come(self, api: Api) -> None:
        _, writers = await fill_and_ask_once_more(api, 3)
        writers[0].close()
        await writers[0].wait_closed()
        for _ in range(100):
            reader, writer = await connect(api)
            writer.write(GET)
            answer = await reader.readline()
            writer.close()
            if answer.startswith(b"HTTP/1.1 200"):
                break
        assert answer.startswith(b"HTTP/1.1 200")
        for writer in writers:
            writer.close()


class TestCapInAll:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(server=ServerSettings(connections_max=2))

    async def test_one_too_many_is_told_and_counted(self, api: Api) -> None:
        answer, writers = await fill_and_ask_once_more(api, 2)
        assert b"connections are open in all" in answer
        assert "historian_http_connections_refused_total 1" in api.context.metrics.to_prometheus_text()
        for writer in writers:
            writer.close()


class OfAddress:
    """A transport that knows its address only."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get_extra_info(self, name: str) -> tuple[str, int]:
        assert name == "peername"
        return self.address, 1


class TestHandshakes:
    def test_they_count_until_they_are_over(self) -> None:
        refused, limits = Counter(), ServerSettings(connections_max=3, connections_per_address_max=2)
        server: Any = SimpleNamespace(connections=[SimpleNamespace(transport=OfAddress("a"))])
        caps = Caps(server, limits, refused)
        mine, more, other, last = (cast("asyncio.Transport", OfAddress(one)) for one in "aabc")
        assert [caps.admit(one) for one in (mine, more, other, last)] == [True, False, True, False]
        assert refused.value == 2
        caps.shaken(mine)
        assert "in all" not in caps.reason_to_refuse(last)


class TestKeepAlive:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(server=ServerSettings(keepalive_s=1))

    async def test_an_idle_connection_is_closed(self, api: Api) -> None:
        reader, writer = await connect(api)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()

    async def test_a_head_that_never_ends_is_closed(self, api: Api) -> None:
        reader, writer = await connect(api)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
