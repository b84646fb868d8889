"""Curves answered from memory are what would be made anew, whatever happened between."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.curve_cache import CurveCache, CurveKey, Version
from historian.metrics import Metrics
from tests.support.served_core import Served, serve
from tests.unit.api.conftest import Api

DAY = "2026-11-20"
NOON_MS = 1_795_147_200_000  # 2026-11-20T12:00+08:00
CURVE = f"/api/v1/points/a/load-curve?date={DAY}"


def key(name: str = "a") -> CurveKey:
    return CurveKey(name, "date=2026-11-20", "", None)


class TestMemory:
    @pytest.fixture
    def curves(self, api: Api) -> CurveCache:
        return CurveCache(api.context, Metrics(), bytes_max=2_000)

    async def test_another_version_is_not_given(self, curves: CurveCache) -> None:
        version = Version(1, 1, 1)
        curves.keep(key(), version, b"body")
        assert curves.find(key(), version) == b"body"
        for changed in (Version(2, 1, 1), Version(1, 2, 1), Version(1, 1, 2)):
            curves.keep(key(), version, b"body")
            assert curves.find(key(), changed) is None
            assert curves.find(key(), version) is None

    async def test_the_oldest_leave_beyond_the_bound(self, curves: CurveCache) -> None:
        version = Version(1, 1, 1)
        for name in "abc":
            curves.keep(key(name), version, bytes(400))
        assert curves.find(key("a"), version) is None
        assert curves.find(key("c"), version) is not None

    async def test_one_larger_than_the_bound_is_not_kept(self, curves: CurveCache) -> None:
        curves.keep(key(), Version(1, 1, 1), bytes(10_000))
        assert curves.find(key(), Version(1, 1, 1)) is None


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serve(tmp_path) as opened:
        body = {"unit": "kW", "kind": "instantaneous", "interval": "15m"}
        for name in ("a", "b"):
            await opened.ask("PUT", f"/points/{name}", 201, json=body)
        await send(opened, "a", 1.0)
        yield opened


async def send(served: Served, point: str, value: float, time_ms: int = NOON_MS) -> None:
    body = {"series": [{"point": point, "times": [time_ms], "values": [value]}]}
    await served.ask("POST", "/ingest", json=body)


async def get(served: Served, path: str) -> bytes:
    async with served.client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def hits(served: Served) -> int:
    text = (await get(served, "/metrics")).decode()
    return int(float(text.split("\nhistorian_curve_cache_hits_total ")[1].split()[0]))


async def again(served: Served, path: str = CURVE) -> dict[str, Any]:
    """The curve, which is the same as one that nobody can have asked before."""
    fresh = msgspec.json.decode(await get(served, f"{path}&compare=2025-{next(_DAYS)}"))
    asked: dict[str, Any] = msgspec.json.decode(await get(served, path))
    del fresh["compare"]
    assert asked | fresh == asked
    return asked


_DAYS = (f"{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29))


async def test_it_is_answered_from_memory_until_something_changes(served: Served) -> None:
    first = await again(served)
    assert await again(served) == first
    assert await hits(served) == 1
    await send(served, "b", 5.0)
    assert await again(served) == first
    assert await hits(served) == 2, "another point's sample changes nothing"


async def test_whatever_changes_it_is_made_anew(served: Served) -> None:
    seen = [await again(served)]

    async def expect_other() -> None:
        seen.append(await again(served))
        assert seen[-1] != seen[-2]

    await send(served, "a", 2.0)
    await expect_other()
    await send(served, "a", 3.0, NOON_MS + 900_000)
    await expect_other()
    delete = {"kind": "delete", "start": NOON_MS, "end": NOON_MS + 1, "reason": "wrong"}
    await served.ask("POST", "/points/a/edits", json=delete)
    await expect_other()
    await served.ask("PATCH", "/points/a", json={"time_zone": "UTC"})
    await expect_other()
    await served.ask("PATCH", "/points/a", json={"multiplier": 2, "valid_from": 0})
    await expect_other()
    await served.ask("PATCH", "/points/a", json={"name": "c"})
    renamed = await again(served)
    assert renamed["renamed_to"] == "c"
    await served.seal()
    assert (await again(served))["values"] == renamed["values"]


async def test_a_sum_is_made_anew_when_any_of_its_points_changes(served: Served) -> None:
    path = f"/api/v1/load-curve?points=a,b&date={DAY}"
    seen = [await again(served, path), await again(served, path)]
    assert await hits(served) == 1
    for point in "ba":
        await send(served, point, 7.0)
        seen.append(await again(served, path))
    assert await hits(served) == 1
    assert seen[0] == seen[1] != seen[2] != seen[3]


async def test_a_point_with_terms_is_not_kept(served: Served) -> None:
    term = {"term": {"kind": "main_power"}, "valid_from": 0, "reason": "r"}
    await served.ask("POST", "/points/a/terms", 201, json=term)
    for _ in range(2):
        await get(served, CURVE)
    assert await hits(served) == 0


async def test_a_moment_of_the_past_is_never_kept(served: Served) -> None:
    for _ in range(2):
        await get(served, f"{CURVE}&as_of=2026-11-21T00:00:00Z")
    assert await hits(served) == 0


async def test_flat_rows_and_tables_keep_their_headers(served: Served) -> None:
    for form in ("rows", "csv", "rows", "csv"):
        async with served.client.get(f"{CURVE}&format={form}") as answer:
            assert answer.headers["Cache-Control"] == "no-cache"
    assert await hits(served) == 0
