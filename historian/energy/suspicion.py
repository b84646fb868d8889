"""Whether the values of a point have the wrong magnitude: found by its limits, its own past and what else measures the same.

A suspicion is for a person to judge: it names the numbers it rests on, the factor that would set it right and what to look at.
Nothing is ever changed by one. What the ratio of two series tells is told by `suggestion`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from historian.energy import suggestion
from historian.energy.suggestion import F64, UNIT_NEAR_SHARE, UNIT_SCALE, Suggestion
from historian.model import unit

VALUES_MIN: Final = 8  # fewer tell nothing of a magnitude

ADVICE: Final = {
    "unit_scale": (
        "compare the unit that the source sends with the unit of the point (W and kW, var and kvar, Wh and kWh)",
        "核对数据源的单位与测点单位（W 与 kW、var 与 kvar、Wh 与 kWh）",
    ),
    "multiplier_applied_twice": (
        "the source may send primary values already: look whether CT and PT ratios are applied twice",
        "数据源可能已是一次值：检查 CT、PT 变比是否重复相乘",
    ),
    "multiplier_never_applied": (
        "the source may send secondary values: look whether CT and PT ratios are missing",
        "数据源可能是二次值：检查是否漏乘 CT、PT 变比",
    ),
    "swapped_words": ("look at the word order of the 32-bit value", "检查 32 位数值的字序"),
    "over_capacity": (
        "a load ratio over 100 % is legal; look at the capacity and, where it stays so, at the ratios",
        "负载率超过 100 % 并不违规；请核对容量，如持续存在请核对变比",
    ),
    "mass_for_volume": (
        "water is counted in m3, or in t: look which of the two the meter shows",
        "用水量单位为 m3 或 t：核对表计显示的单位",
    ),
    "volume_for_carbon": (
        "carbon dioxide is a mass (kgCO2, tCO2): m3 is a fault of the draft standard",
        "二氧化碳排放量为质量（kgCO2、tCO2），m3 为草案之误",
    ),
    "electric_for_thermal": (
        "heat is traded in GJ: look whether the meter counts kWh or GJ (1 GJ = 277.8 kWh)",
        "热量以 GJ 结算：核对表计单位是 kWh 还是 GJ（1 GJ = 277.8 kWh）",
    ),
}  # fmt: skip
_WRONG_DIMENSION: Final = {
    ("volume", "mass"): "mass_for_volume",
    ("mass", "volume"): "mass_for_volume",
    ("carbon_mass", "volume"): "volume_for_carbon",
    ("carbon_flow", "volume_flow"): "volume_for_carbon",
}
_GJ_KWH: Final = 277.78
_GJ_NEAR_SHARE: Final = 0.05  # two heat meters of one flow are that close, and the factor is far from 1000


class Suspicion(msgspec.Struct, frozen=True):
    """A possible fault of magnitude. `factor` would set the values right where it is known; `against` is what told."""

    kind: str
    against: str
    factor: float | None
    numbers: dict[str, float]

    @property
    def advice(self) -> tuple[str, str]:
        """What to do, in English and Chinese."""
        return ADVICE[self.kind]


class Looked(NamedTuple):
    """A point and its values over a day, NaN where there is none. `past` are those of days known to be right.

    `limit` is its capacity, or the upper end of its range, in the unit of the values; `factors` the CT and PT ratios.
    """

    name: str
    symbol: str
    values: F64
    past: F64
    limit: float | None = None
    factors: Sequence[float] = ()


def of_point(point: Looked) -> list[Suspicion]:
    """By the point alone: its limit and its own past. Too few values tell nothing."""
    values = _known(point.values)
    if len(values) < VALUES_MIN:
        return []
    found = _of_limit(point, values)
    past = _known(point.past)
    if len(past) >= VALUES_MIN and np.median(np.abs(past)) > 0:
        ratio = float(np.median(np.abs(values)) / np.median(np.abs(past)))
        found += _of_ratio(ratio, point.name, "its own past", point.factors)
    return found


def of_pair(point: Looked, other: Looked) -> list[Suspicion]:
    """By another series of the same quantity in the same slots and unit, such as energy against the integral of power."""
    sides = (point.name, other.name)
    told = suggestion.of_slots(point.values, other.values, sides, point.factors)
    found = [
        Suspicion(one.kind, other.name, _factor_of(one.kind, one.numbers), one.numbers)
        for one in told
        if one.side == point.name
    ]
    both = np.isfinite(point.values) & np.isfinite(other.values)
    sums = [float(np.abs(column[both]).sum()) for column in (point.values, other.values)]
    return found + of_heat(sums[0] / sums[1], point.symbol, other.name) if all(sums) else found


def of_heat(ratio: float, symbol: str, other: str) -> list[Suspicion]:
    """By how many times an energy is larger than another that should be the same: GJ and kWh taken for each other."""
    times = max(ratio, 1 / ratio)
    if unit.get_unit(symbol).dimension != "energy" or abs(times / _GJ_KWH - 1) > _GJ_NEAR_SHARE:
        return []
    return [Suspicion("electric_for_thermal", other, 1 / ratio, {"ratio": ratio})]


def told_of(one: Suggestion, against: str) -> Suspicion:
    """A suggestion about a point as a suspicion; of a kind that has advice."""
    return Suspicion(one.kind, against, _factor_of(one.kind, one.numbers), one.numbers)


def of_counter(point: Looked, resolution: float) -> list[Suspicion]:
    """By the steps of a 32-bit counter; `resolution` is one count of it."""
    told = suggestion.swapped_words(_known(point.values), resolution, point.name)
    return [] if told is None else [Suspicion(told.kind, "its own steps", None, told.numbers)]


def of_unit(symbol: str, expected_symbol: str) -> Suspicion | None:
    """By the unit that the item of the standard expects, where both are units of a quantity that is easily mistaken."""
    dimension, expected = (unit.get_unit(one).dimension for one in (symbol, expected_symbol))
    kind = _WRONG_DIMENSION.get((expected, dimension))
    return None if kind is None else Suspicion(kind, expected_symbol, None, {})


def _of_limit(point: Looked, values: F64) -> list[Suspicion]:
    if not point.limit or point.limit <= 0:
        return []
    typical = float(np.median(np.abs(values)))
    ratio = typical / point.limit
    if ratio >= UNIT_SCALE * 0.01:  # ten times what is possible is no overload
        return [
            Suspicion("unit_scale", "its limit", 1 / UNIT_SCALE, {"median": typical, "limit": point.limit})
        ]
    told = suggestion.over_capacity(np.abs(values), point.limit, point.name)
    return [] if told is None else [Suspicion(told.kind, "its limit", None, told.numbers)]


def _of_ratio(ratio: float, name: str, against: str, factors: Sequence[float]) -> list[Suspicion]:
    """What a ratio to what is right tells of the point; a jump down by 1000 is the point's fault as one up is."""
    found = [
        Suspicion(one.kind, against, _factor_of(one.kind, one.numbers), one.numbers)
        for one in suggestion.of_ratio(ratio, (name, against), factors)
        if one.side == name
    ]
    if ratio > 0 and abs(1 / ratio / UNIT_SCALE - 1) <= UNIT_NEAR_SHARE:
        found.append(Suspicion("unit_scale", against, float(UNIT_SCALE), {"ratio": ratio}))
    return found


def _factor_of(kind: str, numbers: dict[str, float]) -> float | None:
    if kind == "unit_scale":
        return 1 / numbers["scale"]
    if kind == "multiplier_applied_twice":
        return 1 / numbers["multiplier"]
    return numbers["multiplier"] if kind == "multiplier_never_applied" else None


def _known(values: F64) -> F64:
    found: F64 = values[np.isfinite(values)]
    return found
