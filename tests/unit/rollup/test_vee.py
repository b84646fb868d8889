"""The bundle is over one store and one book."""

from pathlib import Path

from historian.clock import SystemClock
from historian.core import open_core
from historian.metrics import Metrics
from historian.settings import Settings


async def test_the_parts_share_the_store_and_the_book(tmp_path: Path) -> None:
    async with open_core(Settings(), tmp_path, SystemClock(), Metrics()) as parts:
        assert parts.vee.reader is parts.store
        assert parts.vee.estimator.book.point_ids() == []
