"""The historian without its servers and drivers: catalogue, store, ingest, query and rollup, wired and started.

`run` puts HTTP and drivers around it; the offline commands use it as it is.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from historian import core_gauges, core_tasks, resources, warm
from historian.access.book import Book
from historian.access.door import Door
from historian.audit import forward
from historian.audit.life import ClockWatch
from historian.audit.recorder import Recorder
from historian.catalogue import factor_files, tariff_files
from historian.catalogue.answer_book import AnswerBook
from historian.catalogue.archive import Archive, open_archive
from historian.catalogue.estimate_book import EstimateBook
from historian.catalogue.journal import Journal
from historian.catalogue.lock_book import LockBook
from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import Clock
from historian.energy.holiday import NO_HOLIDAYS, Holidays
from historian.errors import StoreError
from historian.ingest.pipeline import IngestPipeline
from historian.ingest.quarantine import Quarantine
from historian.ingest.quarantine_desk import Desk
from historian.logs import EventLog
from historian.metrics import Metrics
from historian.model import timestamp
from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from historian.rollup import rule_check
from historian.rollup.billing import Billing
from historian.rollup.derived import Derived, derive
from historian.rollup.factor_book import FactorBook
from historian.rollup.row import RollupLimits
from historian.rollup.service import RollupService
from historian.rollup.tariff_book import TariffBook
from historian.rollup.vee import Vee, open_vee
from historian.rollup.watch import Watch, open_watch
from historian.settings import Settings
from historian.store import filenames, recovery, salvage, upkeep
from historian.store.durable import DurableFiles, FolderLock
from historian.store.store import Store

log = EventLog("core")


class Core(NamedTuple):
    """The parts, all started."""

    clock: Clock
    metrics: Metrics
    registry: Registry
    terms: TermBook
    archive: Archive
    tariffs: TariffBook
    journal: Journal
    store: Store
    sink: IngestPipeline
    query: QueryEngine
    rollup: RollupService
    billing: Billing
    derived: Derived
    vee: Vee
    watch: Watch
    quarantine: Desk
    answers: AnswerBook
    audit: Recorder
    access: Door
    faults: "asyncio.Queue[str]"  # a part that stopped by itself says so here: the process must end


class _EarlyMarks:
    """Keeps what recovery marks until the rollup service exists; a DirtyMarker."""

    def __init__(self) -> None:
        self.marks: list[tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]] = []

    def mark(self, point_id: npt.NDArray[np.uint32], time_us: npt.NDArray[np.int64]) -> None:
        self.marks.append((point_id, time_us))


@contextlib.asynccontextmanager
async def open_core(
    settings: Settings, data: Path, clock: Clock, metrics: Metrics, files: DurableFiles | None = None
) -> AsyncIterator[Core]:
    """Everything started on entry and stopped in reverse on exit; nothing acknowledged is lost either way.

    Raises StoreLocked where another process has the folder, StoreError and FormatTooNew from recovery.
    """
    files = files or DurableFiles()
    files.make_folder(data)
    async with contextlib.AsyncExitStack() as stack:
        lock = FolderLock(data)
        stack.callback(lock.release)
        audit = Recorder(
            data / filenames.AUDIT_FOLDER,
            files,
            clock,
            metrics,
            settings.audit,
            timestamp.load_zone(settings.time_zone),
        )
        await audit.open()
        stack.push_async_callback(audit.close)
        registry = await _load(stack, settings, data, clock)
        terms = TermBook(data / filenames.CATALOGUE, registry, clock, rule_check.check)
        stack.callback(terms.close)
        archive = open_archive(data / filenames.CATALOGUE, clock, resources.config_dir() / "standard")
        stack.callback(archive.close)
        tariffs = _open_tariffs(terms, settings, clock)
        estimates = EstimateBook(terms.database, clock)
        journal = Journal(data / filenames.JOURNAL, clock)
        stack.callback(journal.close)
        book = Book(data / filenames.ACCESS, clock, settings.access)
        stack.callback(book.close)
        access = Door(book, clock, metrics)
        base = _Base(
            settings,
            data,
            clock,
            metrics,
            registry,
            terms,
            archive,
            tariffs,
            journal,
            estimates,
            audit,
            access,
        )
        core = await _start_store(stack, base, files)
        journal.process_started(clock.now_us())
        stack.callback(lambda: journal.process_stopped(clock.now_us()))
        yield core


def _open_tariffs(terms: TermBook, settings: Settings, clock: Clock) -> TariffBook:
    """Calendars in force; those of the folder that nobody has put yet come in as first versions."""
    folder = resources.config_dir() / "tariffs"
    shipped = [one.calendar for one in tariff_files.load_calendars(folder)]
    tables = tariff_files.load_holidays(folder)
    holidays = Holidays.of(tables[settings.holidays]) if settings.holidays in tables else NO_HOLIDAYS
    return TariffBook(terms.database, clock, shipped, holidays)


def _open_factors(terms: TermBook, clock: Clock) -> FactorBook:
    """Factors in force; shipped tables that nobody has put yet come in."""
    shipped = factor_files.load_tables([resources.config_dir() / "standard" / "factors.toml"])
    return FactorBook(terms.database, clock, shipped)


async def _load(stack: contextlib.AsyncExitStack, settings: Settings, data: Path, clock: Clock) -> Registry:
    """Kernels and points at once: a million points are a second of SQLite, which leaves the interpreter to others."""
    path = data / filenames.CATALOGUE
    loading = asyncio.create_task(
        asyncio.to_thread(Registry, path, clock, settings.time_zone, settings.ingest.points_max)
    )
    try:
        await _warm(clock)
    finally:
        registry = await loading
        stack.callback(registry.close)
    return registry


async def _warm(clock: Clock) -> None:
    """Seconds once for each new version of the code, then a fraction of one; nobody waits for it later."""
    log.info("kernels_loading", meaning="the first start compiles them, which takes some seconds")
    started_s = clock.monotonic_s()
    await asyncio.to_thread(warm.warm_kernels)
    log.info("kernels_ready", took_ms=round((clock.monotonic_s() - started_s) * 1000))


class _Base(NamedTuple):
    """What the store and all above it are built on."""

    settings: Settings
    data: Path
    clock: Clock
    metrics: Metrics
    registry: Registry
    terms: TermBook
    archive: Archive
    tariffs: TariffBook
    journal: Journal
    estimates: EstimateBook
    audit: Recorder
    access: Door


async def _start_store(stack: contextlib.AsyncExitStack, base: _Base, files: DurableFiles) -> Core:
    settings, data, clock, metrics = base[:4]
    early = _EarlyMarks()
    store = _open_store(base, files, early)
    stack.push_async_callback(store.close)
    rollup = RollupService(
        store,
        base.registry,
        data / filenames.ROLLUP,
        clock,
        RollupLimits(**msgspec.structs.asdict(settings.rollup)),
        is_busy=lambda: sink.is_busy,
        terms=base.terms,
    )
    await rollup.open()
    stack.push_async_callback(rollup.close)
    store.marker = rollup
    rollup.note_estimates(base.estimates.point_ids())  # before the marks: they reach further then
    for marks in early.marks:
        rollup.mark(*marks)
    await salvage.take_back(store)
    quarantine = Quarantine(
        data / filenames.SAMPLE_QUARANTINE,
        settings.ingest.quarantine_samples_max,
        metrics,
        lambda: store.status().is_writable,
    )
    stack.push_async_callback(quarantine.close)
    keys_max = settings.ingest.idempotency_keys_max
    answers = AnswerBook(data / filenames.ANSWERS, clock, keys_max, metrics)
    stack.push_async_callback(answers.close)
    sink = IngestPipeline(store, base.registry, clock, metrics, settings.ingest, quarantine)
    query = QueryEngine(
        store,
        base.journal,
        clock,
        QueryLimits(**msgspec.structs.asdict(settings.query)),
        quarantine,
        base.terms,
    )
    core = _put_together(base, store, rollup, sink, query, Desk(quarantine, sink, clock, settings), answers)
    core_gauges.register(core.metrics, core.registry, store, core.journal, core.watch.overdue)
    stack.push_async_callback(core_tasks.seal_at_stop, store, rollup)
    _start_tasks(stack, core, settings)
    pipeline = asyncio.create_task(sink.run(), name="ingest")
    pipeline.add_done_callback(lambda task: core_tasks.report(core.faults, task))

    async def drain() -> None:
        sink.stop()
        await asyncio.wait([pipeline])

    stack.push_async_callback(drain)
    return core


def _open_store(base: _Base, files: DurableFiles, early: _EarlyMarks) -> Store:
    registry, clock = base.registry, base.clock
    started_s = clock.monotonic_s()
    store, recovered = recovery.open_store(
        base.data, files, clock, registry, registry.columns().interval_us, base.settings.store, early
    )
    _check_catalogue(registry, store, base.data)
    log.info(
        "store_opened",
        points=registry.count(),
        segments=recovered.segment_count,
        replayed_samples=recovered.replayed_samples,
        took_ms=round((clock.monotonic_s() - started_s) * 1000),
    )
    return store


def _put_together(
    base: _Base,
    store: Store,
    rollup: RollupService,
    sink: IngestPipeline,
    query: QueryEngine,
    quarantine: Desk,
    answers: AnswerBook,
) -> Core:
    settings, clock, registry = base.settings, base.clock, base.registry
    locks = LockBook(base.terms.database, clock)
    billing = Billing(rollup, store, registry, base.terms, base.tariffs, locks, clock)
    factors = _open_factors(base.terms, clock)
    return Core(
        clock=clock,
        metrics=base.metrics,
        registry=registry,
        terms=base.terms,
        archive=base.archive,
        tariffs=base.tariffs,
        journal=base.journal,
        store=store,
        sink=sink,
        query=query,
        rollup=rollup,
        billing=billing,
        derived=derive(rollup, billing, store, registry, base.terms, factors, clock),
        vee=open_vee(rollup, billing, store, sink, registry, base.terms, base.tariffs, base.estimates, clock),
        watch=open_watch(
            rollup, store, registry, base.terms, query, base.journal, clock, settings.query.samples_max
        ),
        quarantine=quarantine,
        answers=answers,
        audit=base.audit,
        access=base.access,
        faults=asyncio.Queue(),
    )


def _start_tasks(stack: contextlib.AsyncExitStack, core: Core, settings: Settings) -> None:
    clock, store, rollup, journal = core.clock, core.store, core.rollup, core.journal
    run = core_tasks.Background(stack, clock, core.faults).run
    run(rollup.run_background, "rollup")
    run(lambda: core_tasks.maintain(store, rollup, clock, settings.store.seal_interval_s), "maintenance")
    run(lambda: upkeep.run_background(store), "upkeep")
    run(lambda: core_tasks.fill(store), "ring_fill")
    run(lambda: core_tasks.beat(journal, clock), "heartbeat")
    run(lambda: core_tasks.keep_journal(journal, clock, settings.watch.outages_keep_days), "journal")
    run(
        lambda: core_tasks.look_for_overdue(core.watch.overdue, clock, settings.watch.overdue_look_s),
        "overdue",
    )
    run(core.audit.run_background, "audit")
    run(ClockWatch(core.audit, clock, core.metrics, settings.audit.clock_step_ms).run, "clock_watch")
    if settings.audit.syslog:
        sender = forward.open_forwarder(core.audit.folder, clock, core.metrics, settings.audit)
        run(sender.run, "audit_forward")
    run(core.access.run_background, "access")


def _check_catalogue(registry: Registry, store: Store, data: Path) -> None:
    """A point is made durable before its samples, so data of unknown points mean a lost or an old catalogue.

    Starting with it would give their ids, and so their samples, to other points.
    """
    known, stored = registry.highest_id, store.point_id_highest
    if stored > known:
        raise StoreError(
            f"{data / filenames.CATALOGUE} knows points up to id {known}, the data hold points up to id {stored}: "
            "it is missing or older than the data; restore it from a backup"
        )
