import pytest

from historian.access import password_rule
from historian.errors import AccessInvalid
from historian.settings import AccessSettings

LIMITS = AccessSettings()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("Ab1-xyz", "at least 12"),
        ("abcdefghijkl1", "kinds of sign"),
        ("xxAnna.Bertxx-1", "contains the name"),
        ("xxtreB.annAxx-1", "contains the name"),
        ("Password-2026!", "tried first"),
        ("Aa1Aa1Aa1Aa1", "tried first"),
        ("A1-" + "x" * 1030, "longer than"),
    ],
)
def test_what_is_no_password(given: str, named: str) -> None:
    with pytest.raises(AccessInvalid, match=named) as refused:
        password_rule.check_password(given, "anna.bert", LIMITS)
    assert given not in str(refused.value)


@pytest.mark.parametrize("given", ["Correct-Horse-7-battery", "变电站的灯光A-7很亮的夜晚"])
def test_what_is_a_password(given: str) -> None:
    password_rule.check_password(given, "anna.bert", LIMITS)
