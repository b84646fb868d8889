from pathlib import Path
from typing import Any

import msgspec
import pytest

from historian.tools.manifest_file import ListedSegment
from historian.tools.segment_check import problems_of
from historian.tools.segment_file import SegmentFile
from tests.support.hand_made import JANUARY_US, QUARTER_US, Run, write_segment

TIMES = [JANUARY_US + place * QUARTER_US for place in range(4)]
RUNS = [Run(point_id, TIMES, [1.0, 2.0, 3.0, 4.0], sequence=4, step_us=QUARTER_US) for point_id in (1, 2)]


def problems(folder: Path, runs: list[Run], said: dict[str, Any] | None = None, **options: Any) -> list[str]:
    """What is wrong with a segment of these runs of which the manifest says `said`."""
    listed = write_segment(folder, "2026-01", 1, runs, **options) | (said or {})
    with SegmentFile(folder / "segments" / "2026-01-0000000001.h5") as segment:
        return problems_of(segment, msgspec.convert(listed, ListedSegment))


@pytest.mark.parametrize("version", [1, 2])
def test_a_good_segment_has_none(tmp_path: Path, version: int) -> None:
    assert problems(tmp_path, RUNS, version=version) == []


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("generation", 9, "generation: 1 in the file, 9 in the manifest"),
        ("run_count", 3, "runs: 2 in the file, 3"),
        ("sample_count", 7, "samples: 8 in the file, 7"),
        ("time_min_us", 5, f"first time: {TIMES[0]} in the file, 5"),
        ("time_max_us", 5, f"last time: {TIMES[3]} in the file, 5"),
        ("point_max", 9, "last point: 2 in the file, 9"),
        ("sequence_min", 3, "sequences reach from 4 to 4, the manifest says 3 to 4"),
        ("superseded_count", 1, "0 superseded versions in the file, 1"),
        ("month", "2026-02", "point 1 (p1): has samples of 2026-01, not of 2026-02"),
    ],
)
def test_what_the_manifest_says_otherwise(tmp_path: Path, field: str, value: Any, told: str) -> None:
    assert any(line.startswith(told) for line in problems(tmp_path, RUNS, {field: value}))


def test_times_that_do_not_rise(tmp_path: Path) -> None:
    runs = [Run(1, [TIMES[0], TIMES[2], TIMES[1], TIMES[3]], [1, 2, 3, 4])]
    assert problems(tmp_path, runs) == ["point 1 (p1): times do not rise"]


def test_points_out_of_order(tmp_path: Path) -> None:
    assert problems(tmp_path, RUNS[::-1]) == ["the index is not sorted by point, or has a point twice"]


def test_extremes_that_are_not_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SegmentFile, "extremes", lambda self, run: (0.5, 4.0))
    [first, _] = problems(tmp_path, RUNS)
    assert first == "point 1 (p1): values lie from 1.0 to 4.0, the index says 0.5 to 4.0"


def test_a_sequence_of_no_batch(tmp_path: Path) -> None:
    # The batches are those of `scan`; the newest entry of the time is another one.
    import h5py
    import numpy as np

    from tests.support.hand_made import coded

    listed = write_segment(tmp_path, "2026-01", 1, RUNS)
    path = tmp_path / "segments" / listed["name"]
    with h5py.File(path, "r+") as file:
        file["batches/sequence"][:] = coded(np.array([3], np.int64))
    with SegmentFile(path) as segment:
        assert problems_of(segment, msgspec.convert(listed, ListedSegment)) == [
            "sequence 4 is that of no batch (1 such)"
        ]


def test_superseded_versions_out_of_order(tmp_path: Path) -> None:
    old = [(2, TIMES[0], 1.0, 0, 1), (1, TIMES[0], 1.0, 0, 1)]
    assert problems(tmp_path, RUNS, superseded=old) == [
        "the superseded versions are not sorted by point, time and sequence"
    ]
