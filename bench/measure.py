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

from bench.client import TOKEN_VARIABLE, Client, request_bytes

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0
SETTLE_TIMEOUT_S = 180.0


class Server(NamedTuple):
    """A running historian."""

    process: subprocess.Popen[bytes]
    host: str
    port: int
    data: Path
    log: Path

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
def server(data: Path, settings: str = "", *, has_auth: bool = False) -> Iterator[Server]:
    """A historian on a free port and an own data folder, with no substations; stopped in order.

    With `has_auth` access control is on, and the requests of `bench.client` carry a token that is made before the start.
    """
    port = free_port()
    config = data.parent / "bench.toml"
    config.write_text("substations = []\n" + settings)
    command = [sys.executable, "-m", "historian.cli", "run", "--config", str(config), "--data", str(data)]
    os.environ.pop(TOKEN_VARIABLE, None)
    if has_auth:
        os.environ[TOKEN_VARIABLE] = _make_token(data)
    log = data.parent / "bench.log"
    written = log.open("wb")
    process = subprocess.Popen(
        [*command, "--listen", f"127.0.0.1:{port}", "--auth", "on" if has_auth else "off"],
        cwd=ROOT,
        stdout=written,
        stderr=subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    )
    started = Server(process, "127.0.0.1", port, data, log)
    try:
        wait_ready(started, "/readyz")
        yield started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_TIMEOUT_S)
        written.close()


def request(connection: Client, method: str, path: str, body: bytes, kind: str) -> bytes:
    """Send one request and read its answer; raises RuntimeError for any status above 299."""
    return connection.request(method, path, body, kind if body else "")


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ingest_figures(
    cpu_s: Callable[[], float],
    send: Callable[[], object],
    point_count: int,
    is_pending: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """What sending costs until the last acknowledgement, and until the background's work on it is done."""
    before_s, start_s = cpu_s(), time.perf_counter()
    send()
    wall_s, acknowledged_s = time.perf_counter() - start_s, cpu_s() - before_s
    deadline_s = time.monotonic() + SETTLE_TIMEOUT_S
    while is_pending() and time.monotonic() < deadline_s:
        time.sleep(0.5)
    wait_until_quiet(cpu_s)
    settled_s = cpu_s() - before_s
    return {
        "points_a_second": round(point_count / wall_s),
        "cpu_s_per_million_points": round(acknowledged_s / point_count * 1e6, 4),
        "cpu_s_per_million_points_settled": round(settled_s / point_count * 1e6, 4),
    }


def wait_until_quiet(cpu_s: Callable[[], float], quiet_s: float = 1.5) -> None:
    """Until a process used less than 6 % of a processor for so long; the system counts in steps of 10 ms."""
    deadline_s = time.monotonic() + SETTLE_TIMEOUT_S
    quiet_since_s, used_s = time.monotonic(), cpu_s()
    while time.monotonic() - quiet_since_s < quiet_s and time.monotonic() < deadline_s:
        time.sleep(0.5)
        before_s, used_s = used_s, cpu_s()
        if used_s - before_s > 0.06 * 0.5:
            quiet_since_s = time.monotonic()


def metric(server: Server, name: str) -> float | None:
    """A metric without labels as the server tells it."""
    for line in server.connect().request("GET", "/metrics").decode().splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    return None


def folder_bytes(folder: Path) -> int:
    """Size of all files below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def repeats_of(query: str, repeats: int) -> int:
    """Long queries are asked a tenth as often."""
    return max(3, repeats // 10) if query in ("Q4", "Q6") else repeats


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


def _make_token(data: Path) -> str:
    data.mkdir(exist_ok=True)
    rights = [option for right in ("read", "write", "configure") for option in ("--right", right)]
    command = [
        sys.executable,
        "-m",
        "historian.cli",
        "access",
        "token",
        "bench",
        *rights,
        "--data",
        str(data),
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.split()[-1]


def wait_ready(started: Server, path: str) -> None:
    """Wait until a GET of `path` is answered well; raises RuntimeError where the server ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if started.process.poll() is not None:
            last = started.log.read_text(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"the server ended at once with code {started.process.returncode}: {last}")
        with contextlib.suppress(OSError, RuntimeError):
            started.connect().request("GET", path)
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server was not ready within {START_TIMEOUT_S} s")
