"""Turns every error into a problem reply; the one place of this package that catches everything.

HistorianError
└── Problem (api/problem.py)     an error reply made on purpose by a handler; all others are mapped here
"""

import traceback
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

from api import problem
from api.problem import Fault, FaultDetails, Problem, ProblemDetails, ProblemKind
from historian import errors, logs

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID: Final = web.RequestKey("request_id", str)
RETRY_AFTER_LOG_FAILED_S: Final = 30  # a poisoned log needs an operator; do not hammer it
_LOG: Final = logs.EventLog("api")

# Replies after which the rest of the request's body would only be read to be thrown away.
_CLOSING_STATUSES: Final = frozenset({408, 413})
_DENYING_STATUSES: Final = frozenset({401, 403})  # where there is a body, it was not read


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a reply pass; turn any error into ``application/problem+json``. Never shows a stack trace."""
    try:
        return await handler(request)
    except errors.HistorianError as error:
        return problem_response(request, problem_of(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return problem_response(request, _problem_of_http(error, request))
    except ConnectionError:
        raise  # the client went away: nobody is left to answer
    except Exception as error:
        response = fault_response(request, error)
        if request.writer.output_size > 0:
            raise ConnectionAbortedError("the reply had begun, so it is cut and not completed") from error
        return response


def problem_response(request: web.BaseRequest, fault: Problem) -> web.Response:
    """The reply for one problem, in the language the client prefers."""
    is_zh = prefers_chinese(request.headers.get("Accept-Language", ""))
    kind = fault.kind
    details = ProblemDetails(
        type=kind.uri,
        title=kind.title_zh if is_zh else kind.title_en,
        status=kind.status,
        detail=fault.zh if is_zh else fault.en,
        code=kind.code,
        instance=request.path,
        request_id=request.get(REQUEST_ID, ""),
        errors=tuple(_details_of(entry, is_zh) for entry in fault.faults),
        accepted=fault.accepted,
        rejected=fault.rejected,
    )
    response = web.Response(
        status=kind.status,
        body=msgspec.json.encode(details),
        content_type="application/problem+json",
        headers={"Content-Language": "zh" if is_zh else "en", "Cache-Control": "no-store", **fault.headers},
    )
    if kind.status in _CLOSING_STATUSES or (kind.status in _DENYING_STATUSES and request.body_exists):
        response.force_close()
    return response


def fault_response(request: web.BaseRequest, error: BaseException | None) -> web.Response:
    """The reply for a fault of ours; its cause is in the log alone, under the same request id."""
    _log_fault(request, error)
    return problem_response(request, _internal_problem(request))


def problem_of(error: errors.HistorianError) -> Problem:
    """The problem that stands for one of the product's own errors."""
    match error:
        case Problem():
            return error
        case errors.PointNotFound():
            return Problem(problem.POINT_NOT_FOUND, str(error), f"没有名为 {error.name!r} 的测点")
        case errors.QueueFull():
            return Problem(
                problem.QUEUE_FULL,
                str(error),
                f"写入队列已满，请在 {error.retry_after_s} 秒后重试",
                headers={"Retry-After": str(error.retry_after_s)},
            )
        case errors.KeyUnderWay():
            return _translated(problem.KEY_UNDER_WAY, error, {"Retry-After": str(error.retry_after_s)})
        case errors.AccessError():
            return _access_problem(error)
        case errors.StoreReadOnly(cause="disk_reserve"):
            return _translated(problem.DISK_RESERVE, error)
        case errors.StoreReadOnly() | errors.WalFailed():
            return _translated(problem.LOG_FAILED, error, {"Retry-After": str(RETRY_AFTER_LOG_FAILED_S)})
    return _translated(_kind_of(error), error)


def prefers_chinese(accept_language: str) -> bool:
    """Whether ``Accept-Language`` ranks Chinese above English; English where neither is named."""
    best = {"zh": 0.0, "en": 0.0}
    for entry in accept_language.split(","):
        tag, _, parameter = entry.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in best:
            best[language] = max(best[language], _weight(parameter))
    return best["zh"] > best["en"]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


