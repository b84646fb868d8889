"""Sends the trail to a log server, over UDP, TCP or TLS, and goes on where it stopped.

The files themselves are the queue: nothing is lost while the log server is away, and no memory grows. Up to where they were sent is
kept in `audit/forwarded`; over a stream only what the other machine's TCP has acknowledged counts, so after a cut some
records come twice, which their numbers tell, and none is left out. UDP has no acknowledgement: what is lost on the way is lost.
"""

import asyncio
import contextlib
import fcntl
import os
import socket
import ssl
import struct
import termios
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from historian import logs
from historian.audit import reader, syslog
from historian.audit.trail import month_names
from historian.clock import Clock
from historian.errors import HistorianError
from historian.metrics import Metrics
from historian.settings import AuditSettings, LogServer, parse_syslog
from historian.store import filenames
from historian.store.durable import DurableFiles

POLL_S: Final = 1.0
ACKNOWLEDGED_POLL_S: Final = 0.05
CONNECT_S_MAX: Final = 10.0
ACKNOWLEDGED_S_MAX: Final = 30.0  # a log server that acknowledges nothing for so long is taken for gone
BACK_OFF_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
BATCH_MAX: Final = 200  # records sent before the place is kept
_ESTABLISHED: Final = 1  # Linux's word for it, the first byte of TCP_INFO

_LOG: Final = logs.EventLog("audit")


class Place(msgspec.Struct, frozen=True):
    """Up to where the trail was sent: a file, and bytes of it."""

    file: str = ""
    offset: int = 0
    number: int = 0


class _Batch(NamedTuple):
    messages: list[bytes]
    place: Place


class _Way:
    """An open way to the log server; UDP where there is no stream."""

    def __init__(self, writer: asyncio.StreamWriter | None, udp: socket.socket | None) -> None:
        self._writer = writer
        self._udp = udp

    async def send(self, messages: list[bytes], clock: Clock) -> None:
        """Return when the other side's TCP has them all; UDP: when they left. Raises OSError, TimeoutError."""
        if self._udp is not None:
            for message in messages:
                self._udp.send(message)
            return
        assert self._writer is not None, "a stream or UDP"
        self._require_alive()
        self._writer.write(b"".join(syslog.framed(message) for message in messages))
        async with asyncio.timeout(ACKNOWLEDGED_S_MAX):
            await self._writer.drain()
            while self._waiting_bytes():
                await clock.sleep(ACKNOWLEDGED_POLL_S)
        self._require_alive()  # a connection that was reset has nothing waiting either

    def _require_alive(self) -> None:
        """Raise ConnectionResetError where the other side closed: TCP still takes what nobody will read."""
        assert self._writer is not None, "a stream"
        stream = self._writer.get_extra_info("socket")
        is_open = not self._writer.transport.is_closing()
        if not is_open or stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED:
            raise ConnectionResetError("the log server closed the connection")

    def _waiting_bytes(self) -> int:
        """Written, and not acknowledged by the other machine."""
        assert self._writer is not None, "a stream"
        transport = self._writer.transport
        if transport.is_closing():
            return 0
        descriptor = self._writer.get_extra_info("socket").fileno()
        packed = fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0\0\0\0")
        waiting: int = struct.unpack("i", packed)[0]
        return waiting + transport.get_write_buffer_size()

    def close(self) -> None:
        if self._udp is not None:
            self._udp.close()
        if self._writer is not None:
            self._writer.close()


