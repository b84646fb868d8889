"""Against a small HTTP server on the loopback, which answers, lets connections go, and is silent, as told."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from historian.client import wire
from historian.client.exchange import Lost, Overdue, Reply, Request, Target
from historian.client.wire import Stream, Wire


class Script:
    """What the server is to do."""

    def __init__(self) -> None:
        self.connection_count = 0
        self.is_letting_go = False  # the server closes without saying so
        self.says_close = False
        self.body = b"fine"
        self.silence = threading.Event()  # set: answer at once
        self.silence.set()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def address(script: Script) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            script.connection_count += 1

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.silence.wait(10)
            self.send_response(404 if "absent" in self.path else 200)
            if script.says_close:
                self.send_header("Connection", "close")
            self.send_header("Content-Length", str(len(script.body)))
            self.send_header("X-Path", self.path)
            self.end_headers()
            self.wfile.write(script.body)
            self.close_connection |= script.is_letting_go

        do_POST = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: the test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/base/"
    script.silence.set()
    server.shutdown()
    server.server_close()
    thread.join()


class Client:
    """A wire and its target; the clock stands still unless told."""

    def __init__(self, address: str) -> None:
        self.now_s = 0.0
        self.target = Target(address, "")
        self.wire = Wire(self.target, lambda: self.now_s)

    def get(self, path: str = "/x", timeout_s: float = 10.0) -> Any:
        return self.wire.send(self.target.wire(Request("GET", path)), timeout_s)


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    client = Client(address)
    yield client
    client.wire.close()


def test_connection_is_kept(script: Script, client: Client) -> None:
    for _ in range(3):
        reply = client.get()
        assert (reply.status, reply.body, reply.headers["x-path"]) == (200, b"fine", "/base/x")
    assert script.connection_count == 1


@pytest.mark.parametrize("says_close", [True, False])
def test_connection_that_was_let_go_is_opened_anew(script: Script, client: Client, says_close: bool) -> None:
    script.is_letting_go, script.says_close = True, says_close
    for _ in range(3):
        reply = client.get()
        if isinstance(reply, Lost):  # the end came after the look: the next one opens anew
            reply = client.get()
        assert reply.body == b"fine"
    assert script.connection_count == 3


def test_silence_ends_at_the_deadline(script: Script, client: Client) -> None:
    script.silence.clear()
    assert client.get(timeout_s=0.02) == Overdue()
    assert client.get(timeout_s=0) == Overdue()


def test_the_deadline_is_for_the_whole_answer(address: str) -> None:
    client = Client(address)

    def ticking() -> float:  # three seconds between any two looks: each wait is short, all together are not
        client.now_s += 3.0
        return client.now_s

    client.wire = Wire(client.target, ticking)
    assert client.get(timeout_s=10.0) == Overdue()
    assert client.get(timeout_s=30.0).body == b"fine"
    client.wire.close()


def test_nobody_there_and_too_much_are_lost(
    script: Script, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Client("http://127.0.0.1:1").get()
    assert isinstance(lost, Lost)
    assert "refused" in lost.reason
    monkeypatch.setattr(wire, "REPLY_BYTES_MAX", 3)
    assert client.get() == Lost("the answer is larger than 3 bytes")


def test_idle_connections_are_few(client: Client, monkeypatch: pytest.MonkeyPatch, script: Script) -> None:
    monkeypatch.setattr(wire, "IDLE_CONNECTIONS_MAX", 0)
    client.get()
    client.get()
    assert script.connection_count == 2


def test_a_stream_is_read_until_it_ends(script: Script, client: Client) -> None:
    request = client.target.wire(Request("GET", "/x"))
    stream = client.wire.stream(request, 10.0, 10.0)
    assert isinstance(stream, Stream)
    assert b"".join(stream.parts()) == b"fine"
    stream.close()
    refusal = client.wire.stream(client.target.wire(Request("GET", "/absent")), 10.0, 10.0)
    assert isinstance(refusal, Reply)
    assert (refusal.status, refusal.body) == (404, b"fine")
    script.silence.clear()
    assert client.wire.stream(request, 0.02, 10.0) == Overdue()
    assert isinstance(Client("http://127.0.0.1:1").wire.stream(request, 1.0, 1.0), Lost)
