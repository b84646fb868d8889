"""The demo: imported once, to the end. Its simulators: see tests/e2e."""

import datetime
from pathlib import Path

from historian import core, demo
from historian.clock import SystemClock
from historian.metrics import Metrics
from historian.model.point import PointDraft, PointKind
from historian.model.term import MainPowerTerm
from historian.settings import Settings
from historian.store import filenames


async def test_the_steel_year_is_imported_once_and_exact(tmp_path: Path) -> None:
    async with core.open_core(Settings(), tmp_path, SystemClock(), Metrics()) as parts:
        await demo.import_once(parts)
        sequence = parts.store.applied_sequence
        await demo.import_once(parts)
        assert parts.store.applied_sequence == sequence
        point = parts.registry.get("steel.import.energy")
        [year] = await parts.rollup.rows(
            [point], "year", datetime.date(2018, 1, 1), datetime.date(2019, 1, 1)
        )
    assert year.energy == 959636.71
    assert year.max_demand == 628.72


async def test_an_import_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    async with core.open_core(Settings(), tmp_path, SystemClock(), Metrics()) as parts:
        await demo.import_once(parts)
        (tmp_path / filenames.DEMO_STAMP).unlink()
        sequence = parts.store.applied_sequence
        await demo.import_once(parts)
        assert parts.store.applied_sequence == sequence  # all duplicates: nothing was written again
        assert (tmp_path / filenames.DEMO_STAMP).exists()


async def test_the_main_power_of_the_substation_is_stated_once(tmp_path: Path) -> None:
    async with core.open_core(Settings(), tmp_path, SystemClock(), Metrics()) as parts:
        demo.state_once(parts)  # no such point: nothing to say
        drafts = [PointDraft(name=demo.MAIN_POWER_POINT, unit="MW", kind=PointKind.INSTANTANEOUS)]
        [point] = parts.registry.create_many(drafts)
        for _ in range(2):
            demo.state_once(parts)
        assert [one.term for one in parts.terms.statements(point.id)] == [MainPowerTerm()]
