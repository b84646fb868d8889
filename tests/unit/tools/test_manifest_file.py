from pathlib import Path

import pytest

from historian.errors import FormatTooNew, StoreError
from historian.tools import manifest_file
from tests.support import hand_made


def test_none_where_there_is_none(tmp_path: Path) -> None:
    assert manifest_file.read(tmp_path) is None


def test_fields_and_those_of_later_versions(tmp_path: Path) -> None:
    hand_made.write_manifest(tmp_path, [], sealed=7, retired=["x"], later="field")
    manifest = manifest_file.read(tmp_path)
    assert manifest is not None
    assert (manifest.sealed_sequence, manifest.next_generation, manifest.retired) == (7, 1, ("x",))


def test_every_flipped_byte_is_seen(tmp_path: Path) -> None:
    hand_made.write_manifest(tmp_path, [], sealed=7)
    data = (tmp_path / "manifest").read_bytes()
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 1
        with pytest.raises(StoreError):
            manifest_file.decode(bytes(broken), tmp_path)


def test_a_newer_one_is_refused(tmp_path: Path) -> None:
    hand_made.write_manifest(tmp_path, [], sealed=7, format_version=9)
    with pytest.raises(FormatTooNew, match="format 9"):
        manifest_file.read(tmp_path)


def test_whole_but_senseless_content_is_an_error(tmp_path: Path) -> None:
    hand_made.write_manifest(tmp_path, [], sealed="seven")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="the content is not"):
        manifest_file.read(tmp_path)
