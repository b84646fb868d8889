"""Devices to HTTP: two drivers collect live; a device is killed, the gap names its cause, nothing else stops."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.server_process import ROOT, ServerProcess, free_port

SUBSTATION = """
station = "live"
name_zh = "采集"
name_en = "Live"
time_zone = "Asia/Shanghai"

[[drivers]]
protocol = "modbus_tcp"
name = "live.modbus"
host = "127.0.0.1"
port = {modbus}
poll_interval_s = 0.5
stamp_tolerance_s = 0.4
back_off_min_s = 0.2
back_off_max_s = 1.0
[[drivers.points]]
name = "live.ua"
unit = "kV"
interval = "1s"
address = 100
type = "uint16"
scale = 0.001

[[drivers]]
protocol = "iec104"
name = "live.iec104"
host = "127.0.0.1"
port = {iec104}
time_zone = "Asia/Shanghai"
back_off_min_s = 0.2
back_off_max_s = 1.0
[[drivers.points]]
name = "live.p"
unit = "MW"
interval = "1m"
information_object_address = 1001
"""

Ask = Callable[[str], Awaitable[Any]]


def simulate(protocol: str, port: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "historian.cli", "simulate", protocol, "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as opened:
        yield opened


async def until(ask: Ask, path: str, is_reached: Callable[[Any], bool], within_s: float = 30.0) -> Any:
    """Ask again and again until the answer is as wanted."""
    async with asyncio.timeout(within_s):
        while not is_reached(answer := await ask(path)):  # noqa: ASYNC110 - the server is another process
            await asyncio.sleep(0.1)
    return answer


async def test_a_killed_device_leaves_a_gap_with_its_cause_and_comes_back(
    start_server: Callable[..., ServerProcess], tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    ports = {"modbus": free_port(), "iec104": free_port()}
    (tmp_path / "live.toml").write_text(SUBSTATION.format(**ports), encoding="utf-8")
    config = tmp_path / "historian.toml"
    config.write_text('substations = ["live.toml"]\n')
    modbus, iec104 = simulate("modbus", ports["modbus"]), simulate("iec104", ports["iec104"])
    server = start_server(tmp_path / "data", config)

    async def ask(path: str) -> Any:
        async with session.get(f"{server.base}/api/v1/{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    def is_fresh(answer: Any) -> bool:
        return answer["latest"][0]["time"] is not None and not answer["latest"][0]["is_stale"]

    try:
        await server.wait_ready(session)
        await until(ask, "latest?points=live.ua", is_fresh)
        power = await until(
            ask, "latest?points=live.p", lambda answer: answer["latest"][0]["time"] is not None
        )
        assert 0.0 < power["latest"][0]["value"] < 50.0
        modbus.send_signal(signal.SIGKILL)
        modbus.wait()
        await until(ask, "drivers/live.modbus", lambda driver: driver["state"] != "running")
        assert (await ask("drivers/live.iec104"))["state"] == "running"
        await until(ask, "latest?points=live.ua", lambda answer: answer["latest"][0]["is_stale"])
        modbus = simulate("modbus", ports["modbus"])
        await until(ask, "drivers/live.modbus", lambda driver: driver["state"] == "running")
        await until(ask, "latest?points=live.ua", is_fresh)
        newest = (await ask("latest?points=live.ua"))["latest"][0]["time"]
        gaps = await ask(f"points/live.ua/gaps?start={newest[:11]}00:00:00Z&end={newest}")
        assert "link_down" in [gap["cause"] for gap in gaps["gaps"]], gaps
        assert server.log.count("Traceback") == 0
        assert server.stop() == 0
    finally:
        end(modbus)
        end(iec104)
