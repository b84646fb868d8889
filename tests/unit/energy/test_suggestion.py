"""What is suggested, and what is not, by ratios, steps and slots."""

from fractions import Fraction

import numpy as np
import pytest

from historian.energy import suggestion
from historian.energy.suggestion import Suggestion

SIDES = ("register", "power")


@pytest.mark.parametrize(
    ("ratio", "factors", "found"),
    [
        pytest.param(80.5, [80.0], [("multiplier_applied_twice", "register"), ("multiplier_never_applied", "power")], id="K"),
        pytest.param(1 / 80, [80.0], [("multiplier_applied_twice", "power"), ("multiplier_never_applied", "register")], id="1/K"),
        pytest.param(8000.0, [80.0, 100.0], [("multiplier_applied_twice", "register"), ("multiplier_never_applied", "power")], id="CT x PT"),
        pytest.param(84.1, [80.0], [], id="not near"),
        pytest.param(1.02, [1.0], [], id="a multiplier of one tells nothing"),
        pytest.param(990.0, [], [("unit_scale", "register")], id="kvar taken for var"),
        pytest.param(0.001, [], [("unit_scale", "power")], id="a thousandth"),
        pytest.param(600.0, [], [], id="no unit"),
        pytest.param(0.0, [80.0], [], id="nothing"),
        pytest.param(float("nan"), [80.0], [], id="not a number"),
    ],
)  # fmt: skip
def test_a_ratio_suggests(ratio: float, factors: list[float], found: list[tuple[str, str]]) -> None:
    assert [(one.kind, one.side) for one in suggestion.of_ratio(ratio, SIDES, factors)] == found


def test_energies_suggest_by_their_exact_ratio() -> None:
    found = suggestion.of_energies(Fraction(8), Fraction(1, 10), SIDES, [80.0])
    assert found[0] == Suggestion("multiplier_applied_twice", "register", {"ratio": 80.0, "multiplier": 80.0})
    assert suggestion.of_energies(Fraction(0), Fraction(1), SIDES, [80.0]) == []
    assert suggestion.of_energies(Fraction(1), Fraction(0), SIDES, [80.0]) == []


def test_slots_suggest_by_those_that_both_have() -> None:
    one, other = np.array([2000.0, np.nan, 1000.0, 5.0]), np.array([2.0, 9.0, 1.0, np.nan])
    assert [found.kind for found in suggestion.of_slots(one, other, SIDES)] == ["unit_scale"]
    few = np.array([2.0, np.nan, np.nan, np.nan])
    assert suggestion.of_slots(np.full(4, 2000.0), few, SIDES) == []
    assert suggestion.of_slots(np.zeros(4), other, SIDES) == []
    assert suggestion.of_slots(np.ones(4), np.zeros(4), SIDES) == []


def swap(count: int) -> int:
    return (count & 0xFFFF) << 16 | count >> 16


def test_words_read_in_the_wrong_order_are_seen_by_their_steps() -> None:
    counts = range(65_500, 65_600, 7)  # a carry is among them
    swapped = np.array([swap(count) for count in counts]) * 0.01
    found = suggestion.swapped_words(swapped, 0.01, "register")
    assert found == Suggestion("swapped_words", "register", {"steps": 14, "steps_of_65536": 13})
    assert suggestion.swapped_words(np.array(counts) * 0.01, 0.01, "register") is None


@pytest.mark.parametrize(
    "readings",
    [
        pytest.param([0.0, 65536.0, 131072.0], id="two steps"),
        pytest.param([5.0] * 9, id="no step"),
        pytest.param([0.0, 65536.0, 131072.0, 196608.0, 196609.0], id="one of four is no multiple"),
        pytest.param([0.0, 2.0, 4.0, 6.0, 8.0], id="small even steps"),
        pytest.param([], id="none"),
        pytest.param([0.0, 65536e300, 1.0, 65537.0], id="no counts"),
        pytest.param([0.0, np.nan, 65536.0], id="not a number"),
    ],
)
def test_too_little_says_nothing_on_words(readings: list[float]) -> None:
    assert suggestion.swapped_words(np.array(readings), 1.0, "register") is None


def test_a_register_that_stands_while_power_flows_is_frozen() -> None:
    still, moving = np.zeros(10), np.ones(10)
    found = suggestion.frozen_register(still, moving, "register")
    assert found == Suggestion("frozen_register", "register", {"slots": 10, "slots_other_moved": 10})
    assert suggestion.frozen_register(np.append(still, 0.1), np.ones(11), "register") is None
    assert suggestion.frozen_register(still[:7], moving[:7], "register") is None
    assert suggestion.frozen_register(still, still, "register") is None
    assert suggestion.frozen_register(np.full(10, np.nan), moving, "register") is None


def test_load_above_capacity_is_told() -> None:
    found = suggestion.over_capacity(np.array([90.0, 100.0, 110.0, np.nan]), 100.0, "transformer")
    assert found == Suggestion("over_capacity", "transformer", {"slots": 1, "ratio_max": 1.1})
    assert suggestion.over_capacity(np.array([100.0, np.nan]), 100.0, "transformer") is None
