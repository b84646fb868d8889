"""Units, times and quality as a query asks for them."""

from typing import Any

import msgspec
import numpy as np
import pytest
from multidict import MultiDict

from api import json_columns, problem, schemas
from api.params import Params
from api.problem import Problem
from api.sample_form import SampleColumns, SampleForm, encode_samples, stored_label
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


COLUMNS = SampleColumns(
    np.array([0, 1_500_000_000_000_000]), np.array([1.5, np.nan]), np.array([0, q.SUSPECT], np.uint16)
)


@pytest.mark.parametrize(
    "query", [{}, {"time": "epoch_ms"}, {"tz": "Asia/Shanghai"}, {"quality": "full"}], ids=str
)
@pytest.mark.parametrize(
    "extra",
    [
        {"interval": "", "renamed_to": "", "next": ""},
        {"interval": "15m", "renamed_to": '"new"', "next": "abc"},
    ],
    ids=["plain", "all"],
)
@pytest.mark.parametrize(
    "columns",
    [
        COLUMNS,
        SampleColumns(*(column[:0] for column in COLUMNS)),
        COLUMNS._replace(value=np.array([1.5, 1e300])),
        COLUMNS._replace(quality=np.zeros(2, np.uint16)),
    ],
    ids=["mixed", "none", "a number of many digits", "good"],
)
def test_samples_are_written_as_their_schema_says(
    query: dict[str, str], extra: dict[str, str], columns: SampleColumns
) -> None:
    asked = form(**query)
    about: dict[str, Any] = {
        "point": "站.p",
        "unit": "kW",
        "label": TimeLabel.INSTANT,
        "start": asked.times.time(0),
        "end": asked.times.time(10**15),
    }
    expected = schemas.SamplesReply(
        **about,
        times=asked.times.encode(columns.time_us),
        values=json_columns.encode_values(columns.value),
        quality=asked.encode_quality(columns.quality),
        origin=json_columns.encode_origin(columns.quality),
        times_local=asked.times.encode_local(columns.time_us),
        time_zone=asked.times.zone_name,
        **extra,
    )
    assert encode_samples(about, columns, asked, extra) == msgspec.json.encode(expected)
