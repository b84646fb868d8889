"""Duplicates and clocks, by versions and their arrival."""

import datetime

import numpy as np
import pytest

from historian.energy import arrival_check
from historian.model import quality
from historian.model.point import HOUR_US, SECOND_US
from historian.model.rules import ClockRule, DuplicateRule, Rules
from historian.model.sample import Origin, Versions

NOW_US = int(datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC).timestamp()) * SECOND_US


def versions(*rows: tuple[int, int, float, int, int]) -> Versions:
    """Point, time, value, quality, origin; each arrived at its time."""
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 5
    return Versions(
        np.array(columns[0], np.uint32),
        np.array(columns[1], np.int64),
        np.array(columns[2], np.float64),
        np.array(columns[3], np.uint16),
        np.arange(len(rows), dtype=np.int64),
        np.array(columns[1], np.int64),
        np.array(columns[4], np.int64),
        [Origin("meter"), Origin("desk", "typo")],
    )


@pytest.mark.parametrize(
    ("rows", "marked"),
    [
        pytest.param([(1, 0, 5.0, 0, 0), (1, 0, 6.0, 0, 0)], [0, 1], id="another value"),
        pytest.param([(1, 0, 5.0, 0, 0), (1, 0, 5.0, 0, 0)], [0, 0], id="the same again"),
        pytest.param([(1, 0, 5.0, 0, 0), (1, 0, 6.0, 0, 1)], [0, 0], id="corrected by hand"),
        pytest.param([(1, 0, 5.0, quality.ESTIMATED, 0), (1, 0, 6.0, 0, 0)], [4, 0], id="estimate gives way"),
        pytest.param([(1, 0, 5.0, quality.DELETED, 0), (1, 0, 6.0, 0, 0)], [128, 0], id="deleted before"),
        pytest.param([(1, 0, 5.0, 0, 0), (1, 9, 6.0, 0, 0), (2, 9, 7.0, 0, 0)], [0, 0, 0], id="other stamps"),
        pytest.param([(1, 0, 5.0, 0, 0), (1, 0, 6.0, 0, 1), (1, 0, 6.5, 0, 0)], [0, 0, 1], id="one between"),
        pytest.param([], [], id="none"),
    ],
)
def test_two_values_of_one_source_at_one_stamp(
    rows: list[tuple[int, int, float, int, int]], marked: list[int]
) -> None:
    checked = arrival_check.check(versions(*rows), Rules(duplicate=DuplicateRule()))
    assert checked.quality.tolist() == marked
    assert ((checked.breach == 1 << 9) == ((checked.quality & 1) == 1)).all()


@pytest.mark.parametrize(
    ("time_us", "arrival_us", "rule", "is_wrong"),
    [
        pytest.param(NOW_US + 300 * SECOND_US, NOW_US, ClockRule(), False, id="five minutes ahead"),
        pytest.param(NOW_US + 301 * SECOND_US, NOW_US, ClockRule(), True, id="more than five"),
        pytest.param(0, NOW_US, ClockRule(), True, id="1970"),
        pytest.param(946_684_800 * SECOND_US, NOW_US, ClockRule(), True, id="2000"),
        pytest.param(NOW_US - 24 * HOUR_US, NOW_US, ClockRule(), False, id="late is no fault"),
        pytest.param(NOW_US - 2 * HOUR_US, NOW_US, ClockRule(behind_s=3600.0), True, id="unless asked for"),
        pytest.param(NOW_US - HOUR_US, NOW_US, ClockRule(behind_s=3600.0), False, id="not too late"),
    ],
)
def test_stamps_against_arrival(time_us: int, arrival_us: int, rule: ClockRule, is_wrong: bool) -> None:
    some = versions((1, time_us, 1.0, quality.LATE, 0))._replace(arrival_time_us=np.array([arrival_us]))
    checked = arrival_check.check(some, Rules(clock=rule))
    assert checked.quality.tolist() == [quality.LATE | int(is_wrong)]
    assert checked.breach.tolist() == [(1 << 10) * is_wrong]


def test_a_mark_never_betters_and_the_versions_stay_as_they_are() -> None:
    some = versions((1, 0, 1.0, quality.BAD, 0), (1, 1, 1.0, quality.SUSPECT, 0), (1, 2, 1.0, 0, 0))
    checked = arrival_check.check(some, Rules(clock=ClockRule(mark="bad")))
    assert checked.quality.tolist() == [2, 2, 2]
    assert checked.breach.tolist() == [0, 1 << 10, 1 << 10]
    assert some.quality.tolist() == [2, 1, 0]
