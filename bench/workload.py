"""The workload of every figure, deterministic: a fleet of meters, and the measurements of substations.

*fleet*: meters at 15 minutes in kW: the day's profile of homes, shops or works × the size of the meter × the
day × noise that remembers its last quarter, heavy appliances on top, rounded to watts, 0.5 % missing.
*substation*: voltage, current, active and reactive power of bays at 5 minutes, rounded to 1 to 3 decimals.
A folder named by the variable BENCH_CACHE keeps sets once made, so that a run need not make them again.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

QUARTER_US: Final = 900_000_000
SLOTS_A_DAY: Final = 96
START_US: Final = 1_790_812_800_000_000  # 2026-10-01T00:00:00Z, a Thursday
MISSING_SHARE: Final = 0.005
FIVE_MINUTES_US: Final = 300_000_000
BAY_COUNT: Final = 250
CACHE_VARIABLE: Final = "BENCH_CACHE"
CACHE_VERSION: Final = 1  # raised when the sets change

F64 = npt.NDArray[np.float64]


class Fleet(NamedTuple):
    """`power_kw` is (time, meter), NaN where a value is missing."""

    time_us: npt.NDArray[np.int64]
    power_kw: F64

    @property
    def present_count(self) -> int:
        return int(np.isfinite(self.power_kw).sum())


class Substation(NamedTuple):
    """`value` is (time, point), NaN where missing; the points of a bay are U, I, P, Q."""

    time_us: npt.NDArray[np.int64]
    value: F64


class MeterClass(NamedTuple):
    """What the meters of homes, shops or works have in common."""

    share: float
    size_kw: float  # median
    size_spread: float
    noise: float
    memory: float  # correlation from one quarter to the next
    weekend_factor: float


CLASSES: Final = (
    MeterClass(0.86, 0.8, 0.7, 0.38, 0.55, 1.12),
    MeterClass(0.11, 8.0, 1.0, 0.10, 0.80, 0.45),
    MeterClass(0.03, 120.0, 0.9, 0.05, 0.85, 0.60),
)


def meter_tag(index: int) -> str:
    """What line protocol calls a meter: ``fleet,meter=m00042 kw=1.5``."""
    return f"m{index:05d}"


def meter_name(index: int) -> str:
    """The point of a meter."""
    return f"fleet.{meter_tag(index)}.kw"


def make_fleet(meter_count: int, day_count: int, seed: int = 20261001) -> Fleet:
    """The same fleet for the same arguments."""
    name = f"fleet-{meter_count}-{day_count}-{seed}"
    power = _cached(name, lambda: _fleet_power(meter_count, day_count, np.random.default_rng(seed)))
    return Fleet(START_US + QUARTER_US * np.arange(len(power)), power)


def make_substation(day_count: int = 30, bay_count: int = BAY_COUNT, seed: int = 7) -> Substation:
    """The same measurements for the same arguments."""
    name = f"substation-{bay_count}-{day_count}-{seed}"
    value = _cached(name, lambda: _bay_values(bay_count, day_count, np.random.default_rng(seed)))
    return Substation(START_US + FIVE_MINUTES_US * np.arange(len(value)), value)


def _cached(name: str, make: Callable[[], F64]) -> F64:
    folder = os.environ.get(CACHE_VARIABLE)
    if not folder:
        return make()
    path = Path(folder) / f"{name}-v{CACHE_VERSION}.npy"
    if path.exists():
        kept: F64 = np.load(path)
        return kept
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.npy")
    np.save(unfinished, made)
    unfinished.rename(path)
    return made


def _fleet_power(meter_count: int, day_count: int, random: np.random.Generator) -> F64:
    kind = random.choice(len(CLASSES), meter_count, p=[each.share for each in CLASSES])
    size = _of(kind, "size_kw") * np.exp(random.normal(0, _of(kind, "size_spread")))
    spread, memory, weekend = _of(kind, "noise"), _of(kind, "memory"), _of(kind, "weekend_factor")
    early = random.integers(-4, 5, meter_count)  # a meter's own habit, in quarters of an hour
    slot = (np.arange(SLOTS_A_DAY)[:, None] + early) % SLOTS_A_DAY
    profile = _profiles()[kind[None, :], slot]
    power = np.empty((day_count * SLOTS_A_DAY, meter_count))
    noise = random.normal(0, 1, meter_count)
    for index in range(len(power)):
        day, quarter = divmod(index, SLOTS_A_DAY)
        if quarter == 0:
            is_weekend = (day + 3) % 7 >= 5
            level = size * np.where(is_weekend, weekend, 1.0) * np.exp(random.normal(0, 0.05, meter_count))
        noise = memory * noise + np.sqrt(1 - memory**2) * random.normal(0, 1, meter_count)
        power[index] = level * profile[quarter] * np.exp(spread * noise - spread**2 / 2)
    power += _appliances(kind, day_count, random)
    np.round(power, 3, out=power)
    power[random.random(power.shape) < MISSING_SHARE] = np.nan
    return power


def _appliances(kind: npt.NDArray[np.int64], day_count: int, random: np.random.Generator) -> F64:
    """An hour of a charging car or a boiler now and then; only at homes."""
    hour_count, meter_count = day_count * 24, len(kind)
    is_on = random.random((hour_count, meter_count)) < np.where(kind == 0, 0.06, 0.0)
    power_kw = np.where(random.random(meter_count) < 0.3, 6.6, 2.2)
    hours: F64 = is_on * power_kw
    return np.repeat(hours, 4, axis=0)


def _profiles() -> F64:
    hour = (np.arange(SLOTS_A_DAY) + 0.5) / 4
    evening = 0.45 * _bump(hour, 7.5, 1.2) + 0.95 * _bump(hour, 19.5, 2.0)
    homes = 0.35 + evening + 0.15 * _bump(hour, 12.5, 1.5)
    shops = 0.25 + 1.10 * _step(hour, 8.0, 2.5) * _step(hour, 18.5, -2.0)
    works = 0.70 + 0.45 * _step(hour, 6.0, 4.0) * _step(hour, 22.0, -4.0)
    return np.stack([homes, shops, works])


def _bay_values(bay_count: int, day_count: int, random: np.random.Generator) -> F64:
    count = day_count * 288
    hour = (np.arange(count) % 288)[:, None] / 12
    profile = 0.6 + 0.3 * _bump(hour, 19.5, 2.5) + 0.25 * _bump(hour, 10.5, 3.0)
    level_kv = np.resize([10.0, 35.0, 110.0, 220.0], bay_count)
    capacity_mw = 1.2 * level_kv * np.exp(random.normal(-0.5, 0.6, bay_count))
    active = capacity_mw * profile * np.exp(_remembering(random, (count, bay_count), 0.97, 0.012))
    lag = 0.25 + 0.05 * np.sin(2 * np.pi * hour / 24)
    reactive = active * lag + capacity_mw * random.normal(0, 0.004, (count, bay_count))
    swing = _remembering(random, (count, bay_count), 0.95, 0.0008)
    voltage = level_kv * (1.02 + swing - 0.01 * (profile - 0.8))
    current = 1000 * np.hypot(active, reactive) / (np.sqrt(3) * voltage)
    columns = [np.round(voltage, 2), np.round(current, 1), np.round(active, 3), np.round(reactive, 3)]
    value: F64 = np.stack(columns, axis=2).reshape(count, 4 * bay_count)
    value[random.random(value.shape) < 0.002] = np.nan
    return value


def _remembering(
    random: np.random.Generator, shape: tuple[int, int], memory: float, innovation: float
) -> F64:
    """Noise whose rows depend on the row before; starts at zero."""
    noise: F64 = random.normal(0, innovation, shape)
    for row in range(1, len(noise)):
        noise[row] += memory * noise[row - 1]
    return noise


def _of(kind: npt.NDArray[np.int64], attribute: str) -> Any:
    return np.array([getattr(each, attribute) for each in CLASSES])[kind]


def _bump(hour: F64, centre: float, width: float) -> F64:
    distance = (hour - centre + 12) % 24 - 12
    bump: F64 = np.exp(-0.5 * (distance / width) ** 2)
    return bump


def _step(hour: F64, at: float, slope: float) -> F64:
    step: F64 = 1 / (1 + np.exp(-slope * (hour - at)))
    return step
