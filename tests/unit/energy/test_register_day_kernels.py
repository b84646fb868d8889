"""What the kernel for fleets of registers does, and what it leaves; that both say the same is a law in
tests/property/test_register.py.
"""

import numpy as np
import pytest

from historian.energy import fleet, register_day_kernels
from historian.energy.fleet import Ask, Asked
from historian.energy.metering import Metering, RegisterEvent, Step
from historian.model import quality
from historian.model.point import HOUR_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun, block_of, empty_run
from historian.model.timestamp import TIME_MIN_US

QUARTER_US = 15 * MINUTE_US
EDGES = np.arange(5, dtype=np.int64) * QUARTER_US
PLAIN = Metering.plain(PointKind.REGISTER, QUARTER_US, 80.0)
RISING = {-15: 9.0, 0: 10.0, 15: 10.5, 30: 10.5, 45: 12.0, 60: 12.25, 75: 13.0}
EXCHANGE = RegisterEvent(0, "exchange", 1.0, 0.0)


def run_of(readings: dict[int, float], bits: int = 0) -> SampleRun:
    """Readings by minute."""
    times = np.array(sorted(readings), np.int64) * MINUTE_US
    return SampleRun(
        1, times, np.array([readings[one] for one in sorted(readings)]), np.full(len(times), bits, np.uint16)
    )


def made_of(run: SampleRun, of: Metering) -> fleet.DayFigures:
    ask = Ask(of.kind, of.interval_us, of.factor[0].value, of)
    return fleet.day_figures(block_of([run]), Asked.of([ask]), [EDGES])


def test_figures_of_differences() -> None:
    figures, is_done = made_of(run_of(RISING), PLAIN)
    assert is_done.all()
    assert (figures.total_numerator[0, 0], figures.denominator[0, 0], figures.known_us[0, 0]) == (
        180,
        1,
        HOUR_US,
    )
    assert (figures.max_value[0, 0], figures.max_slot[0, 0]) == (480.0, 2)
    assert (figures.min_value[0, 0], figures.min_slot[0, 0]) == (0.0, 1)
    assert (figures.received[0, 0], figures.good[0, 0], figures.is_complete[0, 0]) == (4, 4, 1)


def test_a_gap_is_in_the_total_only() -> None:
    figures, is_done = made_of(run_of({0: 1.0, 15: 2.0, 75: 6.0}), PLAIN)
    assert is_done.all()
    assert (figures.total_numerator[0, 0], figures.ranked_numerator[0, 0]) == (320, 80)
    assert (figures.known_us[0, 0], figures.ranked_us[0, 0]) == (HOUR_US, QUARTER_US)
    assert not figures.is_complete.any()


def test_origins_are_counted() -> None:
    figures, _ = made_of(run_of(RISING, quality.ESTIMATED | quality.SUSPECT), PLAIN)
    assert [figures.good[0, 0], figures.estimated[0, 0], figures.manual[0, 0], figures.measured[0, 0]] == [
        0,
        4,
        0,
        0,
    ]
    figures, _ = made_of(run_of(RISING, quality.SUBSTITUTED), PLAIN)
    assert [figures.good[0, 0], figures.estimated[0, 0], figures.manual[0, 0], figures.measured[0, 0]] == [
        4,
        0,
        4,
        0,
    ]


@pytest.mark.parametrize(
    ("run", "of", "is_done"),
    [
        pytest.param(run_of(RISING), PLAIN._replace(modulus=1e6, resolution=0.01), True, id="a modulus"),
        pytest.param(run_of(RISING), PLAIN._replace(capacity=(Step(TIME_MIN_US, 400.0),)), True, id="a capacity"),
        pytest.param(run_of(RISING), PLAIN._replace(capacity=(Step(TIME_MIN_US, 399.0),)), False, id="above it"),
        pytest.param(run_of(RISING), PLAIN._replace(capacity=(Step(HOUR_US, 1.0),)), False, id="a capacity of today"),
        pytest.param(run_of(RISING), PLAIN._replace(capacity=(Step(2 * HOUR_US, 1.0),)), True, id="one of tomorrow"),
        pytest.param(run_of(RISING), PLAIN._replace(events=(EXCHANGE,)), False, id="an exchange"),
        pytest.param(
            run_of(RISING), PLAIN._replace(events=(EXCHANGE._replace(time_us=-HOUR_US),)), True, id="one before"
        ),
        pytest.param(
            run_of({15: 1.0, 60: 2.0}), PLAIN._replace(events=(EXCHANGE._replace(time_us=-HOUR_US),)), False, id="one just before",
        ),
        pytest.param(run_of(RISING), PLAIN._replace(factor=(Step(TIME_MIN_US, 1e15),)), False, id="a large factor"),
        pytest.param(run_of(RISING | {30: 10.0}), PLAIN, False, id="a fall"),
        pytest.param(run_of(RISING | {0: 0.0}), PLAIN, False, id="zero at the edge, lower than before"),
        pytest.param(run_of(RISING | {-15: 0.0, 0: 0.0}), PLAIN, True, id="zero at the edge, as before"),
        pytest.param(run_of(RISING, quality.BAD), PLAIN, False, id="bad"),
        pytest.param(run_of(RISING, quality.DELETED), PLAIN, False, id="deleted"),
        pytest.param(run_of(RISING, quality.INVALID), PLAIN, False, id="invalid"),
        pytest.param(run_of(RISING, quality.COUNTER_ADJUSTED), PLAIN, False, id="adjusted"),
        pytest.param(run_of(RISING | {30: 10.5 + 1e-12}), PLAIN, False, id="no decimal"),
        pytest.param(run_of(RISING | {75: 2.0**52}), PLAIN, True, id="large beyond the day"),
        pytest.param(run_of(RISING | {60: 2.0**52}), PLAIN, False, id="large"),
        pytest.param(empty_run(1), PLAIN, False, id="nothing"),
        pytest.param(run_of({-60: 1.0, -15: 2.0}), PLAIN, True, id="before only"),
        pytest.param(run_of({60: 1.0}), PLAIN, True, id="after only"),
    ],
)  # fmt: skip
def test_what_is_done(run: SampleRun, of: Metering, is_done: bool) -> None:
    assert made_of(run, of).is_done.all() == is_done


@pytest.mark.parametrize(
    ("times", "edges", "expected"),
    [
        pytest.param([0, 15, 30], [0, 15, 30], 1, id="on edges"),
        pytest.param([-5, 10, 25], [0, 15, 30], 3, id="thirds"),
        pytest.param([-7, 8, 21], [0, 15, 30], 195, id="of 13 and 15"),
        pytest.param([-7, 9_990, 30_001], [0, 15_000, 30_000], 1_000_000, id="of none in common"),
    ],
)
def test_the_grid_is_that_of_regular_shares(times: list[int], edges: list[int], expected: int) -> None:
    scaled = np.arange(len(times), dtype=np.int64)
    assert register_day_kernels.grid_of(np.array(times), scaled, np.array(edges)) == expected
