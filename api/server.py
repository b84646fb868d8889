"""Builds the web application from the route table and starts it behind limits."""

import asyncio
import itertools
import re
import secrets
from collections.abc import Iterator
from typing import Any, Final

from aiohttp import web
from multidict import CIMultiDict

from api import arrow_lane, lane, openapi, packed_reply
from api.arrow_lane import ArrowLane
from api.audit_hook import AuditHook
from api.auth import GATE, Gate
from api.body import answer_expectation, check_declared_length
from api.connection_gate import GatedSite, Watches
from api.context import CONTEXT, ApiContext
from api.curve_cache import CURVES, CurveCache
from api.errors import REQUEST_ID, Handler, answer_problems
from api.event_stream import EVENT_STREAMS, EventStreams
from api.lane import LANES
from api.line_intake import LinePoints
from api.operation import Operation
from api.precondition import POINT_TURN
from api.reach import REACHES, Reaches
from api.request_reader import Handling, RequestReader
from api.routes import table
from api.routes.ingest import ARROW_LANE, LINE_POINTS, STORED_OFFSETS
from api.routing import Routing
from api.selection import SELECTIONS, Selections
from api.slow_readers import SlowReaders
from api.stored_offset import StoredOffsets
from api.tls import Certificate
from api.warm import warm_kernels
from historian import logs
from historian.clock import Clock
from historian.metrics import Counter

# aiohttp reads on for this long after an early answer, so that a client still sending sees the answer.
LINGERING_S: Final = 2.0
SHUTDOWN_S: Final = 3.0
# Point names stand in the address; aiohttp's own 8190 hold some hundred of them.
REQUEST_LINE_BYTES_MAX: Final = 64 * 1024

_LOG: Final = logs.EventLog("api")
_REQUEST_ID_FORM: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_BEGAN_S: Final = web.RequestKey("began_s", float)
_CLOCK: Final = web.RequestKey("clock", Clock)
_OPERATION: Final = web.RequestKey("operation", Operation)
_COUNTERS: Final = web.AppKey("counters", dict[tuple[str, str, int], Counter])
_REQUEST_IDS: Final = web.AppKey("request_ids", Iterator[str])
_ROUTING: Final = web.AppKey("routing", Routing)
_AUDIT: Final = web.AppKey("audit", AuditHook)
_HEADERS: Final = web.AppKey("headers", CIMultiDict[str])

# The page is the only thing a browser shows; nothing it loads comes from elsewhere or stands in line.
SECURITY_HEADERS: Final = CIMultiDict(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Server": "historian",  # versions of what it is made of are nobody's business
    }
)

# A browser that came here over TLS does so from now on. Only where we speak it ourselves: a proxy says it for itself.
HSTS: Final = ("Strict-Transport-Security", "max-age=31536000")


def make_app(context: ApiContext) -> web.Application:
    """The whole HTTP side, not yet listening."""
    app = web.Application(
        middlewares=[_answer],
        client_max_size=context.settings.server.body_bytes_max,
    )
    app[CONTEXT] = context
    app[_COUNTERS] = {}
    app[_REQUEST_IDS] = _request_ids()
    app[_ROUTING] = Routing(app)
    app[_HEADERS] = SECURITY_HEADERS.copy()
    if context.settings.server.tls_certificate:
        app[_HEADERS].add(*HSTS)
    app[LANES] = lane.make_lanes(context.settings.server, context.metrics)
    app[GATE] = Gate(context)
    app[REACHES] = Reaches(context.registry)
    app[CURVES] = CurveCache(context, context.metrics)
    app[SELECTIONS] = Selections(context)
    app[LINE_POINTS] = LinePoints(context.registry, context.settings.ingest)
    app[STORED_OFFSETS] = StoredOffsets(context.registry)
    app[ARROW_LANE] = ArrowLane(context.registry, app[STORED_OFFSETS], context.settings.server.body_bytes_max)
    app[POINT_TURN] = asyncio.Lock()
    app[EVENT_STREAMS] = EventStreams(context)
    app.on_shutdown.append(_end_streams)
    operations = table.all_operations()
    app[_AUDIT] = AuditHook(context)
    app[openapi.DOCUMENT] = openapi.build(operations, context.version)
    for operation in operations:
        _add_operation(app, operation)
    app.on_response_prepare.append(_stamp_streamed)
    return app


