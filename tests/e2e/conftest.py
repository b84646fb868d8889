"""A really running historian with its demo, and a browser to look at its page."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.server_process import free_port

READY_WITHIN_S = 200.0  # a first start compiles the kernels
DEMO_WITHIN_S = 90.0
STOP_WITHIN_S = 5.0
CHROMIUM_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Historian(NamedTuple):
    """A running historian: its address and how to talk to it."""

    address: str
    log: Path

    def get(self, path: str) -> Any:
        """The JSON answer of the API."""
        return self._ask(urllib.request.Request(f"{self.address}/api/v1/{path}"))

    def send(self, method: str, path: str, body: object) -> Any:
        """Send JSON and return the JSON answer."""
        request = urllib.request.Request(
            f"{self.address}/api/v1/{path}",
            data=json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        return self._ask(request)

    def _ask(self, request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def historian(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Historian, None, None]:
    """The demo in a process of its own over an empty data folder; it must stop cleanly in time."""
    folder = tmp_path_factory.mktemp("historian")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "historian.cli",
        "run",
        "--config",
        str(config_with_free_ports(root, folder)),
    ]
    command += ["--data", str(folder / "data"), "--listen", f"127.0.0.1:{port}", "--demo"]
    running = Historian(f"http://127.0.0.1:{port}", folder / "log")
    with running.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=root, stdout=log, stderr=log)
    try:
        wait_until("ready", READY_WITHIN_S, running, process, is_ready)
        wait_until("the demo data", DEMO_WITHIN_S, running, process, has_demo_data)
        yield running
        stop(process, running)
    finally:
        end(process)


def config_with_free_ports(root: Path, folder: Path) -> Path:
    """A copy of the shipped configuration whose simulated devices listen where nobody else does."""
    shutil.copytree(root / "config", folder / "config")
    for substation in (folder / "config" / "substations").glob("*.toml"):
        text = substation.read_text(encoding="utf-8")
        moved = re.sub(r"^port = [0-9]+", lambda _: f"port = {free_port()}", text, flags=re.MULTILINE)
        substation.write_text(moved, encoding="utf-8")
    return folder / "config" / "historian.toml"


def end(process: "subprocess.Popen[bytes]") -> None:
    """Whatever happened, nothing is left running: asked first, so that it can stop its simulators."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_ready(running: Historian) -> bool:
    """Whether /readyz says so."""
    with urllib.request.urlopen(f"{running.address}/readyz", timeout=5) as answer:
        return bool(answer.status == 200)


def has_demo_data(running: Historian) -> bool:
    """Whether the steel works' year is in, to its last quarter of an hour."""
    newest = running.get("latest?points=steel.import.energy")["latest"][0]
    return str(newest["time"]).startswith("2018-12-31T14:45")


def wait_until(
    what: str,
    within_s: float,
    running: Historian,
    process: "subprocess.Popen[bytes]",
    is_true: Callable[[Historian], bool],
) -> None:
    """Ask until it is so; fail with the historian's log when it ends or takes too long."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        try:
            if is_true(running):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass  # not listening yet, or not ready: the log tells if it fails
        if process.poll() is not None:
            break
        time.sleep(0.2)
    tail = running.log.read_text(errors="replace")[-3000:]
    pytest.fail(f"the historian did not reach “{what}” within {within_s:g} s; its log ends:\n{tail}")


def stop(process: "subprocess.Popen[bytes]", running: Historian) -> None:
    """Ctrl-C: it ends by itself, in time and with success."""
    process.send_signal(signal.SIGINT)
    try:
        code = process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        pytest.fail(f"the historian was still running {STOP_WITHIN_S:g} s after SIGINT")
    tail = running.log.read_text(errors="replace")[-3000:]
    assert code == 0, f"the historian ended with {code}; its log ends:\n{tail}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, driven over its debugging pipe; no browser is downloaded.

    For one module only: while it is open an event loop runs in this thread, which no other test may meet.
    """
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("needs Debian's package chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, historian: Historian) -> Iterator[Callable[..., Page]]:
    """Opens the page at a fragment (`#point=…`) in a fresh profile.

    A fault in the browser's console fails the test, but for those that match `tolerated`.
    """
    faults: list[tuple[str, str]] = []
    contexts: list[BrowserContext] = []

    def open_page(
        fragment: str = "",
        *,
        language: str = "en-GB",
        width: int = 1366,
        height: int = 768,
        tolerated: str = "(?!)",
    ) -> Page:
        context = browser.new_context(locale=language, viewport={"width": width, "height": height})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append((tolerated, str(error))))
        page.on(
            "console", lambda said: faults.append((tolerated, said.text)) if said.type == "error" else None
        )
        page.goto(f"{historian.address}/{fragment}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    unexpected = [text for tolerated, text in faults if re.search(tolerated, text) is None]
    assert not unexpected, unexpected
