from pathlib import Path

import h5py
import numpy as np
import pytest

from historian.errors import HistorianError
from historian.model.point import PointDraft, PointKind
from historian.tools.sample_file import SampleRows
from historian.tools.sample_h5 import H5Reader, H5Writer

POINTS = [PointDraft(name="a", unit="kW", kind=PointKind.MEAN_POWER)]
ROWS = SampleRows(np.array([0]), np.array([7]), np.array([3.17]), np.array([4], np.uint16))


def written(path: Path) -> Path:
    writer = H5Writer(path, POINTS, has_versions=False)
    writer.write(ROWS)
    writer.close()
    return path


def test_plain_h5py_reads_it(tmp_path: Path) -> None:
    with h5py.File(written(tmp_path / "f")) as file:
        assert b'"name":"a"' in file["points"][:].tobytes()
        assert [file[name][0] for name in ("point", "time_us", "value", "quality")] == [0, 7, 3.17, 4]


def test_many_rows_come_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("historian.tools.sample_h5.ROWS_AT_ONCE", 2)
    writer = H5Writer(tmp_path / "f", POINTS, has_versions=False)
    for _ in range(5):
        writer.write(ROWS)
    writer.close()
    reader = H5Reader(tmp_path / "f")
    assert [part.row_count for part in reader.rows()] == [2, 2, 1]
    reader.close()


def test_another_h5_file_is_refused(tmp_path: Path) -> None:
    h5py.File(tmp_path / "f", "w").close()
    with pytest.raises(HistorianError, match="not one of `historian export`"):
        H5Reader(tmp_path / "f")
    (tmp_path / "g").write_bytes(b"\x89HDF torn")
    with pytest.raises(HistorianError, match="cannot be read"):
        H5Reader(tmp_path / "g")


def test_a_point_that_is_not_described_is_an_error(tmp_path: Path) -> None:
    with h5py.File(written(tmp_path / "f"), "r+") as file:
        file["point"][0] = 3
    reader = H5Reader(tmp_path / "f")
    with pytest.raises(HistorianError, match="does not describe"):
        list(reader.rows())
    reader.close()


def test_a_flipped_bit_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "f")
    with h5py.File(path) as file:
        chunk = file["value"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    path.write_bytes(content)
    reader = H5Reader(path)
    with pytest.raises(HistorianError, match="a column cannot be read"):
        list(reader.rows())
    reader.close()


def test_origins_keep_their_texts_over_many_pieces(tmp_path: Path) -> None:
    writer = H5Writer(tmp_path / "f", POINTS, has_versions=True)
    one = np.array([1])
    for texts in (["a", "b"], ["b", "c"]):
        writer.write(ROWS._replace(version=one, arrival_time_us=one, origin=one, origins=texts))
    writer.close()
    reader = H5Reader(tmp_path / "f")
    [rows] = reader.rows()
    reader.close()
    assert rows.origin is not None
    assert [rows.origins[place] for place in rows.origin] == ["b", "c"]
