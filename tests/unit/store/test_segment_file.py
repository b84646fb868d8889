"""The HDF5 file: open to all tools, closed on damage, opened again at need."""

import errno
from pathlib import Path

import h5py
import numpy as np
import pytest

from historian.errors import FormatTooNew, SegmentCorrupt, StoreError
from historian.store.segment_file import SegmentFile
from tests.support.segment_kit import encode, grid, rows_of


def write(folder: Path) -> Path:
    path = folder / "one.h5"
    path.write_bytes(encode(rows_of(1, grid(96), np.arange(96) / 10)))
    return path


def test_data_sets_say_what_they_are(tmp_path: Path) -> None:
    with h5py.File(write(tmp_path)) as file:
        assert file.attrs["format"] == b"historian-segment"
        assert int(file.attrs["format_version"]) == 2
        values = file["values/i32_e1"]
        assert (values.dtype, values.attrs["dtype"], values.attrs["scale_divisor"]) == (
            np.uint32,
            b"int32",
            10,
        )
        assert values.shuffle
        assert file["index/name"][:].tolist() == ["站.p1".encode()]


def test_a_file_is_opened_at_need_and_again_after_it_was_closed(tmp_path: Path) -> None:
    file = SegmentFile(write(tmp_path))
    assert not file.is_open
    assert file.length("values/i32_e1") == 96
    assert file.is_open
    file.close()
    assert file.read("values/i32_e1", np.int32).tolist() == list(range(96))
    assert file.length("nothing") == 0
    assert file.names("values") == ["i32_e1"]
    assert file.names("nothing") == []
    file.close()


def test_damage_names_the_file_and_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "bad.h5"
    path.write_bytes(b"nothing")
    file = SegmentFile(path)
    with pytest.raises(SegmentCorrupt, match=r"bad\.h5.*the index"), file.guard("the index"):
        file.open()
    assert not file.is_open


def test_a_lack_of_means_is_no_damage(tmp_path: Path) -> None:
    file = SegmentFile(tmp_path / "one.h5")
    with pytest.raises(StoreError, match="Too many open files") as caught, file.guard("a column"):
        raise OSError(errno.EMFILE, "Too many open files")
    assert not isinstance(caught.value, SegmentCorrupt)


def test_another_file_and_a_newer_one_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(FormatTooNew, match="format 99"):
        SegmentFile(path).open()
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = np.bytes_(b"another")
    with pytest.raises(ValueError, match="not a segment"):
        SegmentFile(path).open()
