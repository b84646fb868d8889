"""The parts together: started, fed, stopped and started again, without servers and drivers."""

import asyncio
import datetime
import threading
from pathlib import Path
from typing import Any

import pytest

from historian import core, core_tasks
from historian.catalogue.registry import Registry
from historian.clock import ManualClock, SystemClock
from historian.errors import CatalogueError, StoreError, StoreLocked
from historian.metrics import Metrics
from historian.model.point import PointDraft, PointKind
from historian.model.sample import make_batch
from historian.settings import Settings
from historian.store import filenames
from tests.support.store_kit import QUARTER_US, START_US

DRAFT = PointDraft(name="m", unit="kWh", kind=PointKind.INTERVAL, time_zone="UTC")
SETTINGS = Settings()


async def test_figures_follow_samples_over_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(START_US + 96 * QUARTER_US)
    for slots in (range(48), range(48, 96)):
        async with core.open_core(SETTINGS, tmp_path, clock, Metrics()) as parts:
            point = parts.registry.ensure(DRAFT)
            times = [START_US + slot * QUARTER_US for slot in slots]
            await parts.sink.append(make_batch(point.id, times, [0.1] * len(times)), source="t")
            day = datetime.date(2026, 1, 1)
            [row] = await parts.rollup.rows([point], "day", day, day + datetime.timedelta(days=1))
    assert row.energy == 9.6
    assert (row.coverage.received, row.state) == (96, "complete")


async def test_a_stop_leaves_nothing_to_replay(tmp_path: Path) -> None:
    async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()) as parts:
        point = parts.registry.ensure(DRAFT)
        await parts.sink.append(make_batch(point.id, [START_US], [1.0]), source="t")
    assert len(list((tmp_path / filenames.SEGMENT_FOLDER).iterdir())) == 1
    async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()) as parts:
        assert parts.store.unsealed_count == 0


async def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()):
        with pytest.raises(StoreLocked, match="is in use by process"):
            async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()):
                pass


async def test_points_are_loaded_while_kernels_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    has_points = threading.Event()

    def load_points(*arguments: Any) -> Registry:
        registry = Registry(*arguments)
        has_points.set()
        return registry

    def load_kernels() -> None:
        assert has_points.wait(30), "the points wait for the kernels"

    monkeypatch.setattr(core, "Registry", load_points)
    monkeypatch.setattr(core.warm, "warm_kernels", load_kernels)
    async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()) as parts:
        assert parts.registry.count() == 0


async def test_points_are_let_go_of_where_kernels_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Registry] = []

    def fail() -> None:
        raise OSError("no space left for compiled kernels")

    monkeypatch.setattr(Registry, "close", lambda registry: closed.append(registry))
    monkeypatch.setattr(core.warm, "warm_kernels", fail)
    with pytest.raises(OSError, match="compiled kernels"):
        async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()):
            pass
    assert len(closed) == 1


async def test_the_folder_is_free_after_a_start_that_failed(tmp_path: Path) -> None:
    (tmp_path / filenames.MANIFEST).write_bytes(b"damaged\n0\n")
    for _ in range(2):
        with pytest.raises(StoreError, match="restore the file from a backup"):
            async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()):
                pass


async def test_a_part_that_stops_by_a_fault_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("broken on purpose")

    monkeypatch.setattr(core_tasks, "maintain", fail)
    async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()) as parts:
        assert "broken on purpose" in await parts.faults.get()


async def test_a_full_disk_interrupts_background_work_but_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0

    async def interrupted_once(*_: object) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise CatalogueError("rollup.sqlite", "database or disk is full")
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(core_tasks, "maintain", interrupted_once)
    async with core.open_core(SETTINGS, tmp_path, ManualClock(START_US), Metrics()) as parts:
        for _ in range(100):
            await asyncio.sleep(0)
        assert parts.faults.empty()
    assert rounds == 2


async def test_a_stop_with_a_full_disk_is_orderly_and_the_log_keeps_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise CatalogueError("rollup.sqlite", "database or disk is full")

    async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()) as parts:
        point = parts.registry.ensure(DRAFT)
        await parts.sink.append(make_batch(point.id, [START_US], [1.0]), source="t")
        monkeypatch.setattr(parts.rollup, "flush_dirty", fail)
    async with core.open_core(SETTINGS, tmp_path, SystemClock(), Metrics()) as parts:
        [run] = await parts.store.read([point.id], 0, START_US + 1)
        assert run.value.tolist() == [1.0]


async def test_the_gauges_can_be_read(tmp_path: Path) -> None:
    metrics = Metrics()
    async with core.open_core(SETTINGS, tmp_path, SystemClock(), metrics):
        text = metrics.to_prometheus_text()
    assert "historian_store_writable 1" in text
    assert "historian_points 0" in text
