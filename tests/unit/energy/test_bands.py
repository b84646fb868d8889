"""Energy of bands: the vectors of metering practice, and what stays undivided."""

import datetime
from fractions import Fraction

import numpy as np
import pytest

from historian.energy import bands, calendar, fleet, load_curve, sample_period, tariff
from historian.energy.band_kernels import BandFigures
from historian.energy.fleet import Ask, Asked
from historian.energy.holiday import NO_HOLIDAYS
from historian.energy.metering import Metering, Step
from historian.energy.tariff import DaySchedule
from historian.model import quality
from historian.model.point import HOUR_US, MINUTE_US, PointKind
from historian.model.sample import SampleRun, block_of
from historian.model.tariff import Season, TariffCalendar
from historian.model.timestamp import TIME_MIN_US, load_zone

DATE = datetime.date(2026, 3, 10)
SHANGHAI = load_zone("Asia/Shanghai")
START_US, END_US = calendar.day_edges_us(DATE, SHANGHAI)
QUARTER_US = 15 * MINUTE_US
EDGES = calendar.slot_edges_us(DATE, SHANGHAI, QUARTER_US)


def schedule_of(date: datetime.date = DATE, zone: str = "Asia/Shanghai", **windows: str) -> DaySchedule:
    season = Season(**{band: tuple(text.split()) for band, text in windows.items()})
    made = tariff.compile_tariff(TariffCalendar(id="T", version=1, seasons=(season,)))
    return tariff.day_bands(made, date, load_zone(zone), NO_HOLIDAYS, None, frozenset())


NIGHT = schedule_of(valley="00:00-08:00", peak="08:00-20:00", flat="20:00-24:00")


def run_of(minutes: list[float], values: list[float], bits: int = 0) -> SampleRun:
    times = START_US + np.array([round(minute * MINUTE_US) for minute in minutes], np.int64)
    return SampleRun(1, times, np.array(values), np.full(len(times), bits, np.uint16))


def split(
    run: SampleRun, kind: PointKind, interval_us: int, schedule: DaySchedule, factor: float = 1.0
) -> list[float]:
    periods = sample_period.periods_of(run, Metering.plain(kind, interval_us, factor))
    return [float(one) for one in bands.split(periods, kind, schedule)]


DAY_CURVE = [40.0] * 32 + [100.0] * 48 + [60.0] * 16  # 00:15 … 24:00


def test_valley_holds_exactly_320_kwh() -> None:
    starts = [15.0 * slot for slot in range(96)]
    found = split(run_of(starts, DAY_CURVE), PointKind.MEAN_POWER, QUARTER_US, NIGHT)
    assert found == [0, 1200, 240, 320, 0]


def test_period_ends_read_as_starts_move_ten_kwh_over_each_edge() -> None:
    starts = [15.0 * slot for slot in range(1, 97)]
    found = split(run_of(starts, DAY_CURVE), PointKind.MEAN_POWER, QUARTER_US, NIGHT)
    assert found == [0, 1200 - 25 + 10, 240 + 25 - 15, 310, 0]


@pytest.mark.parametrize("kind", [PointKind.MEAN_POWER, PointKind.INTERVAL])
def test_a_mean_or_an_amount_across_an_edge_stays_undivided(kind: PointKind) -> None:
    half_past = schedule_of(valley="00:00-07:30", flat="07:30-24:00")
    run = run_of([60.0 * hour for hour in range(24)], [2.0] * 24)
    found = split(run, kind, HOUR_US, half_past)
    total = load_curve.build(run, Metering.plain(kind, HOUR_US), EDGES).total
    assert found == [0, 0, 32, 14, 0]
    assert total == 48  # two more than the bands


def test_an_instant_across_an_edge_is_cut_by_time() -> None:
    half_past = schedule_of(valley="00:00-07:30", flat="07:30-24:00")
    run = run_of([60.0 * hour for hour in range(24)], [2.0] * 24)
    assert split(run, PointKind.INSTANTANEOUS, HOUR_US, half_past) == [0, 0, 33, 15, 0]


