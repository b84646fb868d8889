"""A real historian process on a free port, for tests that need the whole thing."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
READY_TIMEOUT_S = 200.0
STOP_TIMEOUT_S = 5.0  # what the product promises


def free_port() -> int:
    """A TCP port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """`historian run` as a process of its own; its log is in `log_path`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log_path: Path) -> None:
        self.process = process
        self.port = port
        self.log_path = log_path

    @property
    def base(self) -> str:
        """Address of the server, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @classmethod
    def start(
        cls, data: Path, config: Path | None = None, *options: str, environment: dict[str, str] | None = None
    ) -> "ServerProcess":
        """Start it; `wait_ready` tells when it serves. Nobody logs in unless the options say otherwise."""
        port = free_port()
        log_path = data.with_suffix(".log")
        command = [sys.executable, "-m", "historian.cli", "run", "--data", str(data), *options]
        command += ["--config", str(config)] if config else []
        command += ["--listen", f"127.0.0.1:{port}"]
        command += [] if "--auth" in options else ["--auth", "off"]
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=os.environ | (environment or {})
            )
        return cls(process, port, log_path)

    async def wait_ready(self, session: aiohttp.ClientSession) -> None:
        """Return when /readyz says so; raise with the log where the process ended instead."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"ended at once:\n{self.log}"
            try:
                async with session.get(f"{self.base}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
        raise TimeoutError(f"not ready within {READY_TIMEOUT_S} s:\n{self.log}")

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ask it to stop and wait as long as it may take; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_TIMEOUT_S)
