"""Checks of measurements against each other: what holds by physics, or because two devices measure the same.

Slot checks take aligned columns, one value for each slot, NaN where there is none; a slot in which any is missing is not
compared. Energy checks are exact. Nothing is changed and nothing is marked: a check says where and by how much.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fixed_point, suggestion
from historian.energy.suggestion import Suggestion

F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

TRIANGLE_TOLERANCE: Final = 0.05
PHASE_TOLERANCE: Final = 0.02
DUAL_TOLERANCE: Final = 0.05
DUAL_STEPS: Final = 3
SUM_STEPS: Final = 2
VA_PER_KVA: Final = 1000.0


class SlotCheck(NamedTuple):
    """Slot by slot how far the two sides are apart and how far they may be; NaN where nothing was compared."""

    name: str
    residual: F64
    limit: F64
    is_broken: Mask
    suggestions: list[Suggestion]

    @property
    def compared_count(self) -> int:
        return int(np.count_nonzero(~np.isnan(self.residual)))

    @property
    def broken_count(self) -> int:
        return int(np.count_nonzero(self.is_broken))

    @property
    def worst_slot(self) -> int | None:
        """The first slot of the greatest excess, where any is broken."""
        if not self.broken_count:
            return None
        return int(np.argmax(np.where(self.is_broken, np.abs(self.residual) - self.limit, -np.inf)))


class EnergyCheck(NamedTuple):
    """Two energies of the same time; `residual` is the first less the second."""

    name: str
    residual: Fraction
    limit: Fraction
    is_broken: bool
    suggestions: list[Suggestion]


def power_triangle(
    active: F64, reactive: F64, apparent: F64, tolerance: float = TRIANGLE_TOLERANCE, least: float = 0.0
) -> SlotCheck:
    """``|S² - P² - Q²| ≤ tolerance × S²``, in kW, kvar and kVA; not where S is below `least`.

    In small loads the last digits of the meters are more than the tolerance.
    """
    square = apparent * apparent
    residual = np.where(apparent >= least, square - active * active - reactive * reactive, np.nan)
    return _slot_check(
        "power_triangle", residual, tolerance * square, _of_triangle(active, reactive, apparent)
    )


def apparent_power(
    apparent: F64,
    voltage: F64,
    current: F64,
    phases: int = 3,
    tolerance: float = TRIANGLE_TOLERANCE,
    least: float = 0.0,
) -> SlotCheck:
    """``|S - √3 × U × I| ≤ tolerance × S``, in kVA, V between lines, and A; of one phase ``U × I``."""
    product = product_kva(voltage, current, phases)
    found = suggestion.of_slots(apparent, product, ("apparent", "voltage_current"))
    residual = np.where(apparent >= least, apparent - product, np.nan)
    return _slot_check("apparent_power", residual, tolerance * np.abs(apparent), found)


def product_kva(voltage: F64, current: F64, phases: int = 3) -> F64:
    """Apparent power in kVA of balanced phases: V between lines where there are three, and A."""
    assert phases in (1, 3), "one phase or three"
    product: F64 = voltage * current * (np.sqrt(3.0) if phases == 3 else 1.0) / VA_PER_KVA
    return product


def phase_sum(total: F64, phases: Sequence[F64], tolerance: float = PHASE_TOLERANCE) -> SlotCheck:
    """``|P - (Pa + Pb + Pc)| ≤ tolerance × |P|``."""
    parts = np.sum(phases, axis=0)
    found = suggestion.of_slots(total, parts, ("total", "phases"))
    return _slot_check("phase_sum", total - parts, tolerance * np.abs(total), found)


def hierarchy(
    level_1: F64, level_2: Sequence[F64], loss_share_min: float, loss_share_max: float
) -> SlotCheck:
    """Level 1 less the sum of level 2 lies within the band of losses, as shares of level 1.

    The residual is how far it lies outside of the middle of the band, the limit half the band's width.
    """
    assert loss_share_min <= loss_share_max, "a band has its lower end first"
    middle, half = (loss_share_min + loss_share_max) / 2, (loss_share_max - loss_share_min) / 2
    loss = level_1 - np.sum(level_2, axis=0)
    found = suggestion.of_slots(level_1, level_1 - loss, ("level_1", "level_2"))
    return _slot_check("hierarchy", loss - middle * level_1, half * np.abs(level_1), found)


def sum_check(
    intervals: F64, register_energy: Fraction, step: Fraction, factors: Sequence[float] = ()
) -> EnergyCheck | None:
    """``|Σ intervals - register difference| ≤ 2 × step``; None where an interval is missing: nothing follows then.

    All after the multiplier: `step` is the register's last digit × K.
    """
    if not np.all(np.isfinite(intervals)):
        return None
    total = exact_sum(intervals)
    found = _of_energies(total, register_energy, ("intervals", "register"), factors)
    return _energy_check("sum_check", total - register_energy, SUM_STEPS * step, found)


def dual_energy(
    register_energy: Fraction,
    integrated: Fraction,
    step: Fraction,
    tolerance: float = DUAL_TOLERANCE,
    steps: int = DUAL_STEPS,
    factors: Sequence[float] = (),
) -> EnergyCheck:
    """``|E_register - ∫P·dt|`` ≤ `tolerance` of E_register or `steps` last digits × K, whichever is more."""
    limit = max(fixed_point.exact(tolerance) * abs(register_energy), steps * step)
    found = _of_energies(register_energy, integrated, ("register", "power"), factors)
    if register_energy == 0 and integrated > limit:
        numbers = {"energy_other": float(integrated)}
        found.append(Suggestion("frozen_register", "register", numbers))
    return _energy_check("dual_energy", register_energy - integrated, limit, found)


def exact_sum(values: F64) -> Fraction:
    """The sum of finite values as decimals, whatever their order."""
    fixed = fixed_point.to_fixed(values)
    scaled: list[int] = fixed.scaled.tolist()
    return sum(scaled) * fixed.unit


def _slot_check(name: str, residual: F64, limit: F64, found: list[Suggestion]) -> SlotCheck:
    residual = np.where(np.isfinite(limit), residual, np.nan)
    limit = np.where(np.isnan(residual), np.nan, limit)
    is_broken: Mask = np.abs(residual) > limit
    return SlotCheck(name, residual, limit, is_broken, found if bool(np.any(is_broken)) else [])


def _energy_check(name: str, residual: Fraction, limit: Fraction, found: list[Suggestion]) -> EnergyCheck:
    is_broken = abs(residual) > limit
    return EnergyCheck(name, residual, limit, is_broken, found if is_broken else [])


def _of_energies(
    one: Fraction, other: Fraction, sides: tuple[str, str], factors: Sequence[float]
) -> list[Suggestion]:
    return suggestion.of_energies(one, other, sides, factors)


def _of_triangle(active: F64, reactive: F64, apparent: F64) -> list[Suggestion]:
    """Which of the three is out of scale, by what the other two make of it."""
    with np.errstate(invalid="ignore"):
        expected = {
            "active": (active, np.sqrt(apparent * apparent - reactive * reactive)),
            "reactive": (reactive, np.sqrt(apparent * apparent - active * active)),
            "apparent": (apparent, np.hypot(active, reactive)),
        }
    return [
        one
        for side, (measured, other) in expected.items()
        for one in suggestion.of_slots(measured, other, (side, "the_other_two"))
    ]
