"""Who may do what: rights, the roles that bundle them, and the identity a request acts under.

Rights follow GB/T 22239 (access control, level 2) and IEC 62443-3-3 SR 2.1: least privilege, and whoever reads the audit
trail neither corrects data nor grants rights.
"""

from enum import StrEnum
from typing import Final, Literal

import msgspec


class Right(StrEnum):
    """One thing somebody may do; each operation of the API asks for one."""

    READ = "read"  # points, samples, figures, states
    WRITE = "write"  # send samples: what collectors and services do
    EDIT = "edit"  # correct, estimate, delete-mark, release from quarantine, lock
    CONFIGURE = "configure"  # points, entities, terms, tariffs, factors
    PERSONAL = "personal"  # see personal data unmasked
    AUDIT = "audit"  # read the audit trail
    ADMINISTER = "administer"  # people, tokens, sessions


class Role(StrEnum):
    """What a person is to the historian."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    ADMIN = "admin"


ROLE_RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.VIEWER: frozenset({Right.READ}),
    Role.OPERATOR: frozenset({Right.READ, Right.WRITE}),
    Role.EDITOR: frozenset({Right.READ, Right.WRITE, Right.EDIT, Right.PERSONAL}),
    Role.ENGINEER: frozenset({Right.READ, Right.WRITE, Right.CONFIGURE}),
    Role.AUDITOR: frozenset({Right.READ, Right.AUDIT}),
    Role.ADMIN: frozenset({Right.READ, Right.ADMINISTER}),
}
# Whoever is watched does not hold the record: an auditor has no other role but viewer.
AUDITOR_EXCLUDES: Final = frozenset({Role.OPERATOR, Role.EDITOR, Role.ENGINEER, Role.ADMIN})


class Identity(msgspec.Struct, frozen=True):
    """Who acts. `stations` None: every station; otherwise only these, and points of no station are not among them."""

    name: str
    kind: Literal["anybody", "person", "token"]
    rights: frozenset[Right]
    stations: frozenset[str] | None = None

    def may(self, right: Right) -> bool:
        """Whether this right is held at all, for whichever stations."""
        return right in self.rights

    def sees(self, station: str | None) -> bool:
        """Whether what belongs to this station is within reach."""
        return self.stations is None or (station is not None and station in self.stations)


# What every request is while access control is off, which only loopback allows.
ANYBODY: Final = Identity("anybody", "anybody", frozenset(Right))
