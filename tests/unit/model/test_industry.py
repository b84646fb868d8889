"""Industry codes: the letter follows from the division, zeros and edition stay."""

import pytest

from historian.errors import EntityInvalid
from historian.model import industry


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0111", "A0111@2017"),
        ("A0111", "A0111@2017"),
        ("c30", "C30@2017"),
        ("C301", "C301@2017"),
        (" ３１２０ ", "C3120@2017"),
        ("T", "T@2017"),
        ("4412@2017+A1", "D4412@2017+A1"),
        ("9710", "T9710@2017"),
    ],
)
def test_a_code_is_kept_in_one_spelling(given: str, kept: str) -> None:
    assert industry.normalised(given) == kept
    assert industry.normalised(kept) == kept


@pytest.mark.parametrize(
    "given", ["", "1", "C4412", "98", "0011", "30111", "U30", "C30@2002", "C30@", "3O11"]
)
def test_what_is_none_is_refused(given: str) -> None:
    with pytest.raises(EntityInvalid):
        industry.normalised(given)


def test_every_division_has_its_section() -> None:
    assert [industry.section_of(division) for division in (0, 1, 5, 6, 13, 43, 44, 84, 96, 97, 98)] == [
        "", "A", "A", "B", "C", "C", "D", "Q", "S", "T", "",
    ]  # fmt: skip
