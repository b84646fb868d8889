"""kill -9 at random moments under ingest: what was acknowledged is there in every version, nothing is invented.

Two clients write over HTTP, correct, mark as deleted and bring what is months late, and keep a ledger; the log
changes files, the server seals every second and merges meanwhile. It is killed under load and while it replays.
"""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from historian.model.timestamp import format_time
from tests.support.server_process import ROOT, ServerProcess

THOROUGH = float(os.environ.get("CRASH_FACTOR", "1"))  # `make crash` sets 10
ROUNDS = round(5 * THOROUGH)
KILLED_AT_START_SHARE = 0.4  # of the rounds, before the load
CLIENTS = 2
POINTS = [f"kill.p{number}" for number in range(6)]
SLOT_US = 60_000_000
DAY_SLOTS = 1440
START_US = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z
SLOTS_EACH = 400_000  # of a client: it begins in the middle, what is late lies before
SETTINGS = """
substations = []
[store]
seal_interval_s = 1
segment_compact_count = 3
wal_file_bytes_max = 1_048_576
ring_hours = 24
"""

# A fault for the server's process: a write is acknowledged, and done when eight more have come.
MUTANT = """
from historian.store.wal import Wal

write, held_back = Wal.write, []


def hold_back(self, *newest):
    held_back.append(newest)
    if len(held_back) > 8:
        write(self, *held_back.pop(0))


Wal.write = hold_back
"""

Key = tuple[str, int]  # point, time


class Version(NamedTuple):
    """Value and reason: what tells one version of a sample from another."""

    value: float
    reason: str = ""


class Client:
    """Writes samples of its own time range and remembers what it asked for and what was acknowledged."""

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)
        self.first_slot = number * SLOTS_EACH + SLOTS_EACH // 2
        self.next_slot = self.first_slot
        self.value = number * 1e7
        self.asked: dict[Key, list[Version]] = {}
        self.acknowledged: dict[Key, list[Version]] = {}
        self.batch_count = 0

    async def write_until_killed(self, session: aiohttp.ClientSession, base: str) -> None:
        try:
            while True:
                if self.acknowledged and self.random.random() < 0.1:
                    await self._delete(session, base)
                else:
                    await self._ingest(session, base)
                self.batch_count += 1
        except (aiohttp.ClientError, ConnectionError, asyncio.IncompleteReadError):
            return

    async def _ingest(self, session: aiohttp.ClientSession, base: str) -> None:
        samples = self._samples()
        self._note(self.asked, samples)
        by_point: dict[str, list[tuple[Key, Version]]] = {}
        for key, version in samples:
            by_point.setdefault(key[0], []).append((key, version))
        series = [
            {
                "point": point,
                "times": [format_time(key[1]) for key, _ in own],
                "values": [version.value for _, version in own],
            }
            for point, own in by_point.items()
        ]
        async with session.post(f"{base}/api/v1/ingest", json={"series": series}) as answer:
            body = await answer.json()
            assert answer.status == 200, body
        assert body["durable"] is True
        assert body["accepted"] + body["replaced"] == len(samples), body
        self._note(self.acknowledged, samples)

    async def _delete(self, session: aiohttp.ClientSession, base: str) -> None:
        """Mark one sample as deleted: its value stays, with the reason."""
        key = self.random.choice(list(self.acknowledged))
        newest = self.asked[key][-1]
        if newest.reason or newest != self.acknowledged[key][-1]:
            return
        mark = [(key, newest._replace(reason=f"gone {self.batch_count}"))]
        self._note(self.asked, mark)
        edit = {"kind": "delete", "times": [format_time(key[1])], "reason": mark[0][1].reason}
        async with session.post(f"{base}/api/v1/points/{key[0]}/edits", json=edit) as answer:
            assert answer.status == 200, await answer.text()
        self._note(self.acknowledged, mark)

    def _samples(self) -> list[tuple[Key, Version]]:
        """New slots for some points, among them corrections of old ones and some that are months late."""
        samples: dict[Key, Version] = {}
        for point in self.random.sample(POINTS, 3):
            for _ in range(self.random.choice([1, 5, 40, 400])):
                self.value += 1.0
                samples[point, START_US + self._slot() * SLOT_US] = Version(self.value)
        return list(samples.items())

    def _slot(self) -> int:
        kind = self.random.random()
        if kind < 0.05 and self.next_slot > self.first_slot:
            return self.random.randrange(self.first_slot, self.next_slot)
        if kind < 0.1:
            return self.first_slot - self.random.randrange(1, 60 * DAY_SLOTS)
        self.next_slot += 1
        return self.next_slot - 1

    @staticmethod
    def _note(ledger: dict[Key, list[Version]], samples: list[tuple[Key, Version]]) -> None:
        for key, version in samples:
            ledger.setdefault(key, []).append(version)