def test_instants_off_any_grid_are_cut_by_the_microsecond() -> None:
    run = run_of([470.0, 481.3, 494.9], [1.5, 2.5, 3.5])
    periods = sample_period.periods_of(run, Metering.plain(PointKind.INSTANTANEOUS, QUARTER_US))
    found = bands.split(periods, PointKind.INSTANTANEOUS, NIGHT)
    assert found[3] == Fraction(3, 2) * 10 / 60
    assert (
        found[1]
        == (Fraction("1.5") * Fraction("1.3") + Fraction("2.5") * Fraction("13.6") + Fraction("3.5") * 15)
        / 60
    )


def test_a_register_difference_across_a_gap_is_in_no_band() -> None:
    run = run_of([0, 15, 30, 90, 105], [100.0, 101.5, 102.5, 110.0, 111.0])
    found = split(run, PointKind.REGISTER, QUARTER_US, NIGHT, 80.0)
    assert found == [0, 0, 0, 3.5 * 80, 0]
    assert load_curve.build(run, Metering.plain(PointKind.REGISTER, QUARTER_US, 80.0), EDGES).total == 11 * 80


def test_what_may_not_be_used_is_in_no_band() -> None:
    assert split(run_of([0, 15], [1.0, 1.0], quality.BAD), PointKind.INTERVAL, QUARTER_US, NIGHT) == [0] * 5


def test_periods_across_the_days_ends_are_in_no_band() -> None:
    run = run_of([-5, 10, 1430], [1.0, 2.0, 4.0])
    assert split(run, PointKind.INTERVAL, QUARTER_US, NIGHT) == [0, 0, 0, 2.0, 0]


def test_each_period_has_the_factor_it_began_under() -> None:
    steps = (Step(TIME_MIN_US, 80.0), Step(START_US + HOUR_US, 120.0))
    of = Metering(PointKind.INTERVAL, QUARTER_US, steps)
    periods = sample_period.periods_of(run_of([45, 60], [0.25, 0.5]), of)
    assert bands.split(periods, PointKind.INTERVAL, NIGHT) == (0, 0, 0, 20 + 60, 0)


def test_a_day_without_a_calendar_has_no_bands() -> None:
    undivided = DaySchedule(
        np.array([START_US, END_US]), np.array([255], np.uint8), (tariff.OUTSIDE_VALIDITY,)
    )
    assert split(run_of([0], [1.0]), PointKind.INTERVAL, QUARTER_US, undivided) == [0] * 5


def test_a_day_of_25_hours_has_an_hour_of_valley_twice() -> None:
    date, zone = datetime.date(2026, 10, 25), "Europe/Berlin"
    schedule = schedule_of(date, zone, valley="02:00-03:00", flat="03:00-02:00")
    start_us, end_us = calendar.day_edges_us(date, load_zone(zone))
    times = np.arange(start_us, end_us, QUARTER_US)
    run = SampleRun(1, times, np.full(100, 4.0), np.zeros(100, np.uint16))
    assert split(run, PointKind.MEAN_POWER, QUARTER_US, schedule) == [0, 0, 4 * 23, 4 * 2, 0]


# ── Many runs ────────────────────────────────────────────────────────────────────────────────────────────────


def add_bands(
    runs: list[SampleRun], asks: list[Ask], schedules: list[DaySchedule], which: list[int]
) -> tuple[fleet.Figures, BandFigures, list[bool]]:
    asked = Asked.of(asks)
    figures, is_done = fleet.day_figures(block_of(runs), asked, [EDGES])
    shape = len(runs), 1
    out = BandFigures(
        *(np.zeros(shape, np.int64) for _ in range(5)),
        figures.total_numerator,
        figures.ranked_numerator,
        figures.denominator,
    )
    numbers = np.array(which, np.int64)
    bands.add_bands(block_of(runs), asked, [[one] for one in schedules], numbers, [EDGES], out, is_done)
    return figures, out, is_done[:, 0].tolist()


