"""The workload of every figure: a fleet of meters at 15 minutes, a deterministic daily life in kW.

A profile of the day × the size of the meter × noise that remembers its last quarter, rounded to watts,
0.5 % missing. Arrival in *scan order*: each quarter of an hour every meter reports one value.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

QUARTER_US: Final = 900_000_000
SLOTS_A_DAY: Final = 96
START_US: Final = 1_790_812_800_000_000  # 2026-10-01T00:00:00Z
MISSING_SHARE: Final = 0.005


class Fleet(NamedTuple):
    """`power_kw` is (time, meter), NaN where a value is missing."""

    time_us: npt.NDArray[np.int64]
    power_kw: npt.NDArray[np.float64]

    @property
    def present_count(self) -> int:
        return int(np.isfinite(self.power_kw).sum())


def meter_name(index: int) -> str:
    """Tag of a meter."""
    return f"fleet.m{index:05d}"


def make_fleet(meter_count: int, day_count: int, seed: int = 20261001) -> Fleet:
    """The same fleet for the same arguments."""
    random = np.random.default_rng(seed)
    hour = (np.arange(SLOTS_A_DAY) + 0.5) / 4
    homes = 0.35 + 0.45 * _bump(hour, 7.5, 1.2) + 0.95 * _bump(hour, 19.5, 2.0)
    shops = 0.25 + 1.1 * _bump(hour, 13.0, 4.0)
    works = 0.70 + 0.45 * _bump(hour, 14.0, 6.0)
    kind = random.choice(3, meter_count, p=(0.86, 0.11, 0.03))
    profile = np.stack([homes, shops, works])[kind].T
    size = np.array([0.8, 8.0, 120.0])[kind] * np.exp(random.normal(0, 0.8, meter_count))
    spread, memory = np.array([0.38, 0.10, 0.05])[kind], np.array([0.55, 0.80, 0.85])[kind]
    power = np.empty((day_count * SLOTS_A_DAY, meter_count))
    noise = random.normal(0, 1, meter_count)
    for slot in range(len(power)):
        fresh = random.normal(0, 1, meter_count)
        noise = memory * noise + np.sqrt(1 - memory**2) * fresh
        power[slot] = size * profile[slot % SLOTS_A_DAY] * np.exp(spread * noise)
    np.round(power, 3, out=power)
    power[random.random(power.shape) < MISSING_SHARE] = np.nan
    return Fleet(START_US + QUARTER_US * np.arange(len(power)), power)


def _bump(hour: npt.NDArray[np.float64], centre: float, width: float) -> npt.NDArray[np.float64]:
    distance = (hour - centre + 12) % 24 - 12
    bump: npt.NDArray[np.float64] = np.exp(-0.5 * (distance / width) ** 2)
    return bump
