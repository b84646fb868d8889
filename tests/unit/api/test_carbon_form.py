"""Sums of carbon rows: only of what means the same."""

from fractions import Fraction

from api import carbon_form
from api.time_form import TimeForm
from historian.energy.carbon import Emission
from historian.model.point import Point, PointKind
from historian.rollup.carbon_row import CarbonRow

TIMES = TimeForm(is_epoch_ms=True, zone=None)


def row(
    substance: str = "CO2",
    unit: str = "kWh",
    energy: int | None = 10,
    basis: str = "location",
    **more: object,
) -> CarbonRow:
    point = Point(id=1, name="p", unit=unit, kind=PointKind.INTERVAL)
    co2 = Emission(Fraction(1, 3), substance, "consumption", frozenset({basis}), ("f@1",), False)
    made = CarbonRow(
        point, 0, 86_400_000_000, "consumption", "electricity", "",
        None if energy is None else Fraction(energy), unit, co2, (), None, (), Fraction(), "complete", (),
    )  # fmt: skip
    return made._replace(**more)


def test_units_of_one_dimension_are_brought_together() -> None:
    (total,) = carbon_form.totals_of([row(), row(unit="MWh", energy=1), row(state="open")], TIMES)
    assert (total.energy, total.unit, total.co2, total.co2_unit) == (1020.0, "kWh", 1.0, "kgCO2")
    assert (total.points, total.state, total.kgce) == (3, "open", None)


def test_what_means_something_else_is_not_added() -> None:
    others = [
        row(), row("CO2e"), row(basis="market"), row(direction="export"), row(carrier="heat"), row(unit="m3"),
        row(medium="gas at 0C,101.325kPa"), row(period_start_us=5), row(co2=None),
    ]  # fmt: skip
    totals = carbon_form.totals_of(others, TIMES)
    assert [one.points for one in totals] == [1] * len(others)
    assert [one.co2_unit for one in totals[:3]] == ["kgCO2", "kgCO2e", "kgCO2"]


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    (total,) = carbon_form.totals_of([row(), row(energy=None)], TIMES)
    assert total.energy is None


def test_a_row_is_rounded_once() -> None:
    made = carbon_form.row_of(row(unmultiplied=Fraction(1, 2)), "day", TIMES)
    assert (made.co2, made.energy, made.energy_in_no_hour) == (1 / 3, 10.0, 0.5)
    assert (made.period_start, made.period_end) == (0, 86_400_000)
