"""Points over a store in memory, with figures, gaps and all that watches what comes; clock in hand."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from historian.catalogue.journal import Journal
from historian.catalogue.registry import Registry
from historian.catalogue.term_book import TermBook
from historian.clock import ManualClock
from historian.model.point import Point, PointDraft, PointKind
from historian.model.sample import make_batch
from historian.query.engine import QueryEngine
from historian.query.limits import QueryLimits
from historian.rollup import rule_check
from historian.rollup.service import RollupService
from historian.rollup.watch import Watch, open_watch
from tests.support.version_store import VersionStore


class WatchKit(NamedTuple):
    """The parts; every sample arrives when the clock says."""

    clock: ManualClock
    registry: Registry
    store: VersionStore
    rollup: RollupService
    terms: TermBook
    journal: Journal
    watch: Watch

    def point(self, name: str, **attributes: Any) -> Point:
        """A new point of instantaneous kW, unless said otherwise."""
        wanted = {"unit": "kW", "kind": PointKind.INSTANTANEOUS} | attributes
        return self.registry.create(PointDraft(name=name, **wanted))

    async def arrive(
        self,
        point: Point,
        times_us: Sequence[int],
        values: Any = 1.0,
        quality: Any = 0,
        at_us: int | None = None,
    ) -> None:
        """Samples of one point come, at the clock's time or another one."""
        if at_us is not None:
            self.clock.set_wall(at_us)
        column = np.broadcast_to(np.asarray(values, np.float64), len(times_us))
        batch = make_batch(point.id, np.array(times_us, np.int64), column, quality)
        await self.store.append(batch, source="test")
        self.rollup.mark(batch.point_id, batch.time_us)


@contextlib.asynccontextmanager
async def open_kit(folder: Path, now_us: int, zone: str = "Asia/Shanghai") -> AsyncIterator[WatchKit]:
    """All of it, in files of that folder."""
    clock = ManualClock(now_us)
    store = VersionStore(clock)
    registry = Registry(folder / "points.db", clock, zone)
    terms = TermBook(folder / "points.db", registry, clock, rule_check.check)
    journal = Journal(folder / "journal.db", clock)
    rollup = RollupService(store, registry, folder / "rollups.db", clock, terms=terms)
    await rollup.open()
    query = QueryEngine(store, journal, clock, QueryLimits(), retirements=terms)
    watch = open_watch(rollup, store, registry, terms, query, journal, clock, 100_000)
    try:
        yield WatchKit(clock, registry, store, rollup, terms, journal, watch)
    finally:
        await rollup.close()
        journal.close()
        terms.close()
        registry.close()
