"""The way in: every sample gets one honest outcome, and an answer means it is on disk."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.errors import QueueFull, StoreError, StoreReadOnly, WalFailed
from historian.ingest.pipeline import IngestPipeline, Quarantine
from historian.metrics import Metrics
from historian.model.point import PointDraft, PointKind
from historian.model.ports import Outcome
from historian.model.quality import SUSPECT
from historian.model.sample import SampleBatch, make_batch
from historian.settings import IngestSettings
from historian.store import recovery
from historian.store.durable import DurableFiles
from historian.store.store import Store
from tests.support.store_kit import QUARTER_US, SETTINGS, START_US, FailingFiles, Marks

DAY_US = 86_400_000_000


class Plant(NamedTuple):
    pipeline: IngestPipeline
    store: Store
    registry: Registry
    marks: Marks
    metrics: Metrics
    task: "asyncio.Task[None]"


@contextlib.asynccontextmanager
async def plant(
    folder: Path, settings: IngestSettings | None = None, quarantine: Quarantine | None = None
) -> AsyncIterator[Plant]:
    """A pipeline over a real store, with points 1 to 4; point 2 is good between 0 and 10."""
    clock, marks, metrics = ManualClock(START_US), Marks(), Metrics()
    registry = Registry(folder / "catalogue.sqlite", clock, "Asia/Shanghai")
    for number in range(1, 5):
        limits = {"range_low": 0.0, "range_high": 10.0} if number == 2 else {}
        registry.create(PointDraft(name=f"p{number}", unit="kW", kind=PointKind.INSTANTANEOUS, **limits))
    intervals = registry.columns().interval_us
    store, _ = recovery.open_store(folder, DurableFiles(), clock, registry, intervals, SETTINGS, marks)
    pipeline = IngestPipeline(store, registry, clock, metrics, settings or IngestSettings(), quarantine)
    task = asyncio.create_task(pipeline.run())
    try:
        yield Plant(pipeline, store, registry, marks, metrics, task)
    finally:
        pipeline.stop()
        await asyncio.wait([task])
        await store.close()
        registry.close()


class SlowQuarantine:
    """Keeps what lies ahead once it is told that its disk is there."""

    def __init__(self) -> None:
        self.disk = asyncio.Event()

    async def keep(
        self, batch: SampleBatch, outcome: npt.NDArray[np.uint8], source: str, arrival_us: int
    ) -> npt.NDArray[np.uint8]:
        assert (batch.sample_count, source, arrival_us) == (len(outcome), "test", START_US)
        await self.disk.wait()
        return np.where(outcome == Outcome.TIME_IN_FUTURE, Outcome.QUARANTINED_IN_FUTURE, outcome).astype(
            np.uint8
        )


async def outcomes(
    pipeline: IngestPipeline, *samples: tuple[int, int, float], **options: str
) -> list[Outcome]:
    """Append (point, slot, value) samples; slot 0 is START_US."""
    ids, slots, values = (list(column) for column in zip(*samples, strict=True))
    times = [START_US + slot * QUARTER_US for slot in slots]
    result = await pipeline.append(make_batch(ids, times, values), source="test", **options)  # type: ignore[arg-type]
    return [Outcome(code) for code in result.outcome]


async def test_each_sample_gets_its_own_outcome_in_the_order_sent(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        await outcomes(p.pipeline, (1, 0, 1.0), (1, 1, 1.0))
        assert await outcomes(
            p.pipeline,
            (1, 0, 1.0),
            (99, 0, 1.0),
            (1, 1, 2.0),
            (1, 2, float("nan")),
            (1, 200, 0.0),
            (1, -2_000_000, 0.0),
            (3, 0, 5.0),
        ) == [
            Outcome.DUPLICATE,
            Outcome.UNKNOWN_POINT,
            Outcome.REPLACED,
            Outcome.NOT_FINITE,
            Outcome.TIME_IN_FUTURE,
            Outcome.TIME_TOO_OLD,
            Outcome.ACCEPTED,
        ]
        runs = await p.store.read([1, 3], 0, START_US + DAY_US)
        assert [run.value.tolist() for run in runs] == [[1.0, 2.0], [5.0]]


@pytest.mark.parametrize("policy", ["keep", "reject"])
async def test_another_value_stays_out_when_asked_to(tmp_path: Path, policy: str) -> None:
    async with plant(tmp_path) as p:
        await outcomes(p.pipeline, (1, 0, 1.0))
        assert await outcomes(p.pipeline, (1, 0, 2.0), on_conflict=policy) == [Outcome.CONFLICT]
        [run] = await p.store.read([1], 0, START_US + DAY_US)
        assert run.value.tolist() == [1.0]


async def test_samples_that_meet_in_one_batch_are_taken_in_their_order(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        assert await outcomes(p.pipeline, (1, 0, 1.0), (1, 0, 1.0), (1, 0, 2.0), (1, 0, 1.0)) == [
            Outcome.ACCEPTED,
            Outcome.DUPLICATE,
            Outcome.REPLACED,
            Outcome.REPLACED,
        ]
        [run] = await p.store.read([1], 0, START_US + DAY_US)
        assert run.value.tolist() == [1.0]


async def test_a_value_outside_its_points_range_is_kept_and_marked_suspect(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        assert await outcomes(p.pipeline, (2, 0, 11.0), (2, 1, 10.0)) == [Outcome.ACCEPTED, Outcome.ACCEPTED]
        [run] = await p.store.read([2], 0, START_US + DAY_US)
        assert run.value.tolist() == [11.0, 10.0]
        assert run.quality.tolist() == [SUSPECT, 0]


async def test_only_what_was_written_is_marked_dirty(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        await outcomes(p.pipeline, (1, 0, 1.0), (99, 0, 1.0))
        await outcomes(p.pipeline, (1, 0, 1.0), (3, 0, 1.0))
        assert p.marks.point_ids == [1, 3]


async def test_a_full_queue_refuses_at_once_and_takes_nothing(tmp_path: Path) -> None:
    settings = IngestSettings(queue_samples_max=1000, batch_samples_max=1000)
    async with plant(tmp_path, settings) as p:
        with pytest.raises(QueueFull):
            await p.pipeline.append(make_batch(1, np.arange(1001) + START_US, np.zeros(1001)), source="t")
        [run] = await p.store.read([1], 0, START_US + DAY_US)
        assert run.sample_count == 0


async def test_a_failed_disk_reaches_every_waiting_sender_and_service_goes_on(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        p.store.wal._files = FailingFiles("sync")
        answers = await asyncio.gather(
            outcomes(p.pipeline, (1, 0, 1.0)), outcomes(p.pipeline, (3, 0, 1.0)), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [WalFailed, WalFailed]
        assert await outcomes(p.pipeline, (1, 0, 1.0)) == [Outcome.ACCEPTED]


async def test_a_fault_answers_every_sender_and_whoever_comes_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plant(tmp_path) as p:
        monkeypatch.setattr(p.store, "append", None)
        first = asyncio.create_task(outcomes(p.pipeline, (1, 0, 1.0)))
        await asyncio.sleep(0)
        with pytest.raises(StoreReadOnly, match="stopped by a fault"):
            await first
        with pytest.raises(QueueFull):
            await asyncio.wait_for(outcomes(p.pipeline, (1, 1, 1.0)), 5)
        with pytest.raises(TypeError):
            await p.task


async def test_what_the_store_cannot_do_now_is_for_senders_a_store_that_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: object) -> None:
        raise StoreError("too many open files")

    async with plant(tmp_path) as p:
        monkeypatch.setattr(p.store, "existing", refuse)
        with pytest.raises(StoreReadOnly, match="too many open files"):
            await outcomes(p.pipeline, (1, 0, 1.0))


async def test_batches_that_wait_together_share_one_sync(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        await asyncio.gather(*(outcomes(p.pipeline, (1, slot, 1.0)) for slot in range(50)))
        text = p.metrics.to_prometheus_text()
        groups = next(line for line in text.splitlines() if line.startswith("historian_ingest_groups_total "))
        assert int(groups.split()[1]) <= 3
        [run] = await p.store.read([1], 0, START_US + DAY_US)
        assert run.sample_count == 50


async def test_a_batch_larger_than_a_group_is_answered_whole(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        count = 200_000
        result = await p.pipeline.append(
            make_batch(1, START_US + np.arange(count), np.zeros(count)), source="t"
        )
        assert result.count(Outcome.ACCEPTED) == count


async def test_an_empty_batch_is_answered_at_once(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        assert (await p.pipeline.append(make_batch(1, [], []), source="t")).sequence == 0


async def test_a_new_point_can_be_written_at_once(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        point = p.registry.create(PointDraft(name="new", unit="V", kind=PointKind.INSTANTANEOUS))
        assert await outcomes(p.pipeline, (point.id, 0, 230.0)) == [Outcome.ACCEPTED]


async def test_a_stopped_pipeline_answers_what_it_took_and_takes_no_more(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        waiting = asyncio.create_task(outcomes(p.pipeline, (1, 0, 1.0)))
        await asyncio.sleep(0)
        p.pipeline.stop()
        assert await waiting == [Outcome.ACCEPTED]
        with pytest.raises(QueueFull):
            await outcomes(p.pipeline, (1, 1, 1.0))


async def test_a_read_only_column_is_taken_as_it_is(tmp_path: Path) -> None:
    async with plant(tmp_path) as p:
        batch = make_batch([1], [START_US], [1.0])
        for column in batch:
            column.flags.writeable = False
        assert (await p.pipeline.append(batch, source="t")).count(Outcome.ACCEPTED) == 1


async def test_nobody_else_waits_for_the_disk_of_the_quarantine(tmp_path: Path) -> None:
    quarantine = SlowQuarantine()
    async with plant(tmp_path, quarantine=quarantine) as p:
        sender = asyncio.create_task(outcomes(p.pipeline, (1, 0, 1.0), (1, 10_000, 2.0)))
        await asyncio.sleep(0)  # it is first in the queue
        assert await outcomes(p.pipeline, (2, 0, 5.0)) == [Outcome.ACCEPTED]
        assert not sender.done(), "its answer comes when all of it is on disk"
        quarantine.disk.set()
        assert await sender == [Outcome.ACCEPTED, Outcome.QUARANTINED_IN_FUTURE]
        text = p.metrics.to_prometheus_text()
    assert 'outcome="accepted"} 2' in text
    assert 'outcome="quarantined_in_future"} 1' in text
    assert 'outcome="time_in_future"} 0' in text
