"""One connection of c104, awaitable: the only module of the collecting side that knows c104.

c104 2.2 calls back on threads of its own. What its faults ask for, and where it is done here:

* It may never send STARTDT by itself: the connection opens muted, `open` starts data transfer
  and waits for the confirmation on the wire, not for c104's own state.
* It reconnects for ever, each second: a link is used once, and `close` stops the client.
* A callback that raises is removed, which would leave the driver deaf: the link counts as lost.
* Freeing a client whose connect attempt hangs stops every Python thread until the attempt ends:
  a client is kept until its connection says that it is closed.
* Callback signatures are compared literally, so they are annotated with c104's own types.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

import c104

from drivers.codec.apci import ControlFunction, asdu_of, control_function
from drivers.errors import LinkLost
from drivers.iec104_settings import Iec104Settings
from historian.errors import ProtocolError

TICK_MS: Final = 100
CONNECT_GRACE_S: Final = 1.0  # c104 gives up after t0; its word for that may take a few ticks
START_ATTEMPTS_MAX: Final = 2
CLOSED_POLL_S: Final = 0.1

_LOST_STATES: Final = (c104.ConnectionState.CLOSED, c104.ConnectionState.CLOSED_AWAIT_RECONNECT)


class Iec104Link:
    """A link to one controlled station, from `open` to `close`; it is not opened again.

    `on_asdu` gets each received ASDU on c104's thread. There is no way to send a command.
    """

    def __init__(self, settings: Iec104Settings, on_asdu: Callable[[bytes], None]) -> None:
        self._settings = settings
        self._on_asdu = on_asdu
        self._loop = asyncio.get_running_loop()
        self._has_news = asyncio.Event()
        self._is_connected = False
        self._is_started = False
        self._lost_detail = ""  # not empty once the link is lost
        self._lock = threading.Lock()
        self._is_closed = False
        self._client: c104.Client | None = None
        self._connection: c104.Connection | None = None

    async def open(self) -> None:
        """Connect and start data transfer. Raises LinkLost."""
        host = await self._resolved_host()
        await asyncio.to_thread(self._begin_connect, host)
        connect_timeout_s = self._settings.connect_timeout_s + CONNECT_GRACE_S
        if not await self._happens(lambda: self._is_connected, connect_timeout_s):
            raise LinkLost("link_down", f"no connection within {connect_timeout_s:g} s")
        for _ in range(START_ATTEMPTS_MAX):
            await self._call(lambda connection: connection.unmute())
            if await self._happens(lambda: self._is_started, self._settings.start_timeout_s):
                return
        raise LinkLost("timeout", "the station did not confirm the start of data transfer (STARTDT)")

    async def watch(self, duration_s: float) -> None:
        """Wait that long. Raises LinkLost as soon as the link is gone."""
        await self._happens(lambda: False, duration_s)

    async def interrogate(self, common_address: int) -> None:
        """Send a general interrogation. Raises LinkLost."""
        await self._call(lambda connection: connection.interrogation(common_address, wait_for_response=False))

    async def interrogate_counters(self, common_address: int) -> None:
        """Ask for all integrated totals, without freezing or resetting them. Raises LinkLost."""
        await self._call(
            lambda connection: connection.counter_interrogation(
                common_address, freeze=c104.Frz.READ, wait_for_response=False
            )
        )

    async def synchronise_clock(self, common_address: int) -> None:
        """Send this machine's time, in UTC. Raises LinkLost."""
        await self._call(lambda connection: connection.clock_sync(common_address, wait_for_response=False))

    async def close(self) -> None:
        """Disconnect."""
        with self._lock:
            self._is_closed = True
            client, connection = self._client, self._connection
            self._client = self._connection = None
        if client is None or connection is None:
            return
        await asyncio.to_thread(client.stop)
        if connection.state != c104.ConnectionState.CLOSED:
            threading.Thread(target=_keep_until_closed, args=(client, connection), daemon=True).start()

    async def _resolved_host(self) -> str:
        # c104 resolves names too, but then every Python thread waits for the name server.
        settings = self._settings
        try:
            found = await self._loop.getaddrinfo(
                settings.host, settings.port, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
        except OSError as error:
            raise LinkLost("link_down", f"host {settings.host!r} has no IPv4 address: {error}") from error
        return str(found[0][4][0])

    def _begin_connect(self, host: str) -> None:
        settings = self._settings
        client = c104.Client(tick_rate_ms=TICK_MS)
        connection = client.add_connection(host, settings.port, init=c104.Init.MUTED)
        assert connection is not None, "a client's first connection is always taken"
        connection.originator_address = settings.originator_address
        parameters = connection.protocol_parameters
        parameters.connection_timeout = settings.connect_timeout_s
        parameters.message_timeout = settings.confirm_timeout_s
        parameters.confirm_interval = settings.acknowledge_delay_s
        parameters.keep_alive_interval = settings.test_interval_s
        parameters.send_window_size = settings.send_window_apdus
        parameters.receive_window_size = settings.receive_window_apdus
        connection.on_receive_raw(self._on_frame)
        connection.on_state_change(self._on_state)
        with self._lock:
            # Cancelled while this thread was at work: nobody would stop the client.
            if not self._is_closed:
                self._client, self._connection = client, connection
                client.start()

    async def _call(self, request: Callable[[c104.Connection], bool]) -> None:
        connection = self._connection
        assert connection is not None, "a link is used between open and close"
        if not await asyncio.to_thread(request, connection):
            raise LinkLost("link_down", self._lost_detail or "the connection is not open")

    async def _happens(self, has_happened: Callable[[], bool], timeout_s: float) -> bool:
        """Whether it happens in time. Raises LinkLost if the link goes first."""
        try:
            async with asyncio.timeout(timeout_s):
                while not has_happened():
                    if self._lost_detail:
                        raise LinkLost("link_down", self._lost_detail)
                    self._has_news.clear()
                    await self._has_news.wait()
        except TimeoutError:
            return False
        return True

    def _on_frame(self, connection: c104.Connection, data: bytes) -> None:
        # On c104's thread.
        fault = "a frame could not be taken in: a fault of this program"
        try:
            function = control_function(data)
            if function is ControlFunction.INFORMATION:
                self._on_asdu(asdu_of(data))
            elif function is ControlFunction.STARTDT_CONFIRMATION:
                self._tell(self._note_started)
            fault = ""
        except ProtocolError as error:
            fault = str(error)
        finally:
            if fault:
                self._tell_lost(fault)

    def _on_state(self, connection: c104.Connection, state: c104.ConnectionState) -> None:
        # On c104's thread.
        if state == c104.ConnectionState.OPEN_MUTED:
            self._tell(self._note_connected)
        elif state in _LOST_STATES:
            # c104 tells no reason; whether it ever was connected says the rest.
            self._tell_lost("the connection broke" if self._is_connected else "the station cannot be reached")

    def _tell_lost(self, detail: str) -> None:
        self._tell(lambda: self._note_lost(detail))

    def _tell(self, note: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(note)
        except RuntimeError:
            # The loop is closed: the process ends while c104 still has something to say.
            return

    def _note_connected(self) -> None:
        self._is_connected = True
        self._has_news.set()

    def _note_started(self) -> None:
        self._is_started = True
        self._has_news.set()

    def _note_lost(self, detail: str) -> None:
        self._lost_detail = self._lost_detail or detail
        self._has_news.set()


def _keep_until_closed(client: c104.Client, connection: c104.Connection) -> None:
    # A daemon thread: at the end of the process it is left behind, with what it keeps.
    while connection.state != c104.ConnectionState.CLOSED:
        time.sleep(CLOSED_POLL_S)
