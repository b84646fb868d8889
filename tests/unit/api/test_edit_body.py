"""What the bodies of edits mean; what is wrong with them over HTTP is in routes/test_edits.py."""

from typing import Any

import msgspec
import pytest

from api.edit_body import FAULTS_LISTED_MAX, check_fields, span_of, time_of, times_of, values_of
from api.problem import Problem
from api.schemas_edits import EditBody
from historian.model.quality import BAD, ESTIMATED, LATE, MANUAL, SUSPECT
from historian.model.timerange import TimeRange
from tests.unit.query.samples import make_point

POINT = make_point()


def body(kind: str, **fields: Any) -> EditBody:
    made = msgspec.convert({"kind": kind, "reason": "r", **fields}, EditBody)
    check_fields(made)
    return made


@pytest.mark.parametrize(
    ("kind", "quality", "expected"),
    [
        pytest.param("correct", None, [MANUAL, MANUAL], id="a correction is typed in"),
        pytest.param("estimate", None, [ESTIMATED, ESTIMATED], id="an estimate is one"),
        pytest.param("correct", "good", [0, 0], id="one word for all, as given"),
        pytest.param("correct", ["suspect", BAD], [SUSPECT, BAD], id="one each"),
        pytest.param("estimate", "bad+manual", [BAD | ESTIMATED] * 2, id="an estimate cannot deny it"),
        pytest.param("correct", LATE, [LATE, LATE], id="bits for all"),
    ],
)
def test_quality(kind: str, quality: Any, expected: list[int]) -> None:
    given = {} if quality is None else {"quality": quality}
    values = values_of(body(kind, times=[1, 2], values=[1, 2.5], **given), POINT)
    assert values.quality.tolist() == expected
    assert values.value.tolist() == [1.0, 2.5]
    assert values.time_us.tolist() == [1000, 2000]


def test_values_come_in_the_unit_they_say() -> None:
    assert values_of(body("correct", times=[1], values=[0.5], unit="MW"), POINT).value.tolist() == [500.0]


def test_times_and_ranges_are_read_in_both_forms() -> None:
    assert times_of(body("delete", times=["1970-01-01T00:00:01Z", 1001])).tolist() == [1_000_000, 1_001_000]
    assert span_of(body("delete", start="1970-01-01T08:00:01+08:00", end=1500)) == TimeRange(
        1_000_000, 1_500_000
    )
    assert time_of(7, "/as_of") == 7000


def test_many_faults_are_counted_and_some_are_listed() -> None:
    with pytest.raises(Problem) as caught:
        values_of(body("correct", times=["x"] * 50, values=[1] * 50), POINT)
    assert len(caught.value.faults) == FAULTS_LISTED_MAX
    assert "; 49 more" in caught.value.en
