"""Cursors are opaque and belong to one query."""

import pytest

from api import cursor, problem
from api.problem import Problem


@pytest.mark.parametrize("place", [0, 1, -1, 2**62])
def test_a_cursor_gives_its_place_back(place: int) -> None:
    assert cursor.read(cursor.write(place, "q"), "q") == place


def test_no_cursor_is_no_place() -> None:
    assert cursor.read(None, "q") is None


def test_a_cursor_of_another_query_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        cursor.read(cursor.write(5, "recorded 1"), "recorded 2")
    assert caught.value.kind is problem.INVALID_CURSOR


@pytest.mark.parametrize("text", ["", "x", "AAAA", "%%%", "你好", "A" * 1000, "=" * 5])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Problem):
        cursor.read(text, "q")


def test_a_cursor_needs_no_escape_in_a_query() -> None:
    assert all(mark.isalnum() or mark in "-_" for mark in cursor.write(-(2**40), "q"))
