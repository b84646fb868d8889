"""The lane keeps between requests what names mean."""

from pathlib import Path
from typing import Any

import pytest

from api import arrow_lane
from api.arrow_lane import ArrowLane
from api.intake import Intake
from api.stored_offset import StoredOffsets
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from tests.unit.api.test_arrow_rows import batch, stream


def test_a_dictionary_is_remembered_over_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow_lane.load()
    registry = Registry(tmp_path / "points.db", ManualClock(0), "UTC")
    lane = ArrowLane(registry, StoredOffsets(registry), 1 << 20)
    asked: list[Any] = []
    find_ids = registry.find_ids
    monkeypatch.setattr(registry, "find_ids", lambda names: asked.append(names) or find_ids(names))
    body = stream(
        batch(point=["a", "b"]).set_column(0, "point", batch(point=["a", "b"])["point"].dictionary_encode())
    )
    for _ in range(3):
        lane.take(Intake("index"), body)
    assert asked == [["a", "b"]]
    registry.close()
