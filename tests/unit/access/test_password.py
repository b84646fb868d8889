from historian.access import password
from historian.access.password import COST, Cost

CHEAP = Cost(2, 1, 1)


def test_a_hash_carries_its_cost_and_matches_its_password_alone() -> None:
    kept = password.hash_password("秘密 pass", CHEAP)
    assert kept.startswith("scrypt$2$1$1$")
    assert password.matches("秘密 pass", kept)
    assert not password.matches("秘密 Pass", kept)
    assert kept != password.hash_password("秘密 pass", CHEAP)


def test_what_nothing_matches_has_the_same_form() -> None:
    assert len(password.unmatched_hash(CHEAP)) == len(password.hash_password("x", CHEAP))


def test_the_cost_is_what_the_decision_says() -> None:
    assert 128 * COST.n * COST.r == 32 << 20
