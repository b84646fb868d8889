"""Validation, estimation and trials in service. One bundle, so that they are wired in one place."""

from typing import NamedTuple

from historian.catalogue.estimate_book import EstimateBook
from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import Clock
from historian.model.ports import SampleReader, SampleSink
from historian.rollup import findings
from historian.rollup.billing import Billing
from historian.rollup.day_maker import Metered
from historian.rollup.estimator import Estimator
from historian.rollup.findings import Findings
from historian.rollup.service import RollupService
from historian.rollup.tariff_book import TariffBook
from historian.rollup.trial import Trials


class Vee(NamedTuple):
    """The parts; `reader` is the store's."""

    reader: SampleReader
    estimator: Estimator
    trials: Trials

    async def find(self, of: Metered, start_us: int, end_us: int) -> Findings:
        """See `findings.find`."""
        return await findings.find(self.reader, of, start_us, end_us)


def open_vee(
    rollup: RollupService,
    billing: Billing,
    reader: SampleReader,
    sink: SampleSink,
    registry: Registry,
    terms: TermBook,
    tariffs: TariffBook,
    estimates: EstimateBook,
    clock: Clock,
) -> Vee:
    """All of them over the same parts."""
    estimator = Estimator(reader, sink, registry, terms, rollup, estimates, clock, tariffs.holidays)
    return Vee(reader, estimator, Trials(rollup, billing, reader, registry, terms, tariffs, clock))
