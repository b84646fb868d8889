"""Single judgements about a register; whole runs are judged in tests/unit/energy/test_register.py and as a law in
tests/property/test_register.py.
"""

import pytest

from historian.energy import register_kernels
from historian.energy.register_kernels import Rules
from historian.model import quality
from historian.model.point import HOUR_US

NAN = float("nan")
RULES = Rules(1e6, 0.0, False, HOUR_US)


@pytest.mark.parametrize(
    ("amount", "capacity", "resolution", "expected"),
    [
        pytest.param(1e12, NAN, 0.0, True, id="nothing known"),
        pytest.param(6.0, 100.0, 0.0, True, id="just what it can take"),
        pytest.param(-6.0, 100.0, 0.0, True, id="the other way"),
        pytest.param(6.01, 100.0, 0.0, False, id="more"),
        pytest.param(-6.01, 100.0, 0.0, False, id="more, the other way"),
        pytest.param(6.01, 100.0, 0.01, True, id="but for a last digit"),
        pytest.param(0.0, 0.0, 0.0, True, id="nothing"),
    ],
)
def test_what_the_point_can_take(amount: float, capacity: float, resolution: float, expected: bool) -> None:
    assert register_kernels.is_plausible(amount, 20.0, capacity, resolution, HOUR_US) == expected


@pytest.mark.parametrize(
    ("base", "value", "capacity", "hint", "expected"),
    [
        pytest.param(900_000.0, 100_000.0, NAN, 0, (True, True), id="a guess"),
        pytest.param(899_999.0, 0.0, NAN, 0, (False, True), id="not from near the end"),
        pytest.param(1e6, 100_001.0, NAN, 0, (False, True), id="not to near zero"),
        pytest.param(1.0, 0.0, NAN, quality.COUNTER_CARRY, (True, False), id="told"),
        pytest.param(999_990.0, 10.0, 100.0, 0, (True, False), id="plausible"),
        pytest.param(999_990.0, 999.0, 100.0, quality.COUNTER_CARRY, (False, False), id="too much"),
    ],
)
def test_whether_a_fall_is_a_rollover(
    base: float, value: float, capacity: float, hint: int, expected: tuple[bool, bool]
) -> None:
    assert register_kernels.judge_fall(base, value, 1.0, capacity, HOUR_US, hint, RULES) == expected


def test_qualities_fold_to_the_worst() -> None:
    one, other = quality.SUSPECT | quality.LATE, quality.MANUAL | quality.COUNTER_CARRY
    assert register_kernels.fold_quality(one, other) == one | other
