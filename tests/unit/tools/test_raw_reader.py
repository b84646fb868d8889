from pathlib import Path

import msgspec
import pytest

from historian.tools.manifest_file import ListedSegment
from historian.tools.raw_reader import RawReader
from tests.support.hand_made import JANUARY_US, QUARTER_US, Run, write_segment

TIMES = [JANUARY_US + place * QUARTER_US for place in range(4)]


@pytest.fixture
def listed(tmp_path: Path) -> list[ListedSegment]:
    """Three points; the second segment corrects point 2, the third brings an older version late."""
    first = [
        Run(point_id, TIMES, [1.0, 2.0, 3.0, 4.0], sequence=5, step_us=QUARTER_US) for point_id in (1, 2, 9)
    ]
    second = [Run(2, TIMES[1:3], [20.0, 30.0], [1, 1], sequence=6)]
    third = [Run(2, TIMES[:2], [0.5, 0.5], sequence=4)]
    segments = (first, second, third)
    return [
        msgspec.convert(write_segment(tmp_path, "2026-01", number, runs), ListedSegment)
        for number, runs in enumerate(segments, 1)
    ]


def test_the_highest_sequence_is_read_whatever_the_order(tmp_path: Path, listed: list[ListedSegment]) -> None:
    reader = RawReader(tmp_path, listed, TIMES[0], TIMES[-1] + 1)
    runs = reader.read(1, 2)
    reader.close()
    assert sorted(runs) == [1, 2]
    assert runs[2].value.tolist() == [1.0, 20.0, 30.0, 4.0]
    assert runs[2].quality.tolist() == [0, 1, 1, 0]
    assert runs[1].time_us.tolist() == TIMES


def test_only_the_range_is_read(tmp_path: Path, listed: list[ListedSegment]) -> None:
    reader = RawReader(tmp_path, listed, TIMES[1], TIMES[3])
    assert reader.read(9, 9)[9].time_us.tolist() == TIMES[1:3]
    reader.close()


def test_ids_and_ranges_without_samples_give_nothing(tmp_path: Path, listed: list[ListedSegment]) -> None:
    reader = RawReader(tmp_path, listed, TIMES[0], TIMES[3])
    assert reader.read(3, 8) == {}
    reader.close()
    assert RawReader(tmp_path, listed, 0, 1).read(1, 9) == {}
