"""A sink and a directory that keep what they are given, and a way to import text."""

from pathlib import Path

import numpy as np
import pytest

from drivers.gateway import csv_file, mapping
from drivers.gateway.csv_file import ImportReport
from historian.errors import HistorianError, PointConflict, PointNotFound, QueueFull
from historian.model.point import Point, PointDraft, TimeLabel
from historian.model.ports import AppendResult, OnConflict, Outcome
from historian.model.sample import SampleBatch


class ListSink:
    """Keeps samples by point name and time; answers as the store would."""

    def __init__(self) -> None:
        self.samples: dict[tuple[int, int], float] = {}
        self.batches: list[SampleBatch] = []
        self.refusals: list[HistorianError] = []
        self.reject_above: float = np.inf

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        assert source.startswith("import:")
        if self.refusals:
            raise self.refusals.pop(0)
        self.batches.append(batch)
        columns = (batch.point_id.tolist(), batch.time_us.tolist(), batch.value.tolist())
        outcomes = [self._take(*sample) for sample in zip(*columns, strict=True)]
        return AppendResult(np.array(outcomes, np.uint8), len(self.batches))

    def _take(self, point_id: int, time_us: int, value: float) -> Outcome:
        if not np.isfinite(value):
            return Outcome.NOT_FINITE
        if value > self.reject_above:
            return Outcome.TIME_IN_FUTURE
        before = self.samples.get((point_id, time_us))
        self.samples[point_id, time_us] = value
        if before is None:
            return Outcome.ACCEPTED
        return Outcome.DUPLICATE if before == value else Outcome.REPLACED


class ListDirectory:
    """Points in memory, as the registry would make them."""

    def __init__(self) -> None:
        self.points: dict[str, Point] = {}

    def get(self, name_or_id: str) -> Point:
        if name_or_id not in self.points:
            raise PointNotFound(name_or_id)
        return self.points[name_or_id]

    def by_id(self, point_id: int) -> Point:
        return list(self.points.values())[point_id - 1]

    def ensure(self, draft: PointDraft) -> Point:
        point = self.points.get(draft.name)
        if point is None:
            point = self.points[draft.name] = Point(
                id=len(self.points) + 1,
                name=draft.name,
                unit=draft.unit,
                kind=draft.kind,
                interval_us=draft.interval_us or 900_000_000,
                label=draft.label or TimeLabel.INSTANT,
                time_zone=draft.time_zone or "Asia/Shanghai",
            )
        if (point.unit, point.kind) != (draft.unit, draft.kind):
            raise PointConflict(f"point {draft.name} has another unit or kind")
        return point


class Importer:
    """One sink and directory; imports a text or a file by a mapping's text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sink = ListSink()
        self.directory = ListDirectory()

    async def text(self, content: str | bytes, mapping_text: str) -> ImportReport:
        path = self.folder / "f.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return await self.file(path, mapping_text)

    async def file(self, path: Path, mapping_text: str) -> ImportReport:
        mapping_path = self.folder / "m.toml"
        mapping_path.write_text(mapping_text, "utf-8")
        return await csv_file.import_csv(
            path,
            mapping.load(mapping_path),
            self.sink,
            self.directory,
            quarantine_dir=self.folder / "quarantine",
        )

    def values(self, name: str) -> dict[int, float]:
        """Stored time to value of one point."""
        point_id = self.directory.get(name).id
        return {time: value for (each, time), value in sorted(self.sink.samples.items()) if each == point_id}


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


@pytest.fixture
def queue_full() -> QueueFull:
    return QueueFull(retry_after_s=5)
