"""Units of figures follow from the point's unit and kind."""

import re

import pytest

from historian.errors import UnitError
from historian.model.point import Point, PointKind
from historian.model.term import MediumTerm, PointTerms, Span
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


def terms(*stated: MediumTerm) -> PointTerms:
    spans = tuple(Span(i, i + 1, one) for i, one in enumerate(stated))
    return PointTerms({"medium": spans}) if spans else PointTerms()


def test_what_flows_is_named_by_carrier_and_of_gas_by_the_condition_of_its_volume() -> None:
    gas = MediumTerm("gas", "20C,101.325kPa")
    assert point_unit.medium_of(terms()) == ""
    assert point_unit.medium_of(terms(MediumTerm("heat"))) == "heat"
    assert point_unit.medium_of(terms(gas)) == "gas at 20C,101.325kPa"
    assert point_unit.medium_of(terms(MediumTerm("gas"))) == "gas at no stated condition"
    both = terms(MediumTerm("heat"), gas)
    assert point_unit.medium_of(both) == point_unit.VARYING
    assert (point_unit.medium_of(both, 0), point_unit.medium_of(both, 1)) == ("heat", "gas at 20C,101.325kPa")


@pytest.mark.parametrize(
    "media", [["heat", "heat"], ["", "electricity"], ["", ""], ["gas at a", "gas at a"], []], ids=str
)
def test_what_is_the_same_adds_up(media: list[str]) -> None:
    points = [make_point("kWh", PointKind.INTERVAL)] * 2
    assert point_unit.common_units(points, media).energy == "kWh"


@pytest.mark.parametrize(
    ("media", "problem"),
    [
        (["heat", "electricity"], "different media (electricity, heat) do not add up"),
        (["heat", "cooling"], "different media (cooling, heat)"),
        (["", "heat"], "(heat, nothing stated)"),
        (["", "electricity", "heat"], "(electricity, heat, nothing stated)"),
        (["gas at a", "gas at b"], "volumes of gas at a, gas at b do not add up"),
        (["gas at a", ""], "(gas at a, nothing stated)"),
    ],
    ids=str,
)
def test_different_media_do_not_add_up(media: list[str], problem: str) -> None:
    points = [make_point("kWh", PointKind.INTERVAL)] * len(media)
    with pytest.raises(UnitError, match=re.escape(problem)):
        point_unit.common_units(points, media)
