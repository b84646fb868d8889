"""The way to a log server over real sockets: UDP, TCP, TLS; away for a while, and restarted in between."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from historian.audit import forward
from historian.audit.forward import Forwarder
from historian.audit.trail import Trail
from historian.clock import ManualClock
from historian.errors import HistorianError
from historian.metrics import Metrics
from historian.settings import AuditSettings, LogServer
from historian.store.durable import DurableFiles
from tests.support.disk_recorder import unsynced
from tests.unit.audit.conftest import NOW_US, entry, open_trail

HOST = "127.0.0.1"


class WireClock(ManualClock):
    """Sockets are real, so a pause is one, though a short one."""

    async def sleep(self, duration_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()


class LogServerStub:
    """Takes messages framed by octet counting."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.came = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._take, HOST, self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.sleep(0)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            while True:
                length = int(await reader.readuntil(b" "))
                message = await reader.readexactly(length)
                self.numbers.append(int(message.partition(b'"number":')[2].partition(b",")[0]))
                self.came.set()


@pytest.fixture
def clock() -> WireClock:
    return WireClock(NOW_US)


@pytest.fixture(autouse=True)
def _quick_disk() -> Iterator[None]:
    with unsynced():
        yield


@pytest.fixture
def trail(folder: Path, clock: ManualClock) -> Trail:
    return open_trail(folder, clock)


@pytest.fixture
async def stub() -> AsyncIterator[LogServerStub]:
    stub = LogServerStub()
    await stub.start()
    yield stub
    await stub.stop()


def forwarder_of(
    folder: Path, clock: ManualClock, server: LogServer, tls: ssl.SSLContext | None = None
) -> Forwarder:
    return Forwarder(folder, DurableFiles(), clock, Metrics(), server, tls, "historian.test")


async def until(stub: LogServerStub, numbers: list[int]) -> None:
    """Return when all of them are there; the last ones may be there twice, where it was cut off meanwhile."""
    async with asyncio.timeout(10):
        while sorted(set(stub.numbers)) != numbers:
            await stub.came.wait()
            stub.came.clear()


async def test_over_tcp_every_record_comes_once_and_a_restart_goes_on(
    folder: Path, clock: ManualClock, trail: Trail, stub: LogServerStub
) -> None:
    server = LogServer("tcp", HOST, stub.port)
    trail.append([entry()] * 250)
    task = asyncio.create_task(forwarder_of(folder, clock, server).run())
    await until(stub, list(range(1, 252)))
    task.cancel()
    await asyncio.wait([task])
    trail.append([entry()])
    task = asyncio.create_task(forwarder_of(folder, clock, server).run())
    await until(stub, list(range(1, 253)))
    assert stub.numbers.count(1) == 1
    task.cancel()
    await asyncio.wait([task])
    trail.close()


async def test_while_the_log_server_is_away_the_files_wait(
    folder: Path, clock: ManualClock, trail: Trail, stub: LogServerStub
) -> None:
    trail.append([entry()])
    task = asyncio.create_task(forwarder_of(folder, clock, LogServer("tcp", HOST, stub.port)).run())
    await until(stub, [1, 2])
    await stub.stop()
    trail.append([entry()] * 3)
    await clock.sleep(1)
    await stub.start()
    await until(stub, [1, 2, 3, 4, 5])
    task.cancel()
    await asyncio.wait([task])
    trail.close()


async def test_udp_sends_each_record_as_a_datagram(folder: Path, clock: ManualClock, trail: Trail) -> None:
    trail.append([entry()])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((HOST, 0))
        forwarder = forwarder_of(folder, clock, LogServer("udp", HOST, receiver.getsockname()[1]))
        assert await forwarder.send_some()
        assert not await forwarder.send_some()
        messages = [receiver.recv(65_536) for _ in range(2)]
        forwarder.close()
    assert all(message.startswith(b"<109>1 2026-11-22T08:00:00Z historian.test ") for message in messages)
    trail.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of 127.0.0.1, signed by itself, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=log", "-addext", f"subjectAltName=IP:{HOST}", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


async def test_tls_checks_the_log_servers_certificate(
    folder: Path, clock: ManualClock, trail: Trail, certificate: Path
) -> None:
    trail.append([entry()])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    stub = LogServerStub()
    await stub.start(context)
    server = LogServer("tls", HOST, stub.port)
    distrusting = forwarder_of(folder, clock, server, forward.tls_context(""))
    with pytest.raises(ssl.SSLCertVerificationError):
        await distrusting.send_some()
    distrusting.close()
    assert stub.numbers == []
    trusting = forwarder_of(folder, clock, server, forward.tls_context(str(certificate / "cert.pem")))
    task = asyncio.create_task(trusting.run())
    await until(stub, [1, 2])
    task.cancel()
    await asyncio.wait([task])
    await stub.stop()
    trail.close()


def test_a_file_of_certificates_that_is_none_stops_the_start(folder: Path, clock: ManualClock) -> None:
    settings = AuditSettings(syslog="tls://log.example", syslog_ca_file="/nowhere/ca.pem")
    with pytest.raises(HistorianError, match="syslog_ca_file"):
        forward.open_forwarder(folder, clock, Metrics(), settings)
    assert forward.open_forwarder(folder, clock, Metrics(), AuditSettings(syslog="udp://log.example"))
