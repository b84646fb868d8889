"""Two measurements of one energy in other units; over HTTP checks are tested in tests/unit/api/routes/test_checks.py."""

import datetime
from pathlib import Path

import numpy as np

from historian.clock import ManualClock
from historian.energy import calendar
from historian.energy.calendar import DateRange
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.term import CheckTerm, PointTerms, RegisterTerm, Span
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US, load_zone
from historian.rollup.billing import Asked
from historian.rollup.check_maker import CheckMaker
from historian.rollup.service import RollupService
from historian.rollup.term_directory import NoTerms
from tests.support.memory_store import MemoryDirectory, MemoryStore

DATE = datetime.date(2026, 1, 5)
DAYS = DateRange(DATE, DATE + datetime.timedelta(days=1))
EDGES_US = calendar.slot_edges_us(DATE, load_zone("Asia/Shanghai"), 15 * MINUTE_US).tolist()
POINTS = [
    Point(id=1, name="P", unit="MW", kind=PointKind.MEAN_POWER),
    Point(id=2, name="R", unit="kWh", kind=PointKind.REGISTER, multiplier=80.0),
]


class Stated(NoTerms):
    """The power is checked against the register, whose last digit is 0.01."""

    def of(self, point_id: int) -> PointTerms:
        term = CheckTerm(point="R") if point_id == 1 else RegisterTerm(resolution=0.01)
        kind = "check" if point_id == 1 else "register"
        return PointTerms({kind: (Span(TIME_MIN_US, TIME_MAX_US, term),)})


async def test_the_tolerance_is_a_share_of_the_register_and_the_unit_that_of_the_point(
    tmp_path: Path,
) -> None:
    store, clock = MemoryStore(), ManualClock(EDGES_US[-1])
    directory = MemoryDirectory(*POINTS)
    service = RollupService(store, directory, tmp_path / "r.db", clock)
    await service.open()
    store.put(1, dict.fromkeys(EDGES_US[:-1], 0.4))
    store.put(2, {time_us: 1.0 * i for i, time_us in enumerate(EDGES_US)})
    maker = CheckMaker(service, store, directory, Stated(), clock)
    (row,) = await maker.rows(Asked(np.array([1], np.int64), "day", [DAYS]))
    assert (float(row.energy or 0), float(row.other_energy or 0), row.unit) == (9.6, 7.68, "MWh")
    assert (float(row.residual or 0), float(row.limit or 0), row.is_exceeded) == (1.92, 0.384, True)
    assert (row.state, row.suggestions) == ("complete", [])
    await service.close()
