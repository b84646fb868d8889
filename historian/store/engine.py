"""The seam: what everything above the store asks of an engine, and nothing more.

The embedded store (`store.Store`) is one engine, the perfect twin of `historian.testing` another; a cluster
can be a third. An engine is bound once at start; every verb takes a whole batch of columns and copies nothing.

Rules every engine keeps, pinned down by `historian.testing.conformance`:

* Of a (point, time) the highest version is read; of equal ones that which arrived later. An older version that
  arrives later loses. The same batch again changes nothing.
* `read` after `commit` sees the rows. What cannot be read is an error, never a part of the answer.
* NaN and infinities are stored, but never counted in buckets.
* Any time may be written at any time: late by years, or ahead.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from historian.model.sample import LastBlock, Origin, PointIdColumn, RunBlock, SampleBatch
from historian.store import bucket_kernels

VersionColumn = npt.NDArray[np.int64]


class Ticket(NamedTuple):
    """A promise of `append`, to be redeemed by `commit`. Higher means later."""

    record: int


class Buckets(NamedTuple):
    """Figures of each point (row) and bucket (column); finite values only.

    `low` and `high` are NaN and `total` is 0 where `sample_count` is 0.
    """

    sample_count: npt.NDArray[np.int64]
    total: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


class RollupColumns(NamedTuple):
    """Kept figures: one row a (point, period), newest version only, sorted by both; columns by name."""

    point_id: PointIdColumn
    period: npt.NDArray[np.int64]
    columns: Mapping[str, npt.NDArray[Any]]


class StoreEngine(Protocol):
    """The verbs. Methods that wait are coroutines; `append` never waits."""

    def append(
        self, batch: SampleBatch, origin: Origin, version: int | VersionColumn | None = None
    ) -> Ticket:
        """Take a batch over: nobody sees it before `commit`. May be repeated verbatim.

        `version` is one for all samples or one for each; None takes the next higher one. Raises StoreReadOnly.
        """
        ...

    async def commit(self, ticket: Ticket) -> None:
        """Return when the batch, and every one before it, is durable on the configured number of copies.

        Raises WalFailed or StoreReadOnly; then the batch is not stored and the sender keeps it.
        """
        ...

    async def read_block(
        self, point_ids: Sequence[int] | PointIdColumn, start_us: int, end_us: int
    ) -> RunBlock:
        """``[start, end)`` of each point, newest versions, ids in the order asked, times rising."""
        ...

    async def last_block(self, point_ids: Sequence[int] | PointIdColumn) -> LastBlock:
        """The sample newest by time of each point."""
        ...

    async def drop_before(self, time_us: int) -> None:
        """Remove every sample older than `time_us`, all its versions."""
        ...

    async def bucket(self, point_ids: Sequence[int] | PointIdColumn, edges_us: VersionColumn) -> Buckets:
        """Figures between neighbouring edges, which rise; local days of 23 or 25 hours are the caller's."""
        ...

    async def rollup_put(
        self,
        kind: str,
        point_id: PointIdColumn,
        period: npt.NDArray[np.int64],
        columns: Mapping[str, npt.NDArray[Any]],
        version: int,
    ) -> None:
        """Keep figures of (point, period); the highest version of each is read, replay changes nothing."""
        ...

    async def rollup_get(
        self, kind: str, point_ids: Sequence[int] | PointIdColumn, first: int, last: int
    ) -> RollupColumns:
        """Kept figures of ``[first, last)``, the newest version of each."""
        ...


class EngineDefaults:
    """Verbs that follow from the others, for an engine that cannot do them closer to its data."""

    async def bucket(
        self: StoreEngine, point_ids: Sequence[int] | PointIdColumn, edges_us: VersionColumn
    ) -> Buckets:
        """See `StoreEngine.bucket`: one read, one kernel."""
        edges = np.ascontiguousarray(edges_us, np.int64)
        assert len(edges) > 1, "a bucket has two edges"
        block = await self.read_block(point_ids, int(edges[0]), int(edges[-1]))
        shape = (block.run_count, len(edges) - 1)
        figures = Buckets(np.zeros(shape, np.int64), np.zeros(shape), np.empty(shape), np.empty(shape))
        bucket_kernels.fill(block.offset, block.time_us, block.value, edges, *figures)
        return figures
