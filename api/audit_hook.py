"""Writes the audit trail around the handlers, in one place: who changed what, who was refused, who took data away.

A change is written down twice: that it begins, durably, before its handler runs; and how it ended, before it is answered. Whatever
takes effect is on record then, also where the process dies in between (docs/adr/0029-audit-trail.md). Ingest and queries do not come here.
"""

from typing import Final

import msgspec
from aiohttp import web

from api import problem
from api.audit_note import note_of
from api.caller import identity_of
from api.context import ApiContext
from api.errors import REQUEST_ID, Handler, problem_of
from api.operation import ARROW, CSV, NDJSON, Operation
from api.params import Params
from api.peer import address_of
from api.problem import Problem
from historian import logs
from historian.errors import AuditUnavailable, HistorianError
from historian.model.access import Right
from historian.model.audit import AuditEntry, AuditTrail, Kind

RETRY_AFTER_S: Final = 30
_KINDS: Final = {Right.EDIT: Kind.EDIT, Right.CONFIGURE: Kind.CONFIG, Right.ADMINISTER: Kind.ACCESS}
_DENIED: Final = frozenset({401, 403})
_EXPORT_TYPES: Final = frozenset({ARROW, CSV, NDJSON})
_LOG: Final = logs.EventLog("audit")


def kind_of(operation: Operation) -> Kind | None:
    """As what an operation is written down; None for queries, dry runs and ingest, whose samples carry their provenance."""
    if operation.method == "GET" or operation.right is None:
        return None
    return Kind.EDIT if operation.is_decision else _KINDS.get(operation.right)


class AuditHook:
    """One for an application."""

    def __init__(self, context: ApiContext) -> None:
        self._trail: AuditTrail = context.audit
        self._export_bytes_min = context.settings.audit.export_bytes_min
        self._proxies = context.settings.server.trusted_proxies

    def around(self, operation: Operation, handler: Handler) -> Handler:
        """The handler with its two records; itself, where nothing is to be written down."""
        kind = kind_of(operation)
        if kind is None:
            return handler

        async def handle(request: web.Request) -> web.StreamResponse:
            if "dry_run" in request.query and Params(request.query).is_set("dry_run"):
                return await handler(request)
            begun = await self._begin(self._entry_of(request, operation, kind, "begun"))
            try:
                response = await handler(request)
            except HistorianError as error:
                kept = problem_of(error).kind
                await self._end(
                    request, operation, kind, "refused" if kept.status < 500 else "failed", begun, kept.code
                )
                raise
            except BaseException:
                await self._end(request, operation, kind, "failed", begun, "")
                raise
            await self._end(request, operation, kind, "done", begun, "")
            return response

        return handle

    def seen(self, request: web.Request, response: web.StreamResponse, operation: Operation | None) -> None:
        """Note a refused caller, or a table that was taken away. Called with every answer."""
        if response.status in _DENIED:
            told = note_of(request).detail
            detail = f"status {response.status}{f', {told}' if told else ''}"
            self._note(request, operation, Kind.DENIED, "denied", detail)
        elif response.content_type in _EXPORT_TYPES and response.status == 200:
            body = response.body if isinstance(response, web.Response) else None
            size_bytes = len(body) if isinstance(body, bytes | bytearray | memoryview) else None
            if size_bytes is None or size_bytes >= self._export_bytes_min:
                detail = "a stream" if size_bytes is None else f"{size_bytes} bytes"
                self._note(
                    request, operation, Kind.READ_EXPORT, "done", f"{detail} of {response.content_type}"
                )

    def _note(
        self, request: web.Request, operation: Operation | None, kind: Kind, result: str, detail: str
    ) -> None:
        who = note_of(request).who or identity_of(request)
        self._trail.note(
            AuditEntry(
                kind=kind,
                who=who.name,
                who_kind=who.kind,
                address=address_of(request, self._proxies),
                request_id=request.get(REQUEST_ID, ""),
                action=operation.name if operation else "unmatched",
                object=request.rel_url.path if kind is Kind.DENIED else str(request.rel_url),
                result=result,
                detail=detail,
            )
        )

    async def _begin(self, entry: AuditEntry) -> int:
        try:
            return await self._trail.record(entry)
        except AuditUnavailable as error:
            raise unavailable(error) from error

    async def _end(
        self, request: web.Request, operation: Operation, kind: Kind, result: str, begun: int, code: str
    ) -> None:
        note = note_of(request)
        entry = self._entry_of(request, operation, kind, result)
        try:
            await self._trail.record(
                msgspec.structs.replace(
                    entry,
                    changes=tuple(note.changes),
                    reason=note.reason,
                    detail=code or note.detail,
                    begun=begun,
                )
            )
        except AuditUnavailable as error:
            # The beginning is on record and the change has taken effect: to answer that it failed would be untrue.
            _LOG.error("end_not_recorded", begun=begun, result=result, problem=error)

    def _entry_of(self, request: web.Request, operation: Operation, kind: Kind, result: str) -> AuditEntry:
        note = note_of(request)
        who = note.who or identity_of(request)
        return AuditEntry(
            kind=kind,
            who=who.name,
            who_kind=who.kind,
            address=address_of(request, self._proxies),
            request_id=request.get(REQUEST_ID, ""),
            action=operation.name,
            object=note.object or request.rel_url.path,
            result=result,
        )


def unavailable(error: AuditUnavailable) -> Problem:
    """The answer while nothing can be written down."""
    return Problem(
        problem.AUDIT_UNAVAILABLE,
        f"{error}; corrections, configuration and access stay as they are until it can, samples and queries go on",
        f"审计记录无法写入，暂停修正、配置和权限变更；数据采集和查询照常：{error}",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
