"""People, tokens and sessions as they are kept, and what may be written into them."""

import re
from typing import Final

import msgspec

from historian.errors import AccessInvalid
from historian.model.access import AUDITOR_EXCLUDES, ROLE_RIGHTS, Identity, Right, Role

STATIONS_MAX: Final = 1000
TEXT_LENGTH_MAX: Final = 200
STATION_LENGTH_MAX: Final = 200

_PERSON_ID: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")

Stations = tuple[str, ...] | None  # None: every station


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who logs in. Without a `password` hash nobody does; `must_change`: only to give a new password."""

    id: str
    display_name: str = ""
    roles: tuple[Role, ...] = (Role.VIEWER,)
    stations: Stations = None
    password: str = ""
    password_us: int = 0
    must_change: bool = False
    is_disabled: bool = False
    created_us: int = 0

    def __repr__(self) -> str:
        return f"Person({self.id!r})"  # never the hash

    def identity(self) -> Identity:
        """What this person acts as."""
        rights = frozenset[Right]().union(*(ROLE_RIGHTS[role] for role in self.roles))
        return Identity(self.id, "person", rights, _frozen(self.stations))


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a service shows. `id` is the readable part of it; `revoked_us` 0: it is good until `expires_us`."""

    id: str
    name: str
    rights: tuple[Right, ...]
    stations: Stations = None
    created_by: str
    created_us: int
    expires_us: int
    revoked_us: int = 0

    def identity(self) -> Identity:
        """What a service with it acts as."""
        return Identity(self.name, "token", frozenset(self.rights), _frozen(self.stations))


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A login. That of a wall display reads only, from one `address` only, and does not end by idleness."""

    id: str
    person: str
    address: str
    is_display: bool
    created_us: int
    expires_us: int


def check_person(person: Person) -> None:
    """Raise AccessInvalid where a field is not as it must be."""
    if not _PERSON_ID.fullmatch(person.id):
        raise AccessInvalid(
            f"{person.id!r} is no account; allowed: 2 to 32 of a-z, 0-9, point, dash and underscore, a letter first",
            f"{person.id!r} 不能作为账号；允许 2 到 32 个小写字母、数字、点、横线、下划线，以字母开头",
        )
    _check_text("display_name", person.display_name)
    if not person.roles or len(set(person.roles)) != len(person.roles):
        raise AccessInvalid("roles: name at least one, each once", "roles：至少一个角色，不得重复")
    if Role.AUDITOR in person.roles and AUDITOR_EXCLUDES.intersection(person.roles):
        raise AccessInvalid(
            "roles: an auditor has no other role but viewer: whoever is watched does not hold the record",
            "roles：审计员只能同时是查看者：被审计的人不能掌管记录",
        )
    check_stations(person.stations)


def check_token(token: Token) -> None:
    """Raise AccessInvalid where a field is not as it must be."""
    _check_text("name", token.name)
    if not token.name:
        raise AccessInvalid("name: say which service the token is for", "name：须说明令牌用于哪个服务")
    if not token.rights or len(set(token.rights)) != len(token.rights):
        raise AccessInvalid("rights: name at least one, each once", "rights：至少一项权限，不得重复")
    if Right.ADMINISTER in token.rights:
        raise AccessInvalid(
            "rights: a token administers nobody; people do", "rights：令牌不能管理账号，须由人员操作"
        )
    check_stations(token.stations)


def check_stations(stations: Stations) -> None:
    """Raise AccessInvalid where these are no stations."""
    if stations is None:
        return
    if len(stations) > STATIONS_MAX or not all(1 <= len(one) <= STATION_LENGTH_MAX for one in stations):
        raise AccessInvalid(
            f"stations: at most {STATIONS_MAX} names of 1 to {STATION_LENGTH_MAX} signs; null: every station",
            f"stations：最多 {STATIONS_MAX} 个站名，每个 1 到 {STATION_LENGTH_MAX} 字符；null 表示全部",
        )


def _check_text(field: str, text: str) -> None:
    if len(text) > TEXT_LENGTH_MAX or not text.isprintable():
        raise AccessInvalid(
            f"{field}: at most {TEXT_LENGTH_MAX} printable signs",
            f"{field}：最多 {TEXT_LENGTH_MAX} 个可见字符",
        )


def _frozen(stations: Stations) -> frozenset[str] | None:
    return None if stations is None else frozenset(stations)