async def start(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Warm the kernels, then listen on `host`:`port` (0 takes any free port, see ``runner.addresses``).

    Raises OSError where the address cannot be taken, HistorianError where the certificate cannot be used. End with ``await runner.cleanup()``.
    """
    context = app[CONTEXT]
    limits = context.settings.server
    has_tls = bool(limits.tls_certificate)
    certificate = Certificate(limits, context.clock, context.metrics) if has_tls else None
    await asyncio.to_thread(warm_kernels)
    options: dict[str, Any] = {
        "access_log": None,
        "auto_decompress": False,  # aiohttp takes a gzip stream that ends early for a whole body; `api.body` does not
        "max_line_size": REQUEST_LINE_BYTES_MAX,
        "keepalive_timeout": limits.keepalive_s,
        "lingering_time": LINGERING_S,
    }
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_S, **options)
    await runner.setup()
    refused = context.metrics.counter(
        "historian_http_connections_refused_total", "Connections refused at the caps."
    )
    cut = context.metrics.counter(
        "historian_http_readers_cut_total", "Connections cut because their replies were not taken."
    )
    unreadable = context.metrics.counter(
        "historian_http_unreadable_total", "Requests that are no HTTP or too long."
    )
    unshaken = context.metrics.counter(
        "historian_tls_handshakes_failed_total", "Connections that ended before their TLS handshake was done."
    )
    watches = Watches(refused, unshaken)
    loop = asyncio.get_running_loop()
    headers = app[_HEADERS]

    def stamp(request: web.BaseRequest, response: web.StreamResponse) -> None:
        _stamp(headers, request, response)

    handling = Handling(app[_ROUTING].find, stamp, unreadable)

    def make_reader(server: web.Server) -> RequestReader:
        return RequestReader(server, handling, limits.body_bytes_max, loop=loop, **options)

    try:
        await GatedSite(
            runner,
            make_reader,
            host,
            port,
            limits,
            watches,
            SlowReaders(limits, context.clock, cut),
            certificate,
        ).start()
    except OSError:
        await runner.cleanup()
        raise
    loop.run_in_executor(None, arrow_lane.load)  # nobody waits for it, unless the first stream comes at once
    _LOG.info("listening", host=host, port=runner.addresses[0][1], tls=has_tls)
    return runner


def _add_operation(app: web.Application, operation: Operation) -> None:
    checked = app[_AUDIT].around(operation, operation.checked_handler())
    has_body = operation.method != "GET"
    limits = app[CONTEXT].settings.server
    wide = app[LANES].wide if operation.is_wide else None
    gate = app[GATE]

    async def handle(request: web.Request) -> web.StreamResponse:
        request[_OPERATION] = operation
        gate.admit(request, operation)
        if has_body:
            check_declared_length(request, limits)
        if wide is None:
            return await checked(request)
        return await lane.within(request, wide, lambda: checked(request))

    async def answer(request: web.Request) -> web.StreamResponse:
        return await _answer(request, handle)

    for path in operation.paths():
        route = app.router.add_route(operation.method, path, handle, expect_handler=answer_expectation)
        if operation.method == "GET":
            app.router.add_head(path, handle, expect_handler=answer_expectation)
        app[_ROUTING].add(path, route, answer)


@web.middleware
async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id, make problems of its errors, and count its answer."""
    app = request.app
    given = request.headers.get("X-Request-Id")
    is_good = given is not None and _REQUEST_ID_FORM.fullmatch(given) is not None
    own_ids = app[_REQUEST_IDS]
    request[REQUEST_ID] = given if given is not None and is_good else next(own_ids)
    clock = app[CONTEXT].clock
    request[_CLOCK], request[_BEGAN_S] = clock, clock.monotonic_s()
    response = await answer_problems(request, handler)
    app[_AUDIT].seen(request, response, request.get(_OPERATION))
    await packed_reply.pack(request, response)
    _count(request, response.status)
    return response


def _request_ids() -> Iterator[str]:
    """Ids that no other run of the process has, in rising order."""
    run = secrets.token_hex(4)
    return (f"{run}-{number:08x}" for number in itertools.count(1))


async def _end_streams(app: web.Application) -> None:
    app[EVENT_STREAMS].stop()


async def _stamp_streamed(request: web.Request, response: web.StreamResponse) -> None:
    _stamp(request.app[_HEADERS], request, response)


def _stamp(headers: CIMultiDict[str], request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Headers of every answer, streamed ones too."""
    response.headers.update(headers)
    response.headers["X-Request-Id"] = request.get(REQUEST_ID, "")
    operation = request.get(_OPERATION)
    if operation is not None and operation.is_query:
        spent_ms = (request[_CLOCK].monotonic_s() - request[_BEGAN_S]) * 1000
        response.headers["Server-Timing"] = f"total;dur={spent_ms:.2f}"


def _count(request: web.Request, status: int) -> None:
    operation = request.get(_OPERATION)
    name = operation.name if operation else "unmatched"
    counters = request.app[_COUNTERS]
    key = (request.method, name, status)
    counter = counters.get(key)
    if counter is None:
        counter = counters[key] = request.app[CONTEXT].metrics.counter(
            "historian_http_requests_total",
            "HTTP requests answered.",
            method=request.method if operation else "any",
            operation=name,
            status=str(status),
        )
    counter.add()
