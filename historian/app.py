"""The composition root: builds every part, starts them in order, stops them in reverse."""

import asyncio
import contextlib
import errno
import logging
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import uvloop

import historian
from api import context, server
from drivers import substation, supervisor
from drivers.substation import Substation
from historian import core, demo, memory, resources, settings
from historian.audit.life import LifeWriter
from historian.clock import SystemClock
from historian.core import Core
from historian.errors import HistorianError
from historian.logs import EventLog, configure
from historian.metrics import Metrics
from historian.settings import ServerSettings, Settings
from historian.store.durable import DurableFiles

log = EventLog("app")

HTTP_STOP_TIMEOUT_S = 2.0  # how long a stop waits for answers under way


def run(chosen: Settings, data: Path, is_demo: bool) -> int:
    """Run until SIGINT or SIGTERM; 0 after an orderly stop. Raises HistorianError where it cannot start."""
    configure(chosen.log.level)
    memory.keep_freed()
    stations = substation.load_all(settings.substation_paths(chosen))
    work = _run(chosen, stations, data, is_demo)
    return uvloop.run(work, debug=chosen.debug.slow_callback_ms > 0)


@contextlib.asynccontextmanager
async def open_offline(chosen: Settings, data: Path) -> AsyncIterator[Core]:
    """The parts without servers and drivers, for commands that work on a data folder nobody else uses."""
    memory.keep_freed()
    async with core.open_core(chosen, data, SystemClock(), Metrics()) as parts:
        yield parts


async def _run(chosen: Settings, stations: Sequence[Substation], data: Path, is_demo: bool) -> int:
    clock = SystemClock()
    started_s = clock.monotonic_s()
    _watch_loop(chosen.debug.slow_callback_ms)
    stopping = _stop_event()
    async with contextlib.AsyncExitStack() as stack:
        parts = await _enter(stack, chosen, data, clock)
        life = LifeWriter(parts.audit, parts.audit.folder, DurableFiles(), historian.__version__)
        await life.started(chosen)
        stack.push_async_callback(life.stopped, "could not start")
        if is_demo:
            await demo.import_once(parts)
        drivers = _build_drivers(stations, parts)
        if is_demo:
            await asyncio.to_thread(demo.state_once, parts)
        parts.journal.collectors_configured([one.name for one in drivers.statuses()], clock.now_us())
        api = context.ApiContext(
            clock=clock,
            metrics=parts.metrics,
            registry=parts.registry,
            terms=parts.terms,
            archive=parts.archive,
            tariffs=parts.tariffs,
            sink=parts.sink,
            query=parts.query,
            rollup=parts.rollup,
            billing=parts.billing,
            derived=parts.derived,
            vee=parts.vee,
            watch=parts.watch,
            drivers=drivers,
            health=parts.store,
            quarantine=parts.quarantine,
            answers=parts.answers,
            audit=parts.audit,
            access=parts.access,
            settings=chosen,
            version=historian.__version__,
            web_dir=resources.web_dir(),
        )
        await _start_http(stack, api, chosen)
        if is_demo:
            await stack.enter_async_context(demo.simulators(stations))
        _supervise(stack, drivers)
        took_ms = round((clock.monotonic_s() - started_s) * 1000)
        log.info("ready", listen=chosen.server.listen, data=data, took_ms=took_ms)
        _greet(chosen.server, is_demo)
        if chosen.server.auth == "on":
            await _invite(parts)
        fault = await _until_stopped_or_fault(stopping, parts)
        log.info("stopping", cause=fault or "asked to")
        await life.stopped(fault)
    log.info("stopped")
    return 1 if fault else 0


def _greet(server: ServerSettings, is_demo: bool) -> None:
    """Tell a person at the terminal where to look."""
    place = f"{'https' if server.tls_certificate else 'http'}://{server.listen}"
    lines = [f"Open {place}/   (Ctrl-C stops)   打开网页查看，Ctrl-C 停止"]
    if is_demo:
        lines.append(
            f"     {place}/#point=steel.import.energy&date=2018-11-22   (the year's maximum   全年最大值)"
        )
    print("\n".join(lines), flush=True)


async def _invite(parts: Core) -> None:
    """While nobody can administer: a token on the terminal, once, and in no log, with which the first one is made."""
    if parts.access.book.has_admin():
        return
    token = await asyncio.to_thread(parts.access.book.make_setup_token)
    hours = parts.access.book.limits.setup_token_s // 3600
    print(
        f"Nobody can log in yet. Open the page and make the first administrator within {hours} h with this token:\n"
        f"尚无账号。请在 {hours} 小时内打开网页，用此令牌创建第一个管理员：\n\n    {token}\n",
        flush=True,
    )


async def _until_stopped_or_fault(stopping: asyncio.Event, parts: Core) -> str:
    """Wait for a signal (gives "") or for a part that stopped by a fault: then a clean restart is best."""
    asked, failed = asyncio.create_task(stopping.wait()), asyncio.create_task(parts.faults.get())
    await asyncio.wait([asked, failed], return_when=asyncio.FIRST_COMPLETED)
    fault = failed.result() if failed.done() else ""
    for task in (asked, failed):
        task.cancel()
    return fault


async def _enter(stack: contextlib.AsyncExitStack, chosen: Settings, data: Path, clock: SystemClock) -> Core:
    try:
        return await stack.enter_async_context(core.open_core(chosen, data, clock, Metrics()))
    except OSError as error:
        raise HistorianError(
            f"the data folder {data} cannot be used: {error.strerror or error}; "
            "choose another with --data or correct its rights"
        ) from error


def _build_drivers(stations: Sequence[Substation], parts: Core) -> supervisor.Supervisor:
    drivers = [
        driver
        for station in stations
        for driver in substation.build_drivers(station, parts.registry, parts.journal, parts.clock)
    ]
    return supervisor.Supervisor(drivers, parts.sink, parts.journal, parts.clock, parts.metrics)


async def _start_http(stack: contextlib.AsyncExitStack, api: context.ApiContext, chosen: Settings) -> None:
    address = settings.parse_listen(chosen.server.listen)
    log.info("http_starting", meaning="the first start compiles its kernels, too")
    try:
        runner = await server.start(server.make_app(api), address.host, address.port)
    except OSError as error:
        reason = "is in use by another program" if error.errno == errno.EADDRINUSE else str(error)
        raise HistorianError(
            f"the address {chosen.server.listen} {reason}; choose another with --listen HOST:PORT"
        ) from error

    async def stop() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(runner.cleanup(), HTTP_STOP_TIMEOUT_S)

    stack.push_async_callback(stop)


def _supervise(stack: contextlib.AsyncExitStack, drivers: supervisor.Supervisor) -> None:
    task = asyncio.create_task(drivers.run(), name="drivers")

    async def stop() -> None:
        task.cancel()
        await asyncio.wait([task])

    stack.push_async_callback(stop)


def _stop_event() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def _watch_loop(slow_callback_ms: int) -> None:
    """In debug mode the loop itself logs every callback that keeps it longer than the setting."""
    if slow_callback_ms > 0:
        asyncio.get_running_loop().slow_callback_duration = slow_callback_ms / 1000
        logging.getLogger("asyncio").setLevel(logging.WARNING)
