"""Bodies of the audit trail's replies."""

import msgspec

from historian.model.audit import Kind


class AuditChange(msgspec.Struct, frozen=True, kw_only=True):
    """What was and what is; null: there was or is none. Secrets and personal data are masked."""

    what: str
    old: str | None
    new: str | None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `begun` is the number of the record that told of the beginning, 0 where there is none."""

    number: int
    time: str
    local: str
    kind: Kind
    who: str
    who_kind: str
    address: str
    request_id: str
    action: str
    object: str
    result: str
    changes: list[AuditChange]
    reason: str
    detail: str
    begun: int
    count: int


class AuditReply(msgspec.Struct, frozen=True, kw_only=True):
    """A page of records; `anchor` is number and hash of the newest record of all."""

    records: list[AuditRow]
    anchor: str
    next: str
