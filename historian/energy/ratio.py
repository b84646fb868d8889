"""Ratios that are made anew from what they are ratios of: load of a transformer or a line, power factor.

Several circuits add up as a vector: active to active, reactive to reactive power, and the apparent power is made of the two
sums. A ratio above 1 is legal. No ratio is ever the mean of ratios.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from historian.energy import fixed_point

F64 = npt.NDArray[np.float64]

POWER_FACTOR_STANDARDS: Final = (0.90, 0.85, 0.80)
"""Of the power factor tariff (功率因数调整电费): which of them holds is a matter of the contract."""


def apparent(active: Fraction, reactive: Fraction) -> float:
    """``√(P² + Q²)`` of sums."""
    return _root(active * active + reactive * reactive)


def load_ratio(active: Fraction, reactive: Fraction, capacity: Fraction) -> float:
    """Apparent power over rated: P, Q and capacity in kW, kvar and kVA. 800 kW and 600 kvar on 1000 kVA are 1."""
    return _root((active * active + reactive * reactive) / (capacity * capacity))


def assumed_load_ratio(active: Fraction, power_factor: float, capacity: Fraction) -> float:
    """The same where only active power is measured."""
    return fixed_point.to_float(abs(active) / fixed_point.exact(power_factor) / capacity)


def line_load_ratio(currents: Sequence[Fraction], capacity: Fraction) -> float:
    """The largest phase current over the rated one, in A."""
    return fixed_point.to_float(max(abs(current) for current in currents) / capacity)


def power_factor(active: Fraction, reactive: Fraction) -> float | None:
    """``Wp / √(Wp² + Wq²)`` of energies, at least 0; None where there is neither."""
    square = _power_factor_square(active, reactive)
    return None if square is None else _root(square)


def rounded_power_factor(active: Fraction, reactive: Fraction) -> float | None:
    """The power factor as it is billed: two decimals, half up, decided on the exact value."""
    square = _power_factor_square(active, reactive)
    if square is None:
        return None
    # ⌊(200 √x + 1) / 2⌋ by whole numbers alone; ⌊√z⌋ = ⌊√⌊z⌋⌋.
    doubled = math.isqrt(int(square * 40_000))
    return ((doubled + 1) // 2) / 100


def reactive_sum(energies: Sequence[Fraction]) -> Fraction:
    """Reactive energies by their absolute values, whichever way they flowed."""
    return sum((abs(energy) for energy in energies), Fraction())


def load_ratio_slots(active: Sequence[F64], reactive: Sequence[F64], capacity: F64) -> F64:
    """`load_ratio` slot by slot; NaN where any is missing."""
    made: F64 = np.hypot(column_sum(active), column_sum(reactive)) / capacity
    return made


def assumed_load_ratio_slots(active: Sequence[F64], power_factor: float, capacity: F64) -> F64:
    """`assumed_load_ratio` slot by slot."""
    made: F64 = np.abs(column_sum(active)) / power_factor / capacity
    return made


def line_load_ratio_slots(currents: Sequence[F64], capacity: F64) -> F64:
    """`line_load_ratio` slot by slot; NaN where any phase is missing."""
    made: F64 = np.max(np.abs(np.array(currents)), axis=0) / capacity
    return made


def power_factor_slots(active: Sequence[F64], reactive: Sequence[F64]) -> F64:
    """`power_factor` slot by slot; NaN where any is missing, or all are zero."""
    real = np.abs(column_sum(active))
    whole = np.hypot(real, column_sum([np.abs(one) for one in reactive]))
    made: F64 = np.divide(real, whole, out=np.full(len(real), np.nan), where=whole > 0)
    return made


def column_sum(columns: Sequence[F64]) -> F64:
    """Slot by slot, whatever the order of the columns; NaN where any is."""
    if len(columns) == 1:
        return columns[0]
    rows: list[list[float]] = np.array(columns).T.tolist()
    return np.array([math.fsum(row) for row in rows])


def _power_factor_square(active: Fraction, reactive: Fraction) -> Fraction | None:
    square = active * active + reactive * reactive
    return active * active / square if square else None


def _root(square: Fraction) -> float:
    return math.sqrt(fixed_point.to_float(square))
