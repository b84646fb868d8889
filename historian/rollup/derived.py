"""What is derived from figures on demand: carbon, ratios, checks. One bundle, so that they are wired in one place."""

from typing import NamedTuple

from historian.catalogue.registry import Registry
from historian.clock import Clock
from historian.model.ports import SampleReader
from historian.rollup.billing import Billing
from historian.rollup.carbon_maker import CarbonMaker
from historian.rollup.check_maker import CheckMaker
from historian.rollup.factor_book import FactorBook
from historian.rollup.ratio_maker import RatioMaker
from historian.rollup.service import RollupService
from historian.rollup.slot_checker import SlotChecker
from historian.rollup.term_directory import TermDirectory


class Derived(NamedTuple):
    """The makers, and the book of factors that one of them asks."""

    factors: FactorBook
    carbon: CarbonMaker
    ratios: RatioMaker
    checks: CheckMaker
    slots: SlotChecker


def derive(
    rollup: RollupService,
    billing: Billing,
    reader: SampleReader,
    registry: Registry,
    terms: TermDirectory,
    factors: FactorBook,
    clock: Clock,
) -> Derived:
    """All of them over the same parts."""
    return Derived(
        factors,
        CarbonMaker(rollup, billing, reader, registry, terms, factors, clock),
        RatioMaker(rollup, registry, terms, clock),
        CheckMaker(rollup, reader, registry, terms, clock),
        SlotChecker(rollup, registry, terms),
    )
