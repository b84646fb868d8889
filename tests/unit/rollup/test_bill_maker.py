"""Reads and makes bills piece by piece, quick or plain, in the order asked for."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from historian.catalogue.database import Database
from historian.catalogue.term_table import SCHEMA
from historian.clock import ManualClock
from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.rollup import bill_maker
from historian.rollup.bill_maker import BillMaker, Metered
from historian.rollup.tariff_book import TariffBook
from tests.support.bill_kit import BERLIN, CALENDAR, MONDAY, ZONE, days, terms_of
from tests.support.memory_store import MemoryStore

POINTS = [
    Point(id=1, name="a", unit="kW", kind=PointKind.MEAN_POWER),
    Point(id=2, name="b", unit="kWh", kind=PointKind.REGISTER),
    Point(id=3, name="c", unit="kW", kind=PointKind.INSTANTANEOUS, interval_us=5 * MINUTE_US),
    Point(
        id=4, name="d", unit="kWh", kind=PointKind.INTERVAL, interval_us=HOUR_US, time_zone="Europe/Berlin"
    ),
]


@pytest.fixture
def maker(tmp_path: Path) -> BillMaker:
    database = Database(tmp_path / "c.sqlite", SCHEMA, is_synced=True)
    return BillMaker(TariffBook(database, ManualClock(1), [CALENDAR.calendar]))


def filled() -> MemoryStore:
    store = MemoryStore()
    generator = np.random.default_rng(7)
    for point in POINTS:
        start_us = calendar.day_start_us(MONDAY - datetime.timedelta(days=1), ZONE)
        count = 5 * 24 * HOUR_US // point.interval_us
        values = np.round(generator.random(count) * 50, 2)
        if point.kind is PointKind.REGISTER:
            values = np.round(np.cumsum(values), 2)
        store.put(
            point.id, [(start_us + i * point.interval_us, float(value)) for i, value in enumerate(values)]
        )
    return store


def asked() -> list[Metered]:
    terms = terms_of("tariff", "demand")
    return [Metered(point, terms, BERLIN if point.id == 4 else ZONE) for point in POINTS]


async def test_small_pieces_make_the_same_bills_as_large_ones(
    maker: BillMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, parts = (
        filled(),
        [*days(2), DateRange(MONDAY + datetime.timedelta(days=2), MONDAY + datetime.timedelta(days=4))],
    )
    whole = await maker.make(store, asked(), parts)
    assert [len(bills) for bills in whole] == [3, 3, 3, 3]
    assert all(bill.bands is not None and bill.total > 0 for bills in whole for bill in bills)
    monkeypatch.setattr(bill_maker, "READ_SAMPLES_MAX", 100)
    assert await maker.make(store, asked(), parts) == whole


async def test_the_quick_way_and_the_plain_one_agree(
    maker: BillMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled()
    quick = await maker.make(store, asked(), days(3))
    monkeypatch.setattr(bill_maker.bill_fleet, "quick_ask", lambda *_: None)
    plain = await maker.make(store, asked(), days(3))
    for one, other in zip(quick, plain, strict=True):
        assert [bill[:4] for bill in one] == [bill[:4] for bill in other]
        assert [bill.demand and bill.demand[:3] for bill in one] == [
            bill.demand and bill.demand[:3] for bill in other
        ]


async def test_nobody_asked_for_is_nobody_read(maker: BillMaker) -> None:
    store = filled()
    assert await maker.make(store, [], days(1)) == []
    assert store.read_count == 0
