"""Late, corrected and impossible samples over HTTP, on the real store: through memory, segments, merges and a restart."""

import asyncio
from pathlib import Path
from typing import Any

from historian.model.timestamp import format_time
from historian.settings import IngestSettings, Settings
from tests.support.served_core import Served, serve

DAY = "start=2026-03-01T00:00:00%2B08:00&end=2026-03-02T00:00:00%2B08:00"
TIMES = [f"2026-03-01T00:{minute:02d}:00+08:00" for minute in (0, 15, 30, 45)]


async def moment(served: Served) -> str:
    """A moment after everything so far, and before everything to come."""
    await asyncio.sleep(0.01)
    text = format_time(served.parts.clock.now_us())
    await asyncio.sleep(0.01)
    return text


async def values(served: Served, more: str = "") -> list[float]:
    found: list[float] = (await served.ask("GET", f"/points/p/recorded?{DAY}{more}"))["values"]
    return found


async def edit(served: Served, **body: Any) -> Any:
    return await served.ask("POST", "/points/p/edits", json={"author": "Wang", **body})


async def energy(served: Served) -> float:
    row = (await served.ask("GET", "/rollups?points=p&period=day&from=2026-03-01&to=2026-03-02"))["rows"][0]
    found: float = row["energy"]
    return found


async def history(served: Served) -> list[tuple[float, str, str, str]]:
    reply = await served.ask("GET", f"/points/p/revisions?time={TIMES[1].replace('+', '%2B')}")
    return [(row["value"], row["source"], row["reason"], row["state"]) for row in reply["revisions"]]


async def test_every_version_is_there_through_seals_merges_and_a_restart(tmp_path: Path) -> None:
    moments: list[tuple[str, list[float]]] = []
    async with serve(tmp_path / "d") as served:
        await served.ask(
            "PUT", "/points/p", 201, json={"unit": "kWh", "kind": "interval", "label": "period_start"}
        )
        series = {"point": "p", "times": TIMES, "values": [1, 2, 3, 4]}
        assert (await served.ask("POST", "/ingest", json={"series": [series]}))["accepted"] == 4
        assert await energy(served) == 10.0
        moments.append((await moment(served), [1, 2, 3, 4]))
        await served.seal()

        await edit(served, kind="correct", times=[TIMES[1]], values=[2.5], reason="misread")
        assert await energy(served) == 10.5
        moments.append((await moment(served), [1, 2.5, 3, 4]))
        await served.seal()

        reply = await edit(served, kind="delete", times=TIMES[:2], reason="test bench")
        assert reply["rollups"]["days"] == ["2026-02-28", "2026-03-01"], (
            "at midnight it presses the one before"
        )
        assert await energy(served) == 7.0
        moments.append((await moment(served), [3, 4]))
        await served.seal()
        await served.merge()

        await edit(served, kind="undelete", times=[TIMES[1]], reason="it was no test")
        assert (await served.ask("POST", "/ingest", json={"series": [series]}))["replaced"] == 2
        moments.append((await moment(served), [1, 2, 3, 4]))
        await check(served, moments)
    async with serve(tmp_path / "d") as served:
        await check(served, moments)
        await served.seal()
        await check(served, moments)


async def check(served: Served, moments: list[tuple[str, list[float]]]) -> None:
    assert await history(served) == [
        (2.0, "http", "", "superseded"),
        (2.5, "edit:Wang", "misread", "superseded"),
        (2.5, "edit:Wang", "test bench", "superseded"),
        (2.5, "edit:Wang", "it was no test", "superseded"),
        (2.0, "http", "", "current"),
    ]
    for as_of, expected in moments:
        assert await values(served, f"&as_of={as_of}") == expected
        latest = await served.ask("GET", f"/latest?points=p&as_of={as_of}")
        assert latest["latest"][0]["value"] == 4.0
        curve = await served.ask("GET", f"/points/p/load-curve?date=2026-03-01&as_of={as_of}")
        assert curve["summary"]["energy"] == sum(expected)


async def test_what_is_stamped_outside_the_fence_is_kept_and_released(tmp_path: Path) -> None:
    settings = Settings(ingest=IngestSettings(quarantine_samples_max=2))
    async with serve(tmp_path / "d", settings) as served:
        await served.ask("PUT", "/points/p", 201, json={"unit": "kW", "kind": "instantaneous"})
        times = ["1970-01-01T00:00:00Z", TIMES[0], "2069-03-01T00:15:00+08:00", "2069-03-01T00:30:00+08:00"]
        series = {"point": "p", "times": times, "values": [1, 2, 3, 4]}
        for accepted in (1, 0):
            reply = await served.ask("POST", "/ingest", json={"series": [series]})
            assert (reply["accepted"], reply["rejected"], reply["quarantined"]) == (accepted, 3, 2)
            assert {entry["index"]: entry["code"] for entry in reply["rejects"]} == {
                0: "quarantined_too_old",
                2: "quarantined_in_future",
                3: "time_in_future",
            }
        async with served.client.get("/metrics") as response:
            text = await response.text()
        assert "historian_quarantine_samples 2\n" in text
        assert "historian_quarantine_full_total 2\n" in text
        assert 'historian_ingest_samples_total{outcome="quarantined_in_future"} 2\n' in text
    async with serve(tmp_path / "d", settings) as served:
        listed = await served.ask("GET", "/quarantine")
        assert [(entry["id"], entry["value"], entry["source"]) for entry in listed["entries"]] == [
            (1, 1.0, "http"),
            (2, 3.0, "http"),
        ]
        body = {"ids": [1, 2], "shift": "-15706d", "reason": "clock of the year 2069", "author": "Wang"}
        reply = await served.ask("POST", "/quarantine/release", json=body)
        assert (reply["done"], [entry["code"] for entry in reply["refused"]]) == (1, ["time_too_old"])
        assert await values(served) == [2.0, 3.0]
        again = await served.ask("POST", "/quarantine/release", json=body)
        assert (again["done"], again["already"]) == (0, 1)
        erased = {"ids": [1], "reason": "a meter that woke up"}
        assert (await served.ask("POST", "/quarantine/erase", json=erased))["kept"] == 0
