"""Any order, any repetition and any split into requests give the same content of the store.

Over HTTP, in every form that takes samples, through log, memory, segments and a restart.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from historian.model.timestamp import format_time, parse_time_us
from tests.support.served_core import Served, serve

START_US = parse_time_us("2026-01-31T20:00:00Z")  # months end inside
STEP_US = 45 * 60_000_000
SPAN = f"start={format_time(START_US)}&end=2026-04-01T00:00:00Z"

Sample = tuple[int, int, float]  # point, slot, value
SAMPLES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 200), st.sampled_from([0.0, 1.5, -2.25, 1e9])),
    unique_by=lambda sample: sample[:2],
    min_size=1,
    max_size=40,
)
PLAN = st.tuples(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 3))  # seed, requests, repetitions


class Place:
    """A data folder that is served, closed and opened again; each example has points of its own."""

    def __init__(self, data: Path) -> None:
        self.runner = asyncio.Runner()
        self.data = data
        self.count = 0
        self.open()

    def open(self) -> None:
        self._opened = serve(self.data)
        self.served: Served = self.runner.run(self._opened.__aenter__())

    def close(self) -> None:
        self.runner.run(self._opened.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("order") / "data")
    yield place
    place.close()
    place.runner.close()


def name_of(prefix: str, point: int) -> str:
    return f"{prefix}.{point}.v"


async def make_points(served: Served, prefix: str) -> None:
    body = [{"name": name_of(prefix, point), "unit": "kW", "kind": "instantaneous"} for point in range(3)]
    await served.ask("POST", "/points", json=body)


async def send(served: Served, prefix: str, part: list[Sample], form: int) -> None:
    """One request, in one of the forms."""
    times = [format_time(START_US + slot * STEP_US) for _, slot, _ in part]
    if form == 0:
        series = [
            {"point": name_of(prefix, point), "times": [time], "values": [value]}
            for (point, _, value), time in zip(part, times, strict=True)
        ]
        await served.ask("POST", "/ingest", json={"series": series})
    elif form == 1:
        rows = "".join(
            f"{name_of(prefix, point)},{time},{value!r}\n"
            for (point, _, value), time in zip(part, times, strict=True)
        )
        headers = {"Content-Type": "text/csv"}
        await served.ask("POST", "/ingest", data=f"point,time,value\n{rows}", headers=headers)
    else:
        lines = "".join(
            f"{prefix},p={point} v={value!r} {(START_US + slot * STEP_US) // 1000}\n"
            for point, slot, value in part
        )
        async with served.client.post("/api/v2/write?precision=ms", data=lines) as response:
            assert response.status == 204, await response.text()


async def content(served: Served, prefix: str) -> list[tuple[list[str], list[float], int]]:
    """Times, values and the number of versions of every point."""
    found = []
    for point in range(3):
        path = f"/points/{name_of(prefix, point)}"
        recorded = await served.ask("GET", f"{path}/recorded?{SPAN}")
        revisions = await served.ask("GET", f"{path}/revisions?{SPAN}&limit=10000")
        found.append((recorded["times"], recorded["values"], len(revisions["revisions"])))
    return found


async def fill(served: Served, prefix: str, samples: list[Sample], plan: tuple[int, int, int]) -> None:
    seed, request_count, repetitions = plan
    chance = random.Random(seed)
    await make_points(served, prefix)
    rest = samples * repetitions
    chance.shuffle(rest)
    cuts = sorted(chance.randrange(len(rest) + 1) for _ in range(request_count - 1))
    for first, last in zip([0, *cuts], [*cuts, len(rest)], strict=True):
        if first < last:
            await send(served, prefix, rest[first:last], chance.randrange(3))
        if chance.random() < 0.3:
            await served.seal()
        if chance.random() < 0.1:
            await served.merge()


@given(samples=SAMPLES, plan=PLAN, is_restarted=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_content_does_not_depend_on_order_repetition_or_split(
    place: Place, samples: list[Sample], plan: tuple[int, int, int], is_restarted: bool
) -> None:
    place.count += 1
    prefix = f"e{place.count}"
    expected = []
    for point in range(3):
        own = sorted((slot, value) for at, slot, value in samples if at == point)
        times = [format_time(START_US + slot * STEP_US) for slot, _ in own]
        expected.append((times, [value for _, value in own], len(own)))
    place.runner.run(fill(place.served, prefix, samples, plan))
    assert place.runner.run(content(place.served, prefix)) == expected
    if is_restarted and place.count % 5 == 0:
        place.close()
        place.open()
        assert place.runner.run(content(place.served, prefix)) == expected
