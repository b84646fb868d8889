"""Checks of a point against others, slot by slot: what breaks is suspect, values stay."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import ManualClock
from historian.energy import calendar
from historian.errors import UnitError
from historian.model import quality
from historian.model.point import MINUTE_US, Point, PointDraft, PointKind
from historian.model.term import PartsTerm, PhasesTerm, Term, TriangleTerm
from historian.model.timestamp import load_zone
from historian.rollup.curve import PointCurves
from historian.rollup.service import RollupService
from historian.rollup.slot_checker import SlotChecker
from tests.support.memory_store import MemoryStore

DATE = datetime.date(2026, 1, 5)
ZONE = load_zone("Asia/Shanghai")
START_US = calendar.day_start_us(DATE, ZONE)
END_US = calendar.day_start_us(DATE + datetime.timedelta(days=1), ZONE)
QUARTER_US = 15 * MINUTE_US
UNITS = {"P": "kW", "Q": "kvar", "S": "kVA", "U": "V", "I": "A", "Pa": "kW", "Pb": "kW", "Pc": "kW", "W": "W"}


class World:
    """Points of one circuit."""

    def __init__(self, folder: Path) -> None:
        clock = ManualClock(END_US)
        self.store = MemoryStore()
        self.registry = Registry(folder / "c.sqlite", clock, "Asia/Shanghai")
        for name, symbol in UNITS.items():
            self.registry.create(PointDraft(name=name, unit=symbol, kind=PointKind.INSTANTANEOUS))
        self.terms = TermBook(folder / "c.sqlite", self.registry, clock)
        self.rollup = RollupService(self.store, self.registry, folder / "r.sqlite", clock, terms=self.terms)
        self.checker = SlotChecker(self.rollup, self.registry, self.terms)

    @property
    def point(self) -> Point:
        return self.registry.get("P")

    def put(self, name: str, value: float, **others: float) -> None:
        """The same value all day, but in slots ``s12=…``."""
        values = dict.fromkeys(range(96), value) | {int(slot[1:]): other for slot, other in others.items()}
        samples = [(START_US + slot * QUARTER_US, one) for slot, one in values.items()]
        self.store.put(self.registry.get(name).id, samples)

    def state(self, term: Term) -> None:
        self.terms.state(self.point.id, term, 0, None, "", "as built")

    async def curves(self) -> PointCurves:
        made = await self.rollup.load_curve([self.point], DATE, QUARTER_US, ZONE)
        return await self.checker.marked(self.point, made, DATE, QUARTER_US, ZONE)

    async def suspect(self) -> list[int]:
        bits = (await self.curves()).total.quality & quality.VALIDITY_MASK
        slots: list[int] = np.flatnonzero(bits == quality.SUSPECT).tolist()
        return slots


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.rollup.open()
    yield made
    await made.rollup.close()
    made.terms.close()
    made.registry.close()


async def test_slots_that_break_the_power_triangle_are_suspect_and_keep_their_value(world: World) -> None:
    world.put("P", 800.0, s40=600.0)
    world.put("Q", 600.0)
    world.put("S", 1000.0)
    assert await world.suspect() == []
    world.state(TriangleTerm(reactive="Q", apparent="S"))
    assert await world.suspect() == [40]
    assert (await world.curves()).total.value[40] == 600.0


async def test_the_triangle_of_voltage_and_current(world: World) -> None:
    world.put("P", 30.0)
    world.put("Q", 40.0)
    world.put("U", 400.0)
    world.put("I", 50.0 / (np.sqrt(3.0) * 0.4), s7=10.0, s8=10.0)
    world.state(TriangleTerm(reactive="Q", voltage="U", current="I"))
    assert await world.suspect() == [7, 8]
    [found] = await world.checker.findings(world.point, START_US, END_US)
    assert (found.rule, found.count) == ("apparent_power", 2)
    assert found.start_us == START_US + 7 * QUARTER_US
    assert found.end_us == START_US + 9 * QUARTER_US


async def test_phases_that_do_not_add_up_and_units_that_differ(world: World) -> None:
    world.put("P", 30.0)
    world.put("Pa", 10.0)
    world.put("Pb", 10.0)
    world.put("W", 10_000.0, s95=9_000.0)
    world.state(PhasesTerm(phases=("Pa", "Pb", "W")))
    assert await world.suspect() == [95]


async def test_level_2_within_the_losses_of_level_1(world: World) -> None:
    world.put("P", 100.0)
    world.put("Pa", 60.0, s0=70.0)
    world.put("Pb", 35.0)
    world.state(PartsTerm(parts=("Pa", "Pb"), loss_share_max=0.1))
    assert await world.suspect() == [0]


async def test_what_is_not_known_is_not_compared(world: World) -> None:
    world.put("P", 800.0)
    world.put("Q", 600.0)
    world.state(TriangleTerm(reactive="Q", apparent="S"))
    assert await world.suspect() == []
    assert await world.checker.findings(world.point, START_US, END_US) == []


async def test_a_bad_slot_stays_bad(world: World) -> None:
    world.put("P", 1.0)
    world.store.put(world.point.id, [(START_US, 1.0)], quality.SUSPECT | quality.ESTIMATED)
    world.put("Q", 600.0)
    world.put("S", 1000.0)
    world.state(TriangleTerm(reactive="Q", apparent="S"))
    assert int((await world.curves()).total.quality[0]) & quality.ORIGIN_MASK == quality.ESTIMATED
    assert len(await world.suspect()) == 96


async def test_units_that_cannot_be_compared_are_named(world: World) -> None:
    world.put("P", 800.0)
    world.state(TriangleTerm(reactive="U", apparent="S"))
    with pytest.raises(UnitError):
        await world.curves()


async def test_only_what_lies_in_the_range_is_told(world: World) -> None:
    world.put("P", 800.0, s40=600.0)
    world.put("Q", 600.0)
    world.put("S", 1000.0)
    world.state(TriangleTerm(reactive="Q", apparent="S"))
    edge_us = START_US + 40 * QUARTER_US
    assert await world.checker.findings(world.point, START_US, edge_us) == []
    assert len(await world.checker.findings(world.point, edge_us, edge_us + 1)) == 1
