"""Dry runs: what would move, told and not stored."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from historian.catalogue.lock_book import LockBook
from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import ManualClock
from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.energy.holiday import NO_HOLIDAYS
from historian.errors import QueryTooLarge, TariffError
from historian.model.point import DAY_US, MINUTE_US, Point, PointDraft, PointKind
from historian.model.rules import Rules, SentinelRule
from historian.model.sample import make_batch
from historian.model.tariff import Season, TariffCalendar
from historian.model.term import DemandTerm, ExchangeTerm, RulesTerm, Span, Step, TariffTerm
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US, load_zone
from historian.rollup import trial
from historian.rollup.billing import Asked, Billing
from historian.rollup.service import RollupService
from historian.rollup.tariff_book import TariffBook
from historian.rollup.trial import Moved, Outcome, Trial, Trials
from tests.support.version_store import VersionStore

ZONE = load_zone("Asia/Shanghai")
FIRST, LAST = datetime.date(2026, 3, 30), datetime.date(2026, 4, 3)
START_US = calendar.day_start_us(FIRST, ZONE)
NOW_US = START_US + 40 * DAY_US
QUARTER_US = 15 * MINUTE_US
SENTINEL = Span(TIME_MIN_US, TIME_MAX_US, RulesTerm(Rules(sentinel=SentinelRule((-99.0,)))))


def calendar_of(peak: str, flat: str, version: int = 1) -> TariffCalendar:
    return TariffCalendar(
        id="C", version=version, seasons=(Season(name="all year", peak=(peak,), flat=(flat,)),)
    )


EARLY, LATE = calendar_of("00:00-12:00", "12:00-24:00"), calendar_of("00:00-06:00", "06:00-24:00")


class World:
    """Four days, two in each month, of 4 kW; on the last 00:00 shows -99."""

    def __init__(self, folder: Path) -> None:
        clock = ManualClock(NOW_US)
        self.store = VersionStore(clock)
        self.registry = Registry(folder / "points.db", clock, ZONE.key)
        self.terms = TermBook(folder / "points.db", self.registry, clock)
        self.tariffs = TariffBook(self.terms.database, clock, [EARLY], NO_HOLIDAYS)
        self.rollup = RollupService(self.store, self.registry, folder / "rollups.db", clock, terms=self.terms)
        self.billing = Billing(
            self.rollup,
            self.store,
            self.registry,
            self.terms,
            self.tariffs,
            LockBook(self.terms.database, clock),
            clock,
        )
        self.trials = Trials(
            self.rollup, self.billing, self.store, self.registry, self.terms, self.tariffs, clock
        )
        self.point: Point = self.registry.create(PointDraft(name="P", unit="kW", kind=PointKind.MEAN_POWER))

    async def fill(self) -> None:
        values = np.full(4 * 96, 4.0)
        values[3 * 96] = -99.0
        times = START_US + np.arange(4 * 96, dtype=np.int64) * QUARTER_US
        await self.store.append(make_batch(self.point.id, times, values), source="meter")

    async def run(self, **more: Any) -> Outcome:
        return await self.trials.run(Trial(np.array([self.point.id]), DateRange(FIRST, LAST), **more))

    async def rows(self) -> list[Any]:
        return await self.rollup.rows([self.point], "day", FIRST, LAST)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.rollup.open()
    await made.fill()
    yield made
    await made.rollup.close()
    made.terms.close()
    made.registry.close()


def energies(found: Outcome) -> list[tuple[str, str, float, float]]:
    return [
        (one.period, one.date.isoformat(), one.before["energy"], one.after["energy"]) for one in found.rows
    ]


async def test_a_rule_would_move_one_day_and_its_month_and_nothing_is_stored(world: World) -> None:
    before = await world.rows()
    found = await world.run(span=SENTINEL)
    assert energies(found) == [
        ("month", "2026-04-01", 192.0 - 25.75, 191.0),
        ("day", "2026-04-02", 96.0 - 25.75, 95.0),
    ]
    assert (found.looked_at, found.moved_days, found.moved_months, found.is_cut) == (4, 1, 1, False)
    assert found.rows[1] == Moved(
        world.point.id, "day", datetime.date(2026, 4, 2),
        {"energy": 70.25, "min": -99.0, "good": 96},
        {"energy": 95.0, "min": 4.0, "good": 95}, False,
    )  # fmt: skip
    assert await world.rows() == before
    assert world.terms.ids() == set()


async def test_a_multiplier_from_a_day_on(world: World) -> None:
    found = await world.run(multiplier=Step(START_US + 2 * DAY_US, 10.0))
    assert [one[:2] for one in energies(found)] == [
        ("month", "2026-04-01"), ("day", "2026-04-01"), ("day", "2026-04-02"),
    ]  # fmt: skip
    assert found.rows[1].before == {"energy": 96.0, "max_demand": 4.0, "min": 4.0}
    assert found.rows[1].after == {"energy": 960.0, "max_demand": 40.0, "min": 40.0}
    always = await world.run(multiplier=Step(TIME_MIN_US, 10.0))
    assert (always.moved_days, always.moved_months) == (4, 2)
    same = await world.run(multiplier=Step(START_US, 1.0))
    assert (same.moved_days, same.rows) == (0, [])


async def test_a_calendar_moves_the_bands_of_points_that_go_by_it(world: World) -> None:
    assert (await world.run(calendar=LATE)).rows == []
    world.terms.state(world.point.id, TariffTerm(calendar="C"), TIME_MIN_US, None, "", "contract")
    found = await world.run(calendar=LATE)
    assert (found.moved_days, found.moved_months) == (4, 2)
    day = found.rows[2]
    assert day.before == {"tariff": "C@1", "peak": 48.0, "flat": 48.0}
    assert day.after == {"tariff": "C@2", "peak": 24.0, "flat": 72.0}
    assert (await world.run(calendar=EARLY)).rows == []  # only its name would be another
    assert world.tariffs.get("C").calendar.version == 1
    with pytest.raises(TariffError):
        await world.run(calendar=calendar_of("00:00-06:00", "07:00-24:00"))


async def test_a_first_tariff_and_a_first_demand(world: World) -> None:
    tariff = Span(TIME_MIN_US, TIME_MAX_US, TariffTerm(calendar="C"))
    found = await world.run(span=tariff)
    assert found.rows[2].before == {"tariff": None, "peak": None, "flat": None, "sharp": None, "valley": None,
        "deep_valley": None, "undivided": None}  # fmt: skip
    assert found.rows[2].after["peak"] == 48.0
    demand = await world.run(span=Span(TIME_MIN_US, TIME_MAX_US, DemandTerm(slide_s=900)))
    assert demand.rows[2].after["billing_demand"] == 4.0


async def test_locked_days_are_flagged(world: World) -> None:
    asked = Asked(np.array([world.point.id]), "day", [DateRange(LAST - datetime.timedelta(days=1), LAST)])
    await world.billing.lock(asked, "", "billed")
    found = await world.run(span=SENTINEL)
    assert [one.is_locked for one in found.rows] == [True, True]
    other = await world.run(multiplier=Step(START_US, 2.0))
    assert [one.is_locked for one in other.rows] == [False, True, False, False, False, True]


async def test_an_exchange_of_a_register(world: World) -> None:
    register = world.registry.create(PointDraft(name="E", unit="kWh", kind=PointKind.REGISTER))
    times = [START_US, START_US + DAY_US]
    await world.store.append(make_batch(register.id, times, [990.0, 10.0]), source="meter")
    span = Span(START_US + DAY_US // 2, TIME_MAX_US, ExchangeTerm(old_end=1000.0, new_start=0.0))
    found = await world.trials.run(Trial(np.array([register.id]), DateRange(FIRST, LAST), span))
    assert energies(found) == [("month", "2026-03-01", None, 20.0), ("day", "2026-03-30", None, 20.0)]


async def test_too_much_is_refused_and_rows_are_cut(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "ROWS_MAX", 3)
    found = await world.run(multiplier=Step(TIME_MIN_US, 2.0))
    assert (len(found.rows), found.moved_days, found.is_cut) == (3, 4, True)
    monkeypatch.setattr(trial, "POINT_DAYS_MAX", 60)
    with pytest.raises(
        QueryTooLarge, match="1 points over 61 days of whole months are 61 point-days, 60 are allowed"
    ):
        await world.run(multiplier=Step(TIME_MIN_US, 2.0))
