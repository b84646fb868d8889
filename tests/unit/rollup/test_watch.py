"""The bundle."""

from pathlib import Path

from historian.rollup.completeness import CompletenessMaker
from tests.support.watch_kit import open_kit


async def test_all_parts_are_there(tmp_path: Path) -> None:
    async with open_kit(tmp_path, 0) as kit:
        assert isinstance(kit.watch.completeness, CompletenessMaker)
        assert kit.watch.journal is kit.journal
