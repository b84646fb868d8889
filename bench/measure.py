"""A server process to measure, what it costs, and the form of results."""

import contextlib
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.client import Client, request_bytes

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 30.0


class Server(NamedTuple):
    """A running historian."""

    process: subprocess.Popen[bytes]
    host: str
    port: int
    data: Path

    def connect(self) -> Client:
        """A connection that stays open."""
        return Client(self.host, self.port)

    def cpu_s(self) -> float:
        """CPU seconds the process used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_ns(self) -> int:
        """CPU nanoseconds of the threads that run now: finer than `cpu_s`, for work that starts no threads."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)

    def memory_bytes(self) -> int:
        """Resident memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )


@contextlib.contextmanager
def server(data: Path, settings: str = "") -> Iterator[Server]:
    """A historian on a free port and an own data folder, with no substations; stopped in order."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = data.parent / "bench.toml"
    config.write_text("substations = []\n" + settings)
    command = [sys.executable, "-m", "historian.cli", "run", "--config", str(config), "--data", str(data)]
    process = subprocess.Popen(
        [*command, "--listen", f"127.0.0.1:{port}"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started = Server(process, "127.0.0.1", port, data)
    try:
        _wait_ready(started)
        yield started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_TIMEOUT_S)


def request(connection: Client, method: str, path: str, body: bytes, kind: str) -> bytes:
    """Send one request and read its answer; raises RuntimeError for any status above 299."""
    return connection.request(method, path, body, kind if body else "")


def get_timings_ms(connection: Client, path: str, repeats: int) -> dict[str, float]:
    """`timings_ms` of a GET made beforehand; the answer must be a good one."""
    connection.request("GET", path)
    prepared = request_bytes("GET", path, connection.host)
    return timings_ms(lambda: connection.exchange(prepared), repeats)


def timings_ms(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """p50 and p99 of `repeats` calls, after three that do not count."""
    for _ in range(3):
        work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    p99 = seconds[min(len(seconds) - 1, int(0.99 * len(seconds)))]
    return {"p50_ms": round(statistics.median(seconds) * 1e3, 3), "p99_ms": round(p99 * 1e3, 3)}


def write_result(name: str, figures: dict[str, Any]) -> None:
    """Print the figures as JSON, and keep them under bench/results."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    result = {
        "bench": name,
        "commit": commit,
        "machine": {
            "processors": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        **figures,
    }
    text = json.dumps(result, indent=1)
    folder = ROOT / "bench" / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(text + "\n")
    print(text)


def _wait_ready(started: Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if started.process.poll() is not None:
            raise RuntimeError(f"the server ended at once with code {started.process.returncode}")
        with contextlib.suppress(OSError, RuntimeError):
            request(started.connect(), "GET", "/readyz", b"", "text/plain")
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server was not ready within {START_TIMEOUT_S} s")
