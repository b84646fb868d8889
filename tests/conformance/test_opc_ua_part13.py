"""The aggregate examples of OPC UA Part 13, Annex A: the data of Historians 1 to 3 through our retrieval calls.

Seconds count from 12:00:00. Where our definition differs on purpose the test says so, and docs/integrator/retrieval.md has the
table. In short: Bad is never bridged (Part 13: interpolated over, Uncertain); Uncertain is *suspect* and used, everywhere (as
TreatUncertainAsBad = False, Historian 1; Historians 2 and 3 have True); whether a line is sloped or stepped is the kind of the
point; `basis=time` weighs steps, not slopes, and a sample holds at most one interval; `count` counts all that is stamped inside.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from historian.catalogue.journal import Journal
from historian.clock import ManualClock
from historian.model.point import Point, PointKind
from historian.model.quality import BAD, GOOD, SUSPECT, VALIDITY_MASK
from historian.model.timerange import TimeRange
from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from historian.query.retrieve import AtMode, GapMode
from tests.unit.query.samples import MemoryReader, Sample, make_point, make_run

S = 1_000_000
NONE = math.nan
HISTORIAN_1: list[tuple[int, float, int]] = [
    (10, 10, GOOD), (20, 20, GOOD), (30, 30, GOOD), (40, 40, BAD), (50, 50, GOOD), (60, 60, GOOD), (70, 70, SUSPECT),
    (80, 80, GOOD), (90, 90, GOOD),
]  # fmt: skip
HISTORIAN_2: list[tuple[int, float, int]] = [
    (2, 10, GOOD), (25, 20, GOOD), (28, 25, GOOD), (39, 30, GOOD), (42, 0, BAD), (48, 40, GOOD), (52, 50, GOOD),
    (72, 60, GOOD), (77, 70, SUSPECT), (83, 70, GOOD), (86, 80, GOOD), (90, 90, GOOD),
]  # fmt: skip
HISTORIAN_3 = HISTORIAN_2  # the same data, stepped
SLOPED_1 = make_point(interval_us=10 * S)
SLOPED_2 = make_point(interval_us=23 * S)
STEPPED_3 = make_point(PointKind.MEAN_POWER, interval_us=23 * S)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite", ManualClock(0))
    yield made
    made.close()


def engine(journal: Journal, data: list[tuple[int, float, int]]) -> QueryEngine:
    samples: list[Sample] = [(at * S, value, quality) for at, value, quality in data]
    return QueryEngine(MemoryReader(make_run(samples)), journal, ManualClock(3_600 * S), QueryLimits())


async def slots(
    engine: QueryEngine, point: Point, gaps: GapMode = "break", max_gap_s: int = 23
) -> dict[int, tuple[float, int]]:
    """Value and validity every 5 s from 12:00:00 to 12:01:35."""
    span = TimeRange(0, 100 * S)
    columns = await engine.interpolated(point, span, 5 * S, gaps, max_gap_s * S)
    rows = zip(
        columns.time_us.tolist(),
        columns.value.tolist(),
        (columns.quality & VALIDITY_MASK).tolist(),
        strict=True,
    )
    return {time_us // S: (value, validity) for time_us, value, validity in rows}


def values(found: dict[int, tuple[float, int]]) -> list[float]:
    return [round(value, 3) for value, _ in found.values()]


class TestInterpolative:
    """5.4.3.4 Interpolative, 5 s."""

    async def test_historian_1_sloped(self, journal: Journal) -> None:
        """35, 40 and 45 lie beside the Bad sample: Part 13 has 35, 40, 45 as Uncertain; we have nothing there."""
        found = await slots(engine(journal, HISTORIAN_1), SLOPED_1)
        assert values(found) == pytest.approx(
            [NONE, NONE, 10, 15, 20, 25, 30, NONE, NONE, NONE, 50, 55, 60, 65, 70, 75, 80, 85, 90, NONE], nan_ok=True
        )  # fmt: skip
        suspect = {at for at, (value, validity) in found.items() if validity == SUSPECT and value == value}
        assert suspect == {65, 70, 75}, "Part 13: Uncertain at the same places"

    async def test_historian_1_extrapolated_as_a_step(self, journal: Journal) -> None:
        """`gaps=hold` is SteppedExtrapolation, Uncertain: 90 at 12:01:35, as in Part 13."""
        found = await slots(engine(journal, HISTORIAN_1), SLOPED_1, "hold")
        assert found[95] == (90.0, SUSPECT)
        assert found[35] == (30.0, SUSPECT), "by design: held, where Part 13 draws a line over the Bad sample"
        assert math.isnan(found[5][0]), "nothing before the first sample: Bad_NoData"

    async def test_historian_2_sloped(self, journal: Journal) -> None:
        """40 and 45 are beside Bad. 75 and 80 use the Uncertain 70, which Historian 2 treats as Bad (62.727, 67.273)."""
        found = await slots(engine(journal, HISTORIAN_2), SLOPED_2)
        assert values(found)[:19] == pytest.approx(
            [NONE, 11.304, 13.478, 15.652, 17.826, 20, 25.909, 28.182, NONE, NONE, 45, 51.5, 54, 56.5, 59, 66, 70,
             76.667, 90], nan_ok=True,
        )  # fmt: skip
        assert found[75][1] == found[80][1] == SUSPECT
        assert found[85][1] == GOOD

    async def test_historian_3_stepped(self, journal: Journal) -> None:
        """45 follows Bad: nothing, where Part 13 goes on with 30. 80 is the Uncertain 70, where Part 13 goes on with 60."""
        found = await slots(engine(journal, HISTORIAN_3), STEPPED_3)
        assert values(found)[:19] == pytest.approx(
            [NONE, 10, 10, 10, 10, 20, 25, 25, 30, NONE, 40, 50, 50, 50, 50, 60, 70, 70, 90], nan_ok=True
        )  # fmt: skip
        assert found[80][1] == SUSPECT


class TestBounds:
    """5.4.3.23 ff. Start, End, StartBound, EndBound: the calls at, before and after an instant."""

    @pytest.mark.parametrize(
        ("at", "mode", "expected"),
        [
            pytest.param(16, "before", (10, 10.0), id="StartBound, stepped: the sample that holds"),
            pytest.param(16, "after", (20, 20.0), id="Start: the first sample of the interval"),
            pytest.param(31, "before", (30, 30.0), id="End: the last sample of the interval"),
            pytest.param(16, "interpolated", (16, 16.0), id="StartBound, sloped"),
            pytest.param(20, "exact", (20, 20.0), id="a bound on a sample"),
            pytest.param(5, "before", None, id="no bound before the first sample: Bad_NoData"),
            pytest.param(95, "after", None, id="no bound after the last sample"),
            pytest.param(45, "interpolated", None, id="by design no bound beside Bad"),
        ],
    )
    async def test_historian_1(
        self, journal: Journal, at: int, mode: AtMode, expected: tuple[int, float] | None
    ) -> None:
        run = await engine(journal, HISTORIAN_1).at(SLOPED_1, at * S, mode)
        found = [
            (time // S, value) for time, value in zip(run.time_us.tolist(), run.value.tolist(), strict=True)
        ]
        assert found == ([] if expected is None else [expected])


class TestRawAggregates:
    """5.4.3.10 ff. Minimum, Maximum, their actual times, Range, Average: `basis=event`, 16 s."""

    async def test_historian_1(self, journal: Journal) -> None:
        """12:00:32 to :48 has only Bad: no value. Count: Part 13 has 0 there, we count what was stamped inside."""
        span = TimeRange(0, 96 * S)
        rows = await engine(journal, HISTORIAN_1).summary([SLOPED_1], span, 16 * S, "event")
        assert [row.min for row in rows] == [10, 20, None, 50, 70, 80]
        assert [row.max for row in rows] == [10, 30, None, 60, 70, 90]
        assert [row.mean for row in rows] == [10, 25, None, 55, 70, 85]
        low = [None if row.min_time_us is None else row.min_time_us // S for row in rows]
        high = [None if row.max_time_us is None else row.max_time_us // S for row in rows]
        assert (low, high) == ([10, 20, None, 50, 70, 80], [10, 30, None, 60, 70, 90])
        ranges = [None if row.max is None or row.min is None else row.max - row.min for row in rows]
        assert ranges == [0, 10, None, 10, 0, 10]
        assert [row.count for row in rows] == [1, 2, 1, 2, 1, 2]

    async def test_standard_deviation_is_of_the_whole(self, journal: Journal) -> None:
        """5.4.3.38 StandardDeviationPopulation of 50 and 60 is 5; that of a sample (7.07) is not offered."""
        rows = await engine(journal, HISTORIAN_1).summary(
            [SLOPED_1], TimeRange(48 * S, 64 * S), None, "event"
        )
        assert rows[0].std == pytest.approx(5.0)


class TestTimeWeighted:
    """5.4.3.5 ff. TimeAverage and Total with steps, PercentGood: `basis=time`, 16 s."""

    async def test_historian_3_stepped_averages_and_totals(self, journal: Journal) -> None:
        """Intervals that are wholly usable; Total is value × seconds there, value × hours here."""
        rows = await engine(journal, HISTORIAN_3).summary([STEPPED_3], TimeRange(0, 96 * S), 16 * S, "time")
        expected = {1: 10 * 9 + 20 * 3 + 25 * 4, 3: 40 * 4 + 50 * 12, 5: 70 * 6 + 80 * 4 + 90 * 6}
        for slot, product in expected.items():
            assert rows[slot].mean == pytest.approx(product / 16)
            assert rows[slot].total == pytest.approx(product / 3600)
            assert rows[slot].total_unit == "kWh"

    async def test_historian_3_a_part_without_data_weighs_nothing(self, journal: Journal) -> None:
        """12:00:32 to :48: 25 for 7 s, 30 for 3 s, then Bad. Part 13's TimeAverage2 leaves Bad out likewise."""
        rows = await engine(journal, HISTORIAN_3).summary(
            [STEPPED_3], TimeRange(32 * S, 48 * S), None, "time"
        )
        assert rows[0].mean == pytest.approx((25 * 7 + 30 * 3) / 10)
        assert rows[0].good_share == pytest.approx(10 / 16)

    async def test_historian_1_percent_good(self, journal: Journal) -> None:
        """5.4.3.33: by time. Uncertain is not good here; Part 13 with TreatUncertainAsBad = False has 100 % in slot 5."""
        rows = await engine(journal, HISTORIAN_1).summary([SLOPED_1], TimeRange(0, 96 * S), 16 * S, "time")
        shares = [round(100 * row.good_share, 1) for row in rows]
        assert shares == [37.5, 100.0, 50.0, 87.5, 37.5, 100.0]


async def test_worst_quality_of_each_interval(journal: Journal) -> None:
    """5.4.3.36 WorstQuality: of all samples of an interval that has a usable one."""
    plot = await engine(journal, HISTORIAN_2).plot(SLOPED_2, TimeRange(0, 96 * S), 3)
    assert plot.column_index.tolist() == [0, 1, 2]
    assert (plot.quality & VALIDITY_MASK).tolist() == [GOOD, BAD, SUSPECT]
