"""Whose decision it is that stays on record: the caller's where they are known, else whose the body says."""

from typing import Protocol

from aiohttp import web

from api import problem
from api.audit_note import note_of
from api.caller import identity_of
from api.problem import Fault, Problem
from historian.model.decision import Decision, make_decision


class Decided(Protocol):
    """A body that says who decides, and why."""

    @property
    def author(self) -> str: ...
    @property
    def reason(self) -> str: ...


def author_of(request: web.BaseRequest, given: str) -> str:
    """The name to keep. Raises Problem 422 where the body gives another than the caller's own.

    While access control is off, nobody is known, and the body is believed.
    """
    identity, named = identity_of(request), given.strip()
    if identity.kind == "anybody":
        return named
    if named not in ("", identity.name):
        text = f"{named!r} is not who sends this; leave author out, {identity.name!r} is kept, and name others in the reason"
        zh = (
            f"{named!r} 不是发出请求者；请省略 author，将记录 {identity.name!r}，代他人处理请在 reason 中说明"
        )
        raise Problem(
            problem.INVALID_BODY,
            f"/author: {text}",
            f"/author：{zh}",
            faults=(Fault(text, zh, pointer="/author"),),
        )
    return identity.name


def decision_of(request: web.BaseRequest, body: Decided) -> Decision:
    """Author and reason, the reason noted for the audit trail. Raises Problem 422, EditRefused as `make_decision`."""
    decision = make_decision(author_of(request, body.author), body.reason)
    note_of(request).reason = decision.reason
    return decision