def cells(out: BandFigures) -> list[list[int]]:
    return np.array([column[:, 0] for column in out]).T.tolist()


def test_bands_and_total_share_one_denominator_in_lowest_terms() -> None:
    ask = Ask(PointKind.MEAN_POWER, QUARTER_US, 1.0)
    starts = [15.0 * slot for slot in range(96)]
    runs = [run_of(starts, DAY_CURVE), run_of([0, 480], [1.0, 2.0])]
    _, out, is_done = add_bands(runs, [ask, ask], [NIGHT], [0, 0])
    assert is_done == [True, True]
    assert cells(out) == [[0, 1200, 240, 320, 0, 1760, 1760, 1], [0, 2, 0, 1, 0, 3, 3, 4]]


def test_a_run_without_a_schedule_stays_as_it_was() -> None:
    ask = Ask(PointKind.MEAN_POWER, QUARTER_US, 1.0)
    runs = [run_of([1], [1.0]), run_of([0], [1.0])]
    _, out, is_done = add_bands(runs, [ask, ask], [NIGHT], [-1, 0])
    assert is_done == [True, True]
    assert cells(out) == [[0, 0, 0, 0, 0, 15, 14, 60], [0, 0, 0, 1, 0, 1, 1, 4]]


@pytest.mark.parametrize(
    ("run", "ask", "is_done"),
    [
        pytest.param(
            run_of([1], [0.5]), Ask(PointKind.MEAN_POWER, QUARTER_US, 1.0), False, id="off the grid"
        ),
        pytest.param(run_of([0], [1 / 3]), Ask(PointKind.INTERVAL, QUARTER_US, 1.0), False, id="no decimal"),
        pytest.param(
            run_of([0, 15], [1.0, 1.0], quality.BAD),
            Ask(PointKind.INTERVAL, QUARTER_US, 1.0),
            False,
            id="bad",
        ),
        pytest.param(
            run_of([0, 15], [1.0, 1.0], quality.ESTIMATED),
            Ask(PointKind.INTERVAL, QUARTER_US, 1.0),
            True,
            id="estimated",
        ),
        pytest.param(
            run_of([0], [2.0**50]), Ask(PointKind.MEAN_POWER, 7 * MINUTE_US, 1e9), False, id="does not fit"
        ),
        pytest.param(run_of([], []), Ask(PointKind.INTERVAL, QUARTER_US, 1.0), True, id="nothing there"),
    ],
)
def test_what_cannot_be_exact_is_not_done(run: SampleRun, ask: Ask, is_done: bool) -> None:
    before = cells(add_bands([run], [ask], [], [-1])[1])
    _, out, done = add_bands([run], [ask], [NIGHT], [0])
    assert done == [is_done]
    if not is_done:
        assert cells(out) == before


def test_an_undivided_day_changes_nothing() -> None:
    undivided = DaySchedule(np.array([START_US, END_US]), np.array([255], np.uint8))
    ask = Ask(PointKind.MEAN_POWER, QUARTER_US, 1.0)
    single = float(np.float32(0.1))  # no decimal, and still a figure
    _, out, is_done = add_bands([run_of([0], [1.0]), run_of([0], [single])], [ask] * 2, [undivided], [0, 0])
    assert (cells(out)[0], is_done) == ([0, 0, 0, 0, 0, 1, 1, 4], [True, True])
    assert add_bands([run_of([0], [single])], [ask], [NIGHT], [0])[2] == [False]


def test_another_number_of_digits_is_found() -> None:
    ask = Ask(PointKind.INTERVAL, QUARTER_US, 1.0)
    runs = [run_of([0, 480], [0.123456, 1.0]), run_of([0], [0.5])]
    _, out, is_done = add_bands(runs, [ask, ask], [NIGHT], [0, 0])
    assert is_done == [True, True]
    assert [Fraction(row[3], row[7]) for row in cells(out)] == [Fraction("0.123456"), Fraction("0.5")]
