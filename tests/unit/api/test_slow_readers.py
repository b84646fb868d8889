"""Who does not take replies is cut; who takes them slowly but well enough is not."""

import asyncio
import re

import pytest

from api.slow_readers import REPLY_RATE_BYTES_S_MIN, Connection, SlowReaders
from historian.clock import ManualClock
from historian.metrics import Metrics
from historian.settings import MEBIBYTE, ServerSettings, Settings
from tests.unit.api.conftest import Api

STALL_S = 5


class Reader:
    """A connection with a backlog that the test sets."""

    def __init__(self, readers: SlowReaders, name: str = "a") -> None:
        self.unsent = 0
        self.is_cut = False
        self.connection = Connection(name, lambda: self.unsent, self._abort)
        readers.opened(self.connection)

    def _abort(self) -> None:
        self.is_cut = True


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def readers(clock: ManualClock) -> SlowReaders:
    limits = ServerSettings(reply_stall_s=STALL_S, unsent_bytes_max=10 * MEBIBYTE)
    return SlowReaders(limits, clock, Metrics().counter("historian_cut_total", ""))


def pass_seconds(
    readers: SlowReaders, clock: ManualClock, reader: Reader, taken_bytes_s: int, count: int
) -> None:
    for _ in range(count):
        clock.advance(1)
        reader.unsent = max(0, reader.unsent - taken_bytes_s)
        readers.sweep()


def test_one_that_takes_nothing_is_cut_after_the_stall(readers: SlowReaders, clock: ManualClock) -> None:
    reader = Reader(readers)
    reader.unsent = MEBIBYTE
    readers.sweep()
    pass_seconds(readers, clock, reader, 0, STALL_S - 1)
    assert not reader.is_cut
    pass_seconds(readers, clock, reader, 0, 1)
    assert reader.is_cut


def test_one_that_takes_the_least_rate_goes_on(readers: SlowReaders, clock: ManualClock) -> None:
    reader = Reader(readers)
    reader.unsent = MEBIBYTE
    readers.sweep()
    pass_seconds(readers, clock, reader, REPLY_RATE_BYTES_S_MIN, 20)
    assert not reader.is_cut


def test_one_that_takes_less_is_cut(readers: SlowReaders, clock: ManualClock) -> None:
    reader = Reader(readers)
    reader.unsent = MEBIBYTE
    readers.sweep()
    pass_seconds(readers, clock, reader, REPLY_RATE_BYTES_S_MIN // 2, STALL_S)
    assert reader.is_cut


def test_one_that_uses_up_its_backlog_now_and_then_goes_on(readers: SlowReaders, clock: ManualClock) -> None:
    reader = Reader(readers)
    for _ in range(10):
        reader.unsent = 64 * 1024
        readers.sweep()
        pass_seconds(readers, clock, reader, 0, STALL_S - 1)
        readers.drained(reader.connection)
    assert not reader.is_cut


def test_too_much_in_all_cuts_who_waited_longest(readers: SlowReaders, clock: ManualClock) -> None:
    first, second = Reader(readers, "a"), Reader(readers, "b")
    first.unsent = 6 * MEBIBYTE
    readers.sweep()
    clock.advance(1)
    second.unsent = 6 * MEBIBYTE
    readers.sweep()
    assert first.is_cut
    assert not second.is_cut


def test_one_that_is_gone_is_asked_no_more(readers: SlowReaders, clock: ManualClock) -> None:
    reader = Reader(readers)
    reader.unsent = MEBIBYTE
    readers.sweep()
    readers.closed(reader.connection)
    readers.drained(reader.connection)
    clock.advance(2 * STALL_S)
    readers.sweep()
    assert not reader.is_cut


class TestOnASocket:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(server=ServerSettings(reply_stall_s=1))

    async def test_requests_without_end_whose_replies_nobody_takes(self, api: Api) -> None:
        """Replies of 5,000 requests would be gigabytes: the second is made when the first is taken."""
        assert api.client._base_url is not None
        _, writer = await asyncio.open_connection("127.0.0.1", api.client._base_url.port, limit=1024)
        writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 5000)
        async with asyncio.timeout(20):
            while "historian_http_readers_cut_total 1" not in await (await api.get("/metrics")).text():
                api.context.clock.advance(0.5)  # type: ignore[attr-defined]
        assert (await api.get("/healthz")).status == 200
        made = re.search(
            r'operation="getOpenapi",status="200"} (\d+)', await (await api.get("/metrics")).text()
        )
        assert made is not None
        assert int(made[1]) < 100
        writer.close()