async def stored(session: aiohttp.ClientSession, base: str, point: str) -> dict[Key, list[Version]]:
    """Every version of every sample of a point, page by page."""
    end_us = START_US + CLIENTS * SLOTS_EACH * SLOT_US
    span = f"start={START_US // 1000}&end={end_us // 1000}&time=epoch_ms&limit=10000"
    found: dict[Key, list[Version]] = {}
    cursor = ""
    while True:
        async with session.get(f"{base}/api/v1/points/{point}/revisions?{span}{cursor}") as answer:
            body = await answer.json()
            assert answer.status == 200, body
        for row in body["revisions"]:
            found.setdefault((point, row["time"] * 1000), []).append(Version(row["value"], row["reason"]))
        if not body.get("next"):
            return found
        cursor = f"&cursor={body['next']}"


async def check(session: aiohttp.ClientSession, base: str, clients: list[Client]) -> int:
    """Compare everything stored with the ledgers; gives how many versions there are."""
    found: dict[Key, list[Version]] = {}
    for point in POINTS:
        found |= await stored(session, base, point)
    asked = {key: versions for client in clients for key, versions in client.asked.items()}
    for client in clients:
        for key, versions in client.acknowledged.items():
            for version in versions:
                assert version in found.get(key, []), f"lost: {key} {version}"
    for key, versions in found.items():
        left = iter(asked.get(key, []))
        assert all(version in left for version in versions), f"invented or out of order: {key} {versions}"
    await check_newest(session, base, found)
    return sum(map(len, found.values()))


async def check_newest(session: aiohttp.ClientSession, base: str, found: dict[Key, list[Version]]) -> None:
    """What is read is the last of the versions, and not where that one is a delete mark."""
    for key in random.Random(len(found)).sample(sorted(found), min(len(found), 50)):
        span = f"start={key[1] // 1000}&end={key[1] // 1000 + 1}&time=epoch_ms"
        async with session.get(f"{base}/api/v1/points/{key[0]}/recorded?{span}") as answer:
            body = await answer.json()
        newest = found[key][-1]
        assert body["values"] == ([] if newest.reason else [newest.value]), (key, body["values"], found[key])


async def kill_while_starting(start: Callable[[], ServerProcess], moments: random.Random) -> None:
    """End a start somewhere between its first look at the data and being ready."""
    server = start()
    length = len(server.log)
    for _ in range(1200):
        if "kernels_ready" in server.log[length:]:
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(moments.uniform(0.0, 0.3))
    kill(server)


def kill(server: ServerProcess) -> None:
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(10)


async def make_points(session: aiohttp.ClientSession, base: str) -> None:
    drafts = [{"name": name, "unit": "kW", "kind": "instantaneous", "interval": "1m"} for name in POINTS]
    async with session.post(f"{base}/api/v1/points", json=drafts) as answer:
        assert answer.status < 300, await answer.text()


@pytest.mark.slow
@pytest.mark.timeout(300 * max(1, THOROUGH))
async def test_nothing_acknowledged_is_lost_by_kill_9(
    start_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    config = tmp_path / "historian.toml"
    config.write_text(SETTINGS)
    clients = [Client(number) for number in range(CLIENTS)]
    moments = random.Random(20260101)

    def start() -> ServerProcess:
        return start_server(tmp_path / "data", config)

    for round_number in range(ROUNDS):
        if round_number and moments.random() < KILLED_AT_START_SHARE:
            await kill_while_starting(start, moments)
        await load_and_kill(start(), clients, moments, is_first=round_number == 0)
    await end(start(), clients)


@pytest.mark.slow
async def test_a_write_that_is_acknowledged_before_it_is_done_is_found(
    start_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    """The proof itself, tried on a log that holds the newest write back."""
    config = tmp_path / "historian.toml"
    config.write_text(
        SETTINGS.replace("seal_interval_s = 1", "seal_interval_s = 3600")
    )  # a seal would save it
    (tmp_path / "sitecustomize.py").write_text(MUTANT)
    places = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    clients = [Client(number) for number in range(CLIENTS)]
    server = start_server(tmp_path / "data", config, environment=places)
    await load_and_kill(server, clients, random.Random(7), is_first=True)
    server = start_server(tmp_path / "data", config)
    with pytest.raises(AssertionError, match="lost"):
        await end(server, clients)


async def load_and_kill(
    server: ServerProcess, clients: list[Client], moments: random.Random, *, is_first: bool
) -> None:
    """Check what is there, write on, and end the process in the middle of it."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as session:
        await server.wait_ready(session)
        if is_first:
            await make_points(session, server.base)
        else:
            await check(session, server.base, clients)
        writers = [asyncio.create_task(c.write_until_killed(session, server.base)) for c in clients]
        await asyncio.sleep(moments.uniform(0.3, 4.0))
        kill(server)
        await asyncio.gather(*writers)


async def end(server: ServerProcess, clients: list[Client]) -> None:
    """The last start finds everything, is ready, and stops in order."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as session:
        await server.wait_ready(session)
        count = await check(session, server.base, clients)
        async with session.get(f"{server.base}/readyz") as answer:
            assert answer.status == 200, await answer.text()
    assert server.stop() == 0
    print(f"{count} versions of {sum(c.batch_count for c in clients)} batches, {ROUNDS} rounds")
    assert count > 1000
