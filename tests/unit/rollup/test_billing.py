"""Rows with everything a bill needs, over the real service."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from historian.catalogue.lock_book import LockBook
from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import ManualClock
from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.errors import LockRefused, QueryError
from historian.model.point import PointDraft, PointKind
from historian.model.term import BillingTerm, TariffTerm
from historian.model.timestamp import load_zone, parse_time_us
from historian.rollup.billing import Asked, Billing
from historian.rollup.service import RollupService
from historian.rollup.tariff_book import TariffBook
from tests.support.bill_kit import CALENDAR, MONDAY, QUARTER_US, ZONE
from tests.support.memory_store import MemoryStore

NOW_US = parse_time_us("2026-02-01T00:00:00Z")
START_US = calendar.day_start_us(MONDAY, ZONE)
TUESDAY = MONDAY + datetime.timedelta(days=1)
IDS = np.array([1, 2], np.int64)


class World:
    """Two points, of which the second has a tariff."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOW_US)
        self.store = MemoryStore()
        self.registry = Registry(folder / "c.sqlite", self.clock, "Asia/Shanghai")
        for name in ("a", "b"):
            self.registry.create(PointDraft(name=name, unit="kW", kind=PointKind.MEAN_POWER))
        self.terms = TermBook(folder / "c.sqlite", self.registry, self.clock)
        self.tariffs = TariffBook(self.terms.database, self.clock, [CALENDAR.calendar])
        self.rollup = RollupService(
            self.store, self.registry, folder / "r.sqlite", self.clock, terms=self.terms
        )
        self.store.markers = [self.rollup]
        locks = LockBook(self.terms.database, self.clock)
        self.billing = Billing(
            self.rollup, self.store, self.registry, self.terms, self.tariffs, locks, self.clock
        )
        self.terms.state(2, TariffTerm(calendar="t"), 0, None, "", "contract")
        for point_id in (1, 2):
            self.put(point_id, [4.0] * 96)

    def put(self, point_id: int, values: list[float]) -> None:
        self.store.put(point_id, [(START_US + slot * QUARTER_US, value) for slot, value in enumerate(values)])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.rollup.open()
    yield made
    await made.rollup.close()
    made.terms.close()
    made.registry.close()


def day_of(world: World, ids: np.ndarray = IDS) -> Asked:
    return Asked(ids, "day", [DateRange(MONDAY, TUESDAY)])


async def test_only_points_with_a_tariff_have_bands(world: World) -> None:
    found = await world.billing.answer(day_of(world))
    assert found.rows.columns.energy.tolist() == [96.0, 96.0]
    assert found.bills is not None
    assert np.isnan(found.bills.tou[1][0])
    assert (found.bills.tou[1][1], found.bills.tou[3][1]) == (48.0, 48.0)
    assert found.locks is None
    alone = await world.billing.answer(day_of(world, IDS[:1]))
    assert alone.bills is None


async def test_what_has_no_energy_has_no_bands(world: World) -> None:
    volts = world.registry.create(PointDraft(name="u", unit="V", kind=PointKind.INSTANTANEOUS))
    world.terms.state(volts.id, TariffTerm(calendar="t"), 0, None, "", "by mistake")
    world.put(volts.id, [230.0] * 96)
    found = await world.billing.answer(day_of(world, np.array([volts.id], np.int64)))
    assert found.bills is None


async def test_samples_that_change_places_between_bands_are_another_revision(world: World) -> None:
    """Total, maximum and counts stay as they are; the bands do not."""
    before = await world.billing.answer(day_of(world))
    values = [4.0] * 96
    values[0], values[48] = 3.0, 5.0
    for point_id in (1, 2):
        world.put(point_id, values)
    swapped = await world.billing.answer(day_of(world))
    values[0], values[48], values[1] = 4.0, 5.0, 3.0
    for point_id in (1, 2):
        world.put(point_id, values)
    world.clock.advance(1.0)
    after = await world.billing.answer(day_of(world))
    assert before.rows.columns.revision.tolist() == [1, 1]
    assert swapped.rows.columns.revision.tolist() == [2, 2]
    assert after.rows.columns.energy.tolist() == [96.0, 96.0]
    assert after.rows.columns.revision[1] == 3


async def test_billing_periods_begin_on_the_day_that_was_stated(world: World) -> None:
    world.terms.state(2, BillingTerm(cutoff_day=4), 0, None, "", "contract")
    parts = world.billing.parts(IDS[1:], "billing", MONDAY, TUESDAY)
    assert parts == [DateRange(datetime.date(2026, 1, 4), datetime.date(2026, 2, 4))]
    with pytest.raises(QueryError, match=r"1, 4"):
        world.billing.parts(IDS, "billing", MONDAY, TUESDAY)
    assert len(world.billing.parts(IDS, "billing", MONDAY, TUESDAY, cutoff_day=6)) == 1


async def test_a_locked_row_keeps_its_bands(world: World) -> None:
    [_one, other] = await world.billing.lock(day_of(world), "anna", "bill 1")
    assert (other.figures["peak"], other.figures["tariff"]) == (48.0, "t@1")
    world.put(2, [4.0] * 48 + [8.0] * 48)
    found = await world.billing.answer(day_of(world))
    assert found.rows.columns.energy.tolist() == [96.0, 96.0]
    assert found.bills is not None
    assert found.bills.tou[1][1] == 48.0
    assert found.locks is not None
    assert found.locks.is_pending.tolist() == [0, 1]
    assert found.locks.pending_energy.tolist()[1] == 144.0
    assert world.billing.is_locked(2, MONDAY.toordinal())
    assert not world.billing.is_locked(2, TUESDAY.toordinal())
    world.billing.unlock(other.number, "", "credit")
    after = await world.billing.answer(day_of(world))
    assert after.rows.columns.energy.tolist() == [96.0, 144.0]
    assert len(world.billing.locks_of(2)) == 1


async def test_a_lock_is_of_the_days_of_one_clock(world: World) -> None:
    await world.billing.lock(day_of(world), "", "bill")
    world.put(2, [8.0] * 96)
    elsewhere = day_of(world)._replace(zone=load_zone("Asia/Seoul"))
    found = await world.billing.answer(elsewhere)
    assert found.locks is None
    assert found.rows.columns.energy[1] > 96.0


async def test_a_day_that_runs_is_not_locked(world: World) -> None:
    world.clock.set_wall(START_US + 5)
    with pytest.raises(LockRefused, match="not over"):
        await world.billing.lock(day_of(world), "", "bill")
