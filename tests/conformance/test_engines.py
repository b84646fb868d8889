"""The conformance suite of the seam, over every engine there is."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from historian.store.engine import StoreEngine
from historian.testing.conformance import StoreConformance
from historian.testing.twin import Twin


class TestTwin(StoreConformance):
    is_durable = False

    @contextlib.asynccontextmanager
    async def open_engine(self, folder: Path) -> AsyncIterator[StoreEngine]:
        yield Twin()
