"""A real HTTP server on loopback over a store in memory; registry, query and rollup are the real ones."""

import functools
import zoneinfo
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse, ClientSession
from aiohttp.web import Application

from api import openapi
from api.context import ApiContext
from api.operation import Operation
from api.server import make_app, start
from historian.access.book import Book
from historian.access.door import Door
from historian.access.password import Cost
from historian.audit.recorder import Recorder
from historian.catalogue import archive as catalogue_archive
from historian.catalogue.answer_book import AnswerBook
from historian.catalogue.archive import open_archive
from historian.catalogue.estimate_book import EstimateBook
from historian.catalogue.factor_files import load_tables
from historian.catalogue.journal import Journal
from historian.catalogue.lock_book import LockBook
from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import ManualClock
from historian.energy.holiday import NO_HOLIDAYS
from historian.ingest.quarantine import Quarantine
from historian.ingest.quarantine_desk import Desk
from historian.metrics import Metrics
from historian.model.ports import DriverStatus
from historian.model.timestamp import parse_time_us
from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from historian.resources import config_dir
from historian.rollup import rule_check
from historian.rollup.billing import Billing
from historian.rollup.derived import derive
from historian.rollup.factor_book import FactorBook
from historian.rollup.row import RollupLimits
from historian.rollup.service import RollupService
from historian.rollup.tariff_book import TariffBook
from historian.rollup.vee import open_vee
from historian.rollup.watch import open_watch
from historian.settings import Settings, with_auth
from historian.store.durable import DurableFiles
from tests.support.disk_recorder import unsynced
from tests.support.guarded import Guarded
from tests.support.quick_folder import quick_folder
from tests.unit.api.memory_store import MemoryStore

CHEAP = Cost(2, 1, 1)  # a password check takes no time
NOW = "2026-11-22T08:00:00Z"


class FixedDrivers:
    """Implements ports.DriverDirectory."""

    def __init__(self) -> None:
        self.listed: list[DriverStatus] = []

    def statuses(self) -> list[DriverStatus]:
        return self.listed


class Api:
    """The client of one test, and what stands behind the server."""

    def __init__(
        self,
        client: ClientSession,
        context: ApiContext,
        store: MemoryStore,
        drivers: FixedDrivers,
        app: Application,
    ) -> None:
        self.app = app
        self.client = client
        self.context = context
        self.store = store
        self.drivers = drivers

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.client.get(path, headers=headers)

    async def get_json(self, path: str, status: int = 200) -> Any:
        response = await self.client.get(path)
        assert response.status == status, await response.text()
        return await response.json()

    async def problem(self, path: str, status: int, kind: str, **headers: str) -> Any:
        return await expect_problem(await self.client.get(path, headers=headers), status, kind)

    async def put_point(self, name: str, unit: str = "kW", kind: str = "instantaneous", **more: Any) -> Any:
        response = await self.client.put(f"/api/v1/points/{name}", json={"unit": unit, "kind": kind, **more})
        assert response.status in (200, 201), await response.text()
        return await response.json()

    async def ingest(self, *series: dict[str, Any], **more: Any) -> Any:
        response = await self.client.post("/api/v1/ingest", json={"series": list(series), **more})
        assert response.status == 200, await response.text()
        return await response.json()


