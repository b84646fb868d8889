"""Units of figures follow from the point's unit and kind."""

import pytest

from historian.errors import UnitError
from historian.model.point import Point, PointKind
from historian.rollup import point_unit
from historian.rollup.point_unit import FigureUnits


def make_point(unit: str, kind: PointKind) -> Point:
    return Point(id=1, name="p", unit=unit, kind=kind)


@pytest.mark.parametrize(
    ("unit", "kind", "expected"),
    [
        ("kW", PointKind.INSTANTANEOUS, FigureUnits("kWh", "kW", "power_integral")),
        ("W", PointKind.MEAN_POWER, FigureUnits("Wh", "W", "power_integral")),
        ("kvar", PointKind.INSTANTANEOUS, FigureUnits("kvarh", "kvar", "power_integral")),
        ("m3/h", PointKind.INSTANTANEOUS, FigureUnits("m3", "m3/h", "power_integral")),
        ("kWh", PointKind.INTERVAL, FigureUnits("kWh", "kW", "interval_sum")),
        ("tCO2", PointKind.INTERVAL, FigureUnits("tCO2", "tCO2/h", "interval_sum")),
        ("CNY", PointKind.INTERVAL, FigureUnits("CNY", "CNY/h", "interval_sum")),
        ("kWh", PointKind.REGISTER, FigureUnits("kWh", "kW", "register_difference")),
        ("V", PointKind.INSTANTANEOUS, FigureUnits(None, "V", "time_mean")),
        ("A", PointKind.MEAN_POWER, FigureUnits(None, "A", "time_mean")),
        ("degC", PointKind.INSTANTANEOUS, FigureUnits(None, "degC", "time_mean")),
        ("1", PointKind.RATIO, FigureUnits(None, "1", "time_mean")),
    ],
    ids=str,
)
def test_units_of_figures(unit: str, kind: PointKind, expected: FigureUnits) -> None:
    assert point_unit.units_of(make_point(unit, kind)) == expected


def test_points_of_one_energy_add_up_whatever_their_kind() -> None:
    points = [make_point("kW", PointKind.MEAN_POWER), make_point("kWh", PointKind.REGISTER)]
    assert point_unit.common_units(points).rate == "kW"


def test_one_point_needs_no_sum() -> None:
    assert point_unit.common_units([make_point("V", PointKind.INSTANTANEOUS)]).rate == "V"


@pytest.mark.parametrize("units", [("kW", "kvar"), ("kW", "W"), ("V", "V"), ("kW", "V")], ids="+".join)
def test_points_that_do_not_add_up_are_named(units: tuple[str, str]) -> None:
    points = [make_point(unit, PointKind.INSTANTANEOUS) for unit in units]
    with pytest.raises(UnitError, match=rf"{units[0]} \(instantaneous\)"):
        point_unit.common_units(points)
