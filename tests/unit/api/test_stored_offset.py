"""What a point's label adds to its stamps, for many points at once."""

from pathlib import Path

import numpy as np

from api.stored_offset import StoredOffsets
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import MINUTE_US, PointDraft, PointKind, TimeLabel
from historian.model.sample import TimeColumn


def draft(name: str, label: TimeLabel) -> PointDraft:
    return PointDraft(name=name, unit="kW", kind=PointKind.MEAN_POWER, label=label)


def listed(offset_us: TimeColumn | None) -> list[int]:
    assert offset_us is not None
    found: list[int] = offset_us.tolist()
    return found


def test_offsets_follow_the_registry(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "points.db", ManualClock(0), "UTC")
    offsets = StoredOffsets(registry)
    assert offsets.of(np.array([0, 1, 99], np.uint32)) is None
    registry.create_many([draft("a", TimeLabel.PERIOD_END), draft("b", TimeLabel.PERIOD_START)])
    assert offsets.of(np.array([2, 2, 0, 99], np.uint32)) is None
    assert listed(offsets.of(np.array([2, 1, 0, 99], np.uint32))) == [0, -15 * MINUTE_US, 0, 0]
    registry.update(2, {"label": "period_end", "interval_us": 60 * MINUTE_US})
    assert listed(offsets.of(np.array([1, 2], np.uint32))) == [-15 * MINUTE_US, -60 * MINUTE_US]
    registry.close()
