from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from historian.errors import HistorianError
from historian.model.point import PointDraft, PointKind
from historian.tools.sample_arrow import METADATA_KEY, ArrowReader, ArrowWriter
from historian.tools.sample_file import SampleRows, encode_points

POINTS = [PointDraft(name="a", unit="kW", kind=PointKind.MEAN_POWER)]


def test_any_arrow_reader_sees_a_table(tmp_path: Path) -> None:
    writer = ArrowWriter(tmp_path / "f", POINTS, has_versions=False)
    writer.write(
        SampleRows(
            np.array([0]), np.array([1_514_764_800_000_000]), np.array([3.17]), np.array([4], np.uint16)
        )
    )
    writer.close()
    with pa.memory_map(str(tmp_path / "f")) as source:
        [row] = pa.ipc.open_file(source).read_all().to_pylist()
    assert row["time"].isoformat() == "2018-01-01T00:00:00+00:00"
    assert (row["point"], row["value"], row["quality"]) == ("a", 3.17, 4)


def write(path: Path, metadata: dict[bytes, bytes] | None) -> None:
    schema = pa.schema(
        [
            ("point", pa.string()),
            ("time", pa.timestamp("us", tz="UTC")),
            ("value", pa.float64()),
            ("quality", pa.uint16()),
        ],
        metadata=metadata,
    )
    with pa.ipc.new_file(str(path), schema) as writer:
        writer.write_batch(pa.record_batch([["b"], pa.array([0], schema.field("time").type), [1.0], pa.array([0], pa.uint16())], schema=schema))  # fmt: skip


def test_another_arrow_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "f", None)
    with pytest.raises(HistorianError, match="not one of `historian export`"):
        ArrowReader(tmp_path / "f")


def test_a_point_that_is_not_described_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "f", {METADATA_KEY: encode_points(POINTS)})
    reader = ArrowReader(tmp_path / "f")
    with pytest.raises(HistorianError, match="does not describe"):
        list(reader.rows())
    reader.close()


def test_a_cut_file_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "f", {METADATA_KEY: encode_points(POINTS)})
    (tmp_path / "f").write_bytes((tmp_path / "f").read_bytes()[:-30])
    with pytest.raises(HistorianError, match="cannot be read"):
        ArrowReader(tmp_path / "f")
