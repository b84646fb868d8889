"""Operations: whether the process lives, whether it can take durable writes, metrics, and the OpenAPI file."""

from typing import Final

from aiohttp import web

from api import formats, openapi, problem, schemas
from api.context import CONTEXT
from api.errors import RETRY_AFTER_LOG_FAILED_S
from api.operation import JSON, OPERATIONS_BASES, Operation
from api.problem import Problem

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


async def get_health(request: web.Request) -> web.StreamResponse:
    """The process answers."""
    return formats.reply_json(
        schemas.HealthReply(status="ok", version=request.app[CONTEXT].version), headers=_NO_STORE
    )


async def get_readiness(request: web.Request) -> web.StreamResponse:
    """200 where a durable write would be taken, else 503 or 507 with the cause."""
    context = request.app[CONTEXT]
    status = context.health.status()
    if not status.is_writable:
        kind = problem.DISK_RESERVE if status.cause == "disk_reserve" else problem.LOG_FAILED
        retry = {"Retry-After": str(RETRY_AFTER_LOG_FAILED_S)} if kind is problem.LOG_FAILED else None
        raise Problem(kind, status.detail or status.cause, f"{kind.title_zh}：{status.detail}", headers=retry)
    audit = context.audit.status()
    reply = schemas.ReadyReply(
        status="ready",
        sequence=status.sequence,
        point_count=context.registry.count(),
        segment_count=status.segment_count,
        segment_bytes=status.segment_bytes,
        wal_bytes=status.wal_bytes,
        unsealed_sample_count=status.unsealed_sample_count,
        quarantined_sample_count=context.quarantine.kept_count,
        damage=[*status.damage, *audit.damage],
        audit="ok" if audit.is_writable else audit.detail,
    )
    return formats.reply_json(reply, headers=_NO_STORE)


async def get_metrics(request: web.Request) -> web.StreamResponse:
    """All counters and gauges in the Prometheus text form."""
    body = request.app[CONTEXT].metrics.to_prometheus_text().encode()
    return web.Response(body=body, headers={"Content-Type": PROMETHEUS, **_NO_STORE})


async def get_openapi(request: web.Request) -> web.StreamResponse:
    """The OpenAPI 3.1 description, made from the route table that serves the requests."""
    return web.Response(body=request.app[openapi.DOCUMENT], content_type=JSON)


_NO_STORE: Final = {"Cache-Control": "no-store"}

OPERATIONS: Final = (
    Operation(
        "GET", "/healthz", get_health, "getHealth", "Whether the process answers.", schemas.HealthReply,
        bases=OPERATIONS_BASES, right=None,
    ),
    Operation(
        "GET", "/readyz", get_readiness, "getReadiness", "Whether durable writes are possible.",
        schemas.ReadyReply, problems=(problem.LOG_FAILED, problem.DISK_RESERVE), bases=OPERATIONS_BASES, right=None,
    ),
    Operation(
        "GET", "/metrics", get_metrics, "getMetrics", "Counters and gauges as Prometheus text.",
        reply_types=("text/plain",), bases=OPERATIONS_BASES, is_global=True,
    ),
    Operation(
        "GET", "/openapi.json", get_openapi, "getOpenapi", "This description.", bases=OPERATIONS_BASES, right=None,
    ),
)  # fmt: skip
