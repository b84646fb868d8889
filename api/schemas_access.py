"""Bodies of logins, people, sessions and tokens; the OpenAPI file is made from them as from `schemas`."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.schemas import Time
from api.schemas_edits import TimeIn
from historian.model.access import Right, Role

Account = Annotated[str, Meta(max_length=64)]
Password = Annotated[str, Meta(max_length=1024)]
Name = Annotated[str, Meta(max_length=200)]
Stations = list[Annotated[str, Meta(min_length=1, max_length=200)]] | None
Days = Annotated[int, Meta(ge=0, le=3650)]


class LoginBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`display_days` above 0 asks for the session of a wall display: read only, from this address only."""

    name: Account
    password: Password
    display_days: Days = 0


class SetupBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token that the first start printed, and the first administrator."""

    token: Annotated[str, Meta(max_length=200)]
    name: Account
    password: Password
    display_name: Name = ""


class PasswordBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The present password and the new one."""

    present: Password
    new: Password


class PersonBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account, or what is to change of it. A password given here must be changed at the next login.

    `stations` null: every station.
    """

    name: Account | UnsetType = UNSET
    display_name: Name | UnsetType = UNSET
    roles: list[Role] | UnsetType = UNSET
    stations: Stations | UnsetType = UNSET
    is_disabled: bool | UnsetType = UNSET
    password: Password | UnsetType = UNSET


class TokenBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token for one service. `stations` null: every station."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    rights: list[Right]
    expires: TimeIn
    stations: Stations = None


class SessionReply(msgspec.Struct, frozen=True, kw_only=True):
    """Who the caller is. `csrf_token` goes into the header X-CSRF-Token of what changes something; "" for tokens.

    `password_age_days` null where there is no password. `is_setup_needed`: nobody can administer yet.
    """

    name: str
    kind: str
    display_name: str
    rights: list[Right]
    stations: list[str] | None
    csrf_token: str
    must_change_password: bool
    password_age_days: int | None
    is_display: bool
    expires: Time
    auth: str


class PersonReply(msgspec.Struct, frozen=True, kw_only=True):
    """An account. `locked_s`: for so long yet nobody logs in to it from an address not seen before."""

    name: str
    display_name: str
    roles: list[Role]
    rights: list[Right]
    stations: list[str] | None
    is_disabled: bool
    must_change_password: bool
    password_changed: Time
    created: Time
    session_count: int
    locked_s: int


class PeopleReply(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts."""

    people: list[PersonReply]


class UnlockReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many counts of failures were dropped."""

    dropped: int


class OpenSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session; its secret is nowhere."""

    id: str
    address: str
    is_display: bool
    created: Time
    expires: Time


class SessionsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Open sessions of a person, oldest first."""

    sessions: list[OpenSession]


class SignOutReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions ended."""

    ended: int


class TokenReply(msgspec.Struct, frozen=True, kw_only=True):
    """A token; `token`, its text, is told only when it is made. `id` is the readable part of it."""

    id: str
    name: str
    rights: list[Right]
    stations: list[str] | None
    created_by: str
    created: Time
    expires: Time
    revoked: Time
    token: str = ""


class TokensReply(msgspec.Struct, frozen=True, kw_only=True):
    """All tokens, oldest first."""

    tokens: list[TokenReply]
