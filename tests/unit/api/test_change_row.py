"""Places of the log as clients keep them."""

import pytest

from api import change_row
from api.problem import Problem


def test_a_place_is_read_as_it_was_written() -> None:
    assert change_row.read_place(change_row.write_place(7 << 20)) == 7 << 20
    assert change_row.read_place("0") == 0
    assert change_row.read_place(None) is None


def test_a_place_of_something_else_is_refused() -> None:
    with pytest.raises(Problem) as refusal:
        change_row.read_place("1")
    assert refusal.value.kind.slug == "invalid-cursor"
