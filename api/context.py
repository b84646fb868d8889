"""What the handlers are given: the parts of the historian they may call, and the settings they keep."""

from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from historian.access.door import Door
from historian.catalogue.answer_book import AnswerBook
from historian.catalogue.archive import Archive
from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import Clock
from historian.metrics import Metrics
from historian.model.audit import AuditTrail
from historian.model.ports import DriverDirectory, SampleSink, StoreHealth
from historian.model.quarantine import QuarantineDesk
from historian.query.engine import QueryEngine
from historian.rollup.billing import Billing
from historian.rollup.derived import Derived
from historian.rollup.service import RollupService
from historian.rollup.tariff_book import TariffBook
from historian.rollup.vee import Vee
from historian.rollup.watch import Watch
from historian.settings import Settings


class ApiContext(NamedTuple):
    """Built once by `app.py`; nothing in it changes while the server runs.

    `web_dir` holds the operator page: ``static/`` with ``index.html``, and ``vendor/`` with the chart library.
    """

    clock: Clock
    metrics: Metrics
    registry: Registry
    terms: TermBook
    archive: Archive
    tariffs: TariffBook
    sink: SampleSink
    query: QueryEngine
    rollup: RollupService
    billing: Billing
    derived: Derived
    vee: Vee
    watch: Watch
    drivers: DriverDirectory
    health: StoreHealth
    quarantine: QuarantineDesk
    answers: AnswerBook
    audit: AuditTrail
    access: Door
    settings: Settings
    version: str
    web_dir: Path


CONTEXT: Final = web.AppKey("context", ApiContext)