_KINDS: Final[tuple[tuple[type[errors.HistorianError], ProblemKind], ...]] = (
    (errors.LoginRefused, problem.LOGIN_REFUSED),
    (errors.LoginLocked, problem.LOGIN_LOCKED),
    (errors.LoginsFull, problem.LOGINS_FULL),
    (errors.AccessNotFound, problem.ACCESS_NOT_FOUND),
    (errors.AccessConflict, problem.ACCESS_CONFLICT),
    (errors.AccessInvalid, problem.ACCESS_INVALID),
    (errors.PointConflict, problem.POINT_CONFLICT),
    (errors.PointInvalid, problem.POINT_INVALID),
    (errors.PointsFull, problem.POINTS_FULL),
    (errors.TermInvalid, problem.TERM_INVALID),
    (errors.ItemInvalid, problem.ITEM_INVALID),
    (errors.EntityNotFound, problem.ENTITY_NOT_FOUND),
    (errors.EntityConflict, problem.ENTITY_CONFLICT),
    (errors.EntityChanged, problem.ENTITY_CHANGED),
    (errors.EntityInvalid, problem.ENTITY_INVALID),
    (errors.LockRefused, problem.LOCK_REFUSED),
    (errors.TariffNotFound, problem.TARIFF_NOT_FOUND),
    (errors.TariffError, problem.TARIFF_INVALID),
    (errors.FactorError, problem.FACTOR_MISSING),
    (errors.KeyReused, problem.KEY_REUSED),
    (errors.UnitError, problem.UNIT_MISMATCH),
    (errors.TimeError, problem.INVALID_TIME),
    (errors.AuditUnavailable, problem.AUDIT_UNAVAILABLE),
    (errors.EditRefused, problem.EDIT_REFUSED),
    (errors.QueryTooLarge, problem.QUERY_TOO_LARGE),
    (errors.QueryError, problem.QUERY_REFUSED),
    (errors.CatalogueError, problem.STORE_FAULT),
    (errors.StoreError, problem.STORE_FAULT),
)


def _access_problem(error: errors.AccessError) -> Problem:
    headers: dict[str, str] = {}
    if isinstance(error, errors.LoginLocked | errors.LoginsFull):
        headers = {"Retry-After": str(error.retry_after_s)}
    return Problem(_kind_of(error), str(error), error.zh, headers=headers)


def _kind_of(error: errors.HistorianError) -> ProblemKind:
    for type_, kind in _KINDS:
        if isinstance(error, type_):
            return kind
    return problem.INTERNAL_ERROR


def _translated(
    kind: ProblemKind, error: errors.HistorianError, headers: dict[str, str] | None = None
) -> Problem:
    return Problem(kind, str(error), f"{kind.title_zh}：{error}", headers=headers)


def _details_of(entry: Fault, is_zh: bool) -> FaultDetails:
    return FaultDetails(
        detail=(entry.zh or entry.en) if is_zh else entry.en,
        pointer=entry.pointer,
        parameter=entry.parameter,
        line=entry.line,
        code=entry.code,
    )


def _problem_of_http(error: web.HTTPException, request: web.Request) -> Problem:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(
            problem.METHOD_NOT_ALLOWED,
            f"{request.method} does not work on {request.path}; allowed: {allowed}",
            f"{request.path} 不支持 {request.method}；可用：{allowed}",
            headers={"Allow": allowed},
        )
    if error.status == 404:
        return Problem(
            problem.ROUTE_NOT_FOUND,
            f"there is nothing at {request.path}; see /openapi.json for what there is",
            f"{request.path} 不存在；可用路径见 /openapi.json",
        )
    if error.status == 413:
        return Problem(problem.BODY_TOO_LARGE, "the body is too large", "请求体过大")
    return Problem(problem.BAD_REQUEST, error.reason, f"请求无法解析：{error.reason}")


def _internal_problem(request: web.BaseRequest) -> Problem:
    request_id = request.get(REQUEST_ID, "")
    return Problem(
        problem.INTERNAL_ERROR,
        f"the historian failed on this request; its log has the cause under request_id={request_id}",
        f"处理该请求时历史库内部出错；原因见日志 request_id={request_id}",
    )


def _log_fault(request: web.BaseRequest, error: BaseException | None) -> None:
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-4:]))
    _LOG.error(
        "request_failed",
        method=request.method,
        path=request.path,
        request_id=request.get(REQUEST_ID, ""),
        error=repr(error),
        at=where,
    )
