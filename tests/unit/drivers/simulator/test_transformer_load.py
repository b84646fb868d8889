import itertools
import math

import pytest

from drivers.simulator.load_shape import load_shape_path, read_load_shape
from drivers.simulator.transformer_load import METERED_SINCE_US, TransformerLoad
from historian.model.point import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from historian.model.timestamp import parse_time_us

RATED_KVA = 50_000.0
NOON_US = parse_time_us("2026-11-22T12:00:00+08:00")


@pytest.fixture(scope="module")
def load() -> TransformerLoad:
    return TransformerLoad(read_load_shape(load_shape_path()))


def test_power_stays_below_the_rated_power(load: TransformerLoad) -> None:
    for minute in range(4 * 24 * 60):
        now = load.at(NOON_US + minute * MINUTE_US)
        apparent_kva = math.hypot(now.active_power_kw, now.reactive_power_kvar)
        assert 0.15 * RATED_KVA < apparent_kva < 0.85 * RATED_KVA
        assert now.active_power_kw / apparent_kva > 0.85


def test_load_differs_between_day_and_night_and_between_days(load: TransformerLoad) -> None:
    power_kw = [load.at(NOON_US + hour * HOUR_US).active_power_kw for hour in range(24)]
    assert max(power_kw) > 1.5 * min(power_kw)
    assert load.at(NOON_US + DAY_US).active_power_kw != pytest.approx(power_kw[0], rel=0.001)


@pytest.mark.parametrize("duration_us", [7 * MINUTE_US, HOUR_US, DAY_US], ids=["7 min", "1 h", "1 d"])
def test_meter_is_the_integral_of_the_power(load: TransformerLoad, duration_us: int) -> None:
    step_us = 10 * SECOND_US
    middles_us = range(NOON_US + step_us // 2, NOON_US + duration_us, step_us)
    integral_kwh = sum(load.at(time_us).active_power_kw for time_us in middles_us) * step_us / HOUR_US
    metered_kwh = load.meter_kwh(NOON_US + duration_us) - load.meter_kwh(NOON_US)
    assert metered_kwh == pytest.approx(integral_kwh, rel=1e-6)


def test_meter_never_goes_back(load: TransformerLoad) -> None:
    readings = [load.meter_kwh(NOON_US + step * 7 * MINUTE_US) for step in range(2_000)]
    assert all(before < after for before, after in itertools.pairwise(readings))


def test_meter_started_at_zero_and_not_before(load: TransformerLoad) -> None:
    assert load.meter_kwh(METERED_SINCE_US) == 0.0
    assert load.meter_kwh(METERED_SINCE_US - DAY_US) == 0.0


def test_meter_of_five_years_fits_a_counter(load: TransformerLoad) -> None:
    assert 0 < load.meter_kwh(METERED_SINCE_US + 5 * 365 * DAY_US) < 2**31
