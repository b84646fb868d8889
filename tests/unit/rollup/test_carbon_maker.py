"""Carbon by the hour on days of 23 and 25 hours; over HTTP it is tested in tests/unit/api/routes/test_carbon.py."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from historian import core
from historian.clock import SystemClock
from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.metrics import Metrics
from historian.model.factor import FactorTable
from historian.model.point import HOUR_US, PointDraft, PointKind
from historian.model.sample import make_batch
from historian.model.term import CarbonTerm
from historian.model.timestamp import TIME_MIN_US, load_zone
from historian.rollup.billing import Asked
from historian.rollup.carbon_row import CarbonAsk
from historian.settings import Settings

BERLIN = load_zone("Europe/Berlin")
HOURS = tuple(float(hour) for hour in range(24))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (datetime.date(2026, 3, 28), sum(HOURS)),
        (datetime.date(2026, 3, 29), sum(HOURS) - 2),  # 02:00 is left out
        (datetime.date(2025, 10, 26), sum(HOURS) + 2),  # 02:00 comes twice
    ],
    ids=str,
)
async def test_an_hour_is_that_of_the_local_clock(
    tmp_path: Path, day: datetime.date, expected: float
) -> None:
    async with core.open_core(Settings(), tmp_path, SystemClock(), Metrics()) as parts:
        point = parts.registry.ensure(
            PointDraft(
                name="e", unit="kWh", kind=PointKind.INTERVAL, interval_us=HOUR_US, time_zone="Europe/Berlin"
            )
        )
        edges_us = calendar.slot_edges_us(day, BERLIN, HOUR_US)
        count = len(edges_us) - 1
        await parts.sink.append(make_batch(point.id, edges_us[:-1].tolist(), [1.0] * count), source="t")
        parts.terms.state(point.id, CarbonTerm("plant"), TIME_MIN_US, None, "", "as built")
        table = FactorTable(
            id="plant", version=1, carrier="electricity", basis="location", unit="kgCO2/kWh", source="s",
            confidence="high", hours={"plant": HOURS},
        )  # fmt: skip
        parts.derived.factors.put(table, "", "measured")
        days = DateRange(day, day + datetime.timedelta(days=1))
        asked = Asked(np.array([point.id], np.int64), "day", [days])
        (row,) = await parts.derived.carbon.make(asked, CarbonAsk())
        assert (row.energy, row.unmultiplied) == (count, 0)
        assert row.co2 is not None
        assert row.co2.amount_kg == expected


async def test_a_locked_energy_is_multiplied_until_it_is_unlocked(tmp_path: Path) -> None:
    day = datetime.date(2023, 1, 1)
    days = DateRange(day, day + datetime.timedelta(days=1))
    start_us = calendar.day_start_us(day, load_zone("Asia/Shanghai"))
    async with core.open_core(Settings(), tmp_path, SystemClock(), Metrics()) as parts:
        point = parts.registry.ensure(
            PointDraft(
                name="e",
                unit="kWh",
                kind=PointKind.INTERVAL,
                interval_us=24 * HOUR_US,
                time_zone="Asia/Shanghai",
            )
        )
        await parts.sink.append(make_batch(point.id, [start_us], [100.0]), source="t")
        parts.terms.state(point.id, CarbonTerm("CN"), TIME_MIN_US, None, "", "as built")
        asked = Asked(np.array([point.id], np.int64), "day", [days])
        (lock,) = await parts.billing.lock(asked, "", "billed")
        await parts.sink.append(make_batch(point.id, [start_us], [200.0]), source="t")
        (locked,) = await parts.derived.carbon.make(asked, CarbonAsk())
        parts.billing.unlock(lock.number, "", "wrong")
        (free,) = await parts.derived.carbon.make(asked, CarbonAsk())
        assert (locked.energy, locked.state, free.energy, free.state) == (100, "final", 200, "complete")
        assert locked.co2 is not None
        assert float(locked.co2.amount_kg) == 53.06
