"""Fixtures of every test tree, and the rule that in CI a skipped test is a failure."""

import asyncio
import gc
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import uvloop
from aiohttp import web_app

from tests.support.server_process import ServerProcess

ROOT = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("nightly", deadline=None, max_examples=2000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))


@pytest.fixture(scope="module", autouse=True)
def collect_garbage() -> Generator[None, None, None]:
    """What a module's tests leave: aiohttp remembers a thousand applications, and the collector counts objects,
    not megabytes.
    """
    yield
    web_app._cached_build_middleware.cache_clear()
    gc.collect()


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The project's shared reference data beside the checkout; tests that need it skip where it is not."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the shared reference data: no folder ../shared beside the checkout")
    return folder


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Modules that say ``EVERY_LOOP = True`` run on the product's loop, uvloop, as well as on asyncio's."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if getattr(getattr(item, "module", None), "EVERY_LOOP", False):
        loops["uvloop"] = uvloop.new_event_loop
    return loops


def is_ci() -> bool:
    """Whether skipping is forbidden: the environment says CI=true."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure in CI: what is not run proves nothing."""
    report = yield
    if is_ci() and report.skipped and not hasattr(report, "wasxfail"):
        fail_skipped(report, f"{item.nodeid} {report.when}")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself while it is collected."""
    report = yield
    if is_ci() and report.skipped:
        fail_skipped(report, collector.nodeid)
    return report


def fail_skipped(report: pytest.TestReport | pytest.CollectReport, where: str) -> None:
    """Make a skipped report a failed one that names the reason of the skip."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"in CI a skipped test is a failure ({where}): {reason}"


@pytest.fixture
def start_server() -> Generator[Callable[..., ServerProcess], None, None]:
    """`ServerProcess.start`; whatever a failing test leaves running is ended."""
    started: list[ServerProcess] = []

    def start(*arguments: Any, **options: Any) -> ServerProcess:
        started.append(ServerProcess.start(*arguments, **options))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
