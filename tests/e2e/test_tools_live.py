"""The operator's commands beside a really running historian: backup under load, restore elsewhere, export and import."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.server_process import ROOT, ServerProcess
from tests.support.waiting import until

StartServer = Callable[..., ServerProcess]

# Sealing each second, so that segments come and log files go while they are copied.
SETTINGS = "substations = []\n[store]\nseal_interval_s = 1\nwal_file_bytes_max = 1048576\nsegment_compact_count = 4\n"
START_MS = 1_767_196_800_000  # 2025-12-31T16:00:00Z, midnight in Shanghai
QUARTER_MS = 900_000
POINT_COUNT = 40
COMMAND_TIMEOUT_S = 90


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "historian.toml"
    path.write_text(SETTINGS)
    return path


async def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own."""
    line = [sys.executable, "-m", "historian.cli", *map(str, arguments)]
    return await asyncio.to_thread(
        subprocess.run, line, cwd=ROOT, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
    )


async def make_points(session: aiohttp.ClientSession, server: ServerProcess) -> None:
    points = [
        {
            "name": f"live.{number}",
            "unit": "kWh",
            "kind": "interval",
            "interval": "15m",
            "label": "period_start",
        }
        for number in range(POINT_COUNT)
    ]
    async with session.post(f"{server.base}/api/v1/points", json=points) as answer:
        assert answer.status < 300, await answer.text()


class Sender:
    """One scan of all points a request, one after the other, each value telling the number of its scan."""

    def __init__(self, session: aiohttp.ClientSession, server: ServerProcess) -> None:
        self._session, self._server = session, server
        self.acknowledged = 0
        self.is_stopping = False

    async def run(self) -> None:
        while not self.is_stopping:
            number = self.acknowledged
            series = [
                {
                    "point": f"live.{place}",
                    "times": [START_MS + number * QUARTER_MS],
                    "values": [number + place / 100],
                }
                for place in range(POINT_COUNT)
            ]
            async with self._session.post(
                f"{self._server.base}/api/v1/ingest", json={"series": series}
            ) as answer:
                assert answer.status == 200, await answer.text()
                assert (await answer.json())["accepted"] == POINT_COUNT
            self.acknowledged += 1


