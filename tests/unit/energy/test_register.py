"""What a register's readings say, and what they do not say without a guess."""

from fractions import Fraction

import numpy as np
import pytest

from historian.energy import load_curve, register, sample_period
from historian.energy.counter_event import CounterFlag
from historian.energy.load_curve import LoadCurve, SlotState
from historian.energy.metering import Metering, RegisterEvent, Step
from historian.model import quality
from historian.model.point import HOUR_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun
from historian.model.timestamp import TIME_MIN_US

QUARTER_US = 15 * MINUTE_US
EDGES = np.arange(5, dtype=np.int64) * QUARTER_US
PLAIN = Metering.plain(PointKind.REGISTER, QUARTER_US)
ROLLING = PLAIN._replace(modulus=1e6)
LIMITED = PLAIN._replace(capacity=(Step(TIME_MIN_US, 100.0),))  # a quarter of an hour holds 30
NOTHING, SUSPECT = CounterFlag(0), quality.SUSPECT


def run_of(readings: dict[int, float], qualities: dict[int, int] | None = None) -> SampleRun:
    """Readings by minute."""
    times = sorted(readings)
    bits = [(qualities or {}).get(time, 0) for time in times]
    return SampleRun(
        1,
        np.array(times) * MINUTE_US,
        np.array([readings[time] for time in times]),
        np.array(bits, np.uint16),
    )


def with_factor(of: Metering, *steps: tuple[int, float]) -> Metering:
    """Factors by minute, the first for all time before too."""
    dated = [Step(minute * MINUTE_US, value) for minute, value in steps]
    return of._replace(factor=(dated[0]._replace(from_us=TIME_MIN_US), *dated[1:]))


