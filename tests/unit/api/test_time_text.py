"""Columns of times as clients send them; a bad one costs only itself."""

from typing import Any

import pytest

from api.time_text import read_times, shown
from historian.model.timestamp import parse_time_us


@pytest.mark.parametrize(
    "entries",
    [
        ["2018-01-01T00:15:00Z", "2018-01-01T09:15:00+09:00"],
        [1514765700000, 1514765700000],
        ["2018-01-01T00:15:00Z", 1514765700000],
        ["2018-01-01T00:15Z", "1514765700000"],
    ],
    ids=["texts", "integers", "mixed", "forms of the general reader"],
)
def test_times_are_read(entries: list[Any]) -> None:
    found = read_times(entries)
    assert found.time_us.tolist() == [parse_time_us("2018-01-01T00:15:00Z")] * 2
    assert not found.faults


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("2018-01-01T00:15:00", "no offset"),
        ("x", "neither"),
        ("十二月", "neither"),
        (None, "neither"),
        (True, "neither"),
        (1.5e12, "neither"),
        ([1], "neither"),
        (10**400, "many digits"),
        (10**16, "years 1 to 9999"),
    ],
    ids=["no offset", "word", "not ASCII", "null", "boolean", "fraction", "list", "huge", "year 300000"],
)
def test_a_bad_time_is_told_by_its_index(bad: Any, says: str) -> None:
    found = read_times(["2018-01-01T00:15:00Z", bad, 1514765700000])
    assert list(found.faults) == [1]
    assert says in found.faults[1]
    assert found.time_us[0] == found.time_us[2]


def test_nothing_is_read_from_nothing() -> None:
    assert len(read_times([]).time_us) == 0


def test_a_client_s_value_is_quoted_short() -> None:
    assert len(shown("x" * 10_000)) < 100
    assert "digits" in shown(10**10_000)
    assert shown([10**10_000]) == "an array"
    assert shown({"a": [1]}) == "an object"
    assert shown(1.5) == "1.5"
