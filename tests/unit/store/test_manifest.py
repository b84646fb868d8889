"""The manifest is replaced as a whole, checked when read, and never believed when damaged."""

from pathlib import Path

import google_crc32c
import msgspec
import pytest

from historian.errors import FormatTooNew, StoreError
from historian.store import manifest
from historian.store.durable import DurableFiles
from historian.store.manifest import Manifest, SegmentInfo
from tests.support.store_kit import FailingFiles

INFO = SegmentInfo(
    name="2018-01-0000000001.h5",
    month="2018-01",
    generation=1,
    sequence_min=1,
    sequence_max=2,
    time_min_us=0,
    time_max_us=1,
    run_count=1,
    sample_count=2,
    superseded_count=0,
    size_bytes=3,
    crc32c=4,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    state = Manifest(sealed_sequence=7, next_generation=2, segments=(INFO,), retired=("x.h5",))
    manifest.write(DurableFiles(), tmp_path, state)
    assert manifest.read(DurableFiles(), tmp_path) == state


def test_an_empty_folder_has_none(tmp_path: Path) -> None:
    assert manifest.read(DurableFiles(), tmp_path) is None


def test_a_flip_of_any_byte_and_a_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    manifest.write(DurableFiles(), tmp_path, Manifest(segments=(INFO,)))
    path = tmp_path / "manifest"
    whole = path.read_bytes()
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole) - 1)]
    for data in damaged + [whole[:cut] for cut in range(len(whole) - 1)]:
        path.write_bytes(data)
        with pytest.raises(StoreError, match="restore the file from a backup"):
            manifest.read(DurableFiles(), tmp_path)


def test_a_newer_format_is_refused_in_words(tmp_path: Path) -> None:
    body = b'{"format_version":3}'
    (tmp_path / "manifest").write_bytes(body + b"\n%08x\n" % google_crc32c.value(body))
    with pytest.raises(FormatTooNew, match="format 3"):
        manifest.read(DurableFiles(), tmp_path)


@pytest.mark.parametrize("method", ["create", "write", "sync", "rename"])
def test_a_failed_write_leaves_the_old_one_in_force(tmp_path: Path, method: str) -> None:
    manifest.write(DurableFiles(), tmp_path, Manifest(sealed_sequence=1))
    with pytest.raises(OSError, match="injected"):
        manifest.write(FailingFiles(method), tmp_path, Manifest(sealed_sequence=2))
    found = manifest.read(DurableFiles(), tmp_path)
    assert found is not None
    assert found.sealed_sequence == 1


def test_format_1_is_read_and_its_segments_are_in_the_order_of_their_generations(tmp_path: Path) -> None:
    old = (
        b'{"format_version":1,"sealed_sequence":9,"next_generation":3,"segments":[{"name":"2018-01-0000000002.h5",'
        b'"month":"2018-01","generation":2,"sequence_min":1,"sequence_max":2,"time_min_us":0,"time_max_us":1,'
        b'"run_count":1,"sample_count":2,"superseded_count":0,"size_bytes":3,"crc32c":4}],"retired":["a.h5"]}'
    )
    (tmp_path / "manifest").write_bytes(old + b"\n%08x\n" % google_crc32c.value(old))
    found = manifest.read(DurableFiles(), tmp_path)
    assert found is not None
    assert (found.format_version, found.sealed_sequence, found.retired) == (2, 9, ("a.h5",))
    [info] = found.segments
    assert (info.order, info.tier) == ((2, 2), "")
    assert (info.point_min, info.point_max) == (0, 2**32 - 1)


def test_rank_comes_before_generation() -> None:
    infos = [msgspec.structs.replace(INFO, generation=g, rank=r) for g, r in ((1, 1), (4, 2), (2, 2), (3, 3))]
    assert [info.generation for info in sorted(infos, key=lambda info: info.order)] == [1, 2, 4, 3]
