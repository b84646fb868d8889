"""What is written down about who did what: kinds, entries, stored records, and what the rest asks of the trail.

GB/T 22239 (security audit, level 2) and IEC 62443-3-3 SR 2.8: time, who, from where, kind, object, result.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

import msgspec

TEXT_LENGTH_MAX: Final = 500  # of each text of a record; what is longer ends in …
CHANGES_MAX: Final = 20  # of one record; of more the first are kept, and how many there were
_SECRET: Final = re.compile(
    r"pass(word|phrase|wd)|secret|token|cookie|credential|private|csrf", re.IGNORECASE
)
_PERSONAL: Final = re.compile(
    r"(^|[._])(legal_person|legal_representative|contact|person|full_name|phone|mobile|email|mail|address_line|"
    r"postal_address|id_card)",
    re.IGNORECASE,
)
MASK: Final = "***"


class Kind(StrEnum):
    """What sort of thing happened."""

    LOGIN = "login"
    LOGOUT = "logout"
    DENIED = "denied"
    READ_EXPORT = "read_export"
    EDIT = "edit"
    CONFIG = "config"
    ACCESS = "access"
    BACKUP = "backup"
    RESTORE = "restore"
    IMPORT = "import"
    EXPORT = "export"
    TIME_STEP = "time_step"
    START = "start"
    STOP = "stop"
    AUDIT_READ = "audit_read"
    TRAIL = "trail"  # about the trail itself: begun, repaired, damaged, months removed


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was and is; None: there was or is none."""

    what: str
    old: str | None = None
    new: str | None = None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks to be written down.

    `who_kind` is person, token, anybody, system (the historian itself) or local (who is logged in on its machine).
    `result` is begun, done, refused, failed or denied; `begun` the number of the record that told of the beginning.
    `count` says how many of the same kind this record stands for.
    """

    kind: Kind
    who: str = "historian"
    who_kind: str = "system"
    address: str = ""
    request_id: str = ""
    action: str = ""
    object: str = ""
    result: str = "done"
    changes: tuple[Change, ...] = ()
    reason: str = ""
    detail: str = ""
    begun: int = 0
    count: int = 1


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry as it stands in the trail. `time` is UTC, `local` the same with offset and zone (RFC 9557).

    `prev` is the hash of the record before, 64 zeros for the first of all.
    """

    number: int
    time: str
    local: str
    kind: Kind
    who: str
    who_kind: str
    address: str = ""
    request_id: str = ""
    action: str = ""
    object: str = ""
    result: str
    changes: tuple[Change, ...] = ()
    reason: str = ""
    detail: str = ""
    begun: int = 0
    count: int = 1
    prev: str


class Anchor(NamedTuple):
    """The newest record's number and hash: whoever keeps it elsewhere notices a trail that was rewritten."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


class AuditStatus(NamedTuple):
    """`detail` says why nothing can be written; `damage` what was found at the start."""

    is_writable: bool
    detail: str
    anchor: Anchor
    damage: tuple[str, ...]


class AuditQuestion(NamedTuple):
    """What somebody wants to see of the trail; times are µs UTC, `until_us` itself outside, "" is all."""

    since_us: int
    until_us: int
    who: str = ""
    kind: str = ""
    object: str = ""  # a part of it
    limit: int = 1000


class AuditPage(NamedTuple):
    """Records in their order; `next_place` is where to go on, None at the end."""

    records: list[AuditRecord]
    next_place: int | None


class AuditTrail(Protocol):
    """Where what happens is written down."""

    async def record(self, entry: AuditEntry) -> int:
        """Write durably; the record's number. Raises AuditUnavailable: then it is not on disk."""
        ...

    def note(self, entry: AuditEntry) -> None:
        """Write soon, and the same entry of the next minute or hour as a count; never raises."""
        ...

    async def read(self, question: AuditQuestion, place: int | None = None) -> AuditPage:
        """A page of records from `place` on. Raises AuditUnavailable where the files cannot be read."""
        ...

    def status(self) -> AuditStatus:
        """Whether it can be written, and where it stands."""
        ...


def shown(what: str, value: object) -> str | None:
    """`value` of a field named `what` as it may stand in the trail: never a secret, personal data masked."""
    if value is None:
        return None
    if _SECRET.search(what):
        return MASK
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return clipped(masked(text) if _PERSONAL.search(what) else text)


def masked(text: str) -> str:
    """The first sign, and how long the rest was no more: 张***."""
    return text[:1] + MASK if text else text


def clipped(text: str) -> str:
    """At most TEXT_LENGTH_MAX signs, without half of a pair that no UTF-8 can hold."""
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= TEXT_LENGTH_MAX else whole[: TEXT_LENGTH_MAX - 1] + "…"


def changes_between(old: object, new: object, prefix: str = "") -> tuple[Change, ...]:
    """What differs between two structs, mappings or values, as dotted names; at most CHANGES_MAX and a last word."""
    before, after = _flat(old, prefix), _flat(new, prefix)
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    made = [
        Change(name, shown(name, before.get(name)), shown(name, after.get(name)))
        for name in names[:CHANGES_MAX]
    ]
    if len(names) > CHANGES_MAX:
        made.append(Change("…", None, f"{len(names) - CHANGES_MAX} more"))
    return tuple(made)


def limited(changes: Sequence[Change]) -> tuple[Change, ...]:
    """At most CHANGES_MAX of them, each text clipped, and a word on the rest."""
    kept = [Change(clipped(one.what), shown(one.what, one.old), shown(one.what, one.new)) for one in changes]
    if len(kept) <= CHANGES_MAX:
        return tuple(kept)
    rest = [] if kept[-1].what == "…" else [Change("…", None, f"{len(kept) - CHANGES_MAX} more")]
    return (*kept[:CHANGES_MAX], *(rest or kept[-1:]))


def _flat(value: object, prefix: str) -> dict[str, object]:
    """Dotted name → value of whatever msgspec can take apart."""
    plain = msgspec.to_builtins(value)
    if not isinstance(plain, dict):
        return {} if plain is None else {prefix: plain}
    found: dict[str, object] = {}
    for name, inner in plain.items():
        found |= _flat(inner, f"{prefix}.{name}" if prefix else str(name))
    return found
