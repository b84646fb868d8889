"""kill -9 at random moments under ingest: what was acknowledged is there, nothing twice, nothing invented.

Two clients write random batches over HTTP and keep a ledger of what was acknowledged; the server seals every
second and merges small segments meanwhile. After each kill the folder is opened again and compared.
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from historian.model.timestamp import format_time
from tests.support.server_process import ServerProcess

ROUNDS = 8
CLIENTS = 2
POINTS = [f"kill.p{number}" for number in range(6)]
SLOT_US = 60_000_000
START_US = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z
SETTINGS = """
substations = []
[store]
seal_interval_s = 1
segment_compact_count = 3
wal_file_bytes_max = 1_048_576
"""

Ledger = dict[tuple[str, int], list[float]]


class Client:
    """Writes batches of its own time range and remembers: `acknowledged` values, and `asked` ones."""

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)
        self.first_slot = number * 100_000
        self.next_slot = self.first_slot
        self.value = 0.0
        self.acknowledged: Ledger = {}
        self.asked: Ledger = {}

    async def write_until_killed(self, session: aiohttp.ClientSession, base: str) -> None:
        while True:
            series, samples = self._batch()
            for key, value in samples:
                self.asked.setdefault(key, []).append(value)
            try:
                async with session.post(f"{base}/api/v1/ingest", json={"series": series}) as answer:
                    body = await answer.json()
                    assert answer.status == 200, body
            except (aiohttp.ClientError, ConnectionError, asyncio.IncompleteReadError):
                return
            assert body["durable"] is True
            assert body["accepted"] + body["replaced"] == len(samples), body
            for key, value in samples:
                self.acknowledged.setdefault(key, []).append(value)

    def _batch(self) -> tuple[list[dict[str, Any]], list[tuple[tuple[str, int], float]]]:
        """New slots for some points, now and then a correction of an old one; every value is its own."""
        samples: list[tuple[tuple[str, int], float]] = []
        for point in self.random.sample(POINTS, 3):
            for _ in range(self.random.randint(1, 40)):
                is_old = self.next_slot > self.first_slot + 50 and self.random.random() < 0.1
                slot = self.random.randrange(self.first_slot, self.next_slot) if is_old else self.next_slot
                self.next_slot += not is_old
                self.value += 1.0
                samples.append(((point, START_US + slot * SLOT_US), self.value + self.first_slot))
        series = [
            {"point": point, "times": [format_time(time_us)], "values": [value]}
            for (point, time_us), value in samples
        ]
        return series, samples


async def stored(session: aiohttp.ClientSession, base: str, point: str) -> AsyncIterator[tuple[int, float]]:
    """Every sample of a point, page by page, as (µs, value)."""
    span = f"start={START_US // 1000}&end={(START_US + 300_000 * SLOT_US) // 1000}&time=epoch_ms&limit=5000"
    cursor = ""
    while True:
        async with session.get(f"{base}/api/v1/points/{point}/recorded?{span}{cursor}") as answer:
            body = await answer.json()
            assert answer.status == 200, body
        for time_ms, value in zip(body["times"], body["values"], strict=True):
            yield time_ms * 1000, value
        if not body.get("next"):
            return
        cursor = f"&cursor={body['next']}"


async def check(session: aiohttp.ClientSession, base: str, clients: list[Client]) -> int:
    """Compare everything stored with the ledgers; gives how many samples there are."""
    count = 0
    for point in POINTS:
        found: dict[int, float] = {}
        async for time_us, value in stored(session, base, point):
            assert time_us not in found, "a sample is there twice"
            found[time_us] = value
        count += len(found)
        for client in clients:
            for (name, time_us), values in client.acknowledged.items():
                if name == point:
                    asked = client.asked[(name, time_us)]
                    assert time_us in found, f"lost: {name} at {time_us}"
                    newest_allowed = asked[asked.index(values[-1]) :]
                    assert found[time_us] in newest_allowed, f"an older value is back: {name} at {time_us}"
        asked_here = {
            time_us: values for c in clients for (name, time_us), values in c.asked.items() if name == point
        }
        for time_us, value in found.items():
            assert value in asked_here.get(time_us, []), f"invented: {point} at {time_us} = {value}"
    return count


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_nothing_acknowledged_is_lost_by_kill_9(
    start_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    config = tmp_path / "historian.toml"
    config.write_text(SETTINGS)
    clients = [Client(number) for number in range(CLIENTS)]
    moments = random.Random(20260101)
    for round_number in range(ROUNDS):
        server = start_server(tmp_path / "data", config)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session:
            await server.wait_ready(session)
            if round_number == 0:
                drafts = [
                    {"name": name, "unit": "kW", "kind": "instantaneous", "interval": "1m"} for name in POINTS
                ]
                async with session.post(f"{server.base}/api/v1/points", json=drafts) as answer:
                    assert answer.status < 300, await answer.text()
            else:
                await check(session, server.base, clients)
            writers = [asyncio.create_task(c.write_until_killed(session, server.base)) for c in clients]
            await asyncio.sleep(moments.uniform(0.3, 2.5))
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(10)
            await asyncio.gather(*writers)
    server = start_server(tmp_path / "data", config)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session:
        await server.wait_ready(session)
        count = await check(session, server.base, clients)
        async with session.get(f"{server.base}/readyz") as answer:
            assert answer.status == 200, await answer.text()
    assert server.stop() == 0
    assert count > 1000
