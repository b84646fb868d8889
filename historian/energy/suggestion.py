"""What may be behind two series that do not agree. Suggestions are for a person to judge; nothing is ever changed by one.

Each names the side it is about and the numbers that led to it. Several may be given where several would explain it.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

SuggestionKind = Literal[
    "multiplier_applied_twice",
    "multiplier_never_applied",
    "unit_scale",
    "swapped_words",
    "frozen_register",
    "over_capacity",
]

NEAR_SHARE: Final = 0.05  # of a multiplier that a ratio hits
UNIT_NEAR_SHARE: Final = 0.3  # of 1000: no two units of a quantity are closer than that
UNIT_SCALE: Final = 1000  # W and kW, var and kvar
WORD: Final = 1 << 16
SWAPPED_SHARE_MIN: Final = 0.9  # of the steps: a carry out of the low word makes the others
SWAPPED_STEPS_MIN: Final = 3
FROZEN_SLOTS_MIN: Final = 8

_EXACT_COUNT_MAX: Final = 2.0**53


class Suggestion(msgspec.Struct, frozen=True):
    """A possible cause on one side; `numbers` are what it rests on."""

    kind: SuggestionKind
    side: str
    numbers: dict[str, float]


def of_energies(
    one: Fraction, other: Fraction, sides: tuple[str, str], factors: Sequence[float] = ()
) -> list[Suggestion]:
    """By the ratio of two energies that should be the same; `factors`: the CT and PT ratios that may be at fault."""
    return of_ratio(float(one / other), sides, factors) if other else []


def of_ratio(ratio: float, sides: tuple[str, str], factors: Sequence[float] = ()) -> list[Suggestion]:
    """By how many times the first side is larger than the second."""
    if not 0 < ratio < np.inf:
        return []
    found = []
    larger, smaller = sides if ratio > 1 else sides[::-1]
    times = ratio if ratio > 1 else 1 / ratio
    for factor in dict.fromkeys(_products(factors)):
        if abs(times / factor - 1) <= NEAR_SHARE:
            numbers = {"ratio": ratio, "multiplier": factor}
            found.append(Suggestion("multiplier_applied_twice", larger, numbers))
            found.append(Suggestion("multiplier_never_applied", smaller, numbers))
    if abs(times / UNIT_SCALE - 1) <= UNIT_NEAR_SHARE:
        found.append(Suggestion("unit_scale", larger, {"ratio": ratio, "scale": UNIT_SCALE}))
    return found


def of_slots(one: F64, other: F64, sides: tuple[str, str], factors: Sequence[float] = ()) -> list[Suggestion]:
    """By the sums of the slots in which both have a value, if those are at least half of the first's."""
    both = np.isfinite(one) & np.isfinite(other)
    sums = float(np.sum(np.abs(one[both]))), float(np.sum(np.abs(other[both])))
    if 2 * np.count_nonzero(both) < np.count_nonzero(np.isfinite(one)) or sums[1] == 0:
        return []
    return of_ratio(sums[0] / sums[1], sides, factors)


def swapped_words(readings: F64, resolution: float, side: str) -> Suggestion | None:
    """Where nearly every step of a 32-bit counter is a multiple of 65536: its two words are read in the wrong order.

    `resolution` is one count of the counter in the unit of the readings. Readings that are no counts tell nothing.
    """
    counts = np.rint(readings / resolution)
    if not np.all(np.abs(counts) < _EXACT_COUNT_MAX):
        return None
    steps = np.diff(counts)
    steps = steps[steps != 0]
    whole = int(np.count_nonzero(steps % WORD == 0))
    if whole < SWAPPED_STEPS_MIN or whole < SWAPPED_SHARE_MIN * len(steps):
        return None
    return Suggestion("swapped_words", side, {"steps": len(steps), "steps_of_65536": whole})


def frozen_register(register: F64, other: F64, side: str) -> Suggestion | None:
    """Where a register's slots hold nothing, though another measurement of the same says that there was some."""
    both = np.isfinite(register) & np.isfinite(other)
    count = int(np.count_nonzero(both))
    moved = int(np.count_nonzero(other[both] > 0))
    if np.any(register[both] != 0) or moved < FROZEN_SLOTS_MIN:
        return None
    return Suggestion("frozen_register", side, {"slots": count, "slots_other_moved": moved})


def over_capacity(load: F64, capacity: float, side: str) -> Suggestion | None:
    """Load above capacity (load ratio over 100 %) is legal: it is told, and marks nothing."""
    loads = load[np.isfinite(load)]
    over = loads[loads > capacity]
    if len(over) == 0:
        return None
    return Suggestion(
        "over_capacity", side, {"slots": len(over), "ratio_max": float(np.max(over)) / capacity}
    )


def _products(factors: Sequence[float]) -> list[float]:
    """Each factor and their product, as long as they are far enough from 1 to tell anything."""
    named = [factor if factor > 1 else 1 / factor for factor in factors if factor > 0]
    product = float(np.prod(named)) if len(named) > 1 else 1.0
    return [factor for factor in (*named, product) if factor > 1 + 2 * NEAR_SHARE]
