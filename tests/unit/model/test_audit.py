"""What may stand in the trail: no secrets, no whole personal data, bounded texts."""

import msgspec
import pytest

from historian.model.audit import (
    CHANGES_MAX,
    TEXT_LENGTH_MAX,
    Anchor,
    Change,
    changes_between,
    clipped,
    limited,
    shown,
)


class Inner(msgspec.Struct):
    unit: str
    range: tuple[float, float] | None = None


class Outer(msgspec.Struct):
    name: str
    inner: Inner


@pytest.mark.parametrize(
    ("what", "value", "expected"),
    [
        ("password", "hunter2", "***"),
        ("server.api_token", "abc", "***"),
        ("entity.contact", "张三", "张***"),
        ("legal_representative", "", ""),
        ("name", "p1", "p1"),
        ("limit", 5, "5"),
        ("capacity", None, None),
    ],
)
def test_secrets_never_and_personal_data_by_their_first_sign(
    what: str, value: object, expected: str | None
) -> None:
    assert shown(what, value) == expected


def test_changes_are_those_that_differ_by_dotted_name() -> None:
    old, new = Outer("p", Inner("kW")), Outer("p", Inner("MW", (0.0, 1.0)))
    assert changes_between(old, new) == (
        Change("inner.unit", "kW", "MW"),
        Change("inner.range", None, "[0.0,1.0]"),
    )
    assert changes_between(None, "x", "flag") == (Change("flag", None, "x"),)
    assert changes_between(old, old) == ()


def test_many_changes_are_cut_with_a_word() -> None:
    made = changes_between({}, {str(n): n for n in range(50)})
    assert len(made) == CHANGES_MAX + 1
    assert made[-1] == Change("…", None, "30 more")
    assert limited(made) == made
    assert limited([Change(str(n), "a", "b") for n in range(50)])[-1].new == "30 more"


def test_long_texts_and_halves_of_pairs_are_cut() -> None:
    assert len(clipped("x" * 10_000)) == TEXT_LENGTH_MAX
    assert clipped("a\ud800b") == "a?b"
    assert str(Anchor(3, "ab")) == "3:ab"
