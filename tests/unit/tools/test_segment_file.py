from pathlib import Path

import h5py
import numpy as np
import pytest

from historian.errors import FormatTooNew, SegmentCorrupt
from historian.tools.segment_file import SegmentFile, undo_differences
from tests.support.hand_made import JANUARY_US, QUARTER_US, Run, coded, write_segment

TIMES = [JANUARY_US + place * QUARTER_US for place in (0, 1, 2, 5, 6, 7)]
VALUES = [1.25, -2.5, 0.0, 4.0, 1e4, 3.17]
RUNS = [
    Run(3, TIMES, VALUES, [0, 0, 1, 0, 4, 0], [1, 1, 2, 1, 1, 1], step_us=QUARTER_US),
    Run(5, [JANUARY_US + 1, JANUARY_US + 99], [0.1 + 0.2, np.pi], sequence=2, decimals=None),
]


@pytest.mark.parametrize("version", [1, 2])
def test_samples_come_back(tmp_path: Path, version: int) -> None:
    listed = write_segment(tmp_path, "2026-01", 1, RUNS, version=version)
    with SegmentFile(tmp_path / "segments" / listed["name"]) as segment:
        assert (segment.format_version, segment.generation, segment.sample_count) == (version, 1, 8)
        samples = segment.samples(0, 2)
        for place, run in enumerate(RUNS):
            one = samples.run(place)
            assert one.time_us.tolist() == run.time_us
            assert one.value.tolist() == run.value
            assert one.quality.tolist() == list(run.quality or [0, 0])
            assert one.sequence.tolist() == np.broadcast_to(run.sequence, len(run.time_us)).tolist()
        assert segment.extremes(0) == (-2.5, 1e4)
        assert segment.extremes(1) == (0.1 + 0.2, np.pi)
        assert (segment.names, segment.batches().source_names) == (["p3", "p5"], ["test"])


def test_sequences_of_scans_come_from_the_table(tmp_path: Path) -> None:
    runs = [Run(point_id, TIMES[:2], [1.0, 2.0], step_us=QUARTER_US) for point_id in (1, 2, 3)]
    # The second time came in two batches: points 1 and 2, then point 3.
    scan = [(TIMES[0], 0, 7), (TIMES[1], 0, 8), (TIMES[1], 2, 9)]
    listed = write_segment(tmp_path, "2026-01", 1, runs, scan=scan)
    with SegmentFile(tmp_path / "segments" / listed["name"]) as segment:
        samples = segment.samples(0, 3)
        assert [samples.run(place).sequence.tolist() for place in range(3)] == [[7, 8], [7, 8], [7, 9]]


def test_a_sample_without_scan_is_damage(tmp_path: Path) -> None:
    listed = write_segment(tmp_path, "2026-01", 1, [Run(1, TIMES[:2], [1, 2])], scan=[(TIMES[0], 0, 7)])
    with (
        SegmentFile(tmp_path / "segments" / listed["name"]) as segment,
        pytest.raises(SegmentCorrupt, match="no entry in the scan table"),
    ):
        segment.samples(0, 1)


def test_superseded_versions_come_back(tmp_path: Path) -> None:
    listed = write_segment(tmp_path, "2026-01", 1, RUNS, superseded=[(3, TIMES[0], 9.5, 1, 1)])
    with SegmentFile(tmp_path / "segments" / listed["name"]) as segment:
        assert {name: column.tolist() for name, column in segment.superseded().items()} == {
            "point_id": [3], "time_us": [TIMES[0]], "value": [9.5], "quality": [1], "sequence": [1],
        }  # fmt: skip


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int32, np.int64])
def test_differences_wrap_at_the_ends_of_their_type(dtype: type[np.generic]) -> None:
    limits = np.iinfo(dtype)  # type: ignore[type-var]
    numbers = np.array([limits.max, limits.min, 0, limits.max, 5, limits.min], dtype)
    assert undo_differences(coded(numbers), numbers.dtype).tolist() == numbers.tolist()


def test_a_large_data_set_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 2 * 32768 + 100
    values = np.arange(count) % 977 / 4
    times = JANUARY_US + np.arange(count) * 1_000_000
    runs = [
        Run(point_id, times[part].tolist(), values[part].tolist(), step_us=1_000_000)
        for point_id, part in enumerate((slice(0, 40_000), slice(40_000, count)), 1)
    ]
    listed = write_segment(tmp_path, "2026-01", 1, runs)
    monkeypatch.setattr("historian.tools.segment_file.KEPT_WHOLE_MAX", 1000)
    with SegmentFile(tmp_path / "segments" / listed["name"]) as segment:
        assert list(segment.run_groups(50_000)) == [(0, 1), (1, 2)]
        second = segment.samples(1, 2)
        assert second.value.tolist() == values[40_000:].tolist()
        assert second.time_us.tolist() == times[40_000:].tolist()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    listed = write_segment(tmp_path, "2026-01", 1, RUNS, version=3)
    with pytest.raises(FormatTooNew, match="format 3"):
        SegmentFile(tmp_path / "segments" / listed["name"])


def test_an_index_that_does_not_check_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "segments" / write_segment(tmp_path, "2026-01", 1, RUNS)["name"]
    with h5py.File(path, "r+") as file:
        file.attrs["index_crc32c"] = 1
    with pytest.raises(SegmentCorrupt, match="the index cannot be read: the checksum"):
        SegmentFile(path)


@pytest.mark.parametrize("content", [b"", b"no HDF5", bytes(4096)])
def test_what_is_no_segment_is_damage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(SegmentCorrupt, match="the file cannot be read"):
        SegmentFile(tmp_path / "f")


def test_data_sets_are_listed_with_their_sizes(tmp_path: Path) -> None:
    path = tmp_path / "segments" / write_segment(tmp_path, "2026-01", 1, RUNS)["name"]
    with SegmentFile(path) as segment:
        found = {name: count for name, count, _ in segment.data_sets()}
    assert (found["values/i32_e2"], found["values/f64"], found["quality"]) == (6, 2, 6)
