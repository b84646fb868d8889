import asyncio
import gc
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from drivers.errors import LinkLost
from drivers.iec104_link import Iec104Link
from drivers.iec104_settings import Iec104Settings
from tests.support.scripted_station import ScriptedStation

MEASURED = "0d 01 03 00 0100 e90300 0000803f 00"


def settings(port: int, **changes: object) -> Iec104Settings:
    fields = {"name": "d", "host": "127.0.0.1", "port": port, "start_timeout_s": 0.2, **changes}
    return Iec104Settings(**fields)  # type: ignore[arg-type]


class Received:
    """Takes ASDUs on c104's thread, gives them to the test on the loop."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def __call__(self, asdu: bytes) -> None:
        self._loop.call_soon_threadsafe(self._queue.put_nowait, asdu)

    async def next(self) -> bytes:
        async with asyncio.timeout(5.0):
            return await self._queue.get()


@asynccontextmanager
async def opened(station: ScriptedStation, received: object = None) -> AsyncIterator[Iec104Link]:
    link = Iec104Link(settings(station.port), received or Received())  # type: ignore[arg-type]
    try:
        await link.open()
        yield link
    finally:
        await link.close()


async def test_open_starts_data_transfer() -> None:
    async with ScriptedStation() as station, opened(station):
        assert (station.connection_count, station.start_count) == (1, 1)


async def test_received_asdu_is_handed_on_without_its_frame() -> None:
    async with ScriptedStation() as station:
        received = Received()
        async with opened(station, received):
            station.tell(MEASURED)
            assert await received.next() == bytes.fromhex(MEASURED)


async def test_interrogations_are_sent_as_activations_of_the_whole_station() -> None:
    async with ScriptedStation() as station, opened(station) as link:
        await link.interrogate(1)
        await link.interrogate_counters(1)
        await station.wait_until_told(101)
        assert [asdu.hex(" ") for asdu in station.asdus] == [
            "64 01 06 00 01 00 00 00 00 14",
            "65 01 06 00 01 00 00 00 00 05",  # QCC 5: all counters, read without freeze or reset
        ]


async def test_clock_is_sent_only_when_asked_for() -> None:
    async with ScriptedStation() as station, opened(station) as link:
        await link.synchronise_clock(1)
        await station.wait_until_told(103)


async def test_unconfirmed_start_is_sent_a_second_time() -> None:
    async with ScriptedStation(ignored_start_count=1) as station, opened(station):
        assert (station.connection_count, station.start_count) == (1, 2)


async def test_station_that_never_confirms_the_start_is_given_up() -> None:
    async with ScriptedStation(ignored_start_count=100) as station:
        with pytest.raises(LinkLost, match="STARTDT") as loss:
            async with opened(station):
                pass
        assert loss.value.cause == "timeout"


async def test_refused_connection_is_a_lost_link() -> None:
    async with ScriptedStation() as station:
        pass  # gone again: nobody listens on its port
    with pytest.raises(LinkLost, match="cannot be reached") as loss:
        async with opened(station):
            pass
    assert loss.value.cause == "link_down"


async def test_unknown_host_is_a_lost_link() -> None:
    link = Iec104Link(settings(2404, host="no-such-host.invalid"), Received())
    with pytest.raises(LinkLost, match=r"no-such-host\.invalid"):
        await link.open()
    await link.close()


async def test_watch_ends_when_the_station_hangs_up() -> None:
    async with ScriptedStation() as station, opened(station) as link:
        station.hang_up()
        with pytest.raises(LinkLost, match="broke"):
            await link.watch(5.0)


async def test_watch_of_a_good_link_ends_in_time() -> None:
    async with ScriptedStation() as station, opened(station) as link:
        await link.watch(0.01)


async def test_request_on_a_broken_link_is_refused() -> None:
    async with ScriptedStation() as station, opened(station) as link:
        station.hang_up()
        with pytest.raises(LinkLost):
            await link.watch(5.0)
        with pytest.raises(LinkLost):
            await link.interrogate(1)


async def test_closed_link_does_not_connect_again() -> None:
    async with ScriptedStation() as station:
        async with opened(station):
            station.hang_up()
        # c104 itself would be back within a second
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(station.wait_until_started(times=2), 1.5)
        assert station.connection_count == 1


async def test_fault_of_the_receiver_loses_the_link_instead_of_deafening_it() -> None:
    def broken(asdu: bytes) -> None:
        raise KeyError(asdu[0])

    async with ScriptedStation() as station, opened(station, broken) as link:
        station.tell(MEASURED)
        with pytest.raises(LinkLost, match="fault of this program"):
            await link.watch(5.0)


@pytest.fixture
def small_heap() -> Iterator[None]:
    """A collection looks only at what the test makes: after thousands of tests a whole one takes a second."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("small_heap")
async def test_cancelled_connect_attempt_does_not_stop_the_other_threads() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, FullBacklog(listener):
        link = Iec104Link(settings(listener.getsockname()[1], connect_timeout_s=12), Received())
        opening = asyncio.ensure_future(link.open())
        await asyncio.wait([opening], timeout=0.2)
        opening.cancel()
        await asyncio.wait([opening])
        with LongestPause() as pause:
            await link.close()
            del link, opening
            gc.collect()
            await asyncio.to_thread(threading.Event().wait, 0.1)
        assert pause.longest_s < 6.0  # the fault would last the connect timeout; a busy machine does not


@pytest.mark.parametrize("round_index", range(5))
async def test_link_opens_every_time(round_index: int) -> None:
    async with ScriptedStation() as station, opened(station):
        assert station.start_count == 1, f"c104's own start failed in one of twenty ({round_index})"


class LongestPause:
    """The longest time in which another Python thread did not run."""

    def __enter__(self) -> "LongestPause":
        self.longest_s = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        before_s = time.monotonic()
        while not self._is_over.wait(0.01):
            now_s = time.monotonic()
            self.longest_s, before_s = max(self.longest_s, now_s - before_s), now_s


class FullBacklog:
    """Fills a listener's backlog, so that the next connect hangs."""

    def __init__(self, listener: socket.socket) -> None:
        self._address = listener.getsockname()
        self._waiting: list[socket.socket] = []

    def __enter__(self) -> None:
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(self._address)
            self._waiting.append(waiting)

    def __exit__(self, *_: object) -> None:
        for waiting in self._waiting:
            waiting.close()
