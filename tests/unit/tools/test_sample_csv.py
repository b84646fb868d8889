from pathlib import Path

import numpy as np
import pytest

from historian.errors import HistorianError
from historian.model.point import PointDraft, PointKind
from historian.tools.sample_csv import MARK, CsvReader, CsvWriter
from historian.tools.sample_file import SampleRows, encode_points

POINTS = [PointDraft(name="a", unit="kW", kind=PointKind.MEAN_POWER)]


def test_lines_are_as_documented(tmp_path: Path) -> None:
    writer = CsvWriter(tmp_path / "f", POINTS, has_versions=False)
    writer.write(
        SampleRows(
            np.array([0]), np.array([1_514_764_800_000_000]), np.array([3.17]), np.array([4], np.uint16)
        )
    )
    writer.close()
    first, *rest = (tmp_path / "f").read_text().splitlines()
    assert first.startswith('#historian-export {"version":1,"points":[{"name":"a","unit":"kW",')
    assert rest == ["point,time,value,quality", "a,2018-01-01T00:00:00.000000Z,3.17,4"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a,2018-01-01T00:00:00,1,0", "a time is not in UTC"),
        ("b,2018-01-01T00:00:00Z,1,0", "'b'"),
        ("a,2018-01-01T00:00:00Z,x,0", "could not convert"),
        ("a,2018-01-01T00:00:00Z,1", "range"),
        ("a,2018-01-01T00:00:00Z,1,70000", "70000"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, told: str) -> None:
    head = MARK + encode_points(POINTS).decode()
    (tmp_path / "f").write_text(f"{head}\npoint,time,value,quality\n{line}\n")
    reader = CsvReader(tmp_path / "f")
    with pytest.raises(HistorianError, match=rf"up to line 3: .*{told}"):
        list(reader.rows())
    reader.close()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"date,value\n", "is no file of `historian export`"),
        (b"\xff\xfe", "is no file of `historian export`"),
        (MARK.encode() + encode_points(POINTS) + b"\na,b\n", "the header is a,b, not point,time"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(HistorianError, match=told):
        CsvReader(tmp_path / "f")
