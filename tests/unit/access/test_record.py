import itertools

import pytest

from historian.access import record
from historian.access.record import Person, Token
from historian.errors import AccessInvalid
from historian.model.access import AUDITOR_EXCLUDES, ROLE_RIGHTS, Right, Role


def test_every_set_of_roles_has_the_rights_of_each_and_watches_nobody_itself() -> None:
    for count in range(1, len(Role) + 1):
        for roles in itertools.combinations(Role, count):
            person = Person(id="anna", roles=roles, stations=("S1",))
            if Role.AUDITOR in roles and AUDITOR_EXCLUDES & set(roles):
                with pytest.raises(AccessInvalid, match="auditor"):
                    record.check_person(person)
                continue
            record.check_person(person)
            identity = person.identity()
            assert identity.rights == frozenset().union(*(ROLE_RIGHTS[role] for role in roles))
            assert [identity.sees(station) for station in ("S1", "S2", None)] == [True, False, False]


@pytest.mark.parametrize("name", ["A", "a", "9a", "a b", "a" * 33, "王", ""])
def test_what_is_no_account(name: str) -> None:
    with pytest.raises(AccessInvalid):
        record.check_person(Person(id=name))


def test_a_token_administers_nobody() -> None:
    token = Token(id="1", name="x", rights=(Right.ADMINISTER,), created_by="a", created_us=0, expires_us=1)
    with pytest.raises(AccessInvalid, match="administers"):
        record.check_token(token)


def test_a_person_is_printed_without_the_hash() -> None:
    assert "scrypt" not in repr(Person(id="anna", password="scrypt$…"))
