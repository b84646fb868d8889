from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from historian.errors import PointConflict
from historian.model.point import Point, PointDraft, PointKind
from historian.model.ports import AppendResult, OnConflict, Outcome
from historian.model.sample import SampleBatch
from historian.tools import import_samples, sample_file
from historian.tools.sample_file import SampleRows

DRAFTS = [PointDraft(name=name, unit="kW", kind=PointKind.MEAN_POWER) for name in ("a", "b")]


class Taker:
    """A sink and a directory that remember."""

    def __init__(self, outcome: Outcome = Outcome.ACCEPTED) -> None:
        self.taken: list[tuple[str, str, list[tuple[int, int, float, int]]]] = []
        self.outcome = outcome

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        rows = list(zip(*(column.tolist() for column in batch), strict=True))
        self.taken.append((source, reason, rows))
        return AppendResult(np.full(batch.sample_count, self.outcome, np.uint8), len(self.taken))

    def ensure(self, draft: PointDraft) -> Point:
        if draft.unit != "kW":
            raise PointConflict("another unit")
        return Point(id=10 + DRAFTS.index(draft), name=draft.name, unit=draft.unit, kind=draft.kind)


async def imported(
    folder: Path, taker: Taker, rows: SampleRows, drafts: list[PointDraft] = DRAFTS
) -> "Counter[Outcome]":
    writer = sample_file.create(folder / "f.csv", "csv", drafts, rows.version is not None)
    writer.write(rows)
    writer.close()
    return await import_samples.import_file(folder / "f.csv", taker, taker)  # type: ignore[arg-type]


ROWS = SampleRows(
    np.array([0, 0, 1]), np.array([1, 2, 1]), np.array([0.5, 1.5, 2.5]), np.array([0, 4, 1], np.uint16)
)


async def test_samples_go_to_their_points_as_they_are(tmp_path: Path) -> None:
    taker = Taker()
    assert await imported(tmp_path, taker, ROWS) == {Outcome.ACCEPTED: 3}
    assert taker.taken == [("import:f.csv", "", [(10, 1, 0.5, 0), (10, 2, 1.5, 4), (11, 1, 2.5, 1)])]


async def test_versions_are_taken_oldest_first_each_with_its_origin(tmp_path: Path) -> None:
    taker = Taker()
    rows = SampleRows(
        np.array([0, 0, 0, 1]), np.array([1, 1, 1, 1]), np.array([0.5, 1.5, 2.5, 3.5]), np.zeros(4, np.uint16),
        np.array([1, 2, 3, 1]), np.arange(4), np.array([0, 1, 0, 0]), ["driver", "hand\nmisread"],
    )  # fmt: skip
    await imported(tmp_path, taker, rows)
    assert taker.taken == [
        ("driver", "", [(10, 1, 0.5, 0), (11, 1, 3.5, 0)]),
        ("hand", "misread", [(10, 1, 1.5, 0)]),
        ("driver", "", [(10, 1, 2.5, 0)]),
    ]


async def test_a_point_that_is_another_stops_before_any_sample(tmp_path: Path) -> None:
    taker = Taker()
    with pytest.raises(PointConflict):
        await imported(
            tmp_path, taker, ROWS, [PointDraft(name="a", unit="V", kind=PointKind.MEAN_POWER), DRAFTS[1]]
        )
    assert taker.taken == []


async def test_refused_samples_are_counted_by_cause(tmp_path: Path) -> None:
    counts = await imported(tmp_path, Taker(Outcome.TIME_IN_FUTURE), ROWS)
    text = import_samples.report_text("f.csv", counts)
    assert text.splitlines()[0] == "f.csv: 3 samples   导入完成"
    assert text.splitlines()[-1] == "             3  refused   time_in_future"