async def expect_problem(response: ClientResponse, status: int, kind: str) -> Any:
    """The body of a problem reply of that status and kind."""
    text = await response.text()
    assert response.status == status, text
    assert response.content_type == "application/problem+json", text
    body = msgspec.json.decode(text)
    assert body["type"] == f"/problems/{kind}", text
    assert body["status"] == status
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert "Traceback" not in text
    return body


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """What never differs is made once for all tests, not for each: the description, and the items of the standard."""
    documents: list[tuple[Sequence[Operation], str, bytes]] = []
    build = openapi.build

    def build_once(operations: Sequence[Operation], version: str) -> bytes:
        for kept_operations, kept_version, document in documents:
            if kept_version == version and kept_operations == operations:
                return document
        documents.append((operations, version, build(operations, version)))
        return documents[-1][-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openapi, "build", build_once)
        patch.setattr(catalogue_archive, "load_items", functools.cache(catalogue_archive.load_items))
        yield


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder for databases: what they sync is not what these tests show."""
    with quick_folder() as folder:
        yield folder


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def web_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "static").mkdir(parents=True)
    (folder / "vendor").mkdir()
    (folder / "static" / "index.html").write_text("<!doctype html><title>Historian</title>")
    (folder / "static" / "app.js").write_text("export {};")
    (folder / "vendor" / "chart.js").write_text("export {};")
    (folder / "secret.html").write_text("no")
    return folder


@pytest.fixture
async def quarantine(data: Path, settings: Settings) -> AsyncIterator[Quarantine]:
    quarantine = Quarantine(data / "quarantine.db", settings.ingest.quarantine_samples_max, Metrics())
    yield quarantine
    await quarantine.close()


@pytest.fixture
async def trail(data: Path, settings: Settings) -> AsyncIterator[Recorder]:
    clock = ManualClock(parse_time_us(NOW))
    zone = zoneinfo.ZoneInfo("Asia/Shanghai")
    trail = Recorder(data / "audit", DurableFiles(), clock, Metrics(), settings.audit, zone)
    with unsynced():
        await trail.open()
        yield trail
        await trail.close()


@pytest.fixture
def context(
    data: Path, settings: Settings, web_dir: Path, quarantine: Quarantine, trail: Recorder
) -> Iterator[ApiContext]:
    settings = with_auth(settings, "off", is_demo=False)
    clock = ManualClock(parse_time_us(NOW))
    metrics = Metrics()
    store = MemoryStore(clock=clock)
    registry = Registry(data / "points.db", clock, "Asia/Shanghai")
    journal = Journal(data / "journal.db", clock)
    terms = TermBook(data / "points.db", registry, clock, rule_check.check)
    archive = open_archive(data / "points.db", clock, config_dir() / "standard")
    tariffs = TariffBook(terms.database, clock, [], NO_HOLIDAYS)
    rollup = RollupService(store, registry, data / "rollups.db", clock, RollupLimits(), terms=terms)
    store.marker = rollup
    billing = Billing(rollup, store, registry, terms, tariffs, LockBook(terms.database, clock), clock)
    book = Book(data / "access.db", clock, settings.access)
    metrics = Metrics()
    door = Door(book, clock, metrics, CHEAP)
    shipped = load_tables([config_dir() / "standard" / "factors.toml"])
    factors = FactorBook(terms.database, clock, shipped)
    query = QueryEngine(store, journal, clock, QueryLimits(), quarantine, terms)
    yield ApiContext(
        clock=clock,
        metrics=metrics,
        registry=registry,
        terms=terms,
        archive=archive,
        tariffs=tariffs,
        sink=store,
        query=query,
        rollup=rollup,
        billing=billing,
        derived=derive(rollup, billing, store, registry, terms, factors, clock),
        vee=open_vee(
            rollup,
            billing,
            store,
            store,
            registry,
            terms,
            tariffs,
            EstimateBook(terms.database, clock),
            clock,
        ),
        watch=open_watch(rollup, store, registry, terms, query, journal, clock, settings.query.samples_max),
        drivers=FixedDrivers(),
        health=store,
        quarantine=Desk(quarantine, store, clock, settings),
        answers=AnswerBook(data / "answers.db", clock, settings.ingest.idempotency_keys_max, metrics),
        audit=trail,
        access=door,
        settings=settings,
        version="1.2.3",
        web_dir=web_dir,
    )
    book.close()
    journal.close()
    archive.close()
    terms.close()
    registry.close()


@pytest.fixture
async def api(context: ApiContext) -> AsyncIterator[Api]:
    await context.rollup.open()
    store, drivers = context.sink, context.drivers
    assert isinstance(store, MemoryStore)
    assert isinstance(drivers, FixedDrivers)
    runner = await start(make_app(context), "127.0.0.1", 0)
    host, port = runner.addresses[0][:2]
    async with ClientSession(f"http://{host}:{port}") as client:
        yield Api(client, context, store, drivers, runner.app)
    await runner.cleanup()
    await context.answers.close()
    await context.rollup.close()


@pytest.fixture
async def guarded(context: ApiContext) -> AsyncIterator[Guarded]:
    """The same server with access control on."""
    await context.rollup.open()
    guarded_context = context._replace(settings=with_auth(context.settings, "on", is_demo=False))
    runner = await start(make_app(guarded_context), "127.0.0.1", 0)
    host, port = runner.addresses[0][:2]
    yield Guarded(f"http://{host}:{port}", guarded_context)
    await runner.cleanup()
    await context.rollup.close()
