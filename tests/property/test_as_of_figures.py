"""Rollups as of a moment are what was told at that moment: whatever came, was corrected, stated or withdrawn later.

Rows that were locked stay as they were told, until the lock is taken back.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from historian.model import timestamp
from historian.model.point import Point, PointDraft, PointKind
from historian.model.sample import make_batch
from historian.model.term import DemandTerm, ExchangeTerm, RegisterTerm, TariffTerm, Term
from historian.model.timestamp import parse_time_us
from tests.support.stage import Stage, open_stage

DAY, AFTER = "2026-01-05", "2026-01-07"  # two days
START_US = parse_time_us(f"{DAY}T00:00:00+08:00")
QUARTER_US = 900_000_000
SLOTS = 192
EVER_US = parse_time_us("2020-01-01T00:00:00+08:00")
FIELDS = (
    "period_end,energy,unit,max_demand,max_time,min,min_time,mean,load_factor,coverage,method,state,tou,tariff,warnings,"
    "billing_demand,events,lock"
)
CALENDARS = ("CN-21-2023", "CN-11-2023", "CN-12-2025")
TERMS: dict[PointKind, list[Term]] = {
    PointKind.MEAN_POWER: [DemandTerm(900, 900), DemandTerm(1800, 900), *map(TariffTerm, CALENDARS)],
    PointKind.REGISTER: [
        DemandTerm(900, 900), TariffTerm("CN-21-2023"), RegisterTerm(1000.0), RegisterTerm(500.0, 0.01),
        ExchangeTerm(900.0, 10.0),
    ],
}  # fmt: skip
STEPS = [
    "send",
    "send",
    "correct",
    "delete",
    "undelete",
    "state",
    "state",
    "withdraw",
    "factor",
    "lock",
    "unlock",
    "seal",
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(Path(tmp_path_factory.mktemp("stage"))) as opened:
        yield opened


class Story:
    """A point, what may happen to it, and what was told of it when."""

    def __init__(self, stage: Stage, kind: PointKind, random: np.random.Generator) -> None:
        self._served, self._random = stage.served, random
        parts = stage.served.parts
        unit = "kWh" if kind is PointKind.REGISTER else "kW"
        self._point: Point = parts.registry.ensure(
            PointDraft(name=stage.next_name(), unit=unit, kind=kind, time_zone="Asia/Shanghai")
        )
        self.told: list[tuple[int, bytes]] = []

    async def happen(self, step: str) -> None:
        """One step, if it can be done, and what is told after it."""
        await getattr(self, f"_{step}")()
        now_us = self._served.parts.clock.now_us()
        self.told.append((now_us, await self.ask()))

    async def ask(self, as_of_us: int | None = None) -> bytes:
        """Days, the month and the billing period, but for revisions and when they were computed."""
        answers = []
        for period in ("day", "month", "billing"):
            query = {"points": self._point.name, "period": period, "fields": FIELDS, "from": DAY, "to": AFTER}
            if as_of_us is not None:
                query["as_of"] = timestamp.format_time(as_of_us)
            async with self._served.client.get("/api/v1/rollups", params=query) as reply:
                assert reply.status == 200, await reply.text()
                answers.append(await reply.read())
        return b"\n".join(answers)

    def _places(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        count = int(self._random.integers(1, SLOTS))
        return np.sort(self._random.choice(SLOTS, count, replace=False))

    async def _send(self) -> None:
        places = self._places()
        values = np.round(self._random.uniform(0, 100, len(places)), 1)
        if self._point.kind is PointKind.REGISTER:
            values = np.round(places * 7.5 % 1000, 1)
        await self._served.parts.sink.append(
            make_batch(self._point.id, START_US + places * QUARTER_US, values), source="story"
        )

    async def _edit(self, body: dict[str, object]) -> None:
        path = f"/points/{self._point.name}/edits"
        await self._served.ask("POST", path, json={**body, "reason": "story"})

    async def _correct(self) -> None:
        place = int(self._random.integers(SLOTS))
        time = timestamp.format_time(START_US + place * QUARTER_US)
        await self._edit({"kind": "correct", "times": [time], "values": [float(self._random.integers(900))]})

    def _range(self) -> dict[str, str]:
        first, last = sorted(self._random.choice(SLOTS + 1, 2, replace=False).tolist())
        return {
            name: timestamp.format_time(START_US + place * QUARTER_US)
            for name, place in (("start", first), ("end", last))
        }

    async def _delete(self) -> None:
        await self._edit({"kind": "delete", **self._range()})

    async def _undelete(self) -> None:
        await self._edit({"kind": "undelete", **self._range()})

    async def _state(self) -> None:
        choice = TERMS[self._point.kind]
        term = choice[int(self._random.integers(len(choice)))]
        from_us = EVER_US
        if isinstance(term, ExchangeTerm) or self._random.random() < 0.3:
            from_us = START_US + int(self._random.integers(SLOTS)) * QUARTER_US
        self._served.parts.terms.state(self._point.id, term, from_us, None, "", "story")

    async def _withdraw(self) -> None:
        book = self._served.parts.terms
        held = [one.number for one in book.statements(self._point.id) if one.withdrawn_us is None]
        if held:
            book.withdraw(self._point.id, int(self._random.choice(held)), "story")

    async def _factor(self) -> None:
        from_us = START_US + int(self._random.integers(-10, SLOTS)) * QUARTER_US
        value = float(self._random.choice([2.0, 10.0, 0.5]))
        self._served.parts.registry.update(self._point.id, {"multiplier": value}, from_us)

    async def _lock(self) -> None:
        date = datetime.date.fromisoformat(DAY) + datetime.timedelta(days=int(self._random.integers(2)))
        after = date + datetime.timedelta(days=1)
        path = f"/rollups/locks?points={self._point.name}&from={date}&to={after}"
        async with self._served.client.post(f"/api/v1{path}", json={"reason": "story"}) as reply:
            assert reply.status in (201, 409, 422), await reply.text()  # it may be locked already

    async def _unlock(self) -> None:
        held = [one for one in self._served.parts.billing.locks_of(self._point.id) if one.unlocked_us is None]
        if held:
            self._served.parts.billing.unlock(held[0].number, "", "story")

    async def _seal(self) -> None:
        await self._served.seal()


@settings(max_examples=40)
@given(
    st.sampled_from([PointKind.MEAN_POWER, PointKind.REGISTER]),
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=8),
    st.integers(0, 2**32),
)
def test_what_was_told_is_told_again(stage: Stage, kind: PointKind, steps: list[str], seed: int) -> None:
    async def work() -> None:
        story = Story(stage, kind, np.random.default_rng(seed))
        for step in ["send", *steps]:
            await story.happen(step)
        for place, (now_us, told) in enumerate(story.told):
            again = await story.ask(now_us)
            assert rows_of(again) == rows_of(told), f"after step {place} of {['send', *steps]}"

    stage.run(work())


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from([step for step in STEPS if step != "unlock"]), min_size=1, max_size=6),
    st.integers(0, 2**32),
)
@example(["withdraw"], 118)  # its tariff held from a later day on
def test_a_locked_row_stays(stage: Stage, steps: list[str], seed: int) -> None:
    async def work() -> None:
        story = Story(stage, PointKind.MEAN_POWER, np.random.default_rng(seed))
        await story.happen("send")
        await story.happen("state")
        await story.happen("lock")
        locked = [row for row in rows_of(story.told[-1][1]) if "lock" in row and row["lock"]["number"] != -1]
        assert len(locked) == 1
        assert locked[0]["state"] == "final"
        for step in steps:
            await story.happen(step)
            (same,) = [
                row for row in rows_of(story.told[-1][1])
                if row["period_start"] == locked[0]["period_start"] and row["period_end"] == locked[0]["period_end"]
            ]  # fmt: skip
            assert {**same, "lock": None} == {**locked[0], "lock": None}
            assert same["lock"]["number"] == locked[0]["lock"]["number"]

    stage.run(work())


def rows_of(answers: bytes) -> list[dict[str, Any]]:
    """All rows of some answers."""
    return [row for answer in answers.split(b"\n") for row in msgspec.json.decode(answer)["rows"]]
