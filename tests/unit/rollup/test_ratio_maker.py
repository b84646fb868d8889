"""Ratios of days that are made of other points' curves; over HTTP they are tested in tests/unit/api/routes/test_ratios.py."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from historian.clock import ManualClock
from historian.energy import calendar
from historian.errors import QueryError
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.term import NO_TERMS, PointTerms, RatioTerm, Span, Step
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US, load_zone
from historian.rollup.ratio_maker import RatioMaker
from historian.rollup.service import RollupService
from historian.rollup.term_directory import NoTerms
from tests.support.memory_store import MemoryDirectory, MemoryStore

SHANGHAI = load_zone("Asia/Shanghai")
DATE = datetime.date(2026, 1, 5)
EDGES_US = calendar.slot_edges_us(DATE, SHANGHAI, 15 * MINUTE_US)
TERM = RatioTerm(formula="load_ratio", inputs=("P", "Q"))
POINTS = [
    Point(id=1, name="P", unit="MW", kind=PointKind.MEAN_POWER),
    Point(id=2, name="Q", unit="kvar", kind=PointKind.MEAN_POWER),
    Point(id=3, name="T", unit="%", kind=PointKind.RATIO),
]


class Stated(NoTerms):
    """A capacity that doubles at noon."""

    def of(self, point_id: int) -> PointTerms:
        if point_id != 3:
            return NO_TERMS
        steps = Step(TIME_MIN_US, 1000.0), Step(int(EDGES_US[48]), 2000.0)
        return PointTerms({"ratio": (Span(TIME_MIN_US, TIME_MAX_US, TERM),)}, capacity=steps)


async def maker(tmp_path: Path, terms: NoTerms) -> RatioMaker:
    store, clock = MemoryStore(), ManualClock(int(EDGES_US[-1]))
    directory = MemoryDirectory(*POINTS)
    service = RollupService(store, directory, tmp_path / "r.db", clock)
    await service.open()
    for point_id, value in ((1, 0.8), (2, 600.0)):
        store.put(point_id, dict.fromkeys(EDGES_US[:-1].tolist(), value))
    return RatioMaker(service, directory, terms, clock)


async def test_units_and_the_capacity_of_each_slot_are_minded(tmp_path: Path) -> None:
    made = await maker(tmp_path, Stated())
    assert made.term_of(POINTS[2], 0) == TERM
    assert made.term_of(POINTS[0], 0) is None
    found = await made.curve(POINTS[2], TERM, EDGES_US, SHANGHAI)
    assert np.unique(found.total.value[:48]).tolist() == [100.0]
    assert np.unique(found.total.value[48:]).tolist() == [50.0]
    assert found.summary.mean == pytest.approx(100 / 1.5)
    assert (found.summary.energy, found.summary.load_factor, found.unit) == (None, None, "%")


async def test_a_ratio_without_a_capacity_is_refused(tmp_path: Path) -> None:
    made = await maker(tmp_path, NoTerms())
    with pytest.raises(QueryError, match="no capacity in kVA"):
        await made.curve(POINTS[2], TERM, EDGES_US, SHANGHAI)
