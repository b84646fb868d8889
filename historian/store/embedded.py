"""The embedded store as an engine behind the seam: all verbs, none of the store's inside."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from historian.model.sample import PointIdColumn
from historian.store import filenames, retention
from historian.store.engine import EngineDefaults, RollupColumns
from historian.store.rollup_table import RollupTable
from historian.store.store import Store


class EmbeddedEngine(EngineDefaults):
    """Implements `engine.StoreEngine`. Verbs of samples are the store's own: bound once, no call in between.

    `before_checkpoint` makes durable what must not be older than the segments (the marks of figures).
    """

    def __init__(self, store: Store, before_checkpoint: Callable[[], Awaitable[None]]) -> None:
        self.store = store
        self.append = store.append
        self.commit = store.commit
        self.read_block = store.read_block
        self.last_block = store.last_block
        self._before_checkpoint = before_checkpoint
        self._rollups = RollupTable(store.folder / filenames.KEPT_FIGURES)

    async def drop_before(self, time_us: int) -> None:
        """See `StoreEngine.drop_before`. Raises StoreError where it is not possible now."""
        await retention.drop_before(self.store, time_us, self._before_checkpoint)

    async def rollup_put(
        self,
        kind: str,
        point_id: PointIdColumn,
        period: npt.NDArray[np.int64],
        columns: Mapping[str, npt.NDArray[Any]],
        version: int,
    ) -> None:
        """See `StoreEngine.rollup_put`."""
        await asyncio.to_thread(self._rollups.put, kind, point_id, period, columns, version)

    async def rollup_get(
        self, kind: str, point_ids: Sequence[int] | PointIdColumn, first: int, last: int
    ) -> RollupColumns:
        """See `StoreEngine.rollup_get`."""
        ids = [int(point_id) for point_id in point_ids]
        return await asyncio.to_thread(self._rollups.get, kind, ids, first, last)

    async def close(self) -> None:
        """Release the files; what is acknowledged stays."""
        self._rollups.close()
        await self.store.close()
