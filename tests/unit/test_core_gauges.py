"""What the parts tell of themselves is read when somebody asks."""

from pathlib import Path

from historian import core
from historian.clock import ManualClock
from historian.metrics import Metrics
from historian.model.point import PointDraft, PointKind
from historian.model.sample import make_batch
from historian.settings import Settings
from tests.support.store_kit import START_US

DRAFT = PointDraft(name="m", unit="kW", kind=PointKind.INSTANTANEOUS, time_zone="UTC")


async def test_gauges_follow_the_parts(tmp_path: Path) -> None:
    metrics = Metrics()
    async with core.open_core(Settings(), tmp_path, ManualClock(START_US), metrics) as parts:
        before = metrics.to_prometheus_text().splitlines()
        point = parts.registry.ensure(DRAFT)
        await parts.sink.append(make_batch(point.id, [START_US], [1.0]), source="t")
        parts.journal.outage_began("modbus", START_US, "link_down", "")
        after = metrics.to_prometheus_text().splitlines()
    assert {"historian_points 0", "historian_store_unsealed_samples 0", "historian_journal_waiting 0"} <= set(
        before
    )
    assert {"historian_points 1", "historian_store_unsealed_samples 1", "historian_journal_waiting 1"} <= set(
        after
    )
