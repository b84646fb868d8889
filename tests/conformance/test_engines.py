"""The conformance suite of the seam, over every engine there is."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from historian.settings import StoreSettings
from historian.store.embedded import EmbeddedEngine
from historian.store.engine import StoreEngine
from historian.testing.conformance import POINT_COUNT, StoreConformance
from historian.testing.twin import Twin
from tests.support import store_kit
from tests.support.store_kit import Directory, open_store

SETTINGS = StoreSettings(disk_reserve_bytes=0, segment_compact_count=2)


class TestTwin(StoreConformance):
    is_durable = False

    @contextlib.asynccontextmanager
    async def open_engine(self, folder: Path) -> AsyncIterator[StoreEngine]:
        yield Twin()


class TestEmbeddedStore(StoreConformance):
    settings = SETTINGS

    @contextlib.asynccontextmanager
    async def open_engine(self, folder: Path) -> AsyncIterator[StoreEngine]:
        store = open_store(folder, settings=SETTINGS, directory=Directory(POINT_COUNT + 1))
        engine = EmbeddedEngine(store, store_kit.no_checkpoint_work)
        try:
            yield engine
        finally:
            await engine.close()

    async def settle(self, engine: StoreEngine) -> None:
        """Into segments, and these into one."""
        assert isinstance(engine, EmbeddedEngine)
        await store_kit.seal(engine.store)
        await store_kit.merge(engine.store)
        await store_kit.remove_retired(engine.store)

    async def lose_a_part(self, engine: StoreEngine, folder: Path) -> bool:
        for path in (folder / "segments").iterdir():
            path.write_bytes(bytes(path.stat().st_size))
        return True


class TestEmbeddedStoreWithASmallRing(TestEmbeddedStore):
    """Almost everything lies below the ring's floor."""

    settings = msgspec.structs.replace(SETTINGS, ring_hours=1)