async def get(session: aiohttp.ClientSession, server: ServerProcess, path: str) -> Any:
    async with session.get(f"{server.base}/api/v1/{path}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def scans_of(session: aiohttp.ClientSession, server: ServerProcess, place: int) -> list[float]:
    """The values of a point, from the first scan on."""
    span = "start=2025-12-31T16:00:00Z&end=2027-01-01T00:00:00Z&limit=1000000&time=epoch_ms"
    told = await get(session, server, f"points/live.{place}/recorded?{span}")
    assert told["times"] == [START_MS + number * QUARTER_MS for number in range(len(told["times"]))]
    values: list[float] = told["values"]
    return values


async def rollups_of(session: aiohttp.ClientSession, server: ServerProcess) -> list[dict[str, Any]]:
    """The days of two points, without when they were computed."""
    told = await get(session, server, "rollups?points=live.0,live.7&from=2026-01-01&to=2026-02-01")
    return [{name: value for name, value in row.items() if name != "computed_at"} for row in told["rows"]]


async def test_a_backup_under_load_is_a_prefix_and_starts_on_an_empty_machine(
    start_server: StartServer, tmp_path: Path, config: Path, session: aiohttp.ClientSession
) -> None:
    server = start_server(tmp_path / "data", config)
    await server.wait_ready(session)
    await make_points(session, server)
    sender = Sender(session, server)
    sending = asyncio.create_task(sender.run())
    counts = []
    for _ in range(2):
        await asyncio.sleep(1.5)
        await rollups_of(session, server)  # figures are made in between, and more after
        before = sender.acknowledged
        done = await command("backup", tmp_path / "data", tmp_path / "backups")
        assert done.returncode == 0, done.stderr
        counts.append((before, sender.acknowledged))
    sender.is_stopping = True
    await sending
    assert counts[-1][1] > counts[0][0] > 0, "samples were taken while backups were made"
    server.stop(signal.SIGKILL)
    shutil.rmtree(tmp_path / "data")

    for folder, (low, high) in zip(sorted((tmp_path / "backups").glob("*Z")), counts, strict=True):
        checked = await command("verify", folder)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        machine = tmp_path / f"machine-{folder.name}"
        done = await command("restore", folder, machine)
        assert done.returncode == 0, done.stderr
        restored = start_server(machine, config)
        await restored.wait_ready(session)
        length = len(await scans_of(session, restored, 0))
        assert low <= length <= high + 1, "all that was acknowledged before, and nothing that was never sent"
        for place in range(POINT_COUNT):
            assert await scans_of(session, restored, place) == [
                number + place / 100 for number in range(length)
            ]
        rows = await rollups_of(session, restored)
        energy = sum(row["energy"] or 0.0 for row in rows if row["point"] == "live.0")
        within = min(length, 31 * 96)
        assert energy == within * (within - 1) / 2
        assert restored.stop() == 0
        checked = await command("verify", machine, "--month", "2026-01")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        shutil.rmtree(machine)


async def test_a_backup_at_rest_keeps_figures_and_revisions(
    start_server: StartServer, tmp_path: Path, config: Path, session: aiohttp.ClientSession
) -> None:
    server = start_server(tmp_path / "data", config)
    await server.wait_ready(session)
    await make_points(session, server)
    sender = Sender(session, server)
    sending = asyncio.create_task(sender.run())
    await until(lambda: sender.acknowledged >= 200, timeout_s=60.0, step_s=0.05)
    sender.is_stopping = True
    await sending
    await rollups_of(session, server)
    body = {"series": [{"point": "live.7", "times": [START_MS], "values": [1000.5]}]}
    async with session.post(f"{server.base}/api/v1/ingest", json=body) as answer:
        assert (await answer.json())["replaced"] == 1
    figures = await rollups_of(session, server)
    revisions = await get(session, server, "rollups/live.7/day/2026-01-01/revisions")
    values = [await scans_of(session, server, place) for place in (0, 7)]
    done = await command("backup", tmp_path / "data", tmp_path / "backups")
    assert done.returncode == 0, done.stderr
    assert server.stop() == 0
    (tmp_path / "data").rename(tmp_path / "gone")

    done = await command("restore", tmp_path / "backups", tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr
    server = start_server(tmp_path / "elsewhere", config)
    await server.wait_ready(session)
    assert [await scans_of(session, server, place) for place in (0, 7)] == values
    assert await rollups_of(session, server) == figures
    assert await get(session, server, "rollups/live.7/day/2026-01-01/revisions") == revisions
    assert server.stop() == 0


async def test_beside_a_running_historian(
    start_server: StartServer, tmp_path: Path, config: Path, session: aiohttp.ClientSession
) -> None:
    server = start_server(tmp_path / "data", config)
    await server.wait_ready(session)
    await make_points(session, server)
    times = [START_MS + number * QUARTER_MS for number in range(300)]
    values = [number / 3 for number in range(300)]
    body = {
        "series": [
            {
                "point": "live.1",
                "times": times,
                "values": values,
                "quality": [bits & ~128 for bits in range(300)],
            }
        ]
    }
    async with session.post(f"{server.base}/api/v1/ingest", json=body) as answer:
        assert answer.status == 200, await answer.text()

    refused = await command("verify", tmp_path / "data")
    assert refused.returncode == 2
    assert f"in use by process {server.process.pid}" in refused.stderr

    seen = await command("inspect", tmp_path / "data", "--json")
    assert seen.returncode == 0, seen.stderr
    assert {one["name"] for one in json.loads(seen.stdout)["databases"]} >= {
        "catalogue.sqlite",
        "rollup.sqlite",
    }

    span = ["--points", "live.*", "--from", "2026-01-01", "--to", "2026-02-01"]
    for form in ("csv", "h5"):
        done = await command("export", tmp_path / form, *span, "--format", form, "--server", server.base)
        assert done.returncode == 0, done.stderr
        assert "300 samples" in done.stdout
    again = await command("import", "samples", tmp_path / "h5", "--server", server.base)
    assert "300  duplicate" in again.stdout, again.stdout + again.stderr
    assert server.stop() == 0

    taken = await command("import", "samples", tmp_path / "csv", "--data", tmp_path / "other")
    assert "300  accepted" in taken.stdout, taken.stdout + taken.stderr
    for name, data in (("first", "data"), ("second", "other")):
        done = await command("export", tmp_path / name, *span, "--data", tmp_path / data)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert os.path.getsize(tmp_path / "first") > 10_000
