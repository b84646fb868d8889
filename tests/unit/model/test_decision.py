"""A decision by hand has a reason, on one line of bounded length."""

import pytest

from historian.errors import EditRefused
from historian.model.decision import AUTHOR_LENGTH_MAX, REASON_LENGTH_MAX, Decision, make_decision


def test_blanks_around_are_dropped() -> None:
    assert make_decision(" 王 ", "  misread \n") == Decision("王", "misread")


@pytest.mark.parametrize(
    ("author", "reason", "named"),
    [
        pytest.param("", "", "reason", id="no reason"),
        pytest.param("", " \t\n ", "reason", id="a blank reason"),
        pytest.param("", "x" * (REASON_LENGTH_MAX + 1), "reason", id="too long a reason"),
        pytest.param("", "a\nb", "reason", id="two lines: the second would pass for another's"),
        pytest.param("", "a\x00b", "reason", id="a control character"),
        pytest.param("", "a\ud800b", "reason", id="half a surrogate pair"),
        pytest.param("x" * (AUTHOR_LENGTH_MAX + 1), "r", "author", id="too long an author"),
        pytest.param("a\nb", "r", "author", id="an author of two lines"),
    ],
)
def test_what_is_refused(author: str, reason: str, named: str) -> None:
    with pytest.raises(EditRefused, match=f"^{named}: "):
        make_decision(author, reason)
