"""What a handler knows of the change it makes, for the audit trail: what was and is, and why."""

from typing import Final

from aiohttp import web

from historian.model.access import Identity
from historian.model.audit import Change, changes_between


class AuditNote:
    """Filled while a request is handled, written down at its end. Secrets and personal data are masked by their names."""

    __slots__ = ("changes", "detail", "object", "reason", "who")

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.object = ""  # instead of the path
        self.reason = ""
        self.detail = ""
        self.who: Identity | None = None  # where the request itself made somebody known

    def change(self, old: object, new: object, what: str = "") -> None:
        """What differs between two values, mappings or structs; `what` names them, or is in front of their names."""
        self.changes += changes_between(old, new, what)


NOTE: Final = web.RequestKey("audit_note", AuditNote)


def note_of(request: web.BaseRequest) -> AuditNote:
    """The note of this request; of one that is not written down, nobody reads it."""
    note: AuditNote | None = request.get(NOTE)
    if note is None:
        note = request[NOTE] = AuditNote()
    return note
