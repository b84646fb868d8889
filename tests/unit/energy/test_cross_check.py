"""Measurements against each other: what holds, what does not, by how much."""

from fractions import Fraction

import numpy as np
import pytest

from historian.energy import cross_check
from historian.energy.cross_check import SlotCheck


def column(*values: float) -> cross_check.F64:
    return np.array(values, np.float64)


def kinds(check: SlotCheck) -> list[tuple[str, str]]:
    return [(one.kind, one.side) for one in check.suggestions]


def test_the_power_triangle_holds_within_its_tolerance() -> None:
    # 800 kW and 600 kvar are 1000 kVA; 5 % of S² at S = 100 is 500
    check = cross_check.power_triangle(
        column(800, 80, 80, 0), column(600, 56, 55, 0), column(1000, 100, 100, 0)
    )
    assert check.residual.tolist() == [0, 464, 575, 0]
    assert check.is_broken.tolist() == [False, False, True, False]
    assert (check.compared_count, check.broken_count, check.worst_slot) == (4, 1, 2)


def test_small_loads_and_missing_slots_are_not_compared() -> None:
    check = cross_check.power_triangle(column(9, 9, np.nan), column(9, 9, 1), column(1, 5, 5), least=2.0)
    assert check.compared_count == 1
    assert check.is_broken.tolist() == [False, True, False]
    assert np.isnan(check.limit[0])


def test_the_first_of_the_worst_slots_is_named() -> None:
    check = cross_check.phase_sum(column(100, 100, 100), [column(100, 50, 50)])
    assert check.worst_slot == 1
    assert cross_check.phase_sum(column(100), [column(100)]).worst_slot is None


@pytest.mark.parametrize(
    ("active", "reactive", "apparent", "found"),
    [
        pytest.param(800, 600_000, 1000, [("unit_scale", "reactive")], id="var for kvar"),
        pytest.param(8e5, 600, 1000, [("unit_scale", "active"), ("unit_scale", "the_other_two")], id="W for kW"),
        pytest.param(0.8, 600, 1000, [("unit_scale", "the_other_two")], id="MW for kW"),
        pytest.param(800, 600, 1e6, [("unit_scale", "the_other_two")] * 2 + [("unit_scale", "apparent")], id="VA for kVA"),
        pytest.param(800, 700, 1000, [], id="only wrong"),
    ],
)  # fmt: skip
def test_a_unit_out_of_scale_is_suggested(
    active: float, reactive: float, apparent: float, found: list[tuple[str, str]]
) -> None:
    check = cross_check.power_triangle(column(active), column(reactive), column(apparent))
    assert check.broken_count == 1
    assert set(kinds(check)) == set(found)


def test_apparent_power_is_voltage_times_current() -> None:
    # 400 V between lines, 144.34 A: 100 kVA
    check = cross_check.apparent_power(
        column(100, 106, 100), column(400, 400, 400), column(144.34, 144.34, np.nan)
    )
    assert check.is_broken.tolist() == [False, True, False]
    assert check.compared_count == 2
    single = cross_check.apparent_power(
        column(2.3, 2300), column(230, 230), column(10, 10), phases=1, least=1
    )
    assert single.is_broken.tolist() == [False, True]
    assert cross_check.apparent_power(column(0.5), column(230), column(9), 1, least=1).compared_count == 0


def test_kva_of_one_phase_and_of_three() -> None:
    assert cross_check.product_kva(column(230), column(10), 1).tolist() == [2.3]
    assert cross_check.product_kva(column(400), column(10)).tolist() == [pytest.approx(6.9282, abs=1e-4)]


def test_apparent_power_in_watts_is_suggested() -> None:
    check = cross_check.apparent_power(column(2300), column(230), column(10), phases=1)
    assert kinds(check) == [("unit_scale", "apparent")]


def test_phases_add_up_to_the_total() -> None:
    check = cross_check.phase_sum(
        column(100, 100, -100, 100), [column(33, 33, -34, 33)] * 2 + [column(33, 31, -34, np.nan)]
    )
    assert check.is_broken.tolist() == [False, True, False, False]
    assert check.compared_count == 3


def test_losses_lie_within_their_band() -> None:
    check = cross_check.hierarchy(
        column(100, 100, 100, 100), [column(60, 60, 60, 60), column(39, 40, 35, 30)], 0.0, 0.05
    )
    assert check.is_broken.tolist() == [False, False, False, True]
    negative = cross_check.hierarchy(column(100), [column(101)], 0.0, 0.05)
    assert negative.is_broken.tolist() == [True]


def test_the_sum_of_intervals_is_the_register_difference_within_two_steps() -> None:
    intervals = column(0.1, 0.2, 0.3)
    step = Fraction(1, 100)
    assert cross_check.sum_check(intervals, Fraction(62, 100), step) == (
        "sum_check", Fraction(-2, 100), Fraction(2, 100), False, [],
    )  # fmt: skip
    check = cross_check.sum_check(intervals, Fraction(63, 100), step)
    assert check is not None
    assert check.is_broken
    assert cross_check.sum_check(column(0.1, np.nan), Fraction(1), step) is None


def test_a_multiplier_is_suggested_only_where_the_sum_does_not_hold() -> None:
    check = cross_check.sum_check(column(1, 2), Fraction(240), Fraction(80), [80.0])
    assert check is not None
    assert [(one.kind, one.side) for one in check.suggestions] == [
        ("multiplier_applied_twice", "register"),
        ("multiplier_never_applied", "intervals"),
    ]
    near = cross_check.sum_check(column(1, 2), Fraction(240), Fraction(200), [80.0])
    assert near is not None
    assert near.suggestions == []


@pytest.mark.parametrize(
    ("register", "power", "is_broken"),
    [
        pytest.param("100", "105", False, id="5 %"),
        pytest.param("100", "105.1", True, id="more than 5 %"),
        pytest.param("100", "94.9", True, id="less"),
        pytest.param("1", "1.3", False, id="three steps"),
        pytest.param("1", "1.31", True, id="more than three steps"),
    ],
)
def test_two_energies_agree_within_share_or_steps(register: str, power: str, is_broken: bool) -> None:
    check = cross_check.dual_energy(Fraction(register), Fraction(power), Fraction(1, 10))
    assert check.is_broken == is_broken
    assert check.residual == Fraction(register) - Fraction(power)


def test_a_register_that_stands_still_is_suggested() -> None:
    check = cross_check.dual_energy(Fraction(0), Fraction(5), Fraction(1, 10))
    assert [one.kind for one in check.suggestions] == ["frozen_register"]
    assert cross_check.dual_energy(Fraction(0), Fraction(3, 10), Fraction(1, 10)).suggestions == []


def test_a_wrong_ratio_is_suggested_by_the_two_energies() -> None:
    check = cross_check.dual_energy(Fraction(1), Fraction(81), Fraction(1, 100), factors=[80.0])
    assert [one.side for one in check.suggestions] == ["power", "register"]


def test_sums_of_decimals_are_exact() -> None:
    assert cross_check.exact_sum(column(*[0.1] * 10)) == 1
    assert cross_check.exact_sum(column()) == 0