class Forwarder:
    """One task; `host` is this machine's name in the messages."""

    def __init__(
        self,
        folder: Path,
        files: DurableFiles,
        clock: Clock,
        metrics: Metrics,
        server: LogServer,
        tls: ssl.SSLContext | None,
        host: str,
    ) -> None:
        self._folder = folder
        self._files = files
        self._clock = clock
        self._server = server
        self._tls = tls
        self._host = host
        self._way: _Way | None = None
        self._place = Place()
        self._sent = metrics.counter("historian_audit_forwarded_total", "Records sent to the log server.")
        self._failed = metrics.counter(
            "historian_audit_forward_failed_total", "Attempts to send that failed."
        )
        metrics.gauge(
            "historian_audit_forwarded_number", "Number of the newest record sent", lambda: self._place.number
        )

    async def run(self) -> None:
        """Send what is there, wait, send on; until cancelled."""
        self._place = await asyncio.to_thread(self._kept_place)
        failures = 0
        try:
            while True:
                try:
                    is_more = await self.send_some()
                except (OSError, TimeoutError) as error:
                    self.close()
                    self._failed.add()
                    if failures == 0:
                        _LOG.warning("log_server_lost", server=self._server.host, problem=error)
                    await self._clock.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                    failures += 1
                    continue
                if failures and self._way is not None:
                    _LOG.info("log_server_back", server=self._server.host)
                    failures = 0
                if not is_more:
                    await self._clock.sleep(POLL_S)
        finally:
            self.close()

    async def send_some(self) -> bool:
        """Send a batch and keep the place behind it; False where nothing waits. Raises OSError, TimeoutError."""
        batch = await asyncio.to_thread(self._next_batch)
        if not batch.messages:
            return False
        if self._way is None:
            async with asyncio.timeout(CONNECT_S_MAX):
                self._way = await self._connected()
        await self._way.send(batch.messages, self._clock)
        await asyncio.to_thread(self._keep, batch.place)
        self._place = batch.place
        self._sent.add(len(batch.messages))
        return True

    async def _connected(self) -> _Way:
        host, port = self._server.host, self._server.port
        if self._server.transport == "udp":
            [first, *_] = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            udp = socket.socket(first[0], socket.SOCK_DGRAM)
            udp.connect(first[4])
            return _Way(None, udp)
        is_tls = self._server.transport == "tls"
        _, writer = await asyncio.open_connection(
            host, port, ssl=self._tls if is_tls else None, server_hostname=host if is_tls else None
        )
        return _Way(writer, None)

    def _next_batch(self) -> _Batch:
        place, messages = self._place, list[bytes]()
        for name in month_names(self._files, self._folder):
            if name < place.file:
                continue
            begin = place.offset if name == place.file else 0
            path = self._folder / name
            if begin > self._files.size_bytes(path):
                begin = 0  # another trail than the one that was sent: all of it
            with path.open("rb") as stored:
                for line in reader.lines_of(path, begin):
                    data = os.pread(stored.fileno(), line.end - line.offset, line.offset)
                    messages.append(syslog.message_of(line, data, self._host, os.getpid()))
                    place = Place(name, line.end, line.record.number)
                    if len(messages) == BATCH_MAX:
                        return _Batch(messages, place)
        return _Batch(messages, place)

    def _kept_place(self) -> Place:
        with contextlib.suppress(OSError, msgspec.DecodeError, msgspec.ValidationError):
            path = self._folder / filenames.AUDIT_FORWARDED
            return msgspec.json.decode(self._files.read(path), type=Place)
        return Place()

    def _keep(self, place: Place) -> None:
        self._files.publish(self._folder / filenames.AUDIT_FORWARDED, msgspec.json.encode(place))

    def close(self) -> None:
        """Leave the log server."""
        if self._way is not None:
            self._way.close()
            self._way = None


def open_forwarder(folder: Path, clock: Clock, metrics: Metrics, settings: AuditSettings) -> Forwarder:
    """As the settings say. Raises HistorianError where the file of certificates cannot be read."""
    server = parse_syslog(settings.syslog)
    try:
        tls = tls_context(settings.syslog_ca_file) if server.transport == "tls" else None
    except OSError as error:
        raise HistorianError(
            f"audit.syslog_ca_file: {settings.syslog_ca_file} cannot be read as certificates: {error}"
        ) from error
    return Forwarder(folder, DurableFiles(), clock, metrics, server, tls, socket.gethostname())


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Checks the log server's certificate and name, against `ca_file` or what the system trusts. Raises OSError."""
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