def told(run: SampleRun, of: Metering) -> list[tuple[int, int, CounterFlag, float | None]]:
    """Start and end in minutes, flags and amount of what is explained."""
    return [
        (one.start_us // MINUTE_US, one.end_us // MINUTE_US, one.flags, one.amount)
        for one in register.explain(run, of)
    ]


def curve_of(run: SampleRun, of: Metering) -> LoadCurve:
    return load_curve.build(run, of, EDGES)


def qualities_of(run: SampleRun, of: Metering) -> list[int]:
    return sample_period.periods_of(run, of).quality.tolist()


def test_a_rollover_at_a_plausible_power_is_exact() -> None:
    of = with_factor(ROLLING, (0, 8000.0))._replace(capacity=(Step(TIME_MIN_US, 80_000.0),))
    run = run_of({0: 999_998.50, 15: 1.25})
    curve = curve_of(run, of)
    assert (curve.total, curve.value[0], curve.events) == (22_000, 88_000.0, CounterFlag.ROLLOVER)
    assert qualities_of(run, of) == [quality.GOOD]
    assert told(run, of) == [(0, 15, CounterFlag.ROLLOVER, 22_000.0)]


@pytest.mark.parametrize(
    ("before", "after", "of", "bits", "expected"),
    [
        pytest.param(999_998.5, 1.25, PLAIN, 0, (0, SUSPECT), id="no modulus"),
        pytest.param(999_998.5, 1.25, PLAIN, quality.COUNTER_CARRY, (0, SUSPECT), id="no modulus, though a carry"),
        pytest.param(999_998.5, 1.25, ROLLING, 0, (Fraction(11, 4), SUSPECT), id="from near the end to near zero"),
        pytest.param(999_998.5, 1.25, ROLLING, quality.COUNTER_CARRY, (Fraction(11, 4), 0), id="the source says so"),
        pytest.param(500_000.0, 1.25, ROLLING, 0, (0, SUSPECT), id="from the middle"),
        pytest.param(999_998.5, 500_000.0, ROLLING, 0, (0, SUSPECT), id="to the middle"),
        pytest.param(500_000.0, 1.0, ROLLING, quality.COUNTER_CARRY, (500_001, 0), id="a carry from the middle"),
        pytest.param(1_000_001.0, 1.25, ROLLING, 0, (0, SUSPECT), id="beyond the modulus"),
        pytest.param(999_998.5, -1.0, ROLLING, quality.COUNTER_CARRY, (0, SUSPECT), id="below zero"),
        pytest.param(
            999_900.0, 1.25, LIMITED._replace(modulus=1e6), quality.COUNTER_CARRY, (0, SUSPECT), id="too much power"
        ),
    ],
)  # fmt: skip
def test_a_fall_is_a_rollover_only_where_something_says_so(
    before: float, after: float, of: Metering, bits: int, expected: tuple[Fraction, int]
) -> None:
    run = run_of({0: before, 15: after}, {15: bits})
    curve = curve_of(run, of)
    assert (curve.total, qualities_of(run, of)[0] & quality.VALIDITY_MASK) == expected
    assert bool(curve.events & CounterFlag.ROLLOVER) == (curve.total > 0)
    assert bool(curve.events & CounterFlag.DECREASE) == (curve.total == 0)


def test_an_exchange_counts_both_meters() -> None:
    exchange = RegisterEvent(20 * MINUTE_US, "exchange", 1010.0, 0.0)
    of = with_factor(PLAIN, (0, 80.0), (20, 120.0))._replace(events=(exchange,))
    run = run_of({15: 1000.0, 30: 5.0})
    curve = curve_of(run, of)
    assert (curve.total, curve.known_us, curve.events) == (1400, QUARTER_US, CounterFlag.EXCHANGE)
    assert curve.value.tolist()[1] == 1400 * 4
    assert told(run, of) == [(15, 20, CounterFlag.EXCHANGE, 800.0), (20, 30, CounterFlag.EXCHANGE, 600.0)]
    assert [(one.before, one.after) for one in register.explain(run, of)] == [(1000.0, 1010.0), (0.0, 5.0)]


@pytest.mark.parametrize("reading", [1010.0, 0.0, 77.0], ids=["the old one", "the new one", "neither"])
def test_a_reading_at_the_instant_of_an_exchange_gives_way_to_it(reading: float) -> None:
    of = PLAIN._replace(events=(RegisterEvent(QUARTER_US, "exchange", 1010.0, 0.0),))
    assert curve_of(run_of({0: 1000.0, 15: reading, 30: 5.0}), of).value.tolist()[:2] == [40.0, 20.0]


def test_what_nobody_noted_is_not_known() -> None:
    of = PLAIN._replace(events=(RegisterEvent(20 * MINUTE_US, "exchange", None, 0.0),))
    run = run_of({0: 990.0, 15: 1000.0, 30: 5.0})
    assert told(run, of) == [(15, 20, CounterFlag.EXCHANGE, None), (20, 30, CounterFlag.EXCHANGE, 5.0)]
    assert curve_of(run, of).total == 15
    of = PLAIN._replace(events=(RegisterEvent(20 * MINUTE_US, "exchange", 1010.0, None),))
    assert curve_of(run, of).total == 20
    of = PLAIN._replace(events=(RegisterEvent(30 * MINUTE_US, "exchange", 1010.0, None),))
    assert curve_of(run_of({15: 1000.0, 30: 5.0, 45: 7.0}), of).total == 12, "the reading is the new start"


def test_an_exchange_before_the_first_reading_and_after_the_last_counts() -> None:
    first, last = RegisterEvent(0, "exchange", None, 2.0), RegisterEvent(45 * MINUTE_US, "exchange", 9.0, 0.0)
    of = PLAIN._replace(
        events=(first._replace(time_us=-1), first, last, last._replace(time_us=50 * MINUTE_US))
    )
    assert curve_of(run_of({15: 5.0, 30: 6.0}), of).value.tolist()[:3] == [12.0, 4.0, 12.0]
    assert len(told(run_of({15: 5.0, 30: 6.0}), of)) == 2
    assert told(run_of({}), of) == []


def test_a_reset_begins_anew_and_what_was_before_it_is_not_known() -> None:
    of = PLAIN._replace(events=(RegisterEvent(20 * MINUTE_US, "reset", None, 0.5),))
    run = run_of({15: 1000.0, 30: 5.0})
    assert told(run, of) == [(15, 20, CounterFlag.RESET, None), (20, 30, CounterFlag.RESET, 4.5)]
    curve = curve_of(run, of)
    assert (curve.total, curve.state[1], curve.quality[1]) == (
        Fraction(9, 2),
        SlotState.PARTIAL,
        quality.GOOD,
    )


def test_an_adjusted_counter_has_no_amount_unless_an_event_explains_it() -> None:
    run = run_of({0: 10.0, 15: 11.0, 30: 15.0}, {15: quality.COUNTER_ADJUSTED})
    assert told(run, PLAIN) == [(0, 15, CounterFlag.RESET, None)]
    assert curve_of(run, PLAIN).total == 4
    of = PLAIN._replace(events=(RegisterEvent(10 * MINUTE_US, "reset", 10.5, 10.0),))
    assert curve_of(run, of).total == Fraction(11, 2)


@pytest.mark.parametrize(
    "bits", [quality.BAD | quality.INVALID, quality.INVALID], ids=["bad", "invalid only"]
)
def test_an_invalid_reading_is_none_but_its_hint_counts(bits: int) -> None:
    run = run_of({0: 10.0, 15: 99.0, 20: 12.0}, {15: bits})
    assert [(one.start_us, one.amount) for one in register.explain(run, PLAIN)] == []
    assert curve_of(run, PLAIN).total == 2
    assert told(run._replace(quality=run.quality | np.array([0, quality.COUNTER_ADJUSTED, 0], np.uint16)), PLAIN) == [
        (0, 20, CounterFlag.RESET, None)
    ]  # fmt: skip


def test_a_signed_register_may_fall() -> None:
    run = run_of({0: 10.0, 15: 7.5, 30: 8.0})
    curve = curve_of(run, PLAIN._replace(is_signed=True))
    assert (curve.total, curve.value.tolist()[:2], curve.events) == (-2, [-10.0, 2.0], 0)
    assert (
        curve_of(run_of({0: 100.0, 15: 0.0}), LIMITED._replace(is_signed=True)).events
        == CounterFlag.IMPLAUSIBLE
    )


def test_a_spike_beyond_the_capacity_has_no_amount() -> None:
    run = run_of({0: 10.0, 15: 40.0, 30: 53_740.0})
    curve = curve_of(run, LIMITED)
    assert (curve.total, curve.value[0], curve.events) == (30, 120.0, CounterFlag.IMPLAUSIBLE)
    assert (curve.state[1], curve.quality[1]) == (SlotState.SUSPECT, SUSPECT)
    assert curve_of(run_of({0: 10.0, 15: 40.01}), LIMITED).total == 0
    assert curve_of(run_of({0: 10.0, 15: 40.01}), LIMITED._replace(resolution=0.01)).total > 30


def test_the_capacity_is_of_the_amount_after_the_factor() -> None:
    of = with_factor(LIMITED, (0, 6000.0))
    assert curve_of(run_of({0: 1.0, 15: 1.01}), of).total == 0
    raised = of._replace(capacity=(Step(TIME_MIN_US, 240.0),))
    assert curve_of(run_of({0: 1.0, 15: 1.01}), raised).total == 60


@pytest.mark.parametrize(
    ("of", "expected"),
    [pytest.param(PLAIN, SUSPECT, id="unknown"), pytest.param(LIMITED, quality.GOOD, id="known capacity")],
)
def test_a_lone_reading_of_zero_is_set_aside(of: Metering, expected: int) -> None:
    run = run_of({0: 500.0, 15: 501.0, 30: 0.0, 45: 503.0, 60: 504.0})
    assert told(run, of) == [(15, 45, CounterFlag.IMPLAUSIBLE | CounterFlag.GAP_SPANNED, 2.0)]
    curve = curve_of(run, of)
    assert (curve.total, curve.state.tolist()) == (4, [0, 5, 5, 0])
    assert qualities_of(run, of)[1] == expected


@pytest.mark.parametrize(
    ("readings", "of"),
    [
        pytest.param({0: 500.0, 15: 0.0, 30: 499.0}, PLAIN, id="not back up"),
        pytest.param({0: 500.0, 15: 6.0, 30: 501.0}, PLAIN, id="not to nearly nothing"),
        pytest.param({0: 500.0, 15: 0.0, 30: 0.0, 45: 501.0}, PLAIN, id="two of them"),
        pytest.param({0: 20.0, 15: 0.0, 30: 21.0}, LIMITED, id="a reset that caught up"),
        pytest.param({0: 500.0, 15: 0.0, 30: 900.0}, LIMITED, id="up too far"),
        pytest.param({0: 0.5, 15: 0.0, 30: 0.6}, PLAIN, id="from nearly nothing"),
        pytest.param({0: 500.0, 15: 0.0, 30: 501.0}, PLAIN._replace(is_signed=True), id="signed"),
        pytest.param(
            {0: 500.0, 15: 0.0, 30: 501.0},
            PLAIN._replace(events=(RegisterEvent(10 * MINUTE_US, "reset", None, 0.0),)),
            id="a reset explains it",
        ),
    ],
)
def test_a_reading_is_set_aside_only_if_nothing_else_explains_it(
    readings: dict[int, float], of: Metering
) -> None:
    periods = sample_period.periods_of(run_of(readings), of)
    assert 15 * MINUTE_US in periods.end_us.tolist()


def test_a_hint_speaks_against_setting_aside() -> None:
    for bits in (quality.COUNTER_ADJUSTED, quality.COUNTER_CARRY):
        run = run_of({0: 500.0, 15: 0.0, 30: 501.0}, {15: bits})
        assert len(sample_period.periods_of(run, PLAIN).start_us) == 2


def test_a_factor_that_changes_between_readings_leaves_the_amount_unknown() -> None:
    run = run_of({0: 1.0, 15: 2.0, 30: 3.0, 45: 4.0})
    of = with_factor(PLAIN, (0, 80.0), (20, 120.0))
    assert told(run, of) == [(15, 30, CounterFlag.FACTOR_CHANGE, None)]
    assert curve_of(run, of).total == 200
    assert curve_of(run, with_factor(PLAIN, (0, 80.0), (30, 120.0))).value.tolist()[:3] == [
        320.0,
        320.0,
        480.0,
    ]
    assert curve_of(run, with_factor(PLAIN, (0, 80.0), (20, 80.0))).total == 240


def test_a_reading_of_few_digits_is_lumpy_and_exact() -> None:
    of = with_factor(PLAIN, (0, 6000.0))._replace(resolution=0.01)
    curve = curve_of(run_of({0: 0.07, 15: 0.07, 30: 0.08, 45: 0.1}), of)
    assert (curve.value.tolist()[:3], curve.total) == ([0.0, 240.0, 480.0], 180)


def test_other_kinds_take_the_factor_of_their_start() -> None:
    steps = ((0, 2.0), (20, 10.0))
    for kind, total in ((PointKind.MEAN_POWER, 24), (PointKind.INTERVAL, 24), (PointKind.INSTANTANEOUS, 24)):
        of = with_factor(Metering.plain(kind, QUARTER_US), *steps)
        run = run_of({0: 4.0, 15: 4.0, 30: 0.5, 45: 0.3})
        curve = curve_of(run, of)
        divisor = 1 if kind is PointKind.INTERVAL else 4
        assert curve.total == Fraction(total, divisor)
        assert curve.value.tolist() == [
            8.0 * 4 / divisor,
            8.0 * 4 / divisor,
            5.0 * 4 / divisor,
            3.0 * 4 / divisor,
        ]


@pytest.mark.parametrize(
    ("minutes", "values", "expected"),
    [
        pytest.param([-15, 0, 60, 75], [1, 2, 3, 4], (0, 60), id="on the edges"),
        pytest.param([-15, -5, 61, 75], [1, 2, 3, 4], (-5, 61), id="beyond the edges"),
        pytest.param([-15, 0, 60, 75], [5, 0, 0.5, 4], (-15, 75), id="near zero"),
        pytest.param([0, 60], [0, 0], (0, 60), id="near zero and no other"),
        pytest.param([10, 50], [1, 2], (0, 60), id="none beyond"),
        pytest.param([], [], (0, 60), id="none"),
    ],
)
def test_how_far_readings_decide(minutes: list[int], values: list[float], expected: tuple[int, int]) -> None:
    run = run_of(dict(zip(minutes, map(float, values), strict=True)))
    assert sample_period.register_span(run, 0, HOUR_US) == tuple(one * MINUTE_US for one in expected)
