"""Rights, roles and identities."""

import pytest

from historian.model.access import ANYBODY, AUDITOR_EXCLUDES, ROLE_RIGHTS, Identity, Right, Role


@pytest.mark.parametrize("role", Role)
def test_every_role_reads(role: Role) -> None:
    assert Right.READ in ROLE_RIGHTS[role]


def test_only_the_auditor_reads_the_trail_and_only_the_admin_grants() -> None:
    assert [role for role in Role if Right.AUDIT in ROLE_RIGHTS[role]] == [Role.AUDITOR]
    assert [role for role in Role if Right.ADMINISTER in ROLE_RIGHTS[role]] == [Role.ADMIN]


def test_roles_that_change_something_exclude_the_auditor() -> None:
    changing = {role for role in Role if ROLE_RIGHTS[role] - {Right.READ, Right.AUDIT}}
    assert changing == AUDITOR_EXCLUDES


def test_an_identity_of_some_stations_sees_these_and_nothing_without_a_station() -> None:
    one = Identity("feeder", "token", frozenset({Right.READ}), frozenset({"S1"}))
    assert one.sees("S1")
    assert not one.sees("S2")
    assert not one.sees(None)
    assert one.may(Right.READ)
    assert not one.may(Right.EDIT)


def test_anybody_may_everything_everywhere() -> None:
    assert all(ANYBODY.may(right) for right in Right)
    assert ANYBODY.sees(None)
