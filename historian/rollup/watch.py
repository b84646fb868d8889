"""What points promise against what comes, in service. One bundle, so that it is wired in one place."""

from typing import NamedTuple

from historian.catalogue.journal import Journal
from historian.catalogue.registry import Registry
from historian.clock import Clock
from historian.model.ports import SampleReader
from historian.query.engine import QueryEngine
from historian.query.overdue import OverdueWatch
from historian.rollup.check_maker import CheckMaker
from historian.rollup.completeness import CompletenessMaker
from historian.rollup.service import RollupService
from historian.rollup.stations import StationMaker
from historian.rollup.suspicions import SuspicionMaker
from historian.rollup.term_directory import TermDirectory


class Watch(NamedTuple):
    """The parts, and the journal in which causes are kept."""

    completeness: CompletenessMaker
    overdue: OverdueWatch
    stations: StationMaker
    suspicions: SuspicionMaker
    journal: Journal


def open_watch(
    rollup: RollupService,
    reader: SampleReader,
    registry: Registry,
    terms: TermDirectory,
    query: QueryEngine,
    journal: Journal,
    clock: Clock,
    samples_max: int,
) -> Watch:
    """All of them over the same parts; `samples_max`: of how many samples arrivals are read for one answer."""
    completeness = CompletenessMaker(rollup, reader, registry, clock, samples_max, query.retirements)
    overdue = OverdueWatch(query, registry, journal)
    stations = StationMaker(rollup, query, registry, terms, clock, (completeness, overdue))
    checks = CheckMaker(rollup, reader, registry, terms, clock)
    suspicions = SuspicionMaker(query, registry, terms, checks)
    return Watch(completeness, overdue, stations, suspicions, journal)
