"""Unified social credit codes: published ones hold, known mistakes of others do not."""

import pytest

from historian.errors import EntityInvalid
from historian.model import uscc

VALID = [
    "91350100M000100Y43",  # of the standard itself
    "914403001922038216",
    "9144030071526726XG",
    "9111000071093123XX",
    "91330100799655058B",
    "91320100MA1T001950",  # a sum that 31 divides: 0, not the 32nd sign
    "91320100MA1T0206X0",
]


@pytest.mark.parametrize("code", VALID)
def test_a_code_that_holds_is_kept(code: str) -> None:
    assert uscc.normalised(code) == code
    assert uscc.check_sign(code[:17]) == code[17]


def test_lower_case_full_width_blanks_and_hyphens_are_one_spelling() -> None:
    assert uscc.normalised(" 9144030071526726xg ") == "9144030071526726XG"
    assert uscc.normalised("９１４４０３００－７１５２６７２６Ｘｇ") == "9144030071526726XG"
    assert uscc.normalised("91440300 7152-6726XG") == "9144030071526726XG"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("91350100M000100Y4Z", "alphabet|of 0123"),  # the invalid example that pages copy
        ("91350100M000100Y4E", "place 18"),  # the remainder itself instead of what is missing to 31
        ("914403001922038226", "place 17"),
        ("91440300192203821", "17 signs"),
        ("9144030019220382160", "19 signs"),
        ("H14403001922038216", "authority"),
        ("91A403001922038216", "region"),
        ("91440300192203821O", "of 0123"),
        ("", "0 signs"),
    ],
)
def test_what_does_not_hold_says_why(code: str, said: str) -> None:
    with pytest.raises(EntityInvalid, match=said):
        uscc.normalised(code)


def test_the_check_sign_of_an_organisation_may_be_x_or_0() -> None:
    assert uscc.organisation_check_sign("71526726") == "X"
    assert uscc.organisation_check_sign("M000100Y") == "4"
    assert uscc.organisation_check_sign("00000000") == "0"
