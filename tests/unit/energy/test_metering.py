"""Facts of a point hold from their day on."""

import numpy as np
import pytest

from historian.energy import metering
from historian.energy.metering import Metering, RegisterEvent, Step
from historian.model.point import HOUR_US, PointKind
from historian.model.timestamp import TIME_MIN_US

STEPS = (Step(TIME_MIN_US, 80.0), Step(100, 80.0), Step(200, 120.0))
EXCHANGE = RegisterEvent(100, "exchange", 5.0, 0.0)


@pytest.mark.parametrize(
    ("time_us", "expected"),
    [(TIME_MIN_US, 80.0), (199, 80.0), (200, 120.0), (201, 120.0)],
    ids=["at the first", "just before", "at a step", "after all"],
)
def test_a_value_holds_until_the_next(time_us: int, expected: float) -> None:
    assert metering.value_at(STEPS, time_us) == expected
    assert metering.column_at(STEPS, np.array([time_us])).tolist() == [expected]


def test_before_the_first_step_nothing_is_known() -> None:
    assert metering.value_at(STEPS[1:], 99) is None
    assert metering.value_at((), 99) is None
    assert np.isnan(metering.column_at((), np.array([99]))).all()
    assert np.isnan(metering.column_at(STEPS[1:], np.array([99]))).all()


def test_a_step_to_the_same_value_is_no_change() -> None:
    assert metering.changes_us(STEPS).tolist() == [200]
    assert metering.changes_us(STEPS[:1]).tolist() == []


@pytest.mark.parametrize(
    "facts",
    [
        {"capacity": (Step(0, 1.0),)},
        {"modulus": 1e6},
        {"resolution": 0.01},
        {"is_signed": True},
        {"events": (EXCHANGE,)},
        {"factor": STEPS},
    ],
    ids=lambda facts: next(iter(facts)),
)
def test_one_factor_and_nothing_else_is_plain(facts: dict[str, object]) -> None:
    plain = Metering.plain(PointKind.REGISTER, HOUR_US, 80.0)
    assert plain.is_plain
    assert not plain._replace(**facts).is_plain  # type: ignore[arg-type]
    assert len({plain, plain._replace(**facts)}) == 2  # type: ignore[arg-type]
