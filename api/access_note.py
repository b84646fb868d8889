"""Logins and changes of who may come in, for the audit trail: who, from where, of whom, and what came of it."""

from typing import Final

from aiohttp import web

from api.audit_note import note_of
from api.auth import GATE
from api.caller import identity_of
from api.context import CONTEXT
from api.errors import REQUEST_ID
from api.peer import address_of
from historian.model.audit import AuditEntry, Change, Kind

# What is asked without a right: nobody else writes it down.
_OWN: Final = {
    "login": Kind.LOGIN,
    "logout": Kind.LOGOUT,
    "sign_out_all": Kind.LOGOUT,
    "password": Kind.ACCESS,
    "setup": Kind.ACCESS,
}
# What was changed; under names such as person and token the trail would mask it as personal or secret.
_CHANGED: Final = {"person": "account", "token": "rights", "token_revoked": "rights"}


def note(
    request: web.Request,
    action: str,
    about: str,
    *,
    result: str = "done",
    old: str = "",
    new: str = "",
    reason: str = "",
) -> None:
    """`about` is the account, session or token; never a secret."""
    kept, what = note_of(request), _CHANGED.get(action, action)
    changes = [Change(what, old or None, new or None)] if old or new else []
    kept.object = about
    kept.changes += changes
    kind = _OWN.get(action)
    if kind is None:
        return  # what needs a right is written down around its handler
    identity = identity_of(request)
    request.app[CONTEXT].audit.note(
        AuditEntry(
            kind=kind,
            who=about if identity.kind == "anybody" else identity.name,
            who_kind="person",
            address=address_of(request, request.app[GATE].proxies),
            request_id=request.get(REQUEST_ID, ""),
            action=action,
            object=about,
            result=result,
            changes=tuple(changes),
            reason=reason,
        )
    )
