"""Gaps are looked for in what was promised: not while a point is retired, and not beyond now."""

from typing import Any

import numpy as np
import pytest

from historian.model.point import PointKind
from historian.model.timerange import TimeRange
from historian.query import promised
from historian.query.gaps import OutageBook
from tests.unit.query.samples import INTERVAL_US, make_point, make_run

T = INTERVAL_US


def gaps(retired: list[tuple[float, float]], *came: float) -> list[tuple[float, float, int, str]]:
    """Of ten intervals: start, end, count and cause of each."""
    point, run = make_point(), make_run([(round(k * T), 1.0) for k in came])
    out = {point.id: [TimeRange(round(start * T), round(end * T)) for start, end in retired]}
    [found] = promised.gaps_of_group([point], [run], [0], TimeRange(0, 10 * T), 99 * T, OutageBook([]), out)
    return [(one.start_us / T, one.end_us / T, one.missing_count, one.cause) for one in found]


@pytest.mark.parametrize(
    ("retired", "expected"),
    [
        pytest.param([], [(2, 10, 8, "unknown")], id="in use"),
        pytest.param([(4, 99)], [(2, 4, 2, "unknown"), (4, 10, 0, "point_retired")], id="from a day on"),
        pytest.param(
            [(3, 5), (7, 8)],
            [(2, 3, 1, "unknown"), (3, 5, 0, "point_retired"), (5, 7, 2, "unknown"),
             (7, 8, 0, "point_retired"), (8, 10, 2, "unknown")],
            id="twice",
        ),
        pytest.param([(-9, 99)], [(0, 10, 0, "point_retired")], id="all the time"),
        pytest.param([(-9, 0), (10, 11)], [(2, 10, 8, "unknown")], id="before and after"),
    ],
)  # fmt: skip
def test_nothing_is_missing_of_a_retired_point(
    retired: list[tuple[float, float]], expected: list[tuple[float, float, int, str]]
) -> None:
    assert gaps(retired, 0, 1) == expected


@pytest.mark.parametrize(
    ("kind", "end", "expected"),
    [
        (PointKind.INSTANTANEOUS, 9, [(7, 9)]),
        (PointKind.MEAN_POWER, 9, [(6, 9)]),
        (PointKind.INSTANTANEOUS, 7, []),
    ],
)
def test_what_lies_ahead_was_not_due(kind: PointKind, end: int, expected: list[Any]) -> None:
    found = promised.not_due(make_point(kind), TimeRange(0, end * T), 7 * T)
    assert [(one.start_us // T, one.end_us // T) for one in found] == expected
    assert {(one.cause, one.missing_count) for one in found} <= {("not_due", 0)}


def test_rows_of_those_that_ever_are_retired() -> None:
    span = [TimeRange(0, 5)]
    ids = np.array([9, 4, 7], np.uint32)
    assert promised.rows_of(ids, {7: span, 9: span, 8: span}) == [(0, span), (2, span)]
    assert promised.rows_of(ids, promised.NeverRetired().retired()) == []
    assert [promised.is_retired(span, time_us) for time_us in (-1, 0, 4, 5)] == [False, True, True, False]
