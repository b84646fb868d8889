"""Which units a point's figures carry, and whether its sum over time means anything."""

from functools import lru_cache
from typing import Final, NamedTuple

from historian.energy.sample_period import AMOUNT_KINDS
from historian.errors import UnitError
from historian.model.point import Point, PointKind
from historian.model.unit import get_unit, integral_unit, rate_unit
from historian.rollup.row import RollupMethod

# A current adds up to ampere-hours too, but nobody bills those: its mean is what is asked for.
_SUMMED_DIMENSIONS: Final = frozenset(
    {"active_power", "reactive_power", "apparent_power", "volume_flow", "mass_flow", "carbon_flow"}
)


class FigureUnits(NamedTuple):
    """`energy` is None where no sum is told; `rate` is the unit of slot values, maximum, minimum and mean."""

    energy: str | None
    rate: str
    method: RollupMethod


def units_of(point: Point) -> FigureUnits:
    """Units by kind: an amount gives itself and its hourly rate; a rate gives itself and its sum over hours."""
    return _units_of(point.kind, point.unit)


def common_units(points: list[Point]) -> FigureUnits:
    """The units of a sum of points. Raises UnitError where the points do not add up."""
    units = {units_of(point)[:2] for point in points}
    if len(points) > 1 and (len(units) > 1 or None in next(iter(units))):
        names = ", ".join(sorted({f"{point.unit} ({point.kind.value})" for point in points}))
        raise UnitError(f"points of {names} do not add up to one curve; ask for them one by one")
    return units_of(points[0])


@lru_cache(maxsize=1024)  # a fleet has few kinds and units, and asks for each of its points
def _units_of(kind: PointKind, unit: str) -> FigureUnits:
    if kind in AMOUNT_KINDS:
        is_register = kind is PointKind.REGISTER
        return FigureUnits(unit, _rate_of(unit), "register_difference" if is_register else "interval_sum")
    if kind is not PointKind.RATIO and get_unit(unit).dimension in _SUMMED_DIMENSIONS:
        return FigureUnits(integral_unit(unit), unit, "power_integral")
    return FigureUnits(None, unit, "time_mean")


def _rate_of(unit: str) -> str:
    try:
        return rate_unit(unit)
    except UnitError:
        return f"{unit}/h"  # money and coal have no unit of their own for it
