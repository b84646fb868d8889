"""Which units a point's figures carry, and whether its sum over time means anything."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from historian.energy.sample_period import AMOUNT_KINDS
from historian.errors import UnitError
from historian.model.point import Point, PointKind
from historian.model.term import MediumTerm, PointTerms
from historian.model.unit import get_unit, integral_unit, rate_unit
from historian.rollup.row import RollupMethod

# A current adds up to ampere-hours too, but nobody bills those: its mean is what is asked for.
_SUMMED_DIMENSIONS: Final = frozenset(
    {"active_power", "reactive_power", "apparent_power", "volume_flow", "mass_flow", "carbon_flow"}
)

VARYING: Final = "*"  # the medium of a point of which several were stated, one after the other
UNSTATED: Final = ""


class FigureUnits(NamedTuple):
    """`energy` is None where no sum is told; `rate` is the unit of slot values, maximum, minimum and mean.

    `medium` is what flows, as `medium_of` names it.
    """

    energy: str | None
    rate: str
    method: RollupMethod
    medium: str = UNSTATED


def is_active_power(point: Point) -> bool:
    """Whether the point measures active power, at instants or as means."""
    is_measured = point.kind in (PointKind.INSTANTANEOUS, PointKind.MEAN_POWER)
    return is_measured and get_unit(point.unit).dimension == "active_power"


def units_of(point: Point, medium: str = UNSTATED) -> FigureUnits:
    """Units by kind: an amount gives itself and its hourly rate; a rate gives itself and its sum over hours."""
    return _units_of(point.kind, point.unit, medium)


def medium_of(terms: PointTerms, time_us: int | None = None) -> str:
    """What flows at an instant: ``heat``, of gas with the condition of its volume; empty where nothing was stated.

    Without an instant that of all time: VARYING where it ever changed.
    """
    spans = terms.of_kind("medium")
    if time_us is not None:
        return _named(terms.at("medium", time_us))
    names = {_named(span.term) for span in spans}
    return names.pop() if len(names) == 1 and len(spans) == 1 else VARYING if names else UNSTATED


def common_units(points: Sequence[Point], media: Sequence[str] = ()) -> FigureUnits:
    """The units of a sum of points. `media`: what flows in each. Raises UnitError where the points do not add up."""
    units = {units_of(point)[:2] for point in points}
    if len(points) > 1 and (len(units) > 1 or None in next(iter(units))):
        names = ", ".join(sorted({f"{point.unit} ({point.kind.value})" for point in points}))
        raise UnitError(f"points of {names} do not add up to one curve; ask for them one by one")
    check_media(media)
    return units_of(points[0], media[0] if media else UNSTATED)


def check_media(media: Sequence[str]) -> None:
    """Raise UnitError where what flows is not the same: thermal kWh are no electrical ones, and a m3 of gas at 0 °C holds
    more than one at 20 °C. Where nothing was stated electricity is meant, as long as nothing else is stated beside it.
    """
    stated = set(media)
    if len(stated) < 2 or stated == {UNSTATED, "electricity"}:
        return
    names = ", ".join(sorted(name or "nothing stated" for name in stated))
    if all(name.startswith("gas") for name in stated):
        raise UnitError(
            f"volumes of {names} do not add up: their reference conditions differ or are not stated; state the medium of "
            "each point (POST /points/{point}/terms), or ask for them one by one"
        )
    raise UnitError(
        f"points of different media ({names}) do not add up to one curve; ask for them one by one, or state the medium "
        "where it is missing (POST /points/{point}/terms)"
    )


def _named(term: object) -> str:
    if not isinstance(term, MediumTerm):
        return UNSTATED
    if term.carrier != "gas":
        return term.carrier
    return f"gas at {term.reference or 'no stated condition'}"


@lru_cache(maxsize=1024)  # a fleet has few kinds and units, and asks for each of its points
def _units_of(kind: PointKind, unit: str, medium: str) -> FigureUnits:
    if kind in AMOUNT_KINDS:
        is_register = kind is PointKind.REGISTER
        method: RollupMethod = "register_difference" if is_register else "interval_sum"
        return FigureUnits(unit, _rate_of(unit), method, medium)
    if kind is not PointKind.RATIO and get_unit(unit).dimension in _SUMMED_DIMENSIONS:
        return FigureUnits(integral_unit(unit), unit, "power_integral", medium)
    return FigureUnits(None, unit, "time_mean", medium)


def _rate_of(unit: str) -> str:
    try:
        return rate_unit(unit)
    except UnitError:
        return f"{unit}/h"  # money and coal have no unit of their own for it
