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


def test_the_order_is_by_rank_and_by_generation_where_there_is_none(tmp_path: Path) -> None:
    listed = hand_made.write_segment(
        tmp_path, "2026-01", 7, [hand_made.Run(1, [hand_made.JANUARY_US], [1.0])]
    )
    hand_made.write_manifest(tmp_path, [listed, listed | {"rank": 3}], sealed=1)
    manifest = manifest_file.read(tmp_path)
    assert manifest is not None
    assert [one.order for one in manifest.segments] == [(7, 7), (3, 7)]


def test_a_cold_segment_lies_in_the_cold_folder_where_there_is_one(tmp_path: Path) -> None:
    listed = hand_made.write_segment(
        tmp_path, "2026-01", 1, [hand_made.Run(1, [hand_made.JANUARY_US], [1.0])]
    )
    hand_made.write_manifest(tmp_path, [listed | {"tier": "cold"}], sealed=1, retired=["x"])
    manifest = manifest_file.read(tmp_path)
    assert manifest is not None
    [one] = manifest.segments
    assert one.place(tmp_path, tmp_path / "cold") == tmp_path / "cold" / one.name
    assert one.place(tmp_path, None) == tmp_path / "segments" / one.name
    home = manifest_file.decode(manifest_file.all_at_home((tmp_path / "manifest").read_bytes()), tmp_path)
    assert (home.segments[0].tier, home.retired, home.sealed_sequence) == ("", (), 1)
