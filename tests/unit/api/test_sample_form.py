"""Units, times and quality as a query asks for them."""

import numpy as np
import pytest
from multidict import MultiDict

from api import problem
from api.params import Params
from api.problem import Problem
from api.sample_form import SampleForm, stored_label
from historian.model import quality as q
from historian.model.point import Point, PointKind, TimeLabel


def form(**query: str) -> SampleForm:
    return SampleForm.of(Params(MultiDict(query)))


def test_values_stay_in_their_unit_where_no_other_is_asked_for() -> None:
    value = np.array([1.5])
    assert form().unit_of("kW") == "kW"
    assert form().convert(value, "kW") is value
    assert form().number(1.5, "kW") == 1.5


def test_values_are_converted_within_one_dimension() -> None:
    assert form(unit="MWh").unit_of("kWh") == "MWh"
    assert form(unit="MWh").convert(np.array([1500.0]), "kWh").tolist() == [1.5]
    assert form(unit="m³").unit_of("L") == "m3"


def test_another_dimension_names_the_parameter() -> None:
    with pytest.raises(Problem) as caught:
        form(unit="V").unit_of("kW")
    assert caught.value.kind is problem.UNIT_MISMATCH
    assert caught.value.faults[0].parameter == "unit"


def test_no_number_is_null() -> None:
    assert form(unit="MW").number(None, "kW") is None
    assert form().number(float("nan"), "kW") is None


def test_quality_is_a_word_or_in_full() -> None:
    assert form().quality(q.BAD | q.MANUAL) == "bad"
    assert form(quality="full").quality(q.BAD)["bits"] == q.BAD  # type: ignore[index]
    assert bytes(form(quality="full").encode_quality(np.zeros(1, np.uint16))).startswith(b'[{"validity"')


@pytest.mark.parametrize("kind", PointKind)
def test_a_period_is_told_by_its_start(kind: PointKind) -> None:
    point = Point(id=1, name="p", unit="1", kind=kind, label=TimeLabel.PERIOD_END)
    expected = TimeLabel.PERIOD_START if point.has_period else TimeLabel.INSTANT
    assert stored_label(point) is expected
